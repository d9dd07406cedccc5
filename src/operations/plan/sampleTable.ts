import type { ScanOptions } from '../../database/scan.ts'
import type { Table } from '../../database/table.ts'
import { type Estimate, expandClusters } from '../../job/estimate.ts'
import type { Random } from '../../runtime/random.ts'
import type { Page, RawPage } from '../../scan/page.ts'

/** Segments that are looked at, of a table that is too large to be read whole. */
const SEGMENTS_LOOKED_AT = 32
/** One that is cut into no more than this is read whole: 28 MB, or 35,000 items. */
const SEGMENTS_WHOLE = 56
/** A segment is to hold about so much; less where few units may be spent. */
const SEGMENT_BYTES = 512 * 1024
const SEGMENT_BYTES_MIN = 16 * 1024
const SEGMENT_ITEMS = 625
/** One that holds so many times more was cut by a figure that is wrong, and the table is cut anew. */
const TOO_LARGE = 2
/** Fewer items than this say little, and larger segments are looked at. */
const ITEMS_MIN = 200
const SEGMENTS_MAX = 1_000_000
const CUT_FACTOR = 16
const CONCURRENCY = 4
/** Never more than this, whatever the table turns out to be: 32 MB read eventually consistent. */
export const READ_UNITS_MAX = 4_096
const BYTES_PER_UNIT = 8_192

export interface SampleOptions
  extends Pick<ScanOptions, 'filter' | 'index' | 'readUnitsPerSecond' | 'concurrency' | 'patienceMs'> {
  /** As the service tells it, up to six hours old; 0 where it does not know yet. */
  readonly toldItems: number
  readonly toldBytes: number
  /** Units to spend, at most {@link READ_UNITS_MAX}, which is the default. */
  readonly readUnitsMax?: number | undefined
  /** A table that is cut into no more segments than this is read whole. Default 56. */
  readonly segmentsWhole?: number | undefined
  /** Segments to look at, of a table that is cut into more. Default 32; with fewer, few items are enough. */
  readonly segmentsLookedAt?: number | undefined
  /** Pages without items, which are then not bounded in number. */
  readonly countOnly?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** One segment that was read to its end. */
export interface SampledSegment {
  readonly pages: readonly (Page | RawPage)[]
  readonly scannedCount: number
  /** Items for which the filter holds. */
  readonly count: number
  /** By the units it took. */
  readonly bytes: number
}

export interface TableSample {
  /** Those that were read to their ends; none where segments are too large for a sample. */
  readonly segments: readonly SampledSegment[]
  /** Pages of segments that were not. */
  readonly partial: readonly SampledSegment[]
  /** Segments that the table was cut into. */
  readonly segmentsTotal: number
  /** All of it was read. */
  readonly whole: boolean
  /** Of all that was read, also in vain. */
  readonly readUnits: number
}

/**
 * Reads some segments of a table, drawn at random over the whole of it, at the rate that a scan would keep. A small table is read whole. Where the service's figures turn out to be wrong, the table is cut
 * into more or fewer segments and looked at again.
 */
export async function sampleTable(table: Table, options: SampleOptions): Promise<TableSample> {
  const { random } = await table.database.open()
  const {
    readUnitsMax = READ_UNITS_MAX,
    segmentsWhole = SEGMENTS_WHOLE,
    segmentsLookedAt = SEGMENTS_LOOKED_AT,
  } = options
  const itemsMin = segmentsLookedAt < SEGMENTS_LOOKED_AT ? 1 : ITEMS_MIN
  const segmentBytes = Math.max(SEGMENT_BYTES_MIN, SEGMENT_BYTES * (readUnitsMax / READ_UNITS_MAX))
  const byBytes = Math.ceil(options.toldBytes / segmentBytes)
  const byItems = options.countOnly === true ? 0 : Math.ceil(options.toldItems / SEGMENT_ITEMS)
  let total = Math.min(SEGMENTS_MAX, Math.max(1, byBytes, byItems))
  let units = 0
  for (;;) {
    const only = drawSegments(total, total <= segmentsWhole ? total : segmentsLookedAt, random)
    const look = await readSegments(table, total, only, segmentBytes, readUnitsMax - units, options)
    units += look.units
    const spent = units >= readUnitsMax
    if (look.tooLarge && total < SEGMENTS_MAX && !spent) {
      total = Math.min(SEGMENTS_MAX, total * CUT_FACTOR)
      continue
    }
    const items = look.segments.reduce((sum, { scannedCount }) => sum + scannedCount, 0)
    if (items < itemsMin && total > segmentsWhole && !spent && !look.tooLarge) {
      total = Math.max(1, Math.floor(total / CUT_FACTOR))
      continue
    }
    const { segments, partial } = look
    return { segments, partial, segmentsTotal: total, whole: segments.length === total, readUnits: units }
  }
}

/** What all segments together come to, by those that were read. */
export function expandSample(sample: TableSample, of: (segment: SampledSegment) => number): Estimate | undefined {
  return sample.segments.length === 0 ? undefined : expandClusters(sample.segments.map(of), sample.segmentsTotal)
}

/** One of each of so many equal parts of the table. */
function drawSegments(total: number, count: number, random: Random): number[] {
  const drawn = Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * total) / count)
    const to = Math.floor(((index + 1) * total) / count)
    return from + Math.floor(random() * (to - from))
  })
  // In no order of place, so that what is read first is of all the table.
  for (let index = drawn.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    ;[drawn[index], drawn[other]] = [drawn[other]!, drawn[index]!]
  }
  return drawn
}

