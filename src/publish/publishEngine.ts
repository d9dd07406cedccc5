import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Outcome, Refused } from '../dynamodb/outcome.ts'
import { type Operation, refusalError, type Service } from '../dynamodb/service.ts'
import { ITEM_BYTES_MAX, type PlainItem } from '../item/attributeValue.ts'
import type { Change, Changes } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { Delays } from '../runtime/delays.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Random } from '../runtime/random.ts'
import { Ring } from '../runtime/ring.ts'
import { backoffMs } from '../throughput/backoff.ts'
import { CAPACITY_NOT_REPORTED, type ConsumedUnits, type Limiter } from '../throughput/limiter.ts'
import { type Answer, Pushback, type Way } from '../throughput/pushback.ts'
import type { Rate, RateControl } from '../throughput/rate.ts'
import { RetryBudget } from '../throughput/retryBudget.ts'
import { StandingTrouble } from '../throughput/standingTrouble.ts'
import { AsideQueue } from './asideQueue.ts'
import {
  CHANGE_HEAD_BYTES,
  type ChangePlan,
  ChangePlanner,
  changeBatchBody,
  changeOf,
  type Dialect,
  parametersText,
  singleChange,
} from './changeBatch.ts'
import { type Attributes, type Conflict, ConflictResolver } from './conflictResolver.ts'
import { Entry, type EntryOwner, type Epoch, entryEncoder, entryKey, entryPartition } from './entry.ts'
import { HotKeys } from './hotKeys.ts'
import { KeyTable } from './keyTable.ts'
import type { PublisherStats } from './publisherStats.ts'
import { type BatchReply, ReplyReader } from './replyReader.ts'
import { BatchReceiver, type SentBatch } from './sentBatch.ts'
import { BodySlab, Slab } from './slab.ts'
import { BATCH_ENTRIES_MAX, writeBatchBody, writeBatchHead } from './writeBatch.ts'

export interface EngineOptions {
  readonly service: Service
  readonly table: string
  readonly schema: KeySchema
  readonly clock: Clock
  readonly random: Random
  readonly maxInFlight: number
  readonly maxQueueSize: number
  readonly maxQueueBytes: number
  readonly lingerMs: number
  readonly patienceMs: number
  /** Closed with the engine. */
  readonly rates: RateControl
  /**
   * The item with a key, given in DynamoDB JSON, strongly consistent.
   *
   * @param onUnits told the read units that it consumed
   */
  readonly readItem: (keyText: string, onUnits: (readUnits: number) => void) => Promise<Attributes | undefined>
}

/** Of PartiQL; a change that was refused in all of them goes by itself. */
const DIALECTS = 2
/** Bytes of one request (API reference, BatchWriteItem), with room for what surrounds the entries. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024 - 64 * 1024
/** Entries kept for use again: as many as a busy publisher has. */
const IDLE_ENTRIES_MAX = 32_768
/** What was throttled rests so long, and half as long again by chance, so that it finds company. */
const REST_MS = 50
/** A scout follows soon, so that what it meets is what the others meet. */
const SCOUT_DELAY_MS = 25
/** While it is hot somewhere, so many times the queue's size may wait for that, besides what waits for the rest. */
const ASIDE_QUEUE_FACTOR = 10
/** No batch takes more than this part of a second's units, but for one entry. */
const BATCH_SECONDS = 0.04
/**
 * Nor is it less than what a quarter of a second has, up to these units, at a rate that was asked for: a request for each entry costs
 * more than all else. Where throttles say what there is, small ones say it better.
 */
const SLOW_BATCH_SECONDS = 0.25
const SLOW_BATCH_UNITS = 5
/** However few wait out a failure, one of them goes again about each second; and however many, about two a second. */
const BACKOFF_MS_PER_GROUP = 500
const BACKOFF_MS_MIN = 1_000
/** However many entries that is, no more bytes than this are at the service at once. */
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024

/**
 * Entries out: from the buffer into batches, to the service, and to their owners.
 *
 * **Modes.** *open*: takes entries. *draining*: takes no more; what it has goes out at once, without lingering.
 * *closed*: all is settled. *failed*: something makes all further work useless (the table is gone, access is denied,
 * nothing moved for as long as patience lasts); whatever was not settled is given up, and every promise rejects with the
 * reason. Only `#fail` and `close` move the mode. Each engine has its own buffer, timers and window; nothing is shared
 * between two of them but the connection pool, so one that ends or fails touches no other.
 *
 * **Order.** Of one key at most one entry is buffered or at the service; a later one *follows* it, or, when both are
 * puts or deletes and the earlier has not been tried, *supersedes* it. So no batch holds a key twice, no two requests
 * race for one, and the last value wins whatever is retried.
 *
 * **Again.** What failed waits out its backoff, then returns to the head of the buffer, and is batched like anything else.
 * What was throttled is set *aside*: it rests for a moment, then goes in batches of its own, which the limiter lets through
 * like any other. So what can not be stored now holds nothing back that can, and no timer but the limiter decides how often
 * a service that is too busy is asked. There is no other retry.
 *
 * **Heat.** When some part of the table is hot rather than all of it busy (see `HeatJudge`), what is aside gets a rate of its
 * own, found like the table's, and throttles of what is not aside do not count against the table's.
 */
export class PublishEngine {
  readonly #options: EngineOptions
  readonly #service: Service
  readonly #clock: Clock
  readonly #writeHead: Buffer
  readonly #putEncoder = entryEncoder('put')
  readonly #valueEncoder = new ItemEncoder()
  readonly #slab = new Slab()
  readonly #bodies = new BodySlab()
  /** Entries that were stored, to be used again. */
  readonly #idle: Entry[] = []
  readonly #planner: ChangePlanner
  readonly #replies: ReplyReader
  readonly #conflicts: ConflictResolver
  readonly #writes = new Ring<Entry>(1_024)
  readonly #changes = new Ring<Entry>(64)
  /** Batches to be sent as they are: halves of one that was refused for some entry in it. */
  readonly #prepared = new Ring<Prepared>(4)
  /** What was throttled and may go again. */
  readonly #asideWrites = new AsideQueue()
  readonly #asideChanges = new AsideQueue()
  /** What was throttled and rests; it moves aside together. */
  #resting: Entry[] = []
  #rest: Timer | undefined
  readonly #pushback: Pushback
  readonly #hotKeys = new HotKeys()
  #asideTimer: Timer | undefined
  readonly #budget = new RetryBudget()
  /**
   * The last entry taken of each key that is not settled, by the key's hash. Two keys of one hash are taken for one where
   * that only makes an entry wait for another, and looked at closely where it would do more.
   */
  readonly #byKey = new KeyTable<Entry>()
  readonly #delays: Delays
  /** Entries that a full batch holds: a request's 25, or all that may be in flight. */
  readonly #batchEntriesMax: number
  readonly #limiter: Limiter
  readonly #latencyMicros: RecordableHistogram = createHistogram()

