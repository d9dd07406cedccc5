import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { canonicalText } from '../item/canonicalText.ts'
import { itemKey, type KeySchema } from '../item/itemKey.ts'
import { textDigest } from '../item/textDigest.ts'
import type { Page } from '../scan/page.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import type { Doubts } from './doubts.ts'
import { PairedScan, type Side } from './pairedScan.ts'

export interface CompareTablesOptions {
  /** As of {@link PairedScan}. */
  readonly left: ScanEngine
  readonly right: ScanEngine
  readonly schema: KeySchema
  readonly concurrency: number
  readonly doubts: Doubts
  readonly counts: { equal: number; leftRead: number; rightRead: number }
  /** Asks to be told whether what was met on one side alone turned out to be on both. */
  readonly whenAlone: (told: (isOnBoth: boolean) => void) => void
  readonly signal: AbortSignal | undefined
  readonly onProgress: () => void
}

/** Items of all segments together that may wait for their counterpart, as keys and digests. */
const WAITING_MAX = 200_000
const SEGMENTS_MAX = 16_384
/** So many that were met on one side alone tell whether the two tables have their items in the same segments. */
const ALONE_LEAST = 200

/** As many segments as the larger table needs, and so many that those that are open hold no more items than may wait. */
export async function segmentsFor(
  tables: readonly Table[],
  options: ScanOptions & { readonly concurrency: number },
): Promise<number> {
  if (options.segments !== undefined) return options.segments
  const { concurrency } = options
  const wanted = await Promise.all(
    tables.map(async (table) => {
      const [{ itemCount }, { connection }] = await Promise.all([table.describe(), table.database.open()])
      // An emulator goes through all of its table for each page.
      const isWhole = tables.length === 1 || connection.loopback
      const byItems = isWhole ? 1 : Math.ceil((itemCount * concurrency * 2) / WAITING_MAX)
      return Math.max(await table.segmentsOf({ concurrency }), byItems)
    }),
  )
  return Math.min(SEGMENTS_MAX, Math.max(...wanted))
}

/**
 * Finds what differs between two tables that are scanned side by side. An item waits, as its key and a digest, for the one of
 * the same key on the other side; what has found none when its segment ends on both sides is in doubt, and so is what
 * differs.
 *
 * That is right in whatever order items come, and frugal where both tables have theirs in the same: then next to nothing
 * waits. An endpoint that spreads keys over segments in a way of its own is noticed, and what is left of a segment then waits
 * for the others. What would be too much to wait is in doubt at once; to look at an item by its key is always right.
 */
export async function compareTables(options: CompareTablesOptions): Promise<void> {
  const { left, right, schema, concurrency, doubts, counts, whenAlone, signal, onProgress } = options
  const waiting = new Map<number, Waiting>()
  /** Left over from segments that ended, where the sides do not have the same items in them. */
  const strays: Waiting = new Map()
  let alone = 0
  let together = 0
  whenAlone((isOnBoth) => {
    alone += 1
    if (isOnBoth) together += 1
  })

  const doubtAll = (items: Waiting): void => {
    for (const [key, { side }] of items) doubts.add({ key, seen: side })
    items.clear()
  }

  /** @returns whether its counterpart was there */
  const meet = (among: Waiting | undefined, key: string, item: WaitingItem): boolean => {
    const other = among?.get(key)
    if (other === undefined || other.side === item.side) return false
    among!.delete(key)
    if (other.high === item.high && other.low === item.low) counts.equal += 1
    else doubts.add({ key, seen: 'both' })
    return true
  }

  const waitingIn = (segment: number): Waiting => {
    let here = waiting.get(segment)
    if (here === undefined) {
      here = new Map()
      waiting.set(segment, here)
    }
    return here
  }

  const onItem = (side: Side, item: PlainItem, segment: number): void => {
    const here = waitingIn(segment)
    const key = itemKey(item, schema)
    const { high, low } = textDigest(canonicalText(item))
    const one = { side, high, low }
    counts[`${side}Read`] += 1
    // Joined and cut off again, the key does not keep its whole page alive.
    if (!meet(here, key, one) && !meet(strays, key, one)) here.set(` ${key}`.slice(1), one)
  }

  const onPage = async (_: Side, { segment }: Page): Promise<void> => {
    const here = waitingIn(segment)
    if (here.size > WAITING_MAX / concurrency) doubtAll(here)
    onProgress()
    await doubts.room()
  }

  const onSegmentEnd = (segment: number): void => {
    const here = waiting.get(segment)
    waiting.delete(segment)
    if (here === undefined) return
    if (alone >= ALONE_LEAST && together > alone / 2) {
      for (const [key, item] of here) if (!meet(strays, key, item)) strays.set(key, item)
      if (strays.size > WAITING_MAX) doubtAll(strays)
    } else {
      doubtAll(here)
    }
    doubts.hurry()
  }

  const scan = new PairedScan({ left, right, onItem, onPage, onSegmentEnd })
  const onAbort = (): void => scan.stop()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await scan.readAll()
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  doubtAll(strays)
}

interface WaitingItem {
  readonly side: Side
  readonly high: number
  readonly low: number
}

/** By the key, as `itemKey` writes it. */
type Waiting = Map<string, WaitingItem>
