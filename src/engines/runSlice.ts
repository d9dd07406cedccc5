import { connect, type Database } from '../database/database.ts'
import { findCheckpoint } from '../job/jobDirectory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { JobReject } from '../job/reject.ts'
import { type Endings, endingsOf } from '../job/tally.ts'
import type { Job } from '../operations/job.ts'
import type { ResumeOptions } from '../operations/operation.ts'
import { resume } from '../operations/resume.ts'
import { defined } from '../runtime/defined.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { MemoryDisk } from '../storage/memoryDisk.ts'
import type { Rate } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { CursorKeeper } from './cursorKeeper.ts'
import { beginningOf, checkOperation, seedSlice } from './seedSlice.ts'
import type { Slice, SliceCursor } from './slice.ts'
import { checkSlicedExport, piecesOf, settlePieces } from './slicedExport.ts'
import { ratesOf } from './sliceRates.ts'

export interface SliceContext
  extends Pick<ResumeOptions, 'visitor' | 'transform' | 'definition' | 'maxInFlight' | 'prices'> {
  /** Where the tables are. Default: as the job says, with the credentials of this process. Not closed. */
  readonly database?: Database | undefined
  /** Where the target of a copy is. Default: `database`, or as the job says. Not closed. */
  readonly target?: Database | undefined
  /** Aborting stops it, with a cursor, within 10 s. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that this process is left, as a Lambda's `getRemainingTimeInMillis`. It stops, with a cursor, when a fifth of what
   * is left at the beginning is left, but 15 s at most. Default: no end.
   */
  readonly remainingMs?: (() => number) | undefined
  /** So many slices run at a time, at most: this one spends its part of the job's rates. Default: all, `slice.of`. */
  readonly workersMax?: number | undefined
  /** What this slice may spend by itself. Default: its part of the job's rates, or of 80 % of what a table is provisioned with. */
  readonly readUnitsPerSecond?: Rate | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
  /** What all slices spend together, beside that; then the default is no limit of this one alone. */
  readonly sharedReadRate?: SharedRate | undefined
  readonly sharedWriteRate?: SharedRate | undefined
  /**
   * Given what was rejected in this call, if anything, as lines of a rejects file (docs/guides/fix-rejected-records.md), before the call ends.
   * Without it, the first reject fails the slice. After 4 MiB of them the call ends with a cursor.
   */
  readonly writeRejects?: ((lines: string) => Promise<void> | void) | undefined
  /**
   * Given where the slice is again and again, when the rejects in front of that were handed over, so that another process can
   * go on there. What it throws ends the slice at once.
   */
  readonly keepCursor?: ((cursor: SliceCursor, counters: SliceCounters) => Promise<void> | void) | undefined
  /** How often that is. Default 10,000. */
  readonly keepCursorEveryMs?: number | undefined
  /** Given what is run, before it runs: for its progress, and to change its rates. */
  readonly onBegin?: ((job: Job) => void) | undefined
  /** Told of what is odd and stops nothing, for people. */
  readonly onWarning?: ((text: string) => void) | undefined
}

export interface SliceResult {
  readonly index: number
  /** All of the slice is settled. */
  readonly done: boolean
  /** Where to go on; undefined when it is done. */
  readonly cursor?: SliceCursor | undefined
  /** Of this call and those before it, up to the cursor. */
  readonly counters: SliceCounters
}

export interface SliceCounters extends Readonly<Endings> {
  readonly read: number
  readonly readUnits: number
  readonly writeUnits: number
  readonly requests: number
  readonly retried: number
}

/** What an end needs: requests that are under way, and the answer itself. */
const MARGIN_MS_MAX = 15_000
const MARGIN_SHARE = 0.2
const REJECTS_BYTES_MAX = 4 * 1024 * 1024
const REJECTS = 'rejects.jsonl'

/**
 * Does a part of a job, from where an earlier call stopped until it is done or the time is up. Whoever calls keeps the cursor;
 * a call that dies is made again with the same one, and what it has done since is done again.
 *
 * @throws {TypeError} for a slice that is none
 * @throws {HeadraceError} `CONFIGURATION` for a job that leaves more behind than a cursor; `STATE` for one that adds to attributes
 *   and does not mark what it has done (`once`), and when table or visitor are not what they were; else as the job's `run`
 */
