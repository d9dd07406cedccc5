import { RateFinder } from './rateFinder.ts'
import type { SharedBudget } from './sharedRate.ts'
import { UnitBucket } from './unitBucket.ts'

/** What a table or an index may be asked for, units a second. `Infinity` for as much as it takes. */
export interface Bounds {
  /** Never passed. */
  readonly unitsPerSecondMax: number
  /** To begin with; undefined where that is to be found out, from little. */
  readonly unitsPerSecond: number | undefined
}

export interface LimiterOptions {
  /** What the user asked for, of table and indexes together; `Infinity` for nothing. */
  readonly askedUnitsPerSecond: number
  readonly table: Bounds
  readonly indexes: ReadonlyMap<string, Bounds>
  /** What other processes spend of, too; of table and indexes together. */
  readonly shared?: SharedBudget | undefined
}

/** What a request took, as the service tells. */
/** Said once in a job whose requests consume capacity that the endpoint does not report. */
export const CAPACITY_NOT_REPORTED =
  'the endpoint does not report usable consumed capacity: rates and costs use an estimate instead'

export interface ConsumedUnits {
  /** Of the table and its indexes together. */
  readonly total: number
  /** Of the table alone. */
  readonly table: number
  readonly indexes?: ReadonlyMap<string, number> | undefined
}

export const UNBOUNDED: Bounds = {
  unitsPerSecondMax: Number.POSITIVE_INFINITY,
  unitsPerSecond: Number.POSITIVE_INFINITY,
}

/** As {@link UNBOUNDED}, of whose first requests many may be in vain. */
export const UNKNOWN: Bounds = { unitsPerSecondMax: Number.POSITIVE_INFINITY, unitsPerSecond: undefined }

/** Of a second's units, those that are there at first where nothing is known: one batch. */
const START_SECONDS = 0.025

/** A table or an index, in one direction: reads or writes. */
interface Resource {
  readonly finder: RateFinder
  readonly bucket: UnitBucket
  /** Units it takes for each unit of the table; as many, until it is known better. */
  share: number
  /** Requests by which that is known, up to {@link SHARE_REQUESTS}. */
  requests: number
}

/**
 * Below what the table is known to have the rate was found by throttles, and moves only as answers come in: one large item
 * at a rate that has fallen to next to nothing would keep all answers away for minutes. So no debt is waited off for longer.
 */
const FOUND_DEBT_SECONDS_MAX = 5

/** While it is paused, it is asked again so often: whoever waits need not be told when that ends. */
const PAUSE_LOOK_MS = 1_000

/** What an index takes is known by so many requests, older ones counting less. */
const SHARE_REQUESTS = 16

/**
 * Leave to spend units of a table in one direction: of the table itself, of each of its indexes, and of what the user asked
 * for; whichever is short decides.
 */
export class Limiter {
  readonly #asked: UnitBucket
  readonly #shared: SharedBudget | undefined
  readonly #table: Resource
  readonly #indexes = new Map<string, Resource>()
  #heldUntilMs = Number.NEGATIVE_INFINITY
  /** Nothing is let through: the user asked for that, and may end it. */
  isPaused = false

  constructor(options: LimiterOptions, nowMs: number) {
    this.#asked = new UnitBucket(options.askedUnitsPerSecond, nowMs)
    this.#shared = options.shared
    this.#table = newResource(options.table, nowMs)
    for (const [name, bounds] of options.indexes) this.#indexes.set(name, newResource(bounds, nowMs))
  }

