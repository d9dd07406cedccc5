import type { PlainItem } from '../item/attributeValue.ts'
import { withSignal } from '../runtime/unlessAborted.ts'
import type { Page } from '../scan/page.ts'
import type { ScanEngine, ScanStats } from '../scan/scanEngine.ts'
import type { Rate } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'

/**
 * What a scan reads, and how fast.
 *
 * @typeParam Name names that `select` may have. Default: any
 * @typeParam Index the type of `index`; `undefined` for a scan of the table itself. Default: either
 * @example
 * const options: ScanOptions<'id' | 'email'> = { select: ['id', 'email'], readUnitsPerSecond: '50%' }
 */
export interface ScanOptions<Name extends string = string, Index extends string | undefined = string | undefined> {
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
  readonly select?: readonly Name[] | undefined
  /** A secondary index to read instead of the table. */
  readonly index?: Index | undefined
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
  /** Aborting ends the scan: requests in flight are cancelled, and the loop throws the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/**
 * An item as a scan returns it. With `select` it has the selected attributes. A secondary index may lack any attribute, so
 * with `index` all are optional. Items without a type stay {@link PlainItem}.
 */
export type Scanned<Item extends object, Name extends string, Index> = [Index] extends [undefined]
  ? Selected<Item, Name>
  : Partial<Selected<Item, Name>>

type Selected<Item, Name> = [Name] extends [never]
  ? Item
  : { [Key in keyof Item as Key extends Name ? Key : string extends Key ? Key : never]: Item[Key] }

/**
 * A scan of a table: an async iterable of items, or of pages. Each may be iterated once; leaving the loop cancels what is
 * under way. Reading goes no further ahead than one page for each segment that is being read.
 *
 * @typeParam Item the type of the items. Default: {@link PlainItem}
 * @example
 * for await (const user of users.scan({ filter: 'attribute_exists(email)' })) console.log(user.email)
 */
export class Scan<out Item extends object = PlainItem> implements AsyncIterable<Item> {
  readonly #open: () => Promise<ScanEngine>
  readonly #signal: AbortSignal | undefined
  #engine: ScanEngine | undefined
  #used = false

  /**
   * Made by `table.scan()`.
   *
   * @internal
   */
  constructor(open: () => Promise<ScanEngine>, signal: AbortSignal | undefined) {
    this.#open = open
    this.#signal = signal
  }

  /** What the scan did so far. */
  get stats(): ScanStats {
    return this.#engine?.stats ?? NO_STATS
  }

  /**
   * Pages as they arrive, from all segments.
   *
   * @throws {HeadraceError} when the table cannot be read; the signal's reason when it aborts
   * @example
   * for await (const { items, consumedUnits } of users.scan().pages()) console.log(items.length, consumedUnits)
   */
  async *pages(): AsyncGenerator<Page<Item>, void, void> {
    const signal = this.#signal
    const engine = await this.#start()
    const onAbort = (): void => engine.destroy()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      signal?.throwIfAborted()
      for (let page = await engine.next(); page !== undefined; page = await engine.next()) {
        signal?.throwIfAborted()
        yield page as Page<Item>
      }
      signal?.throwIfAborted()
    } catch (error) {
      // What a cancelled request throws is not the reason.
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      engine.destroy()
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    const signal = this.#signal
    const pages = this.pages()
    let items: readonly Item[] = []
    let index = 0
    // Items at hand are dropped, so that the next one is asked of the pages, which throw the reason.
    const onAbort = (): void => {
      items = []
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const next = async (): Promise<IteratorResult<Item>> => {
      while (index >= items.length) {
        const { value, done } = await pages.next()
        if (done === true) {
          // The last page may have been at hand when the signal aborted.
          signal?.throwIfAborted()
          signal?.removeEventListener('abort', onAbort)
          return { value: undefined, done: true }
        }
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
        signal?.removeEventListener('abort', onAbort)
        await pages.return()
        return { value: undefined, done: true }
      },
    }
  }

  async #start(): Promise<ScanEngine> {
    if (this.#used) throw new TypeError('a scan can be iterated once; call table.scan() again')
    this.#used = true
    this.#engine = await withSignal(this.#signal, this.#open)
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