export async function runSlice(slice: Slice, context: SliceContext = {}): Promise<SliceResult> {
  const { job, index, of } = slice
  checkJob(job)
  const from = slice.cursor ?? beginningOf(job, index, of)
  const disk = new MemoryDisk()
  const directory = `/${job.id}`
  seedSlice(directory, disk, slice, from)
  const {
    signal,
    remainingMs,
    writeRejects,
    keepCursor,
    keepCursorEveryMs,
    onBegin,
    onWarning,
    workersMax = of,
    ...given
  } = context
  const database = given.database ?? connect(job.what.table.connection)
  const end = new AbortController()
  const onReject = ({ place, message }: JobReject): void => {
    if (writeRejects === undefined) throw new HeadraceError('REJECTED', `${place}: ${message}`)
    if ((disk.sizeOf(`${directory}/${REJECTS}`) ?? 0) > REJECTS_BYTES_MAX) end.abort()
  }
  let handedOver = 0
  /** Rejects that will not come again go first, and then it is said that they will not. */
  const tell = async (): Promise<SliceCursor> => {
    const { files, ...reached } = findCheckpoint(directory, disk).checkpoint!
    const size = files[REJECTS] ?? 0
    const lines = size > handedOver ? disk.readPart(`${directory}/${REJECTS}`, handedOver, size - handedOver) : ''
    handedOver = Math.max(handedOver, size)
    if (lines !== '') await writeRejects?.(lines.toString())
    const pieces = piecesOf(files)
    return { ...reached, files: pieces }
  }
  let keeper: CursorKeeper | undefined
  try {
    const { clock } = await database.open()
    const options = { ...(await ratesOf(job, workersMax, database, given)), ...defined(given), database }
    const resumed = await resume(directory, { ...options, disk, onReject })
    // What an export has written is there when a call ends, and not before.
    if (keepCursor !== undefined && job.what.operation !== 'export') {
      const keep = async (): Promise<void> => {
        const cursor = await tell()
        await keepCursor(cursor, countersOf(cursor))
      }
      keeper = new CursorKeeper(clock, keep, () => end.abort(), keepCursorEveryMs)
    }
    onBegin?.(resumed)
    const summary = await resumed.run({
      signal: signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]),
      onWarning,
      limits: {
        // Whoever calls again would only stop again: of all slices together it is seen elsewhere.
        rejectsMax: '100%',
        ...(remainingMs === undefined ? {} : { durationMsMax: runMs(remainingMs()) }),
      },
    })
    await keeper?.stop()
    const cursor = await tell()
    const counters = countersOf(cursor)
    if (!summary.complete) return { index, done: false, cursor, counters }
    if (job.what.operation === 'export') return await settlePieces(job, of, { index, counters, pieces: cursor.files })
    return { index, done: true, counters }
  } finally {
    // What failed is told already, or is not what ended it.
    await keeper?.stop().catch(() => undefined)
    if (given.database === undefined) await database.close()
  }
}

function countersOf({ tally, spent }: SliceCursor): SliceCounters {
  const { readUnits, writeUnits, requests, retried } = spent
  return { read: tally.read, ...endingsOf(tally), readUnits, writeUnits, requests, retried }
}

/** How long a call may take things up. */
function runMs(remainingMs: number): number {
  return Math.max(1, Math.floor(remainingMs - Math.min(MARGIN_MS_MAX, remainingMs * MARGIN_SHARE)))
}

/** @throws {HeadraceError} `CONFIGURATION` */
function checkJob({ version, what }: JobSpec): void {
  if (version !== 1) {
    const message = `the job has version ${version}, but this Headrace reads version 1: use a newer Headrace`
    throw new HeadraceError('CONFIGURATION', message)
  }
  if (what.keepOld === true) {
    const message = 'keepOld (--keep-old) does not work with slices, whose files are lost: describe the job without it'
    throw new HeadraceError('CONFIGURATION', message)
  }
  if (what.operation === 'export') checkSlicedExport(what)
  else checkOperation(what.operation)
}
