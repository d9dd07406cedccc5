import { isDeepStrictEqual } from 'node:util'
import { connect } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { isS3, readS3Address, S3 } from '../storage/s3.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { embeddedMetrics } from './embeddedMetrics.ts'
import type { LambdaContext } from './lambdaContext.ts'
import { lambdaError } from './lambdaError.ts'
import { runSlice, type SliceContext, type SliceResult } from './runSlice.ts'
import { RunStore, type StoredResult } from './runStore.ts'
import { beginningOf } from './seedSlice.ts'
import { sharedRate } from './sharedRate.ts'
import type { SliceCursor } from './slice.ts'

/** What the state machine hands to the function that works on a slice; {@link stateMachineDefinition} makes it so. */
export interface SliceEvent {
  /** From `describe()`; or where in S3 it lies as JSON, `s3://BUCKET/KEY`. */
  readonly job: JobSpec | string
  readonly index: number
  readonly of: number
  /** What all that belongs together is kept under. Default: nothing is kept, and a reject fails the slice. */
  readonly run?: string | undefined
  /** So many work at once, and each gets its part of the job's rates. Default: `of`. */
  readonly workersMax?: number | undefined
  /** What the call before has answered; nothing in it at the beginning. */
  readonly result?: Partial<StoredResult> | undefined
  readonly cursor?: SliceCursor | undefined
}

export interface SliceHandlerOptions
  extends Pick<
    SliceContext,
    'database' | 'target' | 'visitor' | 'transform' | 'definition' | 'maxInFlight' | 'onWarning'
  > {
  /** Where results and rejects of runs are kept, `s3://BUCKET/PREFIX`. Default: `HEADRACE_STORE` of the environment. */
  readonly store?: string | undefined
  /**
   * For a rate that all slices share, where a job's rate is in units a second; any table with the partition key `pk`, text. Default:
   * the one that `HEADRACE_CONTROL_TABLE` of the environment names; without it each slice has its part of the rate.
   */
  readonly controlTable?: Table | undefined
  /** Told what each call has come to, as a line for the function's log of which CloudWatch makes metrics; see `embeddedMetrics`. */
  readonly onMetrics?: ((line: string) => void) | undefined
}

export type SliceHandler = (event: SliceEvent, context: LambdaContext) => Promise<StoredResult>

/**
 * A Lambda handler that does a slice of a job, or as much of it as its time allows: then it answers with a cursor, and the state
 * machine calls it again with that. It throws what stops the slice, by the name of {@link lambdaErrorName}.
 */
export function sliceHandler(options: SliceHandlerOptions = {}): SliceHandler {
  const { store: prefix, controlTable: _, onMetrics, ...sliceOptions } = options
  return async (event, context) => {
    const beganAt = systemClock.now()
    try {
      const { index, of, run, workersMax = of, result } = event
      const job = await loadJob(event.job)
      const cursor = result?.cursor ?? event.cursor
      const store = run === undefined ? undefined : openStore(prefix, run, job, of)
      const rejects = [...(result?.rejects ?? [])]
      const control = openControl(options)
      try {
        const done = await runSlice(
          { job, index, of, cursor },
          {
            ...sliceOptions,
            workersMax,
            ...sharedRates(job, workersMax, control, options.onWarning),
            remainingMs: () => context.getRemainingTimeInMillis(),
            ...(store === undefined
              ? {}
              : {
                  writeRejects: async (lines) => {
                    rejects.push(await store.putRejects(index, context.awsRequestId, lines))
                  },
                }),
          },
        )
        checkProgress(cursor ?? beginningOf(job, index, of), done, job.what.table.name)
        onMetrics?.(
          embeddedMetrics(
            callMetrics(cursor ?? beginningOf(job, index, of), done, systemClock.now() - beganAt),
            { Operation: job.what.operation, Table: job.what.table.name },
            systemClock.wallNow(),
          ),
        )
        const told: StoredResult = { ...done, ...(rejects.length === 0 ? {} : { rejects }) }
        return told.done && store !== undefined ? await store.settle(told) : told
      } finally {
        await store?.[Symbol.asyncDispose]()
        if (control !== undefined && control !== options.controlTable) await control.database.close()
      }
    } catch (error) {
      throw lambdaError(error)
    }
  }
}

