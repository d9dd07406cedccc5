import { type Checkpoint, checkpointText, type Positions, type Spent } from '../job/checkpoint.ts'
import { CHECKPOINT, JOB } from '../job/jobDirectory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { Disk } from '../storage/disk.ts'

const NOTHING_SPENT: Spent = { durationMs: 0, readUnits: 0, writeUnits: 0, unitsAtStake: 0, requests: 0, retried: 0 }

/**
 * What makes a job's directory one of a slice: a job of which everything but that slice is done. So a slice is run, stopped
 * and gone on with as any job is.
 *
 * @throws {TypeError} for a slice that is none, or of a job that can not be cut into so many
 */
export async function seedSlice(
  path: string,
  disk: Disk,
  job: JobSpec,
  from: Omit<Checkpoint, 'files'>,
): Promise<void> {
  disk.makeDirectory(path)
  const checkpoint: Checkpoint = { ...from, files: {} }
  for (const [name, text] of [
    [CHECKPOINT, checkpointText(checkpoint)],
    // Last: without it there is no job.
    [JOB, `${JSON.stringify(job, undefined, 2)}\n`],
  ] as const) {
    const file = disk.create(`${path}/${name}`)
    try {
      file.write(Buffer.from(text))
      await file.sync()
    } finally {
      file.close()
    }
  }
  await disk.syncDirectory(path)
}

/** Where a slice begins. @throws {TypeError} as {@link seedSlice} */
export function beginningOf({ what, createdAt }: JobSpec, index: number, of: number): Omit<Checkpoint, 'files'> {
  checkSlice(index, of)
  return {
    version: 1,
    sequence: 0,
    savedAt: createdAt,
    tally: { read: 0, written: 0, rejected: 0, filtered: 0 },
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
      `the job reads its table in ${segments} segments, and can not be cut into ${of} slices; describe it with --slices ${of}`,
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
  if (!Number.isSafeInteger(of) || of < 1) throw new TypeError(`of is ${of}; a whole number of slices, at least 1`)
  if (!Number.isSafeInteger(index) || index < 0 || index >= of)
    throw new TypeError(`index is ${index}; of ${of} slices it is a whole number from 0 to ${of - 1}`)
}
