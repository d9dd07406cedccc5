import { type Outcome, sortDamage } from '../dynamodb/outcome.ts'
import { refusalError, type Service } from '../dynamodb/service.ts'
import type { Abort } from '../dynamodb/transport.ts'
import type { ServiceExpression } from '../expression/compileForService.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { ItemDecoder } from '../item/decode.ts'
import { type Clock, sleep, type Timer } from '../runtime/clock.ts'
import { CursorTrail } from '../runtime/cursorTrail.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { Delays } from '../runtime/delays.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Random } from '../runtime/random.ts'
import { Ring } from '../runtime/ring.ts'
import { backoffMs } from '../throughput/backoff.ts'
import { CAPACITY_NOT_REPORTED, type ConsumedUnits, type Limiter } from '../throughput/limiter.ts'
import type { Rate, RateControl } from '../throughput/rate.ts'
import { RetryBudget } from '../throughput/retryBudget.ts'
import { StandingTrouble } from '../throughput/standingTrouble.ts'
import { reasonLabel } from '../throughput/throttlingReason.ts'
import { cursorFlaw } from './cursorFlaw.ts'
import { type Page, type RawPage, readPage, readPageEach, readRawPage } from './page.ts'
import { ReadingRamp } from './readingRamp.ts'
import { segmentOrder } from './segmentOrder.ts'

/** @internal */
export interface ScanEngineOptions {
  readonly service: Service
  readonly table: string
  readonly clock: Clock
  readonly random: Random
  /** Segments the table is cut into. */
  readonly segments: number
  /** Segments read at the same time. */
  readonly concurrency: number
  /** Segments that are not to be read, and where others go on: the text of an `ExclusiveStartKey`. Default: all from the start. */
  readonly done?: ReadonlySet<number> | undefined
  readonly cursors?: ReadonlyMap<number, string> | undefined
  /** Only these segments, in this order. Default: all, in bit-reversed order. */
  readonly only?: readonly number[] | undefined
  readonly filter?: ServiceExpression | undefined
  readonly projection?: ServiceExpression | undefined
  readonly index?: string | undefined
  readonly consistentRead: boolean
  /** Count only: pages come without items. */
  readonly countOnly: boolean
  /** Items looked at in one request; the service's own bound is 1 MB. */
  readonly pageItemsMax?: number | undefined
  /** Bytes of items looked at in one request, about. Default: the service's 1 MB. */
  readonly pageBytesMax?: number | undefined
  /** Of one item, about, for the first pages. */
  readonly itemBytes: number
  /** A segment whose page was taken goes on only when {@link ScanEngine.goOn} says so. Default: at once. */
  readonly holdSegments?: boolean | undefined
  /** With `holdSegments`: so is a segment at its end, and the next one begins only then. Default: at once. */
  readonly holdEnds?: boolean | undefined
  /** Begin with one segment and a small page, and go up by what answers take. Default: all of `concurrency` at once. */
  readonly ramps?: boolean | undefined
  /** Closed with the engine. */
  readonly rates: RateControl
  readonly patienceMs: number
  readonly gzip: boolean
}

export interface ScanStats {
  readonly requests: number
  readonly retried: number
  readonly throttledRequests: number
  readonly readUnits: number
  /** Read units that may be spent a second as things are; `Infinity` where nothing is known to be in the way. */
  readonly readUnitsPerSecondAllowed: number
  /** The service's reasons for throttles, and how often each was given. */
  readonly throttlingReasons: Readonly<Record<string, number>>
  /** Segments that were read to their end, of how many; 0 of 0 before it has begun. */
  readonly segmentsDone: number
  readonly segments: number
  /** Items that were looked at, and those of them for which the filter holds. */
  readonly scanned: number
  readonly matched: number
}

/** What the service looks at for one page at most (API reference, Scan). */
const PAGE_BYTES = 1_048_576
/** Where a rate is asked for or found, a page takes no more than this part of a second's units: a page is a burst. */
const PAGE_SECONDS = 0.1
/** With each page, those before it count so much as a moment ago. */
const OLD_PAGE = 0.75
/** One throttle of a segment's own key range is waited out so long at first, and longer each time. */
const HOT_BASE_MS = 100
const HOT_CAP_MS = 2_000
/** What was throttled rests so long before it stands in line again. */
const REST_MS = 50
/** However few segments wait out a failure, one of them goes again about each second; and however many, about two a second. */
const BACKOFF_MS_PER_SEGMENT = 500
const BACKOFF_MS_MIN = 1_000

