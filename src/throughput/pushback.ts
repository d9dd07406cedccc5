import { HeatJudge } from './heatJudge.ts'
import type { RateControl } from './rate.ts'
import { RateFinder } from './rateFinder.ts'
import { indexOfResource, reasonLabel } from './throttlingReason.ts'
import { UnitBucket } from './unitBucket.ts'

/** Why a batch goes: for the first time (or after a failure), to find out why it was throttled, or again after that. */
export type Way = 'fresh' | 'scout' | 'aside'

/** What became of the units of one request. */
export interface Answer {
  readonly way: Way
  readonly storedUnits: number
  readonly throttledUnits: number
  /**
   * The service's `ThrottlingReasons`, none where it gives none; undefined where it throttled part of a batch, of which it
   * never says why.
   */
  readonly reasons: readonly { readonly reason: string; readonly resource: string }[] | undefined
  readonly sentAtMs: number
}

/** What was throttled is sent ahead so often at most, to find out why. */
const SCOUT_EVERY_MS = 100
/** Nothing was throttled aside for so long, and it is not hot any more. */
const HOT_MS = 2_000
/** Of what a table is known to give: above, it may be the table itself that is short. */
const PROVEN_SHARE = 0.9
/** Write units a second of one partition (developer guide, "Partitions and data distribution"). */
const PARTITION_UNITS_PER_SECOND = 1_000
/** Write units a second with which a hot part of the table is tried at least. */
const ASIDE_UNITS_MIN = 100
/** Requests that are throttled without any reason are no matter of capacity, as long as no more of all requests are. */
const BARE_SHARE_MAX = 0.25
const BARE_REQUESTS = 20

/**
 * Who is to slow down when the service throttles: the table, one of its indexes, or only what goes to a part of it that is
 * hot. It is told what became of each request and tells the limiter; it has no clock.
 *
 * - A reason that names the table or an index lowers the rate of that one.
 * - A reason that names a key range, and throttles of part of a batch that a scout finds to be of a hot part (see
 *   `HeatJudge`), lower no rate but that of what was set aside, which has one of its own.
 * - A table on demand that gives as much as it ever did is taken to be short itself, whatever the reason: there every
 *   partition comes to its end at the same time.
 * - Requests that are throttled without a reason count when they are many.
 */
export class Pushback {
  readonly #rates: RateControl
  readonly #judge = new HeatJudge()
  #asideFinder: RateFinder
  readonly #asideBucket: UnitBucket
  /** It is hot somewhere until then, as far as is known. */
  #hotUntilMs = Number.NEGATIVE_INFINITY
  #scoutAtMs = Number.NEGATIVE_INFINITY
  #bareShare = 0
  readonly #reasons = new Map<string, number>()

  constructor(rates: RateControl, nowMs: number) {
    this.#rates = rates
    this.#asideFinder = newAsideFinder(nowMs)
    this.#asideBucket = new UnitBucket(this.#asideFinder.unitsPerSecond, nowMs)
  }

  /** The reasons that the service gave, and how often. */
  get reasons(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#reasons)
  }

  isHot(nowMs: number): boolean {
    return nowMs < this.#hotUntilMs
  }

  /** Whether what was stored must be told, too: otherwise only throttles. */
  wantsAll(way: Way): boolean {
    return way !== 'fresh' || this.#judge.trying || this.#bareShare > 0.01
  }