  /** Units a second of the table that may be spent now. */
  get unitsPerSecond(): number {
    let least = Math.min(this.#asked.unitsPerSecond / this.askedOf(1), this.#table.finder.unitsPerSecond)
    for (const { finder, share } of this.#indexes.values()) {
      if (share > 0) least = Math.min(least, finder.unitsPerSecond / share)
    }
    return least
  }

  /** Whether what was asked for decides, and not what the table gives. */
  get isAsked(): boolean {
    return this.#asked.unitsPerSecond / this.askedOf(1) <= this.unitsPerSecond
  }

  /** Units a second of the table that were consumed of late. */
  get goodputPerSecond(): number {
    return this.#table.finder.goodputPerSecond
  }

  setAsked(unitsPerSecond: number, nowMs: number): void {
    this.#asked.setRate(unitsPerSecond, nowMs)
  }

  /** The table or its indexes were changed. */
  setBounds(table: Bounds, indexes: ReadonlyMap<string, Bounds>, nowMs: number): void {
    this.#table.finder.setMax(table.unitsPerSecondMax)
    apply(this.#table, nowMs)
    for (const [name, bounds] of indexes) {
      const index = this.#indexOf(name, nowMs)
      index.finder.setMax(bounds.unitsPerSecondMax)
      apply(index, nowMs)
    }
  }

  /** Nothing is to be sent before then: the service asked for it. */
  hold(untilMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs)
  }

  /** Of what the user asked for, with what indexes will take, so many units of the table count as so many. */
  askedOf(units: number): number {
    let shares = 1
    for (const { share } of this.#indexes.values()) shares += share
    return units * shares
  }

  /**
   * Takes an estimate of the table's units and returns 0, or takes nothing and returns how many milliseconds to wait before
   * asking again.
   */
  take(units: number, nowMs: number): number {
    if (this.isPaused) return PAUSE_LOOK_MS
    const asked = this.askedOf(units)
    let waitMs = Math.max(this.#heldUntilMs - nowMs, this.#asked.shortMs(asked, nowMs))
    waitMs = Math.max(waitMs, shortMs(this.#table, units, nowMs))
    for (const index of this.#indexes.values()) waitMs = Math.max(waitMs, shortMs(index, units * index.share, nowMs))
    // Only for what could go now: what is got of it is others' loss.
    if (waitMs <= 0 && this.#shared !== undefined) waitMs = this.#shared.shortMs(asked, nowMs)
    if (waitMs > 0) return waitMs
    this.#shared?.spend(asked)
    this.#asked.spend(asked)
    this.#table.bucket.spend(units)
    for (const index of this.#indexes.values()) index.bucket.spend(units * index.share)
    return 0
  }

  /**
   * A request was answered.
   *
   * @param estimated what was taken for it
   * @param throttled how much of that was throttled: it cost nothing, but it was asked for
   * @param consumed undefined where the service does not tell; then the estimate stands
   * @param asked what {@link askedOf} said of it when it was taken
   */
  settle(
    estimated: number,
    throttled: number,
    consumed: ConsumedUnits | undefined,
    sentAtMs: number,
    nowMs: number,
    asked: number = this.askedOf(estimated),
  ): void {
    const tried = estimated - throttled
    const total = consumed?.total ?? (estimated === 0 ? 0 : (asked * tried) / estimated)
    const table = consumed?.table ?? tried
    this.#asked.settle(asked, total, sentAtMs)
    this.#shared?.settle(asked, total, sentAtMs)
    this.#table.bucket.settle(tried, table, sentAtMs)
    if (table > 0) {
      this.#table.finder.onAnswer(table, 0, sentAtMs, nowMs)
      apply(this.#table, nowMs)
    }
    for (const [name, index] of this.#indexes) {
      const units = consumed?.indexes?.get(name) ?? 0
      index.bucket.settle(tried * index.share, units, sentAtMs)
      if (table === 0) continue
      index.requests = Math.min(SHARE_REQUESTS, index.requests + 1)
      index.share += (units / table - index.share) / index.requests
      if (units === 0) continue
      index.finder.onAnswer(units, 0, sentAtMs, nowMs)
      apply(index, nowMs)
    }
  }

  /**
   * So many units of the table were asked for in vain.
   *
   * @param indexName of the index that was short; undefined for the table
   * @param named the service said that it was this one
   */
  onThrottled(
    indexName: string | undefined,
    units: number,
    sentAtMs: number,
    nowMs: number,
    named: boolean = false,
  ): void {
    const resource = indexName === undefined ? this.#table : this.#indexOf(indexName, nowMs)
    // That it is short says that it takes something.
    const share = indexName === undefined ? 1 : resource.share || 1
    resource.finder.onAnswer(0, units * share, sentAtMs, nowMs, named)
    apply(resource, nowMs)
  }

  /** What was said of the table of late was not about the table. */
  forgive(nowMs: number): void {
    this.#table.finder.forgive()
    apply(this.#table, nowMs)
  }

  #indexOf(name: string, nowMs: number): Resource {
    let index = this.#indexes.get(name)
    if (index === undefined) {
      index = newResource(UNBOUNDED, nowMs)
      this.#indexes.set(name, index)
    }
    return index
  }
}

function newResource(bounds: Bounds, nowMs: number): Resource {
  const finder = new RateFinder(bounds.unitsPerSecondMax, bounds.unitsPerSecond, nowMs)
  const bucket = new UnitBucket(finder.unitsPerSecond, nowMs)
  if (bounds.unitsPerSecond === undefined) bucket.spend(finder.unitsPerSecond * (1 - START_SECONDS))
  return { finder, bucket, share: 1, requests: 0 }
}

function shortMs({ bucket, finder }: Resource, units: number, nowMs: number): number {
  const waitMs = bucket.shortMs(units, nowMs, finder.isBelowMax ? FOUND_DEBT_SECONDS_MAX : undefined)
  if (waitMs > 0) finder.onWait()
  return waitMs
}

function apply({ bucket, finder }: Resource, nowMs: number): void {
  const pauseSeconds = finder.takePauseSeconds()
  if (pauseSeconds > 0) bucket.spend(pauseSeconds * finder.unitsPerSecond)
  if (bucket.unitsPerSecond === finder.unitsPerSecond) return
  const falls = finder.unitsPerSecond < bucket.unitsPerSecond
  bucket.setRate(finder.unitsPerSecond, nowMs)
  // A bucket that others kept full is not to let through what the service has not saved: its limit was touched.
  if (falls) bucket.empty()
}
