import { type Noise, NoiseDetector } from './noiseDetector.ts'

/** An epoch is no shorter than this, so that what it measured means something; shorter where something was throttled. */
const EPOCH_MS_MIN = 250
const THROTTLED_EPOCH_MS_MIN = 100
/** Nor does it end before so many answers, unless it lasts too long. */
const EPOCH_ANSWERS_MIN = 8
const EPOCH_MS_MAX = 5_000
/** On the way back to a limit that is known, fewer answers are enough. */
const RECOVERY_ANSWERS_MIN = 2
/** Nothing but throttles, and many of them, is understood sooner. */
const TOTAL_EPOCH_MS_MIN = 50
const TOTAL_ANSWERS_MIN = 32
/** Requests a second that are still sent when everything is throttled: something must find out when that ends. */
const PROBES_PER_SECOND = 2
/** Of units. Above it a throttle is total and says nothing of where the limit is. */
const TOTAL_SHARE = 0.95
/** No epoch makes the rate less than this part of itself. */
const CUT_MIN = 0.5
/** After a throttle the rate stands a little below the limit, then climbs a little above it, in the time of a probe. */
const BELOW = 0.975
const CLIMB = 0.045
const PROBE_MS_MIN = 10_000
const PROBE_MS_MAX = 30_000
const PROBE_REQUESTS = 300
/** Of that, where the limit is not known exactly. */
const INEXACT_PROBE = 0.25
/** Not throttled after so many probes' time, the limit is not where it was. */
const PROBES_MAX = 1.25
const FLINCH_MAX = 1.1
const PAUSE_SECONDS = 0.1
/** Where nothing at all is known the rate begins here, and doubles with each round of answers, which is no shorter than this. */
const START_UNITS_PER_SECOND = 1_000
const ROUND_MS_MIN = 10
/** So fast, and there is no telling of a rate any more. */
const ENDLESS_UNITS_PER_SECOND = 1_000_000
/** Where no limit is known the rate doubles each so often; where one was passed without a throttle, each so often. */
const DOUBLE_MS = 1_000
const DOUBLE_MS_BEYOND = 2_000
/** A smaller part than this, and much smaller than before, is what is left of a fall. */
const SETTLING_SHARE = 0.05
/** What was consumed from one touch of the limit to the next is the limit, if they are so far apart. */
const BASELINE_MS_MIN = 3_000
/** Epochs in a row in which part of next to nothing is throttled. */
const NOISY_EPOCHS = 2
const NOISE_MAX = 0.95
/** It is believed less and less, until it shows again. */
const NOISE_HALF_LIFE_MS = 8_000
/** Above noise, by so many of its standard deviations and a little more, it is not noise. */
const DEVIATIONS = 2.5
const BEYOND_NOISE = 0.02

/**
 * How many units a second a table, an index, or a hot part of one gives: found by asking for a little more than it gave
 * last time. It is told of answers; it has no clock.
 *
 * **Measuring.** While the service throttles, what it lets through is its limit, whatever was asked for. So a throttled
 * epoch measures the limit, and the rate goes there at once instead of halving and halving; most of all where a little
 * too much was asked for. Then it climbs through the limit again, slowly, as CUBIC does (RFC 9438): a service that saves up
 * what is not used for a second loses nothing by a rate that swings around its limit.
 *
 * **Total.** When nothing at all gets through there is nothing to measure: the rate halves until it is two requests a
 * second, and when these succeed it doubles back to where it was.
 *
 * **Noise.** Throttles that do not become fewer when less is asked for do not come from asking too much, see
 * `NoiseDetector`, unless the service says that they do. Their share is expected from then on, and the rate goes back to
 * what it was.
 *
 * **Start.** Of a service of which nothing is known little is asked at first. Each round of answers doubles the rate, as
 * TCP's slow start does, until the service names its limit: it takes a tenth of a second to ask for all that an emulator
 * can do.
 *
 * **Idle.** A rate that was not used up is not raised.
 */
