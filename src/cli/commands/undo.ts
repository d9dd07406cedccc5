import { command } from '../command.ts'
import { COMMON, maxInFlight, STATE, WRITE_RATE, writeOptions } from '../options.ts'

export const undoJob = command({
  name: 'undo',
  arguments: '<directory>',
  section: 'Jobs',
  summary: 'Restore what a job with --keep-old changed',
  description: 'Items that another writer has changed since are left alone and listed in the rejects.',
  examples: [
    'headrace undo .headrace/update-users-20260801T101500-a1',
    'headrace undo .headrace/delete-sessions-20260801T101500-b2 --rate 50%',
    'headrace undo jobs/nightly --job jobs/nightly-undone --json',
  ],
  options: [...WRITE_RATE, ...STATE, maxInFlight, ...COMMON],
  async run([directory], flags) {
    const { jobSpec, jobStatus, undo } = await import('../../index.ts')
    const { openAgain } = await import('../openAgain.ts')
    const { runJob } = await import('../runJob.ts')
    const { state, holder } = jobStatus(directory)
    if (state === 'running')
      throw new TypeError(`the job in ${directory} is still running, in ${holder}: stop it first`)
    const spec = jobSpec(directory)
    const database = openAgain(spec, flags)
    await runJob({
      operation: 'undo',
      table: spec.what.table.name,
      flags,
      database,
      rates: writeOptions(flags),
      make: (made) => undo(directory, { ...writeOptions(flags), database, ...made }),
    })
  },
})
