import type { PlainItem } from '../../item/attributeValue.ts'
import { ItemError } from '../../item/itemError.ts'
import { LineFit } from '../../job/estimate.ts'
import type { RawPage } from '../../scan/page.ts'
import type { RawItem } from '../prepareChange.ts'
import type { SampledSegment, TableSample } from './sampleTable.ts'
import type { VisitSample } from './visitSample.ts'
import type { WriteCharge } from './writeCharge.ts'

/** What one segment of a sample comes to. */
export interface SegmentSums {
  items: number
  bytes: number
  /** Changed items, then write units of the table and of each index. */
  visited: number[]
}

interface SampleSums {
  readonly segments: Map<SampledSegment, SegmentSums>
  /** For each quantity of `visited`, how it goes with the bytes of an item. */
  readonly fits: readonly LineFit[]
  readonly items: number
}

/** Looks at every item of the sample, and asks what would be written for it. */
export async function weighSample(
  sample: TableSample,
  filtered: boolean,
  charge: WriteCharge,
  visits: VisitSample | undefined,
): Promise<SampleSums> {
  const segments = new Map<SampledSegment, SegmentSums>()
  const quantities = visits === undefined ? 0 : visits.quantities
  const fits = Array.from({ length: quantities }, () => new LineFit())
  let items = 0
  for (const segment of [...sample.segments, ...sample.partial]) {
    const sums: SegmentSums = { items: segment.scannedCount, bytes: 0, visited: new Array(quantities).fill(0) }
    segments.set(segment, sums)
    items += segment.scannedCount
    for (const page of segment.pages as readonly RawPage[]) {
      for (let index = 0; index < page.items.length; index += 1) {
        const item = page.items[index]!
        const size = sizeOf(charge, item)
        sums.bytes += size
        if (visits === undefined || visits.stopped) continue
        const raw: RawItem = {
          attribute: (name) => page.rawAttribute(index, name),
          names: () => page.rawNames(index),
          bytes: () => page.rawBytes(index),
        }
        await visits.visit(item, raw, (found) => {
          for (let quantity = 0; quantity < quantities; quantity += 1) {
            sums.visited[quantity]! += found[quantity]!
            if (!filtered) fits[quantity]!.add(size, found[quantity]!)
          }
        })
      }
    }
    await visits?.settle()
    // What a filter hides has no size to be seen, but it was paid for.
    if (filtered) sums.bytes = segment.bytes
    if (filtered && visits?.stopped !== true) addHidden(fits, sums)
  }
  return { segments, fits, items }
}

/** Of items that a filter hides only their number is known: each counts for an equal part of what its segment came to. */
function addHidden(fits: readonly LineFit[], sums: SegmentSums): void {
  for (const [quantity, fit] of fits.entries()) {
    for (let item = 0; item < sums.items; item += 1) fit.add(0, sums.visited[quantity]! / sums.items)
  }
}

function sizeOf(charge: WriteCharge, item: PlainItem): number {
  try {
    return charge.sizeOf(item)
  } catch (error) {
    // What the service holds and we would not write; its place in the sum is small.
    if (!(error instanceof ItemError)) throw error
    return 0
  }
}
