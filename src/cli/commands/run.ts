import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type OpenedJob, openJob, type Rate } from '../../index.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type IfExistsFlags,
  ifExistsOf,
  type JobFlags,
  type PlanFlags,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

/** `headrace run` */
export async function runCommand(
  path: string,
  flags: CommonFlags & JobFlags & PlanFlags & WriteFlags & IfExistsFlags & { readRate?: Rate },
): Promise<void> {
  const module = pathToFileURL(resolve(path))
  const database = openDatabase(flags)
  let known: OpenedJob
  try {
    // Which table it is about.
    known = await openJob(module, { database })
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  const readRate = flags.readRate ?? flags.rate
  const options = {
    ...writeOptions(flags),
    ...(readRate === undefined ? {} : { readUnitsPerSecond: readRate }),
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
}