/**
 * Items in: several segments read at once, each page handed out when it is asked for.
 *
 * A segment is in one place: *waiting* for its turn, *in line* for a permit, *asking* (its request is under way), *delayed*,
 * *arrived* (its page lies undecoded), or *held*. Taking an arrived page decodes it and puts the segment in line for its next
 * request, so at most `concurrency` answers are in memory, and a slow consumer stops the reading by not taking.
 *
 * **Throttles** are the table's, and slow all of it down, unless the service says that they are of a key range: then only the
 * segment that met it waits.
 *
 * @internal
 */
export class ScanEngine {
  readonly #options: ScanEngineOptions
  readonly #clock: Clock
  readonly #decoder = new ItemDecoder()
  readonly #waiting: number[]
  readonly #arrived = new Ring<Arrival>(16)
  readonly #line = new Ring<Ask>(16)
  readonly #asking = new Map<number, Abort>()
  readonly #held = new Map<number, string | undefined>()
  readonly #delays: Delays
  readonly #limiter: Limiter
  readonly #budget = new RetryBudget()
  readonly #head: string
  readonly #throttlingReasons = new Map<string, number>()
  readonly #ramp: ReadingRamp | undefined
  #itemBytes: number
  /** What pages taught of that; older ones count less. What is known before counts as one item. */
  #weighedItems = 1
  #weighedBytes: number
  #permitTimer: Timer | undefined
  #taker: Deferred<void> | undefined
  #failure: HeadraceError | undefined
  #ended = false
  #lastProgressAt: number
  #requests = 0
  #retried = 0
  #throttledRequests = 0
  #readUnits = 0
  #saidNoCapacity = false
  readonly #trouble: StandingTrouble
  /** Of segments that are read, where their pages have led so far. */
  readonly #trails = new Map<number, CursorTrail>()
  #segmentsDone = 0
  #scanned = 0
  #matched = 0

