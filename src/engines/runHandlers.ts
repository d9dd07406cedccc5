import { connect, type Database } from '../database/database.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { readS3Address, S3, type S3Options } from '../storage/s3.ts'
import { lambdaError } from './lambdaError.ts'
import type { SliceCounters } from './runSlice.ts'
import { beginningOf } from './seedSlice.ts'
import { checkAll, checkSlicedExport, finishExport, sumOf } from './slicedExport.ts'
import { loadJob, openStore } from './sliceHandler.ts'

/** With what an execution of the state machine is started. */
export interface RunInput {
  /** From `describe()`; or where in S3 it lies as JSON, `s3://BUCKET/KEY`. */
  readonly job: JobSpec | string
  /** Into how many it is cut, 1 to 10,000. Default: a slice for each segment or file, 1,000 at most. */
  readonly slices?: number | undefined
  /** An earlier execution that did not come to its end: what it has done is not done again. Default: this is a run of its own. */
  readonly run?: string | undefined
  /** Of an export: take the place of an object of that name. Default false. */
  readonly overwrite?: boolean | undefined
}

/** What goes from one state of the machine to the next. */
export interface RunState {
  readonly job: JobSpec | string
  readonly of: number
  readonly run: string
  readonly overwrite: boolean
  /** Slices that are to be done. */
  readonly indices: readonly number[]
}

export interface RunSummary {
  readonly run: string
  readonly slices: number
  /** Of all slices, each counted once. */
  readonly counters: SliceCounters
  /** Objects with what was rejected. */
  readonly rejects: readonly string[]
  /** Of an export, the object. */
  readonly file?: string | undefined
}

export interface RunHandlerOptions {
  /** Where results and rejects of runs are kept, `s3://BUCKET/PREFIX`. Default: `HEADRACE_STORE` of the environment. */
  readonly store?: string | undefined
  /** Default: as the job says. */
  readonly database?: Database | undefined
}

const SLICES_MAX = 10_000
const SLICES_DEFAULT = 1_000
/** What a state may hold is 256 KiB (Step Functions developer guide, "Quotas related to state executions"). */
const JOB_BYTES_MAX = 128 * 1024

/**
 * A Lambda handler for the state before the slices: says which there are, and refuses what can not come to an end before
 * anything is done.
 */
export function prepareHandler(
  options: RunHandlerOptions = {},
): (event: { readonly input: RunInput; readonly execution: string }) => Promise<RunState> {
  return async ({ input, execution }) => {
    try {
      const { run = execution, overwrite = false } = input
      const job = await loadJob(input.job)
      const { what } = job
      if (typeof input.job !== 'string' && JSON.stringify(job).length > JOB_BYTES_MAX) {
        throw new HeadraceError(
          'CONFIGURATION',
          `the job is larger than ${JOB_BYTES_MAX / 1024} KiB, the limit of a state machine. Write it to S3, and pass ` +
            'its address instead',
        )
      }
      const most = what.segments ?? what.sources?.length ?? 1
      const of = input.slices ?? Math.min(most, SLICES_DEFAULT)
      if (of > SLICES_MAX) throw new TypeError(`slices must be at most ${SLICES_MAX}, not ${of}`)
      beginningOf(job, 0, of)
      await using store = openStore(options.store, run, job, of)
      const done = new Set(await store.indices())
      if (what.operation === 'export') {
        checkSlicedExport(what)
        if (!overwrite && done.size === 0) await refuseExisting(job)
      }
      const indices = Array.from({ length: of }, (_, index) => index).filter((index) => !done.has(index))
      await describeTable(options.database, job)
      return { job: input.job, of, run, overwrite, indices }
    } catch (error) {
      throw lambdaError(error)
    }
  }
}

/**
 * A Lambda handler for the state behind the slices: all of them must have a result; an export's pieces are made one object.
 */
export function finishHandler(options: RunHandlerOptions = {}): (event: RunState) => Promise<RunSummary> {
  return async ({ job: given, of, run, overwrite }) => {
    try {
      const job = await loadJob(given)
      await using store = openStore(options.store, run, job, of)
      const results = await store.results()
      checkAll(results, of, `start an execution with "run": "${run}" to run the missing ones`)
      const isExport = job.what.operation === 'export'
      const { database } = options
      if (isExport) await finishExport(job, of, { overwrite, database })
      return {
        run,
        slices: of,
        counters: sumOf(results),
        rejects: results.flatMap(({ rejects = [] }) => rejects),
        ...(isExport ? { file: job.what.file! } : {}),
      }
    } catch (error) {
      throw lambdaError(error)
    }
  }
}

/** A table that is not there, or may not be read, shall be told once and not by each slice. */
async function describeTable(database: Database | undefined, { what: { table } }: JobSpec): Promise<void> {
  const own = database ?? connect(table.connection)
  try {
    await own.table(table.name).describe()
  } finally {
    if (database === undefined) await own.close()
  }
}

async function refuseExisting({ what: { file, s3: options } }: JobSpec): Promise<void> {
  const s3 = new S3((options?.connection ?? {}) as S3Options)
  try {
    if ((await s3.find(readS3Address(file!))) === undefined) return
    throw new HeadraceError(
      'CONFIGURATION',
      `${file} already exists: set "overwrite": true to replace it, or choose another name`,
    )
  } finally {
    await s3.close()
  }
}
