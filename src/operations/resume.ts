import { isDeepStrictEqual } from 'node:util'
import { connect, type Database } from '../database/database.ts'
import { loadSpec } from '../job/jobDirectory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { Job, JobRates, RunOptions } from './job.ts'
import { type ResumeOptions, rateOfSpec } from './operation.ts'
import { operationNamed } from './registry.ts'

/** A job that was begun, ready to go on where it was. */
export interface ResumedJob extends Job {
  readonly spec: JobSpec
}

/**
 * Goes on with a job from its directory: `(await resume('.headrace/update-users-1')).run()`. What is settled is not done
 * again; what was under way when it ended may be.
 *
 * @throws {HeadraceError} `STATE` when there is no job, or it can not be read; from `run()` also when what it reads or
 *   the visitor is not what it was
 */
export async function resume(directory: string, options: ResumeOptions = {}): Promise<ResumedJob> {
  const spec = loadSpec(directory, options.disk)
  const database = options.database ?? connect(spec.what.table.connection)
  const target = options.target ?? openTarget(spec, database)
  const job = await makeJob(spec, database, target, options)
  return {
    spec,
    get progress() {
      return job.progress
    },
    setRates: (rates) => job.setRates(rates),
    async run(runOptions: RunOptions = {}) {
      try {
        return await job.run({ disk: options.disk, ...runOptions, directory })
      } finally {
        if (options.database === undefined) await database.close()
        if (target !== options.target && target !== database) await target?.close()
      }
    },
  }
}

/** The two tables of a copy that were reached in one way are reached so again, whatever way that is by now. */
function openTarget({ what: { table, target } }: JobSpec, database: Database): Database | undefined {
  if (target === undefined) return undefined
  return isDeepStrictEqual(target.connection, table.connection) ? database : connect(target.connection)
}

function makeJob(
  { what, how }: JobSpec,
  database: Database,
  target: Database | undefined,
  options: ResumeOptions,
): Job | Promise<Job> {
  const { onReject, prices, sharedReadRate, sharedWriteRate } = options
  const write = {
    maxInFlight: options.maxInFlight ?? how.maxInFlight,
    maxQueueSize: how.maxQueueSize,
    patienceMs: how.patienceMs,
    writeUnitsPerSecond: options.writeUnitsPerSecond ?? rateOfSpec('write', how.rates?.write),
    onReject,
    prices,
    sharedWriteRate,
  }
  const read = {
    filter: what.filter,
    segments: what.segments,
    consistentRead: what.consistentRead,
    concurrency: how.concurrency,
    readUnitsPerSecond: options.readUnitsPerSecond ?? rateOfSpec('read', how.rates?.read),
    sharedReadRate,
  }
  const table = database.table(what.table.name)
  return operationNamed(what.operation).reopen({ what, how, database, table, target, options, write, read })
}

/**
 * The rates that a job's file has at the moment.
 *
 * @throws {HeadraceError} `STATE` when it can not be read
 * @throws {TypeError} for what is no rate
 */
export function readRates(directory: string): JobRates {
  const { read, write } = loadSpec(directory).how.rates ?? {}
  return { readUnitsPerSecond: rateOfSpec('read', read), writeUnitsPerSecond: rateOfSpec('write', write) }
}
