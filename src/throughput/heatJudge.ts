/** What was seen counts for half as much after this long. */
const HALF_LIFE_MS = 700
/** What was throttled once must be so much likelier to be throttled again than anything else is to be throttled at all. */
const ODDS_RATIO = 4
/** Too little was sent besides to compare with. */
const FRESH_PER_SCOUT = 3

/**
 * Whether throttles come from some part of a table that is hot, or from the table as a whole.
 *
 * The service does not say why it passed over part of a batch, and where it gives `KeyRangeThroughputExceeded` as the reason
 * that may be one partition, or, on demand, all of them. But a table that is asked for a little too much throttles anything,
 * so what was throttled once is throttled again no likelier than the rest is. A hot part throttles the same entries again
 * and again. So now and then what was passed over is sent once more by itself, as a *scout*, and its fate is compared with
 * that of entries that go for the first time.
 */
export class HeatJudge {
  #atMs = 0
  #freshStored = 0
  #freshThrottled = 0
  #scoutStored = 0
  #scoutThrottled = 0

  /** Something was throttled not long ago, so that what succeeds must be counted as well. */
  get active(): boolean {
    return this.#freshThrottled + this.#scoutThrottled > 0.5
  }

  onFresh(storedUnits: number, throttledUnits: number, nowMs: number): void {
    this.#decay(nowMs)
    this.#freshStored += storedUnits
    this.#freshThrottled += throttledUnits
  }

  onScout(storedUnits: number, throttledUnits: number, nowMs: number): void {
    this.#decay(nowMs)
    this.#scoutStored += storedUnits
    this.#scoutThrottled += throttledUnits
  }

  /** @returns undefined when no scout came back lately */
  verdict(nowMs: number): 'table' | 'hot' | undefined {
    this.#decay(nowMs)
    const scouts = this.#scoutStored + this.#scoutThrottled
    if (scouts < 0.5) return undefined
    const fresh = this.#freshStored + this.#freshThrottled
    if (fresh < scouts * FRESH_PER_SCOUT) return 'table'
    const scoutOdds = (this.#scoutThrottled + 0.5) / (this.#scoutStored + 0.5)
    const freshOdds = (this.#freshThrottled + 0.5) / (this.#freshStored + 0.5)
    return scoutOdds > freshOdds * ODDS_RATIO ? 'hot' : 'table'
  }

  #decay(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs
    if (elapsedMs < 10) return
    this.#atMs = nowMs
    const part = 2 ** (-elapsedMs / HALF_LIFE_MS)
    this.#freshStored *= part
    this.#freshThrottled *= part
    this.#scoutStored *= part
    this.#scoutThrottled *= part
  }
}