  /** In the order in which they are looked at. */
  readonly #queues: readonly { readonly queue: Ring<Entry> | AsideQueue; readonly way: 'fresh' | 'aside' }[] = [
    { queue: this.#asideWrites, way: 'aside' },
    { queue: this.#asideChanges, way: 'aside' },
    { queue: this.#writes, way: 'fresh' },
    { queue: this.#changes, way: 'fresh' },
  ]

  #mode: 'open' | 'draining' | 'closed' | 'failed' = 'open'
  #failure: HeadraceError | undefined
  /** Called once, when it fails or is destroyed. */
  onFailure: (() => void) | undefined
  #epoch: Epoch = { outstanding: 0, onEmpty: undefined }
  #unsettledEpochs: Epoch[] = []
  #ready: Deferred<void> | undefined
  #linger: Timer | undefined
  #permitTimer: Timer | undefined
  /** Send what there is, however little. */
  #hurry = false
  #pumping = false
  #lastProgressAt: number
  /** The endpoint has no PartiQL. */
  #singlesOnly = false
  #dialect: Dialect = 'clauses'
  /** The one in which several clauses were once understood. */
  #provenDialect: Dialect | undefined

  #taken = 0
  #stored = 0
  #superseded = 0
  #rejected = 0
  #conflicted = 0
  #buffered = 0
  #bufferedBytes = 0
  #inFlight = 0
  /** Of which it is being found out why their condition did not hold. */
  #resolving = 0
  #inFlightBytes = 0
  #retried = 0
  #unprocessed = 0
  #requests = 0
  #throttledRequests = 0
  #failedRequests = 0
  #writeUnits = 0
  #readUnits = 0
  #saidNoCapacity = false
  readonly #trouble: StandingTrouble
  /** Estimates of what was taken, of what has ended, and of tries that may have taken effect without a word. */
  #takenUnits = 0
  #endedUnits = 0
  #doubtfulUnits = 0
  #doubtfulEntries = 0
  #halted: Deferred<void> | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    this.#service = options.service
    this.#clock = options.clock
    this.#writeHead = writeBatchHead(options.table)
    this.#planner = new ChangePlanner(options.table, options.schema)
    this.#replies = new ReplyReader(options.schema)
    this.#conflicts = new ConflictResolver(options.schema, (keyText) =>
      options.readItem(keyText, (units) => {
        this.#readUnits += units
      }),
    )
    this.#batchEntriesMax = Math.min(BATCH_ENTRIES_MAX, options.maxInFlight)
    this.#delays = new Delays(this.#clock, options.random)
    this.#limiter = options.rates.limiter
    options.rates.onChange = () => this.#onLimitsChanged()
    const now = this.#clock.now()
    this.#pushback = new Pushback(options.rates, now)
    this.#lastProgressAt = now
    this.#trouble = new StandingTrouble(
      this.#clock,
      () => this.#lastProgressAt,
      (reason, silentMs) => {
        const { table, patienceMs, rates } = options
        const seconds = Math.round(silentMs / 1_000)
        const patience = Math.round(patienceMs / 1_000)
        rates.onNotice?.(
          `nothing was written to table ${table} for ${seconds} s; retrying for up to ${patience} s: ${reason}`,
        )
      },
    )
  }

  get failure(): HeadraceError | undefined {
    return this.#failure
  }

  /**
   * Takes an item to be written whole. Returns whether there is room for another.
   *
   * @param origin whatever the owner knows it by
   * @param lane which of several sources it comes from, from 0
   * @param keyCheck see `Entry`
   * @throws {ItemError} when it cannot be stored
   */
  put(item: PlainItem, owner: EntryOwner, origin: unknown, lane = 0, keyCheck = 0): boolean {
    const encoder = this.#putEncoder
    const hash = keyHash(item, this.#options.schema)
    this.#slab.writeItem(encoder, item)
    this.#checkOpen()
    return this.#take('put', undefined, hash, writeUnits(encoder.sizeBytes), owner, origin, lane, keyCheck)
  }

  /**
   * Takes an item to be written whole where there is none of its key; where there is one, its owner is told of a conflict.
   * As {@link put}.
   */
  insert(item: PlainItem, owner: EntryOwner, origin: unknown, lane = 0): boolean {
    const { schema } = this.#options
    const hash = keyHash(item, schema)
    const plan = this.#planner.planOfInsert(item)
    const bytes = this.#slab.writeParameters(this.#valueEncoder, schema, plan, item, item, {})
    if (bytes > ITEM_BYTES_MAX)
      throw new ItemError(`the item has ${bytes} bytes: DynamoDB stores at most ${ITEM_BYTES_MAX}`)
    this.#checkOpen()
    return this.#take('change', plan, hash, writeUnits(bytes), owner, origin, lane)
  }

  /**
   * Takes a put or a delete. Returns whether there is room for another.
   *
   * @param text what the `entryEncoder` of this kind made of the item or key
   * @param wireBytes of it in UTF-8
   * @param hash of the key, see `keyHash`
   * @param units estimate
   * @param origin whatever the owner knows it by
   */
  write(
    kind: 'put' | 'delete',
    text: string,
    wireBytes: number,
    hash: number,
    units: number,
    owner: EntryOwner,
    origin: unknown,
    lane = 0,
  ): boolean {
    this.#checkOpen()
    this.#slab.write(text, wireBytes)
    return this.#take(kind, undefined, hash, units, owner, origin, lane)
  }

  /** Takes what was written last into the slab. */
  #take(
    kind: Entry['kind'],
    plan: ChangePlan | undefined,
    hash: number,
    units: number,
    owner: EntryOwner,
    origin: unknown,
    lane: number,
    keyCheck = 0,
  ): boolean {
    const { buffer, start, end } = this.#slab
    const entry = this.#newEntry(owner)
    entry.kind = kind
    entry.plan = plan
    entry.buffer = buffer
    entry.start = start
    entry.end = end
    entry.keyHash = hash
    entry.keyCheck = keyCheck
    entry.wireBytes = end - start
    if (plan !== undefined) entry.wireBytes += plan.statements?.clauses.length ?? CHANGE_HEAD_BYTES
    entry.units = units
    entry.origin = origin
    entry.lane = lane
    return this.#add(entry)
  }