export class RateFinder {
  readonly #hastyFrom: number
  #unitsPerSecondMax: number
  #unitsPerSecond: number
  /** Found by throttles; undefined where there were none yet. */
  #limit: number | undefined
  #noise = 0
  #requestUnits = 1
  #latencyMs = 0
  #climbedMs = 0
  /** Answers to what was sent before are of the rate before. */
  #ignoreSentBefore = Number.NEGATIVE_INFINITY
  /** The next answer is where an epoch begins: what lies between two answers is what was consumed. */
  #begins = false
  #goodput = 0
  #epochAt: number
  #answers = 0
  #consumed = 0
  #throttled = 0
  /** Some of that because of this very limit, as the service says. */
  #named = false
  #used = false
  /** Throttled in the epoch before; 0 when it was not. */
  #shareBefore = 0
  /** The limit is known by more than a moment. */
  #exact = false
  /** Since the limit was touched. */
  #touchedAtMs: number
  #touchUnits = 0
  /** In epochs on end that were throttled. */
  #throttledUnits = 0
  #throttledMs = 0
  /** The limit as it was known before the rate began to fall. */
  #limitBefore: number | undefined
  /** Rate and limit before the latest fall. */
  #before: { readonly unitsPerSecond: number; readonly limit: number | undefined } | undefined
  /** Nothing got through of late. */
  #total = false
  #pauseSeconds = 0
  readonly #detector: NoiseDetector
  /** What less brought, when noise was found. */
  #trial: Noise['less'] | undefined
  #noisyEpochs = 0
  /** Nothing was known at the start, and no limit was touched since; and when the latest round of that began. */
  #starts: boolean
  #roundAtMs: number

  /**
   * @param unitsPerSecondMax what is never passed, above 0; `Infinity` for no bound
   * @param unitsPerSecond to begin with, at most that; `Infinity` until the first throttle says otherwise; undefined where
   *   nothing is known
   * @param hastyFrom for what must not starve and may be throttled: the rate doubles each second whatever is known of the
   *   limit, and never falls below this
   */
  constructor(unitsPerSecondMax: number, unitsPerSecond: number | undefined, nowMs: number, hastyFrom = 0) {
    this.#hastyFrom = hastyFrom
    this.#unitsPerSecondMax = unitsPerSecondMax
    this.#unitsPerSecond = Math.min(unitsPerSecond ?? START_UNITS_PER_SECOND, unitsPerSecondMax)
    this.#starts = unitsPerSecond === undefined
    this.#roundAtMs = nowMs
    this.#epochAt = nowMs
    this.#touchedAtMs = nowMs
    this.#detector = new NoiseDetector(nowMs)
  }

  get unitsPerSecond(): number {
    return this.#unitsPerSecond
  }

  /** It was found to be less than what is known to be there. */
  get isBelowMax(): boolean {
    return this.#unitsPerSecond < this.#unitsPerSecondMax
  }

  /** Units a second that were consumed of late. */
  get goodputPerSecond(): number {
    return this.#goodput
  }

  /** Share of units that is throttled whatever the rate, 0 to 1. */
  get noise(): number {
    return this.#noise
  }

  /** Another bound: the table was changed, or the user changed their mind. A higher one is believed. */
  setMax(unitsPerSecondMax: number): void {
    if (unitsPerSecondMax > this.#unitsPerSecondMax) {
      this.#limit = undefined
      if (Number.isFinite(unitsPerSecondMax)) this.#unitsPerSecond = unitsPerSecondMax
    }
    this.#unitsPerSecondMax = unitsPerSecondMax
    this.#unitsPerSecond = Math.min(this.#unitsPerSecond, unitsPerSecondMax)
  }

