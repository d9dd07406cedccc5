import { join } from 'node:path'
import { type Checkpoint, checkpointText, type Positions, type Spent } from '../job/checkpoint.ts'
import { CHECKPOINT, findSpec, JOB } from '../job/jobDirectory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { noEndings } from '../job/tally.ts'
import { operationNamed, SLICED_OPERATIONS } from '../operations/registry.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import type { Slice, SliceCursor } from './slice.ts'

const NOTHING_SPENT: Spent = { durationMs: 0, readUnits: 0, writeUnits: 0, unitsAtStake: 0, requests: 0, retried: 0 }

/**
 * What makes a job's directory one of a slice: a job of which everything but that slice is done. So a slice is run, stopped
 * and gone on with as any job is.
 *
 * @throws {TypeError} for a slice that is none, or of a job that can not be cut into so many
 */
export function seedSlice(path: string, disk: Disk, { job, index, of }: Slice, from: SliceCursor): void {
  disk.makeDirectory(path)
  const checkpoint: Checkpoint = { ...from, files: from.files ?? {} }
  // Where another process is doing the same, it has written the same, and one of the two will hold the lock.
  disk.createNew(join(path, CHECKPOINT), checkpointText(checkpoint))
  // Last: without it there is no job.
  disk.createNew(join(path, JOB), `${JSON.stringify({ ...job, slice: { index, of } }, undefined, 2)}\n`)
}

/** @throws {HeadraceError} `CONFIGURATION` for what does not run in slices */
export function checkOperation(operation: string): void {
  const { slices } = operationNamed(operation)
  if (slices !== undefined && slices.leavesPieces !== true) return
  if (slices !== undefined) {
    const message =
      'an export cannot run as a slice with a directory: use runSlice() and ' +
      'finishExport(), or the state machine in docs/guides/lambda.md'
    throw new HeadraceError('CONFIGURATION', message)
  }
  const message = `${operation} jobs cannot run in slices: use one of ${SLICED_OPERATIONS.join(', ')}`
  throw new HeadraceError('CONFIGURATION', message)
}

/** Where a slice begins. @throws {TypeError} as {@link seedSlice} */
export function beginningOf({ what, createdAt }: JobSpec, index: number, of: number): SliceCursor {
  checkSlice(index, of)
  return {
    version: 1,
    sequence: 0,
    savedAt: createdAt,
    tally: { read: 0, ...noEndings() },
    positions:
      what.segments === undefined ? sourcePositions(what, index, of) : segmentPositions(what.segments, index, of),
    spent: NOTHING_SPENT,
    runs: 0,
    complete: false,
    clean: true,
  }
}

/** The segments of a slice lie side by side, and no two slices differ by more than one. */
function segmentPositions(segments: number, index: number, of: number): Positions {
  if (of > segments) {
    throw new TypeError(
      `the job has ${counted(segments, 'segment')}, too few for ${counted(of, 'slice')}: describe it with slices: ${of} (--slices ${of})`,
    )
  }
  const first = Math.floor((index * segments) / of)
  const end = Math.floor(((index + 1) * segments) / of)
  const others = [first === 0 ? '' : rangeText(0, first - 1), end === segments ? '' : rangeText(end, segments - 1)]
  return { kind: 'segments', segments, done: others.filter((text) => text !== '').join(','), cursors: {} }
}

function rangeText(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`
}

/** Each slice gets every so many-th file. */
function sourcePositions({ sources = [] }: JobSpec['what'], index: number, of: number): Positions {
  return {
    kind: 'sources',
    sources: sources.map(({ name }, place) => ({ name, done: place % of !== index })),
  }
}

function checkSlice(index: number, of: number): void {
  if (!Number.isSafeInteger(of) || of < 1)
    throw new TypeError(`of must be a whole number of slices, at least 1, not ${of}`)
  if (!Number.isSafeInteger(index) || index < 0 || index >= of)
    throw new TypeError(`index must be a whole number from 0 to ${of - 1}, not ${index}`)
}

/**
 * Makes a directory for a slice of a job, if it is not there: what `resume()` finds there is a job of which all else is done.
 *
 * @throws {HeadraceError} `STATE` when another job is there
 * @throws {TypeError} for a slice that is none
 */
export function beginSlice(path: string, { job, index, of }: Slice, disk: Disk = systemDisk): void {
  const from = beginningOf(job, index, of)
  const found = findSpec(path, disk)
  if (found === undefined) {
    checkOperation(job.what.operation)
    seedSlice(path, disk, { job, index, of }, from)
    return
  }
  const { slice } = found
  if (found.mark === job.mark && slice?.index === index && slice.of === of) return
  const holds = found.mark === job.mark && slice !== undefined ? `slice ${slice.index} of ${slice.of}` : 'another job'
  throw new HeadraceError(
    'STATE',
    `the directory ${path} already has ${holds}: use another directory for slice ${index} of ${of}`,
  )
}