  /**
   * Takes an update of an item that was not read. Returns whether there is room for another.
   *
   * @param key the key attributes; others are left aside
   * @param expect attributes that must be equal to these values, or missing where `undefined`
   * @throws {ItemError} for what is no update, or can not be stored
   */
  update(
    key: PlainItem,
    changes: Omit<Changes, 'add'>,
    expect: { readonly [name: string]: unknown },
    owner: EntryOwner,
    origin: unknown,
    lane = 0,
  ): boolean {
    const { schema } = this.#options
    const hash = keyHash(key, schema)
    const plan = this.#planner.planOfUpdate(changes, expect)
    const bytesSet = this.#slab.writeParameters(this.#valueEncoder, schema, plan, key, changes.set, expect)
    this.#checkOpen()
    return this.#take('change', plan, hash, writeUnits(bytesSet), owner, origin, lane)
  }

  /** Takes a change. As {@link write}. */
  change(change: Change, hash: number, units: number, owner: EntryOwner, origin: unknown, lane = 0): boolean {
    this.#checkOpen()
    const text = parametersText(change)
    this.#slab.write(text, Buffer.byteLength(text))
    return this.#take('change', this.#planner.planOf(change), hash, units, owner, origin, lane)
  }

  #newEntry(owner: EntryOwner): Entry {
    const entry = this.#idle.pop()
    if (entry === undefined) return new Entry(owner, this.#epoch)
    entry.state = 'buffered'
    entry.owner = owner
    entry.epoch = this.#epoch
    return entry
  }

  #checkOpen(): void {
    if (this.#mode === 'open') return
    throw (
      this.#failure ?? new HeadraceError('CLOSED', 'the publisher is closed: create another one to publish more items')
    )
  }

  #add(entry: Entry): boolean {
    this.#epoch.outstanding += 1
    this.#taken += 1
    if (this.#buffered === 0 && this.#inFlight === 0) this.#lastProgressAt = this.#clock.now()
    this.#buffered += 1
    this.#takenUnits += entry.units
    this.#bufferedBytes += entry.wireBytes
    const earlier = this.#byKey.exchange(entry.keyHash, entry)
    if (earlier !== undefined) this.#line(entry, earlier)
    else if (this.#hotKeys.any && this.#isHot(entry)) this.#putAside(entry)
    else this.#queueOf(entry).pushBack(entry)
    if (this.#writes.length >= this.#batchEntriesMax || this.#changes.length >= this.#batchEntriesMax) this.#pump()
    else if (this.#linger === undefined) this.#startLinger()
    return this.#hasRoom()
  }

  /** Counts an entry that was refused before it was one: an item that can not be encoded. */
  countInvalid(): void {
    this.#taken += 1
    this.#rejected += 1
  }

  /** Puts an entry behind or in place of the one of its key that was taken before. */
  #line(entry: Entry, earlier: Entry): void {
    const replaces =
      earlier.kind !== 'change' &&
      entry.kind !== 'change' &&
      earlier.tries === 0 &&
      // It would be left behind in another queue than the one that takes its place.
      !earlier.isAside &&
      (earlier.state === 'buffered' || earlier.state === 'following') &&
      entryKey(earlier, this.#options.schema) === entryKey(entry, this.#options.schema)
    if (replaces) {
      entry.superseded = earlier
      if (earlier.state === 'following') {
        entry.state = 'following'
        entry.previous = earlier.previous
        entry.previous!.next = entry
      } else {
        this.#queueOf(entry).pushBack(entry)
      }
      earlier.state = 'superseded'
    } else {
      entry.state = 'following'
      entry.previous = earlier
      earlier.next = entry
    }
  }

  #queueOf(entry: Entry): Ring<Entry> {
    return entry.kind === 'change' ? this.#changes : this.#writes
  }

  #asideQueueOf(entry: Entry): AsideQueue {
    return entry.kind === 'change' ? this.#asideChanges : this.#asideWrites
  }

  #putAside(entry: Entry): void {
    entry.isAside = true
    this.#asideQueueOf(entry).pushBack(entry)
  }

