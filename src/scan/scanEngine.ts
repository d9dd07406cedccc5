import { type Outcome, sortDamage } from '../dynamodb/outcome.ts'
import { refusalError, type Service } from '../dynamodb/service.ts'
import type { Abort } from '../dynamodb/transport.ts'
import { ItemDecoder } from '../item/decode.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Random } from '../runtime/random.ts'
import { Ring } from '../runtime/ring.ts'
import { backoffMs } from '../throughput/backoff.ts'
import { UnitBucket } from '../throughput/unitBucket.ts'
import type { Expression } from './expression.ts'
import { type Page, type RawPage, readPage, readRawPage } from './page.ts'
import { segmentOrder } from './segmentOrder.ts'

export interface ScanEngineOptions {
  readonly service: Service
  readonly table: string
  readonly clock: Clock
  readonly random: Random
  /** Segments the table is cut into. */
  readonly segments: number
  /** Segments read at the same time. */
  readonly concurrency: number
  readonly filter?: Expression | undefined
  readonly projection?: Expression | undefined
  readonly index?: string | undefined
  readonly consistentRead: boolean
  /** Count only: pages come without items. */
  readonly countOnly: boolean
  /** Items looked at in one request; the service's own bound is 1 MB. */
  readonly pageItemsMax?: number | undefined
  readonly readUnitsPerSecond: number
  readonly patienceMs: number
  readonly gzip: boolean
}

export interface ScanStats {
  readonly requests: number
  readonly retried: number
  readonly throttledRequests: number
  readonly readUnits: number
  readonly segmentsDone: number
}

/** Read units that a page of 1 MB takes, eventually consistent: the estimate before the first answer. */
const PAGE_UNITS = 128

/**
 * Items in: several segments read at once, each page handed out when it is asked for.
 *
 * A segment is in one place: *waiting* for its turn, *asking* (its request is under way or backs off), or *arrived* (its
 * page lies undecoded). Taking an arrived page decodes it and sends the segment's next request, so at most `concurrency`
 * answers are in memory, and a slow consumer stops the reading by not taking.
 */
export class ScanEngine {
  readonly #options: ScanEngineOptions
  readonly #clock: Clock
  readonly #decoder = new ItemDecoder()
  readonly #waiting: number[]
  readonly #arrived = new Ring<Arrival>(16)
  readonly #asking = new Map<number, { abort: Abort; timer: Timer | undefined }>()
  readonly #bucket: UnitBucket
  readonly #head: string
  #pageUnits = PAGE_UNITS
  #taker: Deferred<void> | undefined
  #failure: HeadraceError | undefined
  #ended = false
  #lastProgressAt: number
  #requests = 0
  #retried = 0
  #throttledRequests = 0
  #readUnits = 0
  #segmentsDone = 0

  constructor(options: ScanEngineOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#waiting = segmentOrder(options.segments).reverse()
    this.#bucket = new UnitBucket(options.readUnitsPerSecond, this.#clock.now())
    this.#head = requestHead(options)
    this.#lastProgressAt = this.#clock.now()
  }

  /** Segments the table is cut into. */
  get segments(): number {
    return this.#options.segments
  }

  get stats(): ScanStats {
    return {
      requests: this.#requests,
      retried: this.#retried,
      throttledRequests: this.#throttledRequests,
      readUnits: this.#readUnits,
      segmentsDone: this.#segmentsDone,
    }
  }

  /** The next page of whichever segment has one; undefined when all segments are at their end. */
  next(): Promise<Page | undefined> {
    return this.#take((body, segment) => readPage(this.#decoder, body, segment))
  }

  /** As {@link next}, with the attributes' own text. */
  nextRaw(): Promise<RawPage | undefined> {
    return this.#take((body, segment) => readRawPage(this.#decoder, body, segment))
  }

  /** Gives up whatever is under way. */
  destroy(): void {
    this.#ended = true
    for (const { abort, timer } of this.#asking.values()) {
      timer?.clear()
      abort()
    }
    this.#asking.clear()
    this.#arrived.clear()
    this.#waiting.length = 0
    this.#taker?.resolve()
    this.#taker = undefined
  }

