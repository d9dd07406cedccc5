/** What was throttled once must be so much likelier to be throttled again than anything else is to be throttled at all. */
const ODDS_RATIO = 6
/** So many units must have gone again before anything is said. */
const SCOUT_UNITS_MIN = 6
/** So much must have gone for the first time meanwhile, for each unit of the scout, to compare with. */
const FRESH_PER_SCOUT = 2
/** When not even that much goes in this time, nothing can be said. */
const TRIAL_MS_MAX = 400
/** What a trial said holds for so long; and what was seen counts for half as much after half of that. */
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
  #scout: Fate | undefined
  #fresh: Fate = { stored: 0, throttled: 0 }
  /** Of the trials before, fading. */
  readonly #scouts: Fate = { stored: 0, throttled: 0 }
  readonly #others: Fate = { stored: 0, throttled: 0 }
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
    this.#fresh = { stored: 0, throttled: 0 }
  }

  onScout(storedUnits: number, throttledUnits: number, nowMs: number): void {
    this.#scout = { stored: storedUnits, throttled: throttledUnits }
    this.#judge(nowMs)
  }

  /** The scout failed on its way, and tells nothing. */
  onScoutLost(): void {
    this.#trying = false
  }

  /** Nothing but the table itself can be the reason: all of a scout was throttled, and not because of a key range. */
  onTableThrottled(nowMs: number): void {
    this.#trying = false
    this.#fade(0)
    this.#verdict = 'table'
    this.#verdictAtMs = nowMs
  }

  /** Nothing but a part of the table can be the reason: the service said so, and the table gives more than was taken. */
  onRangeThrottled(nowMs: number): void {
    this.#trying = false
    this.#verdict = 'hot'
    this.#verdictAtMs = nowMs
  }

  onFresh(storedUnits: number, throttledUnits: number, sentAtMs: number, nowMs: number): void {
    if (!this.#trying || sentAtMs < this.#sentAtMs) return
    this.#fresh.stored += storedUnits
    this.#fresh.throttled += throttledUnits
    this.#judge(nowMs)
  }

  /** @returns undefined when no trial ended lately, or when they do not tell enough yet */
  verdict(nowMs: number): 'table' | 'hot' | undefined {
    if (this.#trying) this.#judge(nowMs)
    return nowMs - this.#verdictAtMs < VERDICT_MS ? this.#verdict : undefined
  }

  #judge(nowMs: number): void {
    const scout = this.#scout
    if (scout === undefined) return
    const enough = sum(this.#fresh) >= sum(scout) * FRESH_PER_SCOUT
    if (!enough && nowMs - this.#sentAtMs < TRIAL_MS_MAX) return
    this.#trying = false
    this.#fade(2 ** ((-2 * (nowMs - this.#verdictAtMs)) / VERDICT_MS))
    this.#verdictAtMs = nowMs
    if (!enough) {
      this.#verdict = undefined
      return
    }
    add(this.#scouts, scout)
    add(this.#others, this.#fresh)
    if (sum(this.#scouts) < SCOUT_UNITS_MIN) this.#verdict = undefined
    else this.#verdict = odds(this.#scouts) > odds(this.#others) * ODDS_RATIO ? 'hot' : 'table'
  }

  #fade(part: number): void {
    for (const fate of [this.#scouts, this.#others]) {
      fate.stored *= part
      fate.throttled *= part
    }
  }
}

/** What became of some units. */
interface Fate {
  stored: number
  throttled: number
}

function sum({ stored, throttled }: Fate): number {
  return stored + throttled
}

function add(to: Fate, { stored, throttled }: Fate): void {
  to.stored += stored
  to.throttled += throttled
}

/** Of being throttled; a quarter of a unit more on either side, so that none is without end. */
function odds({ stored, throttled }: Fate): number {
  return (throttled + 0.25) / (stored + 0.25)
}
