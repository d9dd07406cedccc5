import { type Checkpoint, readRanges } from '../job/checkpoint.ts'
import type { JobWhat, SourceSpec } from '../job/jobSpec.ts'

/** Until so much is done, what it took says nothing of the rest. */
const SHARE_MIN = 0.01
const SPENT_MS_MIN = 5_000

/**
 * The part of a job that is settled, from 0 to 1: of a table by its segments, which are about as large as one another, of files
 * by their bytes. Undefined where nobody can know it, as of standard input.
 */
export function shareDone({ operation, sources, generated }: JobWhat, checkpoint: Checkpoint): number | undefined {
  if (checkpoint.complete) return 1
  const { positions, tally } = checkpoint
  if (operation === 'generate' && generated !== undefined) return Math.min(1, tally.read / generated.items)
  if (positions.kind === 'segments') {
    const done = readRanges(positions.done).size
    const begun = Object.keys(positions.cursors).length
    // Before any came to its end, and where all others are under way, the half of those would be a guess.
    return done === 0 || begun > positions.segments / 2 ? undefined : (done + begun / 2) / positions.segments
  }
  if (sources === undefined || sources.length !== positions.sources.length) return undefined
  let bytes = 0
  let settled = 0
  for (const [index, { done, after }] of positions.sources.entries()) {
    const source = sources[index]!
    const { sizeBytes = Number.NaN, range } = source
    const size = range === undefined ? sizeBytes : range.to - range.from
    const share = done ? 1 : after === undefined ? 0 : shareOfFile(source, size, after)
    // Of many files, those under way play a small part.
    settled += size * (share ?? (sources.length === 1 ? Number.NaN : 0.5))
    bytes += size
  }
  return bytes > 0 && settled >= 0 ? settled / bytes : undefined
}

/** An offset in what is unpacked says nothing of the bytes that are packed. */
function shareOfFile(
  { name, itemCount, range }: SourceSpec,
  sizeBytes: number,
  { line, offset }: { readonly line: number; readonly offset: number },
): number | undefined {
  if (itemCount !== undefined && itemCount > 0) return Math.min(1, line / itemCount)
  return range !== undefined || /\.(?:gz|zst|parquet)$/.test(name) ? undefined : Math.min(1, offset / sizeBytes)
}

/** How long the rest takes if it goes on as on the whole so far, in milliseconds; undefined where that can not be said. */
export function remainingMs(share: number | undefined, spentMs: number): number | undefined {
  if (share === undefined || share < SHARE_MIN || share >= 1 || spentMs < SPENT_MS_MIN) return undefined
  return (spentMs * (1 - share)) / share
}