  constructor(options: ScanEngineOptions) {
    this.#options = options
    this.#clock = options.clock
    const { done } = options
    this.#waiting = [...(options.only ?? segmentOrder(options.segments))]
      .filter((segment) => done?.has(segment) !== true)
      .reverse()
    this.#segmentsDone = done?.size ?? 0
    this.#delays = new Delays(options.clock, options.random)
    this.#limiter = options.rates.limiter
    this.#ramp = options.ramps === true ? new ReadingRamp(options.concurrency) : undefined
    options.rates.onChange = () => this.#onLimitsChanged()
    this.#itemBytes = Math.max(1, options.itemBytes)
    this.#weighedBytes = this.#itemBytes
    this.#head = requestHead(options)
    this.#lastProgressAt = this.#clock.now()
    this.#trouble = new StandingTrouble(
      this.#clock,
      () => this.#lastProgressAt,
      (reason, silentMs) => {
        const { table, patienceMs, rates } = options
        const seconds = Math.round(silentMs / 1_000)
        const patience = Math.round(patienceMs / 1_000)
        rates.onNotice?.(
          `nothing was read from table ${table} for ${seconds} s; retrying for up to ${patience} s: ${reason}`,
        )
      },
    )
  }

  /** Segments the table is cut into. */
  get segments(): number {
    return this.#options.segments
  }

  /** Of the stats, what is asked for each item. */
  get readUnits(): number {
    return this.#readUnits
  }

  get segmentsDone(): number {
    return this.#segmentsDone
  }

  get stats(): ScanStats {
    return {
      requests: this.#requests,
      retried: this.#retried,
      throttledRequests: this.#throttledRequests,
      readUnits: this.#readUnits,
      readUnitsPerSecondAllowed: this.#limiter.unitsPerSecond,
      throttlingReasons: Object.fromEntries(this.#throttlingReasons),
      segmentsDone: this.#segmentsDone,
      segments: this.#options.segments,
      scanned: this.#scanned,
      matched: this.#matched,
    }
  }

  /** Bytes of an item on average, as the latest pages were charged. */
  get itemBytes(): number {
    return this.#itemBytes
  }

  /** The next page of whichever segment has one; undefined when all segments are at their end. */
  next(): Promise<Page | undefined> {
    return this.#take((body, segment) => readPage(this.#decoder, body, segment))
  }

  /** As {@link next}, handing out each item while the page is read; the page itself has none. */
  nextEach(take: (item: PlainItem, segment: number) => void): Promise<Page | undefined> {
    return this.#take((body, segment) => readPageEach(this.#decoder, body, segment, (item) => take(item, segment)))
  }

  /** As {@link next}, with the attributes' own text. */
  nextRaw(): Promise<RawPage | undefined> {
    return this.#take((body, segment) => readRawPage(this.#decoder, body, segment))
  }

  /** As {@link nextRaw}, of the pages that have arrived; undefined when there is none at the moment. */
  takeRaw(): RawPage | undefined {
    this.#begin()
    for (;;) {
      const arrival = this.#arrived.popFront()
      if (arrival === undefined || this.#failure !== undefined) return undefined
      const page = this.#read(arrival, (body, segment) => readRawPage(this.#decoder, body, segment))
      if (page !== undefined) return page
    }
  }

  /** A held segment asks for its next page; one that is held at its end makes room for another segment. */
  goOn(segment: number): void {
    if (this.#ended || !this.#held.has(segment)) return
    const cursor = this.#held.get(segment)
    this.#held.delete(segment)
    if (cursor === undefined) this.#begin()
    else this.#stand({ segment, cursor, tries: 0 })
  }

  /**
   * Other reads of the same table, such as of single items, at the rate that the scan is held to, and counted with it.
   *
   * @param estimatedUnits of the read
   * @param read gives the units that it took; undefined where the endpoint does not tell
   */
  async spend(estimatedUnits: number, read: () => Promise<number | undefined>, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = this.#limiter.take(estimatedUnits, this.#clock.now())
      if (waitMs <= 0) break
      await sleep(this.#clock, waitMs, signal)
    }
    const sentAtMs = this.#clock.now()
    const units = await read()
    this.#requests += 1
    this.#readUnits += units ?? estimatedUnits
    this.#limiter.settle(estimatedUnits, 0, unitsOf(units), sentAtMs, this.#clock.now())
  }

  /** Who is told, in words, when the table can take more or less than before. */
  set onNotice(told: (text: string) => void) {
    this.#options.rates.onNotice = told
  }

  /** Another rate from now on. */
  setRate(rate: Rate): void {
    this.#options.rates.setRate(rate)
  }

  /** Sends nothing new until it is false again; what is at the service ends as ever. */
  setPaused(paused: boolean): void {
    this.#options.rates.setPaused(paused)
  }

  /** Gives up whatever is under way. */
  destroy(): void {
    this.#ended = true
    this.#permitTimer?.clear()
    this.#permitTimer = undefined
    this.#delays.clear()
    for (const abort of this.#asking.values()) abort()
    this.#asking.clear()
    this.#arrived.clear()
    this.#line.clear()
    this.#held.clear()
    this.#waiting.length = 0
    this.#trouble.close()
    this.#options.rates.close()
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
      } else if (this.#active === 0 && this.#waiting.length === 0) {
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
      const message = `cannot read the page: ${error instanceof Error ? error.message : error}`
      this.#onOutcome({ segment, cursor, tries }, arrival.estimatedUnits, arrival.sentAtMs, sortDamage(message))
      return undefined
    }
    // A consumer that takes its time is no failure of the service.
    this.#lastProgressAt = this.#clock.now()
    this.#scanned += page.scannedCount
    this.#matched += page.count
    if (this.#isStuck(segment, cursor, page.cursor)) return undefined
    const units = page.consumedUnits ?? this.#estimate(page, body.length)
    this.#readUnits += units
    this.#learn(units, page.scannedCount)
    this.#limiter.settle(arrival.estimatedUnits, 0, { total: units, table: units }, arrival.sentAtMs, arrival.atMs)
    if (page.cursor === undefined) {
      this.#trails.delete(segment)
      this.#segmentsDone += 1
      if (this.#options.holdEnds === true) this.#held.set(segment, undefined)
      else this.#begin()
    } else if (this.#options.holdSegments === true) {
      this.#held.set(segment, page.cursor)
    } else {
      this.#stand({ segment, cursor: page.cursor, tries: 0 })
    }
    return page
  }

  /**
   * Whether the answer says to go on where nothing new can come: then the same items would be read for ever, or the rest of
   * the segment would be missing in silence. That there is no more, DynamoDB says by leaving `LastEvaluatedKey` out
   * (API reference, Scan), so what stands there and is no key is no end either.
   */
  #isStuck(segment: number, sent: string | undefined, next: string | undefined): boolean {
    if (next === undefined) return false
    let trail = this.#trails.get(segment)
    if (trail === undefined) {
      trail = new CursorTrail(sent)
      this.#trails.set(segment, trail)
    }
    const flaw = cursorFlaw(next) ?? (trail.isNew(next) ? undefined : 'a key that it already returned')
    if (flaw === undefined) return false
    const { table } = this.#options
    const shown = next.length > 200 ? `${next.slice(0, 200)}…` : next
    this.#fail(
      new HeadraceError(
        'REFUSED',
        `the scan of table ${table} cannot continue in segment ${segment}: the endpoint returned LastEvaluatedKey ${shown}, ` +
          `${flaw}. Check that the endpoint is DynamoDB`,
        { place: { table, segment } },
      ),
    )
    return true
  }

  /** Read units of a page of which the endpoint does not tell them: what came, and as much for each item that was filtered out. */
  #estimate({ count, scannedCount }: Page, bytes: number): number {
    if (!this.#saidNoCapacity) this.#options.rates.onNotice?.(CAPACITY_NOT_REPORTED)
    this.#saidNoCapacity = true
    const itemBytes = count === 0 || this.#options.countOnly ? this.#itemBytes : bytes / count
    return this.#unitsOf(scannedCount * itemBytes)
  }

  /** Segments that were begun and are not at their end, but for those that are held. */
  get #active(): number {
    return this.#asking.size + this.#line.length + this.#delays.size + this.#arrived.length
  }

  #begin(): void {
    const most = this.#ramp?.segments ?? this.#options.concurrency
    while (this.#active + this.#held.size < most) {
      const segment = this.#waiting.pop()
      if (segment === undefined) return
      this.#stand({ segment, cursor: this.#options.cursors?.get(segment), tries: 0 })
    }
  }

  #stand(ask: Ask): void {
    if (this.#ended) return
    this.#line.pushBack(ask)
    this.#pump()
  }

  #onLimitsChanged(): void {
    this.#permitTimer?.clear()
    this.#permitTimer = undefined
    this.#pump()
  }

  /** Sends requests for as long as there are permits. */
  #pump(): void {
    while (this.#line.length > 0 && this.#permitTimer === undefined && !this.#ended) {
      if (this.#budget.spent && (this.#delays.size > 0 || this.#asking.size > 0)) return
      const units = this.#unitsOf(this.#pageItems * this.#itemBytes)
      const now = this.#clock.now()
      const waitMs = this.#limiter.take(units, now)
      if (waitMs > 0) {
        // What is waited for on purpose is no want of progress.
        if (this.#limiter.isPaused) this.#lastProgressAt = now
        this.#permitTimer = this.#clock.setTimer(() => {
          this.#permitTimer = undefined
          this.#pump()
        }, waitMs)
        return
      }
      this.#send(this.#line.popFront()!, units)
    }
  }

  /** Items to look at in one request. */
  get #pageItems(): number {
    const { pageItemsMax = Number.POSITIVE_INFINITY, pageBytesMax = PAGE_BYTES } = this.#options
    let bytes = Math.min(PAGE_BYTES, pageBytesMax, this.#ramp?.pageBytes ?? PAGE_BYTES)
    const unitsPerSecond = this.#limiter.unitsPerSecond
    if (Number.isFinite(unitsPerSecond)) bytes = Math.min(bytes, unitsPerSecond * PAGE_SECONDS * this.#bytesPerUnit)
    return Math.max(1, Math.min(pageItemsMax, Math.ceil(bytes / this.#itemBytes)))
  }

  get #bytesPerUnit(): number {
    return this.#options.consistentRead ? 4_096 : 8_192
  }

  #unitsOf(bytes: number): number {
    return Math.max(0.5, Math.min(bytes, PAGE_BYTES) / this.#bytesPerUnit)
  }

  /** What an item weighs, by what a page of them took. */
  #learn(units: number, items: number): void {
    if (items === 0) return
    // Pages of a few items are charged for more than they are, and so count little.
    this.#weighedItems = this.#weighedItems * OLD_PAGE + items
    this.#weighedBytes = this.#weighedBytes * OLD_PAGE + units * this.#bytesPerUnit
    this.#itemBytes = this.#weighedBytes / this.#weighedItems
  }

  #send(ask: Ask, estimatedUnits: number): void {
    const { segment, cursor, tries } = ask
    const start = cursor === undefined ? '' : `,"ExclusiveStartKey":${cursor}`
    const pageItems = this.#pageItems
    // No word of what the service's own bound brings about.
    const limit = pageItems * this.#itemBytes < PAGE_BYTES / 2 || pageItems === this.#options.pageItemsMax
    const body = Buffer.from(`${this.#head},"Segment":${segment}${limit ? `,"Limit":${pageItems}` : ''}${start}}`)
    this.#requests += 1
    const sentAtMs = this.#clock.now()
    const receiver = {
      onReply: (answer: Buffer) => {
        this.#asking.delete(segment)
        const now = this.#clock.now()
        this.#lastProgressAt = now
        this.#budget.onSuccess()
        this.#delays.hasten()
        this.#arrived.pushBack({ segment, body: answer, cursor, tries: tries + 1, estimatedUnits, sentAtMs, atMs: now })
        if (this.#ramp !== undefined) {
          this.#ramp.onAnswer(now - sentAtMs)
          this.#begin()
        }
        this.#wake()
        this.#pump()
      },
      onOutcome: (outcome: Outcome) => {
        this.#asking.delete(segment)
        this.#onOutcome({ segment, cursor, tries: tries + 1 }, estimatedUnits, sentAtMs, outcome)
        this.#pump()
      },
    }
    this.#asking.set(segment, NOTHING_TO_ABORT)
    const abort = this.#options.service.send('Scan', body, receiver, this.#options.gzip)
    if (this.#asking.has(segment)) this.#asking.set(segment, abort)
  }

  #onOutcome(ask: Ask, estimatedUnits: number, sentAtMs: number, outcome: Outcome): void {
    if (this.#ended) return
    const { segment, tries } = ask
    const now = this.#clock.now()
    const throttled = outcome.kind === 'again' && outcome.why === 'throttled'
    this.#limiter.settle(estimatedUnits, throttled ? estimatedUnits : 0, NOTHING, sentAtMs, now)
    if (outcome.kind === 'refused') {
      this.#fail(refusalError(outcome, 'Scan', this.#options.table))
      return
    }
    if (outcome.kind === 'stored') return
    const waitedMs = now - this.#lastProgressAt
    if (waitedMs > this.#options.patienceMs) {
      const message = `gave up: nothing was read from table ${this.#options.table} for ${Math.round(waitedMs / 1_000)} s (last: ${outcome.code}: ${outcome.message})`
      this.#fail(new HeadraceError('NO_PROGRESS', message, { place: { table: this.#options.table, segment } }))
      return
    }
    this.#retried += 1
    const retryAfterMs = outcome.retryAfterMs ?? 0
    if (!throttled) {
      this.#trouble.onFailure(`${outcome.code}: ${outcome.message}`)
      if (outcome.why === 'transient') this.#budget.onFailure()
      const mostMs = Math.max(BACKOFF_MS_MIN, BACKOFF_MS_PER_SEGMENT * this.#delays.size)
      this.#delay(ask, Math.max(retryAfterMs, Math.min(backoffMs(tries, this.#options.random), mostMs)), retryAfterMs)
      return
    }
    this.#throttledRequests += 1
    if (retryAfterMs > 0) this.#limiter.hold(now + retryAfterMs)
    let named = false
    for (const { reason, resource } of outcome.reasons ?? []) {
      const label = reasonLabel(reason, resource)
      this.#throttlingReasons.set(label, (this.#throttlingReasons.get(label) ?? 0) + 1)
      if (!reason.includes('KeyRange')) named = true
    }
    if (named || outcome.reasons === undefined || outcome.reasons.length === 0) {
      this.#limiter.onThrottled(undefined, estimatedUnits, sentAtMs, now, named)
      this.#delay(ask, REST_MS * (1 + this.#options.random() / 2))
    } else {
      this.#delay(
        ask,
        Math.min(HOT_CAP_MS, HOT_BASE_MS * 2 ** Math.min(tries - 1, 10)) * (0.5 + this.#options.random() / 2),
      )
    }
  }

  #delay(ask: Ask, delayMs: number, leastMs = 0): void {
    this.#delays.add(delayMs, () => this.#stand(ask), leastMs)
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
  readonly sentAtMs: number
  readonly atMs: number
}

/** A segment's next request. */
interface Ask {
  readonly segment: number
  readonly cursor: string | undefined
  readonly tries: number
}

const NOTHING: ConsumedUnits = { total: 0, table: 0 }
const NOTHING_TO_ABORT: Abort = () => undefined

function unitsOf(units: number | undefined): ConsumedUnits | undefined {
  return units === undefined ? undefined : { total: units, table: units }
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
    ...(filter === undefined ? [] : [`"FilterExpression":${JSON.stringify(filter.text)}`]),
    ...(projection === undefined ? [] : [`"ProjectionExpression":${JSON.stringify(projection.text)}`]),
    ...(Object.keys(names).length === 0 ? [] : [`"ExpressionAttributeNames":${JSON.stringify(names)}`]),
    ...(values.length === 0 ? [] : [`"ExpressionAttributeValues":{${values.join(',')}}`]),
  ]
  return `{${fields.join(',')}`
}
