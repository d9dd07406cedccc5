import type { PlainItem } from '../item/attributeValue.ts'
import type { Page } from '../scan/page.ts'
import type { ScanEngine, ScanStats } from '../scan/scanEngine.ts'
import type { Rate } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'

export interface ScanOptions {
  /** Segments to cut the table into, 1 to 1,000,000. Default: from the table's size. */
  readonly segments?: number | undefined
  /**
   * Of these segments only some, each a number from 0 on, for a table that several processes read together; with `segments`.
   * Default: all.
   */
  readonly onlySegments?: readonly number[] | undefined
  /** Segments to read at the same time, 1 to 1,000. Default 16, or all when there are fewer. */
  readonly concurrency?: number | undefined
  /**
   * Only items for which this holds, such as `country = 'NO' and attribute_exists(email)`. Names and values in it are put
   * behind aliases. It saves transfer, not read units.
   */
  readonly filter?: string | undefined
  /** Only these attributes, each a top-level name. */
  readonly select?: readonly string[] | undefined
  /** A secondary index to read instead of the table. */
  readonly index?: string | undefined
  /** See all writes that ended before the scan began, at twice the price. Default false. */
  readonly consistentRead?: boolean | undefined
  /** Items to look at in one request, 1 to 1,000,000. Default: as many as fit in the service's 1 MB. */
  readonly pageItemsMax?: number | undefined
  /**
   * Read units to spend a second, or a part of what the table has, such as `'50%'`. Default `'80%'` of a provisioned table,
   * which leaves room for its application; on demand, what the table turns out to give; on an emulator on this machine, no
   * limit.
   */
  readonly readUnitsPerSecond?: Rate | undefined
  /** What other processes spend of, too, beside whatever else holds; see `sharedRate`. Default: nothing is shared. */
  readonly sharedReadRate?: SharedRate | undefined
  /** How long nothing at all may succeed before the scan fails. Default 600,000. */
  readonly patienceMs?: number | undefined
}

/**
 * A scan of a table: an async iterable of items, or of pages. Each may be iterated once; leaving the loop cancels what is
 * under way. Reading goes no further ahead than one page for each segment that is being read.
 */
export class Scan implements AsyncIterable<PlainItem> {
  readonly #open: () => Promise<ScanEngine>
  #engine: ScanEngine | undefined
  #used = false

  /** Made by `table.scan()`. */
  constructor(open: () => Promise<ScanEngine>) {
    this.#open = open
  }

  /** What the scan did so far. */
  get stats(): ScanStats {
    return this.#engine?.stats ?? NO_STATS
  }

  /** Pages as they arrive, from all segments. */
  async *pages(): AsyncGenerator<Page, void, void> {
    const engine = await this.#start()
    try {
      for (let page = await engine.next(); page !== undefined; page = await engine.next()) yield page
    } finally {
      engine.destroy()
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<PlainItem> {
    const pages = this.pages()
    let items: readonly PlainItem[] = []
    let index = 0
    const next = async (): Promise<IteratorResult<PlainItem>> => {
      while (index >= items.length) {
        const { value, done } = await pages.next()
        if (done === true) return { value: undefined, done: true }
        items = value.items
        index = 0
      }
      index += 1
      return { value: items[index - 1]!, done: false }
    }
    return {
      // An item at hand needs no trip through the generator.
      next: () => (index < items.length ? Promise.resolve({ value: items[index++]!, done: false as const }) : next()),
      return: async () => {
        items = []
        await pages.return()
        return { value: undefined, done: true }
      },
    }
  }

  async #start(): Promise<ScanEngine> {
    if (this.#used) throw new TypeError('a scan can be iterated once; call table.scan() again')
    this.#used = true
    this.#engine = await this.#open()
    return this.#engine
  }
}

const NO_STATS: ScanStats = {
  requests: 0,
  retried: 0,
  throttledRequests: 0,
  readUnits: 0,
  readUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
  throttlingReasons: {},
  segmentsDone: 0,
  segments: 0,
  scanned: 0,
  matched: 0,
}