  #isHot(entry: Entry): boolean {
    const { schema } = this.#options
    return schema.sort !== undefined && this.#hotKeys.isHot(entryPartition(entry, schema), this.#clock.now())
  }

  #hasRoom(): boolean {
    const { maxQueueSize, maxQueueBytes } = this.#options
    if (this.#bufferedBytes >= maxQueueBytes) return false
    if (this.#buffered < maxQueueSize) return true
    // What waits for a hot part of the table must not keep out what is for the rest of it.
    const aside = this.#asideWrites.length + this.#asideChanges.length
    if (aside < maxQueueSize / 2 || !this.#pushback.isHot(this.#clock.now())) return false
    return this.#buffered - aside < maxQueueSize && aside < maxQueueSize * ASIDE_QUEUE_FACTOR
  }

  /** Resolves when `add` will find room; rejects when the engine has failed. */
  get ready(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#hasRoom()) return Promise.resolve()
    this.#ready ??= deferred()
    return this.#ready.promise
  }

  /** Read units consumed to find out about conflicts. */
  get readUnits(): number {
    return this.#readUnits
  }

  /** Write units consumed, as the service tells. */
  get writeUnits(): number {
    return this.#writeUnits
  }

  /** Estimated write units of the table, of entries that have ended. */
  get endedUnits(): number {
    return this.#endedUnits
  }

  /** Estimated write units of the table that may still be consumed, or were without the service saying so. */
  get unitsAtStake(): number {
    // What was given up before it was sent takes none.
    const underWay = this.#mode === 'failed' && this.#inFlight === 0 ? 0 : this.#takenUnits - this.#endedUnits
    return underWay + this.#doubtfulUnits
  }

  /** Entries that were taken and are not settled. */
  get outstanding(): number {
    return this.#buffered + this.#underWay
  }

  /** At the service, or being looked at. */
  get #underWay(): number {
    return this.#inFlight + this.#resolving
  }

  /** How far above its bound the buffer is; producers that ignore `false` are recognised by it. */
  get overrun(): number {
    return this.#buffered - this.#asideWrites.length - this.#asideChanges.length - this.#options.maxQueueSize
  }

  /** Resolves when all that was taken so far is settled; rejects when the engine fails first. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const epoch = this.#epoch
    this.#epoch = { outstanding: 0, onEmpty: undefined }
    this.#unsettledEpochs.push(epoch)
    this.#hurry = true
    this.#pump()
    for (const one of [...this.#unsettledEpochs]) {
      while (one.outstanding > 0) {
        const emptied = deferred()
        const earlier = one.onEmpty
        one.onEmpty = () => {
          earlier?.()
          emptied.resolve()
        }
        await emptied.promise
        if (this.#failure !== undefined) throw this.#failure
      }
    }
    this.#unsettledEpochs = this.#unsettledEpochs.filter((one) => one.outstanding > 0)
    if (this.#unsettledEpochs.length === 0 && this.#mode === 'open') this.#hurry = false
  }

  /** Takes no more, and resolves when everything is settled. */
  async close(): Promise<void> {
    if (this.#mode === 'open') this.#mode = 'draining'
    await this.flush()
    this.#mode = 'closed'
    this.#release()
  }

  /** Gives up what is not settled, at once. */
  destroy(reason: HeadraceError = new HeadraceError('CLOSED', 'the publisher was destroyed')): void {
    if (this.#mode !== 'closed') this.#fail(reason)
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

  #onLimitsChanged(): void {
    this.#permitTimer?.clear()
    this.#permitTimer = undefined
    this.#pump()
  }

  get stats(): PublisherStats {
    return {
      taken: this.#taken,
      stored: this.#stored,
      superseded: this.#superseded,
      rejected: this.#rejected,
      conflicted: this.#conflicted,
      buffered: this.#buffered,
      bufferedBytes: this.#bufferedBytes,
      inFlight: this.#underWay,
      retried: this.#retried,
      unprocessed: this.#unprocessed,
      requests: this.#requests,
      throttledRequests: this.#throttledRequests,
      failedRequests: this.#failedRequests,
      writeUnits: this.#writeUnits,
      writeUnitsPerSecondAllowed: this.#limiter.unitsPerSecond,
      throttlingReasons: this.#pushback.reasons,
      latencyMsP50: this.#latencyMicros.count === 0 ? 0 : this.#latencyMicros.percentile(50) / 1_000,
      latencyMsP99: this.#latencyMicros.count === 0 ? 0 : this.#latencyMicros.percentile(99) / 1_000,
      latencyMsMax: this.#latencyMicros.count === 0 ? 0 : this.#latencyMicros.max / 1_000,
    }
  }

  #startLinger(): void {
    this.#linger = this.#clock.setTimer(() => {
      this.#linger = undefined
      this.#pump(true)
    }, this.#options.lingerMs)
  }

  /** Sends as many batches as there are, as are full (or need not be), and as may be in flight. */
  #pump(evenSmall = false): void {
    if (this.#halted !== undefined) {
      this.#tellHalted()
      return
    }
    if (this.#pumping || this.#mode === 'closed' || this.#mode === 'failed') return
    this.#pumping = true
    let small = evenSmall || this.#hurry
    for (;;) {
      const batch = this.#nextBatch(small)
      if (batch === undefined) break
      // A linger that has passed is for one batch; after it the next one waits again.
      if (batch.length < this.#batchEntriesMax) small = this.#hurry
    }
    this.#pumping = false
    this.#tellReady()
    if (this.#linger === undefined && this.#hasWaiting() && !this.#blocked()) this.#startLinger()
  }

  #hasWaiting(): boolean {
    return this.#writes.length + this.#changes.length + this.#asideWrites.length + this.#asideChanges.length > 0
  }

  /** Whether waiting for company is not what keeps the buffer from going out. */
  #blocked(): boolean {
    if (this.#permitTimer !== undefined) return true
    // As `#nextBatch` asks it; else a linger would end in vain, again and again.
    const prepared = this.#prepared.peek()
    if (prepared !== undefined) return this.#isWindowFull(prepared.batch.length)
    for (const { queue, way } of this.#queues) {
      if (queue.length > 0 && !this.#isClosed(way)) {
        return this.#isWindowFull(Math.min(queue.length, this.#batchEntriesMax))
      }
    }
    return true
  }

  #isWindowFull(entries: number): boolean {
    if (this.#underWay === 0) return false
    return this.#underWay + entries > this.#options.maxInFlight || this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX
  }

  /** Whether nothing of a queue may go for a reason of its own. */
  #isClosed(way: 'fresh' | 'aside'): boolean {
    if (way === 'aside') return this.#asideTimer !== undefined
    return this.#budget.spent && (this.#delays.size > 0 || this.#inFlight > 0)
  }

  #nextBatch(small: boolean): Entry[] | undefined {
    if (this.#permitTimer !== undefined) return undefined
    const prepared = this.#prepared.peek()
    if (prepared !== undefined) {
      const { batch, way } = prepared
      if (this.#isWindowFull(batch.length) || !this.#permit(batch, way)) return undefined
      this.#prepared.popFront()
      this.#send(batch, way)
      return batch
    }
    const least = small ? 1 : this.#batchEntriesMax
    for (const { queue, way } of this.#queues) {
      if (queue.length < least || this.#isClosed(way)) continue
      if (this.#isWindowFull(Math.min(queue.length, this.#batchEntriesMax))) return undefined
      const batch = this.#takeBatch(queue, way)
      if (batch.length === 0) continue
      if (this.#permit(batch, way)) {
        this.#send(batch, way)
        return batch
      }
      for (let index = batch.length - 1; index >= 0; index -= 1) queue.pushFront(batch[index]!)
      if (this.#permitTimer !== undefined) return undefined
    }
    return undefined
  }

  #takeBatch(queue: Ring<Entry> | AsideQueue, way: Way): Entry[] {
    const batch: Entry[] = []
    let bytes = 0
    let units = 0
    // A batch of everything that a small table has in a second would be a burst, and then a pause.
    const aside = way === 'aside' ? this.#pushback.asideUnitsPerSecond(this.#clock.now()) : Number.POSITIVE_INFINITY
    const unitsPerSecond = Math.min(this.#limiter.unitsPerSecond, aside)
    const least = this.#limiter.isAsked ? Math.min(unitsPerSecond * SLOW_BATCH_SECONDS, SLOW_BATCH_UNITS) : 0
    const unitsMax = Math.max(unitsPerSecond * BATCH_SECONDS, least)
    while (batch.length < this.#batchEntriesMax && units < unitsMax) {
      const entry = queue.peek()
      if (entry === undefined) break
      if (entry.state === 'superseded') {
        queue.popFront()
        continue
      }
      bytes += entry.wireBytes + 64
      units += entry.units
      if (bytes > REQUEST_BYTES_MAX && batch.length > 0) break
      // A change that can not be a statement travels alone, so it starts and ends its own batch.
      if (entry.kind === 'change' && this.#isSingle(entry)) {
        if (batch.length === 0) batch.push(queue.popFront()!)
        break
      }
      batch.push(queue.popFront()!)
    }
    return batch
  }

  #isSingle(entry: Entry): boolean {
    return this.#singlesOnly || entry.dialectsRefused >= DIALECTS || entry.plan!.statements === undefined
  }

  #permit(batch: readonly Entry[], way: Way): boolean {
    let units = 0
    for (const entry of batch) units += entry.units
    const now = this.#clock.now()
    if (way === 'aside') {
      const waitMs = this.#pushback.asideShortMs(units, now)
      if (waitMs > 0) {
        this.#asideTimer = this.#clock.setTimer(() => {
          this.#asideTimer = undefined
          this.#pump(true)
        }, waitMs)
        return false
      }
    }
    const waitMs = this.#limiter.take(units, now)
    if (waitMs === 0) {
      if (way === 'aside') this.#pushback.spendAside(units, now)
      return true
    }
    // What is waited for on purpose is no want of progress.
    if (this.#limiter.isPaused) this.#lastProgressAt = now
    this.#permitTimer = this.#clock.setTimer(() => {
      this.#permitTimer = undefined
      this.#pump()
    }, waitMs)
    return false
  }

  #send(batch: Entry[], way: Way): void {
    let bytes = 0
    let units = 0
    for (const entry of batch) {
      entry.state = 'in flight'
      entry.tries += 1
      bytes += entry.wireBytes
      units += entry.units
    }
    this.#buffered -= batch.length
    this.#bufferedBytes -= bytes
    this.#inFlight += batch.length
    this.#inFlightBytes += bytes
    this.#requests += 1
    if (way === 'scout') this.#pushback.onScoutSent(this.#clock.now())
    const asked = this.#limiter.askedOf(units)
    let operation: Operation = 'BatchWriteItem'
    let body: Buffer
    if (batch[0]!.kind !== 'change') {
      body = writeBatchBody(this.#bodies, this.#writeHead, batch)
    } else if (batch.length === 1 && this.#isSingle(batch[0]!)) {
      const single = singleChange(this.#options.table, this.#options.schema, changeOf(batch[0]!, this.#options.schema))
      operation = single.operation
      body = single.body
    } else {
      operation = 'BatchExecuteStatement'
      body = changeBatchBody(this.#bodies, batch, this.#dialect)
    }
    this.#service.send(
      operation,
      body,
      new BatchReceiver(this, { batch, way, operation, bytes, units, asked, dialect: this.#dialect }),
    )
  }

  /** Producers go on at half the bound, so that they come back for many entries and not for one. */
  #tellReady(): void {
    if (this.#ready === undefined || !this.#hasRoom() || this.#isMoreThanHalfFull()) return
    this.#ready.resolve()
    this.#ready = undefined
  }

  #isMoreThanHalfFull(): boolean {
    const isHot = this.#pushback.isHot(this.#clock.now())
    const aside = isHot ? this.#asideWrites.length + this.#asideChanges.length : 0
    return this.#buffered - aside > this.#options.maxQueueSize / 2
  }

  /** Called by the batch's receiver alone: the service did what was asked, though perhaps not all of it. */
  onReply(sent: SentBatch, body: Buffer, latencyMs: number): void {
    const { batch, operation, bytes } = sent
    this.#latencyMicros.record(Math.max(1, Math.round(latencyMs * 1_000)))
    if (this.#mode === 'failed') return
    let reply: BatchReply
    try {
      reply = this.#replies.read(sent, body)
    } catch (error) {
      const message = `cannot read the answer: ${error instanceof Error ? error.message : error}`
      this.onOutcome(
        sent,
        { kind: 'again', why: 'transient', code: 'DamagedAnswer', message, ambiguous: true },
        latencyMs,
      )
      return
    }
    const { outcomes, unprocessed } = reply
    const consumed = this.#reported(reply, batch)
    this.#leaveFlight(batch, bytes)
    this.#writeUnits += consumed?.total ?? 0
    const now = this.#clock.now()
    this.#budget.onSuccess()
    this.#delays.hasten()
    if (outcomes !== undefined) {
      this.#settleStatements(sent, outcomes, consumed, latencyMs)
    } else if (unprocessed === undefined || unprocessed.length === 0) {
      if (operation === 'BatchExecuteStatement') this.#noteDialect(sent)
      this.#settleUnits(sent, 0, consumed, latencyMs)
      if (this.#pushback.wantsAll(sent.way)) this.#tell(sent, 0, undefined, latencyMs)
      for (const entry of batch) this.#settleStored(entry)
      this.#lastProgressAt = now
    } else {
      const waiting = new Set(unprocessed)
      for (const entry of batch) if (!waiting.has(entry)) this.#settleStored(entry)
      if (waiting.size < batch.length) this.#lastProgressAt = now
      this.#onPassedOver(sent, [...waiting], consumed, latencyMs)
    }
    this.#pump()
  }

  /** What the endpoint says that a request consumed; undefined where it says nothing, or 0 for what was stored. */
  #reported({ consumed, outcomes, unprocessed }: BatchReply, batch: readonly Entry[]): ConsumedUnits | undefined {
    if (consumed !== undefined && consumed.total > 0) return consumed
    const stored =
      outcomes === undefined
        ? batch.length - (unprocessed?.length ?? 0)
        : outcomes.filter(({ kind }) => kind === 'stored').length
    // Stores differ in what they say of requests that store nothing; it tells nothing about the others.
    if (stored === 0) return consumed
    if (!this.#saidNoCapacity) this.#options.rates.onNotice?.(CAPACITY_NOT_REPORTED)
    this.#saidNoCapacity = true
    return undefined
  }

  /** Part of a batch was throttled, or failed within the service, and all that is said is which. */
  #onPassedOver(
    sent: SentBatch,
    entries: readonly Entry[],
    consumed: ConsumedUnits | undefined,
    latencyMs: number,
  ): void {
    let throttled = 0
    for (const entry of entries) throttled += entry.units
    this.#settleUnits(sent, throttled, consumed, latencyMs)
    this.#tell(sent, throttled, undefined, latencyMs)
    this.#unprocessed += entries.length
    this.#setAside(sent, entries, 'UnprocessedItems')
  }

  /** Called by the batch's receiver alone: the request as a whole did not succeed. */
  onOutcome(sent: SentBatch, outcome: Outcome, latencyMs: number): void {
    const { batch, bytes, units } = sent
    if (latencyMs > 0) this.#latencyMicros.record(Math.max(1, Math.round(latencyMs * 1_000)))
    if (this.#mode === 'failed') return
    this.#leaveFlight(batch, bytes)
    const now = this.#clock.now()
    if (outcome.kind === 'again' && outcome.why === 'throttled') {
      this.#throttledRequests += 1
      this.#settleUnits(sent, units, NOTHING, latencyMs)
      if (outcome.retryAfterMs !== undefined) this.#limiter.hold(now + outcome.retryAfterMs)
      this.#tell(sent, units, outcome.reasons ?? [], latencyMs)
      this.#setAside(sent, batch, `${outcome.code}: ${outcome.message}`)
    } else {
      this.#settleUnits(sent, 0, mayHaveCost(outcome) ? undefined : NOTHING, latencyMs)
      if (sent.way === 'scout') this.#pushback.onScoutLost()
      if (outcome.kind === 'again') {
        this.#failedRequests += 1
        if (outcome.why === 'transient') this.#budget.onFailure()
        this.#again(batch, outcome.ambiguous, outcome.retryAfterMs ?? 0, `${outcome.code}: ${outcome.message}`)
      } else if (outcome.kind === 'refused') {
        this.#refuse(batch, sent, outcome)
      }
    }
    this.#pump()
  }

  #settleUnits(
    { units, asked }: SentBatch,
    throttledUnits: number,
    consumed: ConsumedUnits | undefined,
    latencyMs: number,
  ): void {
    const now = this.#clock.now()
    this.#limiter.settle(units, throttledUnits, consumed, now - latencyMs, now, asked)
  }

  /** Says what became of a request's units to whoever decides on who slows down. */
  #tell({ way, units }: SentBatch, throttledUnits: number, reasons: Answer['reasons'], latencyMs: number): void {
    const now = this.#clock.now()
    const storedUnits = units - throttledUnits
    this.#pushback.onAnswer({ way, storedUnits, throttledUnits, reasons, sentAtMs: now - latencyMs }, now)
  }

  #leaveFlight(batch: readonly Entry[], bytes: number): void {
    this.#inFlight -= batch.length
    this.#inFlightBytes -= bytes
  }

  /** Sends nothing more. Resolves when nothing is at the service. */
  halt(): Promise<void> {
    this.#halted ??= deferred()
    this.#tellHalted()
    return this.#halted.promise
  }

  #tellHalted(): void {
    if (this.#underWay === 0 || this.#mode === 'failed') this.#halted?.resolve()
  }

  /** Entries that are not settled, of which a try may have taken effect. */
  get doubtful(): number {
    return this.#doubtfulEntries + this.#inFlight + this.#conflicts.unsure
  }

  /** A change of several clauses that was stored proves that its dialect is understood. */
  #noteDialect(sent: SentBatch, outcomes?: readonly Outcome[]): void {
    if (this.#provenDialect !== undefined) return
    const proves = sent.batch.some(
      (entry, index) => entry.plan!.isDialectal && (outcomes === undefined || outcomes[index]!.kind === 'stored'),
    )
    if (!proves) return
    this.#provenDialect = sent.dialect
    this.#dialect = sent.dialect
  }

  #settleStatements(
    sent: SentBatch,
    outcomes: readonly Outcome[],
    consumed: ConsumedUnits | undefined,
    latencyMs: number,
  ): void {
    const { batch } = sent
    this.#noteDialect(sent, outcomes)
    const throttled: Entry[] = []
    const failed: Entry[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const entry = batch[index]!
      if (outcome.kind === 'stored') {
        this.#settleStored(entry)
        this.#lastProgressAt = this.#clock.now()
      } else if (outcome.kind === 'again') {
        if (outcome.ambiguous) this.#doubt(entry)
        if (outcome.why === 'unprocessed') throttled.push(entry)
        else failed.push(entry)
      } else {
        this.#refuse([entry], sent, outcome)
      }
    }
    // What was told of another entry of this answer may have ended everything.
    if (this.#failure !== undefined) return
    if (throttled.length > 0) {
      this.#onPassedOver(sent, throttled, consumed, latencyMs)
    } else {
      this.#settleUnits(sent, 0, consumed, latencyMs)
      if (sent.way === 'scout') this.#pushback.onScoutLost()
    }
    if (failed.length > 0) this.#again(failed, false, 0, 'InternalServerError')
  }

  /** Whether patience has an end here. */
  #isHopeless(said: string): boolean {
    // What was told of another entry of this answer may have ended everything.
    if (this.#failure !== undefined) return true
    const waitedMs = this.#clock.now() - this.#lastProgressAt
    if (waitedMs <= this.#options.patienceMs) return false
    this.#fail(
      new HeadraceError(
        'NO_PROGRESS',
        `gave up: nothing was written to table ${this.#options.table} for ${Math.round(waitedMs / 1_000)} s (last: ${said}${this.#reasonsInWords()})`,
        { place: { table: this.#options.table } },
      ),
    )
    return true
  }

  /** The reasons that the service gave for throttles, the most frequent first. */
  #reasonsInWords(): string {
    const reasons = Object.entries(this.#pushback.reasons)
      .sort(([, left], [, right]) => right - left)
      .map(([reason]) => reason)
    return reasons.length === 0 ? '' : `; throttled for ${reasons.join(', ')}`
  }

  /** Entries that were not stored are buffered again, though not yet in a queue. */
  #comeBack(entries: readonly Entry[]): void {
    this.#retried += entries.length
    let bytes = 0
    for (const entry of entries) {
      entry.state = 'delayed'
      bytes += entry.wireBytes
    }
    this.#buffered += entries.length
    this.#bufferedBytes += bytes
  }

  /** Throttled entries rest and go again with others of their kind; now and then some go ahead to find out why. */
  #setAside(sent: SentBatch, entries: readonly Entry[], said: string): void {
    if (this.#isHopeless(said)) return
    this.#comeBack(entries)
    const now = this.#clock.now()
    if (sent.way !== 'fresh' && this.#pushback.isHot(now)) this.#noteHotKeys(entries, now)
    for (const entry of entries) this.#resting.push(entry)
    this.#rest ??= this.#clock.setTimer(() => this.#endRest(), REST_MS * (1 + this.#options.random() / 2))
    if (this.#pushback.takesScout(now)) this.#delay(SCOUT_DELAY_MS, () => this.#sendScout())
  }

  /** Those that have rested longest, as far as one request takes them together; the others go on resting. */
  #sendScout(): void {
    const first = this.#resting[0]
    if (first === undefined) return
    const isChange = first.kind === 'change'
    const isAlone = isChange && this.#isSingle(first)
    let length = 1
    while (!isAlone && length < Math.min(this.#resting.length, this.#batchEntriesMax)) {
      const entry = this.#resting[length]!
      if ((entry.kind === 'change') !== isChange || (isChange && this.#isSingle(entry))) break
      length += 1
    }
    this.#prepared.pushBack({ batch: this.#resting.splice(0, length), way: 'scout' })
  }

  #endRest(): void {
    this.#rest = undefined
    const resting = this.#resting
    this.#resting = []
    for (const entry of resting) {
      entry.state = 'buffered'
      this.#asideQueueOf(entry).pushBack(entry)
    }
    this.#pump(true)
  }

  #noteHotKeys(entries: readonly Entry[], nowMs: number): void {
    const { schema } = this.#options
    // Without a sort key a partition key has one item, and of that one entry at a time is under way.
    if (schema.sort === undefined) return
    for (const entry of entries) this.#hotKeys.onThrottled(entryPartition(entry, schema), nowMs)
  }

  /** Entries of a request that failed wait out a backoff, then are the first to go. */
  #again(entries: readonly Entry[], ambiguous: boolean, retryAfterMs: number, said: string): void {
    if (this.#isHopeless(said)) return
    this.#trouble.onFailure(said)
    let tries = 1
    for (const entry of entries) {
      if (ambiguous) this.#doubt(entry)
      tries = Math.max(tries, entry.tries)
    }
    this.#comeBack(entries)
    const mostMs = Math.max(BACKOFF_MS_MIN, BACKOFF_MS_PER_GROUP * this.#delays.size)
    const then = (): void => {
      for (let index = entries.length - 1; index >= 0; index -= 1) {
        const entry = entries[index]!
        entry.state = 'buffered'
        this.#queueOf(entry).pushFront(entry)
      }
    }
    this.#delay(Math.max(retryAfterMs, Math.min(backoffMs(tries, this.#options.random), mostMs)), then, retryAfterMs)
  }

  #delay(delayMs: number, then: () => void, leastMs = 0): void {
    const goOn = (): void => {
      then()
      this.#pump(true)
    }
    this.#delays.add(delayMs, goOn, leastMs)
  }

  /** Entries of a request that was refused: some go on another way, some are rejects, some end everything. */
  #refuse(entries: readonly Entry[], sent: SentBatch, refused: Refused): void {
    const { operation } = sent
    const { plan } = entries[0]!
    if (operation === 'BatchExecuteStatement') {
      if (refused.why === 'statement') {
        this.#singlesOnly = true
        this.#requeue(entries)
        return
      }
      if (refused.why === 'item' && entries.some((entry) => entry.plan!.creates)) {
        // The statement may be why, on an endpoint that knows no INSERT, or the item: a PutItem's verdict counts.
        for (const entry of entries) if (entry.plan!.creates) entry.dialectsRefused = DIALECTS
        this.#requeue(entries, false)
        return
      }
      const several = entries.some((entry) => entry.plan!.isDialectal)
      if (refused.why === 'item' && several && sent.dialect !== this.#provenDialect) {
        // The dialect may be why, or the item: it is said in the other one, and if that too is refused, as an UpdateItem,
        // which every endpoint understands and whose verdict counts.
        const other = sent.dialect === 'clauses' ? 'commas' : 'clauses'
        if (this.#provenDialect === undefined && this.#dialect === sent.dialect) this.#dialect = other
        for (const entry of entries) entry.dialectsRefused += 1
        this.#requeue(entries, false)
        return
      }
    }
    if (refused.why === 'condition' && plan !== undefined) {
      // The service has looked at it: it is not what keeps the others from being stored.
      this.#lastProgressAt = this.#clock.now()
      for (const entry of entries) this.#resolve(entry, refused.message)
      return
    }
    if (refused.why !== 'item' && refused.why !== 'condition') {
      this.#fail(refusalError(refused, operation, this.#options.table))
      return
    }
    if (entries.length === 1) {
      const entry = entries[0]!
      // What it stood for may well be storable; it was not sent.
      const fallback = entry.superseded
      entry.superseded = undefined
      this.#settle(
        entry,
        () => {
          this.#rejected += 1
          entry.owner.onRefused(entry, refused.code, refused.message)
        },
        fallback,
      )
      return
    }
    // One bad entry spoils the batch; halves are sent as they are until it stands alone.
    const middle = Math.ceil(entries.length / 2)
    for (const half of [entries.slice(0, middle), entries.slice(middle)]) {
      let bytes = 0
      for (const entry of half) {
        entry.state = 'delayed'
        bytes += entry.wireBytes
      }
      this.#buffered += half.length
      this.#bufferedBytes += bytes
      this.#retried += half.length
      this.#prepared.pushBack({ batch: half, way: 'fresh' })
    }
  }

  /** Its condition did not hold. Until it is known why, it counts as under way, and later entries of its key wait. */
  #resolve(entry: Entry, message: string): void {
    const conflict = this.#conflicts.atOnce(entry)
    if (conflict !== undefined) {
      this.#settleConflict(entry, conflict, message)
      return
    }
    entry.state = 'resolving'
    this.#resolving += 1
    this.#conflicts
      .look(entry)
      .then((found) => {
        if (this.#mode === 'failed') return
        this.#resolving -= 1
        this.#lastProgressAt = this.#clock.now()
        if (found === 'mine') this.#settleStored(entry)
        else this.#settleConflict(entry, found, message)
        this.#pump()
      })
      // Also of an owner that throws as it is told: nobody else would hear of it.
      .catch((error: unknown) => this.destroy(asFailure(error)))
  }

  #settleConflict(entry: Entry, conflict: Conflict, message: string): void {
    this.#conflicted += 1
    this.#settle(entry, () => {
      if (entry.owner.onConflict === undefined) entry.owner.onRefused(entry, 'Conflict', message)
      else entry.owner.onConflict(entry, conflict, message)
    })
  }

  /** @param isRetry false for entries that are only said in another way: users would look for a fault */
  #requeue(entries: readonly Entry[], isRetry = true): void {
    if (isRetry) this.#retried += entries.length
    for (let index = entries.length - 1; index >= 0; index -= 1) this.#toHead(entries[index]!)
  }

  #toHead(entry: Entry): void {
    entry.state = 'buffered'
    this.#buffered += 1
    this.#bufferedBytes += entry.wireBytes
    this.#queueOf(entry).pushFront(entry)
  }

  #settleStored(entry: Entry): void {
    this.#stored += 1
    for (let earlier = entry.superseded; earlier !== undefined; earlier = earlier.superseded) {
      this.#stored += 1
      this.#superseded += 1
      this.#leaveBuffer(earlier)
      this.#settle(earlier, undefined)
      earlier.owner.onStored(earlier)
    }
    if (entry.next === undefined && entry.epoch.onEmpty === undefined) {
      // The usual end, without a closure.
      entry.state = 'settled'
      this.#endUnits(entry)
      entry.epoch.outstanding -= 1
      this.#byKey.delete(entry.keyHash)
      entry.owner.onStored(entry)
      if (entry.superseded === undefined && this.#idle.length < IDLE_ENTRIES_MAX) {
        entry.release()
        this.#idle.push(entry)
      }
      return
    }
    this.#settle(entry, () => entry.owner.onStored(entry))
  }

  #leaveBuffer(entry: Entry): void {
    this.#buffered -= 1
    this.#bufferedBytes -= entry.wireBytes
  }

  #endUnits(entry: Entry): void {
    this.#endedUnits += entry.units
    if (entry.ambiguous) this.#doubtfulEntries -= 1
  }

  /** It may have taken effect, and been paid for. */
  #doubt(entry: Entry): void {
    if (!entry.ambiguous) this.#doubtfulEntries += 1
    entry.ambiguous = true
    this.#doubtfulUnits += entry.units
  }

  /** An entry has ended: whoever waited for its key goes on, then its owner is told. */
  #settle(entry: Entry, tell: (() => void) | undefined, fallback?: Entry): void {
    const wasSuperseded = entry.state === 'superseded'
    entry.state = 'settled'
    this.#endUnits(entry)
    const { next } = entry
    if (fallback !== undefined) {
      fallback.state = 'buffered'
      fallback.next = next
      if (next === undefined) this.#byKey.exchange(fallback.keyHash, fallback)
      else next.previous = fallback
      this.#queueOf(fallback).pushFront(fallback)
    } else if (next !== undefined) {
      next.previous = undefined
      next.state = 'buffered'
      this.#queueOf(next).pushFront(next)
    } else if (!wasSuperseded) {
      this.#byKey.delete(entry.keyHash)
    }
    entry.next = undefined
    tell?.()
    const { epoch } = entry
    epoch.outstanding -= 1
    if (epoch.outstanding === 0) epoch.onEmpty?.()
  }

  #fail(error: HeadraceError): void {
    if (this.#mode === 'failed') return
    this.#mode = 'failed'
    this.#failure = error
    this.#release()
    this.#byKey.clear()
    this.#writes.clear()
    this.#changes.clear()
    this.#prepared.clear()
    this.#asideWrites.clear()
    this.#asideChanges.clear()
    this.#resting = []
    this.#ready?.promise.catch(() => undefined)
    this.#ready?.reject(error)
    for (const epoch of [...this.#unsettledEpochs, this.#epoch]) epoch.onEmpty?.()
    this.onFailure?.()
  }

  #release(): void {
    this.#linger?.clear()
    this.#linger = undefined
    this.#permitTimer?.clear()
    this.#permitTimer = undefined
    this.#rest?.clear()
    this.#rest = undefined
    this.#asideTimer?.clear()
    this.#asideTimer = undefined
    this.#delays.clear()
    this.#trouble.close()
    this.#options.rates.close()
  }
}

function asFailure(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error
  return new HeadraceError('REFUSED', error instanceof Error ? error.message : `${error}`, { cause: error })
}

/** A condition that does not hold is paid for (developer guide, "Write units"), and so is a write whose answer was lost. */
function mayHaveCost(outcome: Outcome): boolean {
  return outcome.kind === 'again' ? outcome.ambiguous : outcome.kind === 'refused' && outcome.why === 'condition'
}

const NOTHING: ConsumedUnits = { total: 0, table: 0 }

/** A batch that goes as it is. */
interface Prepared {
  readonly batch: Entry[]
  readonly way: Way
}