interface Look {
  readonly segments: SampledSegment[]
  readonly partial: SampledSegment[]
  readonly units: number
  readonly tooLarge: boolean
}

class Draft implements SampledSegment {
  readonly pages: (Page | RawPage)[] = []
  scannedCount = 0
  count = 0
  bytes = 0
}

async function readSegments(
  table: Table,
  total: number,
  only: readonly number[],
  segmentBytes: number,
  unitsMax: number,
  options: SampleOptions,
): Promise<Look> {
  const {
    toldItems,
    toldBytes,
    readUnitsMax,
    segmentsWhole,
    segmentsLookedAt,
    countOnly = false,
    signal,
    concurrency = CONCURRENCY,
    ...scanOptions
  } = options
  const engine = await table.scanEngine({
    ...scanOptions,
    segments: total,
    only,
    concurrency: Math.min(concurrency, CONCURRENCY),
    countOnly,
    holdSegments: true,
  })
  const drafts = new Map<number, Draft>()
  const segments: SampledSegment[] = []
  let tooLarge = false
  try {
    while (segments.length < only.length) {
      const page = countOnly ? await engine.next() : await engine.nextRaw()
      if (page === undefined) break
      signal?.throwIfAborted()
      const draft = drafts.get(page.segment) ?? new Draft()
      drafts.set(page.segment, draft)
      add(draft, page, options.filter !== undefined)
      if (page.cursor === undefined) {
        drafts.delete(page.segment)
        segments.push(draft)
      } else if (isTooLarge(draft, segmentBytes, countOnly) && total < SEGMENTS_MAX) {
        tooLarge = true
        break
      } else {
        engine.goOn(page.segment)
      }
      if (engine.stats.readUnits >= unitsMax) break
    }
  } finally {
    engine.destroy()
  }
  return { segments, partial: [...drafts.values()], units: engine.stats.readUnits, tooLarge }
}

function add(draft: Draft, page: Page | RawPage, filtered: boolean): void {
  draft.pages.push(page)
  // dynoxide counts the item that no longer fitted into a page as looked at, and again with the next.
  draft.scannedCount += filtered ? page.scannedCount : page.count
  draft.count += page.count
  // Units are rounded up to half a unit, 4 KB; on the mean by half of that.
  if (page.scannedCount > 0) {
    draft.bytes += Math.max(page.scannedCount, (page.consumedUnits ?? 0) * BYTES_PER_UNIT - BYTES_PER_UNIT / 4)
  }
}

function isTooLarge({ bytes, scannedCount }: Draft, segmentBytes: number, countOnly: boolean): boolean {
  return bytes > TOO_LARGE * segmentBytes || (!countOnly && scannedCount > TOO_LARGE * SEGMENT_ITEMS)
}