  async #take<Read extends Page>(read: (body: Buffer, segment: number) => Read): Promise<Read | undefined> {
    this.#begin()
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const arrival = this.#arrived.popFront()
      if (arrival !== undefined) {
        const page = this.#read(arrival, read)
        if (page !== undefined) return page
      } else if (this.#asking.size === 0 && this.#waiting.length === 0) {
        return undefined
      } else {
        this.#taker ??= deferred()
        await this.#taker.promise
        if (this.#ended && this.#failure === undefined) return undefined
      }
    }
  }

  /** Decodes a page and sends its segment on. */
  #read<Read extends Page>(arrival: Arrival, read: (body: Buffer, segment: number) => Read): Read | undefined {
    const { segment, body, cursor, tries } = arrival
    let page: Read
    try {
      page = read(body, segment)
    } catch (error) {
      const message = `the page can not be read: ${error instanceof Error ? error.message : error}`
      this.#onOutcome(segment, cursor, tries, sortDamage(message))
      return undefined
    }
    // A consumer that takes its time is no failure of the service.
    this.#lastProgressAt = this.#clock.now()
    const units = page.consumedUnits
    if (units !== undefined) {
      this.#readUnits += units
      this.#bucket.settle(arrival.estimatedUnits, units)
      this.#pageUnits = units
    }
    if (page.cursor === undefined) {
      this.#segmentsDone += 1
      this.#begin()
    } else {
      this.#ask(segment, page.cursor, 0)
    }
    return page
  }

  #begin(): void {
    while (this.#asking.size + this.#arrived.length < this.#options.concurrency) {
      const segment = this.#waiting.pop()
      if (segment === undefined) return
      this.#ask(segment, undefined, 0)
    }
  }

  /** Sends a segment's next request as soon as there is a permit. */
  #ask(segment: number, cursor: string | undefined, tries: number): void {
    if (this.#ended) return
    const estimatedUnits = this.#pageUnits
    const waitMs = this.#bucket.take(estimatedUnits, this.#clock.now())
    if (waitMs > 0) {
      this.#wait(segment, waitMs, () => this.#ask(segment, cursor, tries))
      return
    }
    const start = cursor === undefined ? '' : `,"ExclusiveStartKey":${cursor}`
    const body = Buffer.from(`${this.#head},"Segment":${segment}${start}}`)
    this.#requests += 1
    const receiver = {
      onReply: (answer: Buffer) => {
        this.#asking.delete(segment)
        this.#lastProgressAt = this.#clock.now()
        this.#arrived.pushBack({ segment, body: answer, cursor, tries: tries + 1, estimatedUnits })
        this.#wake()
      },
      onOutcome: (outcome: Outcome) => {
        this.#bucket.settle(estimatedUnits, 0)
        this.#onOutcome(segment, cursor, tries + 1, outcome)
      },
    }
    this.#asking.set(segment, { abort: () => undefined, timer: undefined })
    const abort = this.#options.service.send('Scan', body, receiver, this.#options.gzip)
    if (this.#asking.has(segment)) this.#asking.set(segment, { abort, timer: undefined })
  }

  #onOutcome(segment: number, cursor: string | undefined, tries: number, outcome: Outcome): void {
    if (this.#ended) return
    this.#asking.delete(segment)
    if (outcome.kind === 'refused') {
      this.#fail(refusalError(outcome, 'Scan', this.#options.table))
    } else if (outcome.kind === 'again') {
      const waitedMs = this.#clock.now() - this.#lastProgressAt
      if (waitedMs > this.#options.patienceMs) {
        const message = `nothing was read from table ${this.#options.table} for ${Math.round(waitedMs / 1_000)} s (last: ${outcome.code}: ${outcome.message})`
        this.#fail(new HeadraceError('NO_PROGRESS', message, { place: { table: this.#options.table, segment } }))
        return
      }
      this.#retried += 1
      if (outcome.why === 'throttled') this.#throttledRequests += 1
      const delayMs = backoffMs(tries, outcome.why === 'throttled', this.#options.random, outcome.retryAfterMs)
      this.#wait(segment, delayMs, () => this.#ask(segment, cursor, tries))
    }
  }

  #wait(segment: number, delayMs: number, then: () => void): void {
    const timer = this.#clock.setTimer(() => {
      this.#asking.delete(segment)
      then()
    }, delayMs)
    this.#asking.set(segment, { abort: () => undefined, timer })
  }

  #fail(error: HeadraceError): void {
    this.#failure = error
    this.destroy()
  }

  #wake(): void {
    this.#taker?.resolve()
    this.#taker = undefined
  }
}

/** An answer that nobody has asked for yet. */
interface Arrival {
  readonly segment: number
  readonly body: Buffer
  /** Where its request began, to ask again if it can not be read. */
  readonly cursor: string | undefined
  readonly tries: number
  readonly estimatedUnits: number
}

/** All of the request that is the same for every page, open at the end. */
function requestHead(options: ScanEngineOptions): string {
  const { filter, projection } = options
  const names = { ...filter?.names, ...projection?.names }
  const values = Object.entries(filter?.values ?? {}).map(([alias, text]) => `"${alias}":${text}`)
  const fields = [
    `"TableName":${JSON.stringify(options.table)}`,
    '"ReturnConsumedCapacity":"TOTAL"',
    `"TotalSegments":${options.segments}`,
    ...(options.index === undefined ? [] : [`"IndexName":${JSON.stringify(options.index)}`]),
    ...(options.consistentRead ? ['"ConsistentRead":true'] : []),
    ...(options.countOnly ? ['"Select":"COUNT"'] : []),
    ...(options.pageItemsMax === undefined ? [] : [`"Limit":${options.pageItemsMax}`]),
    ...(filter === undefined ? [] : [`"FilterExpression":${JSON.stringify(filter.text)}`]),
    ...(projection === undefined ? [] : [`"ProjectionExpression":${JSON.stringify(projection.text)}`]),
    ...(Object.keys(names).length === 0 ? [] : [`"ExpressionAttributeNames":${JSON.stringify(names)}`]),
    ...(values.length === 0 ? [] : [`"ExpressionAttributeValues":{${values.join(',')}}`]),
  ]
  return `{${fields.join(',')}`
}