/** What this call alone has done: counters go on from call to call. */
function callMetrics(from: SliceCursor, { counters }: SliceResult, durationMs: number): { [name: string]: number } {
  const { tally, spent } = from
  return {
    ItemsRead: counters.read - tally.read,
    ItemsWritten: counters.written - tally.written,
    ItemsRejected: counters.rejected - tally.rejected,
    ReadUnits: counters.readUnits - spent.readUnits,
    WriteUnits: counters.writeUnits - spent.writeUnits,
    Requests: counters.requests - spent.requests,
    Retries: counters.retried - spent.retried,
    Duration: durationMs,
  }
}

/** @throws {HeadraceError} `CONFIGURATION` when nothing says where */
export function openStore(prefix: string | undefined, run: string, job: JobSpec, of: number): RunStore {
  const place = prefix ?? process.env['HEADRACE_STORE']
  if (place !== undefined) return new RunStore(`${place.replace(/\/$/, '')}/${run}`, job, of)
  throw new HeadraceError(
    'CONFIGURATION',
    'no place for results: pass store to the handler (s3://BUCKET/PREFIX), or set HEADRACE_STORE',
  )
}

/** @throws {HeadraceError} `INPUT` when it is not there; `CONFIGURATION` when it is no job */
export async function loadJob(job: JobSpec | string): Promise<JobSpec> {
  if (typeof job !== 'string') return job
  if (!isS3(job)) throw new HeadraceError('CONFIGURATION', `"${job}" is neither a job nor the S3 address of one`)
  const s3 = new S3()
  try {
    const bytes = await s3.get(readS3Address(job))
    if (bytes === undefined)
      throw new HeadraceError('INPUT', `there is no job at ${job}: write the output of describe() there`)
    return parseJson(bytes.toString()) as JobSpec
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new HeadraceError('CONFIGURATION', `${job} is not valid JSON: ${error.message}`, { cause: error })
  } finally {
    await s3.close()
  }
}

function openControl({ controlTable }: SliceHandlerOptions): Table | undefined {
  const name = process.env['HEADRACE_CONTROL_TABLE']
  return controlTable ?? (name === undefined ? undefined : connect().table(name))
}

function sharedRates(
  { id, mark, how: { rates } }: JobSpec,
  workersMax: number,
  control: Table | undefined,
  onNotice: ((text: string) => void) | undefined,
): Pick<SliceContext, 'sharedReadRate' | 'sharedWriteRate'> {
  const share = (direction: 'read' | 'write'): SharedRate | undefined => {
    const unitsPerSecond = rates?.[direction]
    if (control === undefined || typeof unitsPerSecond !== 'number') return undefined
    const name = `${id}#${mark}#${direction}`
    return sharedRate(control, { name, unitsPerSecond, workersMax, onNotice })
  }
  const [sharedReadRate, sharedWriteRate] = [share('read'), share('write')]
  return {
    sharedReadRate,
    sharedWriteRate,
  }
}

/**
 * Called again and again without coming on, it would cost and never end: that is told instead, and tried again some times.
 *
 * @throws {HeadraceError} `NO_PROGRESS`
 */
function checkProgress(from: SliceCursor, { index, done, cursor }: SliceResult, name: string): void {
  if (done || !isDeepStrictEqual(from.positions, cursor!.positions)) return
  throw new HeadraceError(
    'NO_PROGRESS',
    `slice ${index} made no progress within its timeout: ${name} is throttled, or the timeout is too short. Raise the ` +
      'timeout, or run fewer slices at once',
    { place: { table: name } },
  )
}