  /** Whether some of what was just throttled shall go ahead of the rest; says so once in a while. */
  takesScout(nowMs: number): boolean {
    if (this.#judge.trying || nowMs - this.#scoutAtMs < SCOUT_EVERY_MS) return false
    this.#scoutAtMs = nowMs
    return true
  }

  onScoutSent(nowMs: number): void {
    this.#judge.onScoutSent(nowMs)
  }

  /** It failed on its way, which says nothing. */
  onScoutLost(): void {
    this.#judge.onScoutLost()
  }

  /** Units a second for what was set aside; `Infinity` where nothing is hot. */
  asideUnitsPerSecond(nowMs: number): number {
    return this.isHot(nowMs) ? this.#asideBucket.unitsPerSecond : Number.POSITIVE_INFINITY
  }

  /** How many milliseconds until so many units may go that were set aside; 0 for now. */
  asideShortMs(units: number, nowMs: number): number {
    if (!this.isHot(nowMs)) return 0
    // For as long as anything is aside.
    this.#hotUntilMs = nowMs + HOT_MS
    const waitMs = this.#asideBucket.shortMs(units, nowMs)
    if (waitMs > 0) this.#asideFinder.onWait()
    return waitMs
  }

  /** So many of them go. */
  spendAside(units: number, nowMs: number): void {
    if (this.isHot(nowMs)) this.#asideBucket.spend(units)
  }

  onAnswer(answer: Answer, nowMs: number): void {
    const { way, storedUnits, throttledUnits, reasons, sentAtMs } = answer
    const { limiter } = this.#rates
    const isBare = reasons !== undefined && reasons.length === 0 && throttledUnits > 0
    this.#bareShare += ((isBare ? 1 : 0) - this.#bareShare) / BARE_REQUESTS
    const named = this.#noteReasons(reasons ?? [], throttledUnits, sentAtMs, nowMs)
    const hot = this.isHot(nowMs)
    if (way === 'scout') {
      if (isBare || named === 'whole') this.#judge.onTableThrottled(nowMs)
      else this.#judge.onScout(storedUnits, throttledUnits, nowMs)
    } else if (way === 'fresh') {
      this.#judge.onFresh(storedUnits, throttledUnits, sentAtMs, nowMs)
    } else if (hot) {
      this.#asideFinder.onAnswer(storedUnits, named === 'whole' ? 0 : throttledUnits, sentAtMs, nowMs)
      this.#asideBucket.setRate(this.#asideFinder.unitsPerSecond, nowMs)
      return
    }
    const mayGiveMore = limiter.goodputPerSecond < this.#rates.provenUnitsPerSecond * PROVEN_SHARE
    if (named === 'range' && mayGiveMore) this.#judge.onRangeThrottled(nowMs)
    const verdict = this.#judge.verdict(nowMs)
    if (verdict === 'hot') this.#heat(nowMs, mayGiveMore)
    if (throttledUnits === 0 || named === 'whole' || (isBare && this.#bareShare < BARE_SHARE_MAX)) return
    const isTables = mayGiveMore
      ? verdict === 'table' || (verdict !== 'hot' && !hot && (way === 'fresh' || !this.#judge.trying))
      : way === 'fresh' || verdict === 'table'
    if (isTables) limiter.onThrottled(undefined, throttledUnits, sentAtMs, nowMs)
  }

  /** Lowers the rates that are named; says whether a whole table or index was, or key ranges alone. */
  #noteReasons(
    reasons: NonNullable<Answer['reasons']>,
    throttledUnits: number,
    sentAtMs: number,
    nowMs: number,
  ): 'whole' | 'range' | undefined {
    let named: 'whole' | 'range' | undefined
    for (const { reason, resource } of reasons) {
      const label = reasonLabel(reason, resource)
      this.#reasons.set(label, (this.#reasons.get(label) ?? 0) + 1)
      if (reason.includes('KeyRange')) {
        named ??= 'range'
      } else {
        named = 'whole'
        this.#rates.limiter.onThrottled(indexOfResource(resource), throttledUnits, sentAtMs, nowMs, true)
      }
    }
    return named
  }

  #heat(nowMs: number, mayGiveMore: boolean): void {
    if (!this.isHot(nowMs)) {
      // What went before was taken for the table's.
      if (mayGiveMore) this.#rates.limiter.forgive(nowMs)
      this.#asideFinder = newAsideFinder(nowMs)
      this.#asideBucket.setRate(this.#asideFinder.unitsPerSecond, nowMs)
    }
    this.#hotUntilMs = nowMs + HOT_MS
  }
}

function newAsideFinder(nowMs: number): RateFinder {
  return new RateFinder(Number.POSITIVE_INFINITY, PARTITION_UNITS_PER_SECOND, nowMs, ASIDE_UNITS_MIN)
}
