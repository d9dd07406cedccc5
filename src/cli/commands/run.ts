import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OpenedJob } from '../../index.ts'
import { command } from '../command.ts'
import {
  COMMON,
  ifExists,
  ifExistsOf,
  maxInFlight,
  PLANNING,
  READ_AND_WRITE_RATES,
  STATE,
  writeOptions,
} from '../options.ts'

export const runModule = command({
  name: 'run',
  arguments: '<module>',
  section: 'Change items',
  summary: 'Run a job of your own',
  description:
    'A module (.ts, .js) defines the job: a source, what becomes of each item, and a sink. Flags take precedence over the module.',
  examples: [
    'headrace run order-lines.ts --dry-run',
    'headrace run order-lines.ts --rate 50%',
    'headrace run nightly.ts --job jobs/nightly --max-errors 1%',
  ],
  options: [...PLANNING, ifExists, ...READ_AND_WRITE_RATES, ...STATE, maxInFlight, ...COMMON],
  async run([path], flags) {
    const { openJob } = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    const module = pathToFileURL(resolve(path))
    const database = openDatabase(flags)
    // For the table that it is about.
    const known = await openJob(module, { database })
    const readRate = flags.readRate ?? flags.rate
    const options = {
      ...writeOptions(flags),
      readUnitsPerSecond: readRate,
      ...ifExistsOf(flags),
    }
    let job: OpenedJob | undefined
    try {
      await runJob({
        operation: 'run',
        table: known.table.name,
        flags,
        database: known.table.database,
        rates: options,
        make: async (made) => {
          job = await openJob(module, { database, ...options, ...made })
          return job
        },
      })
    } finally {
      await job?.close()
      await known.close()
      await database.close()
    }
  },
})