  /** The latest throttles had nothing to do with this rate: it is as if they had not been. */
  forgive(): void {
    this.#throttled = 0
    if (this.#before === undefined) return
    this.#unitsPerSecond = Math.min(this.#before.unitsPerSecond, this.#unitsPerSecondMax)
    this.#limit = this.#before.limit
    this.#before = undefined
    this.#limitBefore = undefined
    this.#total = false
  }

  /**
   * For how many seconds' worth of the rate nothing is to be sent, once: a service whose limit was touched has nothing saved,
   * and would be short again and again for as long as it is asked for nearly all that it has.
   */
  takePauseSeconds(): number {
    const seconds = this.#pauseSeconds
    this.#pauseSeconds = 0
    return seconds
  }

  /** Somebody had to wait because of this rate. */
  onWait(): void {
    this.#used = true
  }

  /**
   * A request was answered.
   *
   * @param consumedUnits that it took
   * @param throttledUnits that it asked for in vain
   * @param named the service said that it is this limit that was passed
   */
  onAnswer(
    consumedUnits: number,
    throttledUnits: number,
    sentAtMs: number,
    nowMs: number,
    named: boolean = false,
  ): void {
    if (sentAtMs < this.#ignoreSentBefore) return
    const units = consumedUnits + throttledUnits
    this.#requestUnits += (units - this.#requestUnits) / 8
    this.#latencyMs += (nowMs - sentAtMs - this.#latencyMs) / 32
    if (this.#begins) {
      this.#begins = false
      this.#epochAt = nowMs
      return
    }
    this.#answers += 1
    this.#consumed += consumedUnits
    this.#throttled += throttledUnits
    if (this.#starts) this.#start(named, sentAtMs, nowMs)
    if (throttledUnits > 0) this.#flinch(nowMs)
    if (named) {
      this.#named = true
      this.#detector.reset(nowMs)
    } else {
      const noise = this.#detector.add(consumedUnits, throttledUnits, nowMs)
      if (noise !== undefined) this.#onNoise(noise, nowMs)
    }
    const elapsedMs = nowMs - this.#epochAt
    const recovers = this.#limit !== undefined && this.#unitsPerSecond < this.#limit / 2
    const enough = this.#answers >= (recovers ? RECOVERY_ANSWERS_MIN : EPOCH_ANSWERS_MIN)
    const total = this.#consumed === 0 && this.#answers >= TOTAL_ANSWERS_MIN && elapsedMs >= TOTAL_EPOCH_MS_MIN
    const leastMs = Math.max(this.#throttled > 0 ? THROTTLED_EPOCH_MS_MIN : EPOCH_MS_MIN, 3 * this.#latencyMs)
    const usual = elapsedMs >= leastMs && (enough || elapsedMs >= EPOCH_MS_MAX)
    if (total || usual) this.#endEpoch(nowMs, elapsedMs)
  }

  /**
   * Twice as much, until the limit is touched or there is no need for more; throttles that may be no limit's are left for
   * when that is over. At the limit what was consumed tells where it is: a second's worth can always be had at once, so it
   * is no higher, and not much lower where no more than that was saved.
   */
  #start(named: boolean, sentAtMs: number, nowMs: number): void {
    if (named) {
      const seconds = Math.max(1, (nowMs - this.#touchedAtMs) / 1_000)
      const consumed = Math.min(this.#unitsPerSecond, (this.#touchUnits + this.#consumed) / seconds)
      // Where nothing got through there is no telling.
      this.#limit = consumed > 0 ? consumed : undefined
      this.#unitsPerSecond = Math.max(this.#floor, consumed)
      this.#starts = false
      this.#beginEpoch(nowMs)
      this.#ignoreSentBefore = nowMs
      this.#begins = true
    } else if (this.#used && sentAtMs >= this.#roundAtMs && nowMs - this.#roundAtMs >= ROUND_MS_MIN) {
      this.#roundAtMs = nowMs
      this.#used = false
      this.#unitsPerSecond = Math.min(this.#unitsPerSecond * 2, this.#unitsPerSecondMax)
      if (this.#unitsPerSecond < ENDLESS_UNITS_PER_SECOND) return
      this.#starts = false
      this.#unitsPerSecond = this.#unitsPerSecondMax
    }
  }

  /** The limit is where it was thought to be: back below it at once, and the rest of the epoch tells more. */
  #flinch(nowMs: number): void {
    if (this.#limit === undefined || this.#noise > 0 || this.#shareBefore > 0) return
    // Far above a limit that is known, it is not known any more.
    if (this.#unitsPerSecond <= this.#limit * BELOW || this.#unitsPerSecond > this.#limit * FLINCH_MAX) return
    this.#before ??= { unitsPerSecond: this.#unitsPerSecond, limit: this.#limit }
    this.#unitsPerSecond = this.#limit * BELOW
    // Where what was consumed since the last touch tells the limit; otherwise this epoch must, and a pause would falsify it.
    if (nowMs - this.#touchedAtMs >= BASELINE_MS_MIN) this.#pauseSeconds = PAUSE_SECONDS
  }

  #endEpoch(nowMs: number, elapsedMs: number): void {
    const offered = this.#consumed + this.#throttled
    const share = offered === 0 ? 0 : this.#throttled / offered
    const goodput = (this.#consumed / elapsedMs) * 1_000
    this.#goodput = goodput
    this.#touchUnits += this.#consumed
    this.#noise *= 2 ** (-elapsedMs / NOISE_HALF_LIFE_MS)
    this.#proveNoise((offered / elapsedMs) * 1_000, goodput)
    if (share > this.#expectedMax()) {
      // Right after a fall the service has nothing saved, and is short for a moment even if it is asked for less than it has.
      const settles = share < SETTLING_SHARE && share < this.#shareBefore / 2
      // While the rate doubles, what was asked for on average is much less than it is.
      const doubles = this.#starts && this.#roundAtMs > this.#epochAt
      if (!doubles) this.#starts = false
      if (!settles && !doubles) {
        this.#cut(share, goodput, (offered / elapsedMs) * 1_000, nowMs, elapsedMs)
        this.#ignoreSentBefore = nowMs
        this.#begins = true
      }
      this.#shareBefore = share
    } else {
      this.#shareBefore = 0
      this.#rise(share, (offered / elapsedMs) * 1_000, elapsedMs)
    }
    this.#beginEpoch(nowMs)
  }

  #beginEpoch(nowMs: number): void {
    this.#epochAt = nowMs
    this.#answers = 0
    this.#consumed = 0
    this.#throttled = 0
    this.#named = false
    this.#used = false
  }

  /** Less is never asked for. */
  get #floor(): number {
    return Math.max(1, this.#hastyFrom, PROBES_PER_SECOND * this.#requestUnits)
  }

  #cut(share: number, goodput: number, offeredPerSecond: number, nowMs: number, elapsedMs: number): void {
    const from = Math.min(this.#unitsPerSecond, offeredPerSecond)
    const floor = this.#floor
    this.#climbedMs = 0
    if (!this.#named && share < TOTAL_SHARE && from <= 2 * floor && (this.#limitBefore ?? 0) > 8 * floor) {
      // Next to nothing was asked for, and part of it throttled even so.
      this.#noisyEpochs += 1
      if (this.#noisyEpochs >= NOISY_EPOCHS) {
        const less = { offeredPerSecond: from, goodputPerSecond: goodput }
        this.#onNoise({ share, offeredPerSecond: this.#unitsPerSecond, less }, nowMs)
        return
      }
    }
    this.#limitBefore ??= this.#limit ?? from
    this.#before ??= { unitsPerSecond: this.#unitsPerSecond, limit: this.#limit }
    if (share >= TOTAL_SHARE) {
      this.#total = true
      this.#limit = this.#limitBefore
      this.#unitsPerSecond = Math.max(floor, from * CUT_MIN)
    } else if (this.#total) {
      // It ends, or it is not total after all: the next epoch tells.
      this.#total = false
    } else {
      this.#limit = this.#measure(goodput, nowMs, elapsedMs) / (1 - this.#noise)
      this.#unitsPerSecond = Math.max(floor, from * CUT_MIN, this.#limit * BELOW)
    }
    this.#unitsPerSecond = Math.min(this.#unitsPerSecond, this.#unitsPerSecondMax)
  }

  /**
   * The limit by what was let through: in this epoch; or in all of them, while each was throttled, but for the first, which
   * took what had been saved; or since the last time that it was touched, if that tells nearly the same and so more exactly.
   */
  #measure(goodput: number, nowMs: number, elapsedMs: number): number {
    const sinceTouchMs = nowMs - this.#touchedAtMs
    const sinceTouch = (this.#touchUnits / sinceTouchMs) * 1_000
    const first = this.#shareBefore === 0
    this.#touchUnits = 0
    this.#touchedAtMs = nowMs
    if (first) {
      this.#throttledUnits = 0
      this.#throttledMs = 0
      this.#exact =
        sinceTouchMs >= BASELINE_MS_MIN && this.#limit !== undefined && isAbout(sinceTouch, this.#limit, 1.15)
      return this.#exact ? sinceTouch : goodput
    }
    this.#exact = false
    const sofar = (this.#throttledUnits / this.#throttledMs) * 1_000
    if (this.#throttledMs > 0 && !isAbout(goodput, sofar, 1.4)) {
      this.#throttledUnits = 0
      this.#throttledMs = 0
    }
    this.#throttledUnits += (goodput * elapsedMs) / 1_000
    this.#throttledMs += elapsedMs
    return (this.#throttledUnits / this.#throttledMs) * 1_000
  }

  /** Share of throttles up to which nothing is out of the ordinary. */
  #expectedMax(): number {
    if (this.#noise === 0) return 0
    const deviation = Math.sqrt((this.#noise * (1 - this.#noise)) / this.#answers)
    return this.#noise + DEVIATIONS * deviation + BEYOND_NOISE
  }

  #onNoise({ share, offeredPerSecond, less }: Noise, nowMs: number): void {
    this.#noise = Math.min(NOISE_MAX, share)
    this.#limit = this.#limitBefore
    this.#unitsPerSecond = Math.min(this.#unitsPerSecondMax, Math.max(this.#unitsPerSecond, offeredPerSecond))
    this.#limitBefore = undefined
    this.#before = undefined
    this.#noisyEpochs = 0
    this.#shareBefore = 0
    this.#climbedMs = 0
    this.#ignoreSentBefore = nowMs
    this.#begins = true
    this.#trial = less
    this.#detector.reset(nowMs)
  }

  /** Taking throttles for noise must bring what it promised: asked for more, the service gives more. */
  #proveNoise(offeredPerSecond: number, goodputPerSecond: number): void {
    const less = this.#trial
    if (less === undefined || this.#noise === 0) return
    const more = offeredPerSecond / less.offeredPerSecond
    if (more < 1.2) return
    this.#trial = undefined
    if (goodputPerSecond < less.goodputPerSecond * (1 + (more - 1) / 2)) this.#noise = 0
  }

  #rise(share: number, offeredPerSecond: number, elapsedMs: number): void {
    if (share === 0) {
      this.#before = undefined
      this.#limitBefore = undefined
      this.#total = false
      this.#noisyEpochs = 0
    }
    if (share < this.#noise) {
      this.#noise += (share - this.#noise) * Math.min(0.3, this.#answers / 100)
      if (this.#noise < 0.005) this.#noise = 0
    }
    // A rate far above what is asked for says nothing any more.
    if (this.#starts || !this.#used || this.#unitsPerSecond > 4 * offeredPerSecond) return
    let unitsPerSecond = this.#unitsPerSecond
    if (this.#limit === undefined || this.#hastyFrom > 0) {
      unitsPerSecond *= 2 ** (elapsedMs / DOUBLE_MS)
    } else if (unitsPerSecond < 0.9 * this.#limit) {
      unitsPerSecond = Math.min(0.95 * this.#limit, unitsPerSecond * 2)
    } else {
      const requestsMs = (1_000 * PROBE_REQUESTS * this.#requestUnits) / unitsPerSecond
      const usualMs = Math.min(PROBE_MS_MAX, Math.max(PROBE_MS_MIN, requestsMs))
      const probeMs = this.#exact ? usualMs : usualMs * INEXACT_PROBE
      this.#climbedMs += elapsedMs
      const climbed = this.#climbedMs / probeMs
      unitsPerSecond =
        climbed <= PROBES_MAX
          ? Math.max(unitsPerSecond, this.#limit * (BELOW + CLIMB * climbed))
          : unitsPerSecond * 2 ** (elapsedMs / DOUBLE_MS_BEYOND)
    }
    this.#unitsPerSecond = Math.min(unitsPerSecond, this.#unitsPerSecondMax)
  }
}

function isAbout(value: number, expected: number, factor: number): boolean {
  return value <= expected * factor && value >= expected / factor
}
