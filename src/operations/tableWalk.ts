import type { JobReject } from '../job/reject.ts'
import type { Ending } from '../job/tally.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { RawPage } from '../scan/page.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import type { LedgerPage, SegmentLedger } from './segmentLedger.ts'
import { VisitedItem } from './visitedItem.ts'

export interface WalkOptions {
  readonly scan: ScanEngine
  readonly ledger: SegmentLedger
  /** Pages that lie open side by side. */
  readonly concurrency: number
  /** Items of one segment that may be under way while it is still visited. */
  readonly unsettledMax: number
  /** A page is visited only when the one behind it has come: for what deletes items from stores that need them to go on. */
  readonly pageAhead: boolean
  /** Whether to visit nothing more. What it throws ends the walk. */
  readonly isStopped: () => boolean
}

/** Pages of one segment in which something is not settled: with more, the segment waits. */
const PAGES_MAX = 4
/** Items in such pages, of all segments that are read at once; a segment waits that has its part of them in several. */
const SPAN_MAX = 32_000

/**
 * Shows items one of each open page in turn: a segment is a range of hashes, and so is a partition, and what is written
 * back in the order of one segment falls on one partition after another. A segment whose writes do not get through,
 * because its partition is hot, is passed over until they do.
 */
export class TableWalk {
  readonly #options: WalkOptions
  readonly #open: OpenPage[] = []
  /** Pages that wait for the one behind them, by segment. */
  readonly #behind = new Map<number, RawPage>()
  /** Pages that wait until the one in front of them is visited, by segment, in their order. */
  readonly #next = new Map<number, RawPage[]>()
  #end: Deferred<void> | undefined

  constructor(options: WalkOptions) {
    this.#options = options
  }

  /**
   * Visits everything.
   *
   * @param visit gives a promise when there is something to wait for before the next
   */
  async visitAll(visit: (item: VisitedItem) => Promise<void> | undefined): Promise<void> {
    const { scan, concurrency, isStopped } = this.#options
    const open = this.#open
    while (!isStopped()) {
      while (open.length < concurrency) {
        const page: RawPage | undefined = open.length === 0 ? await scan.nextRaw() : scan.takeRaw()
        if (page === undefined) break
        this.#arrive(page)
      }
      if (open.length === 0) {
        if (this.#behind.size === 0) return
        continue
      }
      const visited = await this.#visitRounds(visit)
      // All that could be visited belongs to segments that are passed over.
      if (!visited && open.length > 0 && !isStopped()) await this.nextEnd()
    }
  }

  /** An item that was visited has ended. */
  settle(item: VisitedItem, ending: Ending, reject?: JobReject): void {
    const { ledger, unsettledMax } = this.#options
    const { ledger: state } = item.ledgerPage
    ledger.settle(item.ledgerPage, item.index, ending, ending === 'written' && item.deletes, reject)
    state.unsettled -= 1
    if (this.#end !== undefined && state.unsettled <= unsettledMax / 2) this.wake()
  }

  /** Resolves when a segment's turn comes again, or somebody calls {@link wake}. */
  nextEnd(): Promise<void> {
    this.#end ??= deferred()
    return this.#end.promise
  }

  wake(): void {
    this.#end?.resolve()
    this.#end = undefined
  }

  #arrive(page: RawPage): void {
    const { scan, pageAhead } = this.#options
    const { segment } = page
    if (!pageAhead) {
      this.#openPage(page)
      return
    }
    const before = this.#behind.get(segment)
    if (before !== undefined) this.#openPage(before)
    this.#behind.delete(segment)
    if (page.cursor === undefined) {
      this.#openPage(page)
      return
    }
    this.#behind.set(segment, page)
    // The first has none before it, half-way through which it could be asked for.
    if (before === undefined) scan.goOn(segment)
  }

  /**
   * The items of a segment are visited in their order, from page to page. So when the job is stopped everything in front of
   * the last visited one was visited, and once it is settled, the job is resumed behind it and nothing is done twice.
   */
  #openPage(page: RawPage): void {
    const { segment } = page
    if (!this.#open.some((one) => one.page.segment === segment)) {
      this.#open.push({ page, ledgerPage: this.#options.ledger.open(page), next: 0 })
      return
    }
    const waiting = this.#next.get(segment)
    if (waiting === undefined) this.#next.set(segment, [page])
    else waiting.push(page)
  }

  /** A page was visited to its end. */
  #closePage(index: number): void {
    const [{ page }] = this.#open.splice(index, 1, this.#open.at(-1)!) as [OpenPage]
    this.#open.pop()
    const waiting = this.#next.get(page.segment)
    const next = waiting?.shift()
    if (waiting?.length === 0) this.#next.delete(page.segment)
    if (next !== undefined) this.#openPage(next)
  }

  /** Visits an item of each open page, again and again, until one ends; returns whether there was any to visit. */
  async #visitRounds(visit: (item: VisitedItem) => Promise<void> | undefined): Promise<boolean> {
    const { scan, concurrency, unsettledMax, isStopped } = this.#options
    const spanMax = SPAN_MAX / concurrency
    const open = this.#open
    for (;;) {
      let visited = false
      let ended = false
      for (let index = open.length - 1; index >= 0; index -= 1) {
        const one = open[index]!
        const { items, segment } = one.page
        const state = one.ledgerPage.ledger
        const { pages, prefix } = state
        if (state.unsettled >= unsettledMax) continue
        // The foremost page goes on whatever lies behind it: what is behind waits for it.
        const isFarAhead = pages.length > PAGES_MAX || prefix.span >= spanMax
        if (isFarAhead && one.ledgerPage !== pages[0]) continue
        visited = true
        if (one.next < items.length) {
          state.unsettled += 1
          const item = new VisitedItem(one.ledgerPage, one.next)
          one.next += 1
          const wait = visit(item)
          if (wait !== undefined) await wait
          if (isStopped()) return true
        }
        // Its next page is on its way while the rest of this one is looked at.
        if (one.next === (items.length + 1) >> 1) scan.goOn(segment)
        if (one.next < items.length) continue
        this.#closePage(index)
        ended = true
      }
      if (ended || !visited) return visited
    }
  }
}

/** A page of which some items were visited. */
interface OpenPage {
  readonly page: RawPage
  readonly ledgerPage: LedgerPage
  next: number
}
