/** What was throttled once must be so much likelier to be throttled again than anything else is to be throttled at all. */
const ODDS_RATIO = 6
/** So much must have gone for the first time meanwhile, for each unit of the scout, to compare with. */
const FRESH_PER_SCOUT = 3
/** When not even that much goes in this time, it is the table. */
const TRIAL_MS_MAX = 400
/** Trials in a row that must say the same before a part of the table is taken for hot. */
const TRIALS = 2
/** What a trial said holds for so long. */
const VERDICT_MS = 1_000

/**
 * Whether throttles come from some part of a table that is hot, or from the table as a whole.
 *
 * The service does not say why it passed over part of a batch, and where it gives `KeyRangeThroughputExceeded` as the reason
 * that may be one partition, or, on demand, all of them. But a table that is asked for a little too much throttles anything,
 * so what was throttled once is throttled again no likelier than the rest is. A hot part throttles the same entries again
 * and again. So now and then what was passed over is sent once more by itself, as a *scout*, and its fate is compared with
 * that of entries that go for the first time meanwhile.
 */
export class HeatJudge {
  #sentAtMs = Number.NEGATIVE_INFINITY
  #trying = false
  #scout: { readonly stored: number; readonly throttled: number } | undefined
  #freshStored = 0
  #freshThrottled = 0
  #hotTrials = 0
  #verdict: 'table' | 'hot' | undefined
  #verdictAtMs = Number.NEGATIVE_INFINITY

  /** A trial is under way, so what goes for the first time must be told. */
  get trying(): boolean {
    return this.#trying
  }

  onScoutSent(nowMs: number): void {
    this.#sentAtMs = nowMs
    this.#trying = true
    this.#scout = undefined
    this.#freshStored = 0
    this.#freshThrottled = 0
  }

  onScout(storedUnits: number, throttledUnits: number, nowMs: number): void {
    this.#scout = { stored: storedUnits, throttled: throttledUnits }
    this.#judge(nowMs)
  }

  /** The scout failed on its way, and tells nothing. */
  onScoutLost(): void {
    this.#trying = false
  }

  onFresh(storedUnits: number, throttledUnits: number, sentAtMs: number, nowMs: number): void {
    if (!this.#trying || sentAtMs < this.#sentAtMs) return
    this.#freshStored += storedUnits
    this.#freshThrottled += throttledUnits
    this.#judge(nowMs)
  }

  /** @returns undefined when no trial ended lately */
  verdict(nowMs: number): 'table' | 'hot' | undefined {
    return nowMs - this.#verdictAtMs < VERDICT_MS ? this.#verdict : undefined
  }

  #judge(nowMs: number): void {
    const scout = this.#scout
    if (scout === undefined) return
    const fresh = this.#freshStored + this.#freshThrottled
    const enough = fresh >= (scout.stored + scout.throttled) * FRESH_PER_SCOUT
    if (!enough && nowMs - this.#sentAtMs < TRIAL_MS_MAX) return
    this.#trying = false
    const scoutOdds = (scout.throttled + 0.5) / (scout.stored + 0.5)
    const freshOdds = (this.#freshThrottled + 0.5) / (this.#freshStored + 0.5)
    this.#hotTrials = enough && scoutOdds > freshOdds * ODDS_RATIO ? this.#hotTrials + 1 : 0
    this.#verdict = this.#hotTrials === 0 ? 'table' : this.#hotTrials >= TRIALS ? 'hot' : undefined
    this.#verdictAtMs = nowMs
  }
}
