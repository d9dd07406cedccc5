/** A window lasts so long, and ends when so many of so many answers were throttled; at the latest after so many answers. */
const WINDOW_MS_MIN = 200
const THROTTLED_ANSWERS = 8
const ANSWERS_MIN = 12
const ANSWERS_MAX = 600
/** With fewer throttles in all of that, nothing is wrong. */
const THROTTLED_ANSWERS_MIN = 3
/** So much less must be asked for before anything can be concluded. */
const LESS = 0.7
/** Above it, of units, everything is throttled, and there is nothing to compare. */
const TOTAL_SHARE = 0.95

interface Window {
  readonly offeredPerSecond: number
  readonly goodputPerSecond: number
  /** Of units, throttled. */
  readonly share: number
}

/** What throttles turned out to be. */
export interface Noise {
  /** Of units, throttled whatever is asked for, above 0 to 1. */
  readonly share: number
  /** What was asked for, units a second, before less was. */
  readonly offeredPerSecond: number
  /** What was asked for at last, and what came of it. */
  readonly less: { readonly offeredPerSecond: number; readonly goodputPerSecond: number }
}

/**
 * Finds throttles that do not come from asking too much: one hot key among many, or a service that throttles at random. A
 * client that asks for less and less because of them ends at nothing.
 *
 * A service at its limit gives as much whatever it is asked for, and throttles the less the less that is. So if less is asked
 * for, and that much less is given, and the same share of it is throttled, the throttles are not of its making.
 */
export class NoiseDetector {
  #anchor: Window | undefined
  #startMs: number
  #answers = 0
  #throttledAnswers = 0
  #consumed = 0
  #throttled = 0

  constructor(nowMs: number) {
    this.#startMs = nowMs
  }

  /** A request was answered. */
  add(consumedUnits: number, throttledUnits: number, nowMs: number): Noise | undefined {
    this.#answers += 1
    this.#consumed += consumedUnits
    this.#throttled += throttledUnits
    if (throttledUnits > 0) this.#throttledAnswers += 1
    const enough = this.#throttledAnswers >= THROTTLED_ANSWERS && this.#answers >= ANSWERS_MIN
    if (nowMs - this.#startMs < WINDOW_MS_MIN || (!enough && this.#answers < ANSWERS_MAX)) return undefined
    const noise = this.#judge(nowMs)
    this.#begin(nowMs)
    return noise
  }

  /** What was seen so far says nothing of what comes. */
  reset(nowMs: number): void {
    this.#anchor = undefined
    this.#begin(nowMs)
  }

  #begin(nowMs: number): void {
    this.#startMs = nowMs
    this.#answers = 0
    this.#throttledAnswers = 0
    this.#consumed = 0
    this.#throttled = 0
  }

  #judge(nowMs: number): Noise | undefined {
    const seconds = Math.max(1, nowMs - this.#startMs) / 1_000
    const offered = this.#consumed + this.#throttled
    const share = this.#throttled / offered
    if (this.#throttledAnswers < THROTTLED_ANSWERS_MIN || share >= TOTAL_SHARE) {
      this.#anchor = undefined
      return undefined
    }
    const window: Window = { offeredPerSecond: offered / seconds, goodputPerSecond: this.#consumed / seconds, share }
    const anchor = this.#anchor
    if (anchor === undefined) {
      this.#anchor = window
      return undefined
    }
    const part = window.offeredPerSecond / anchor.offeredPerSecond
    if (part > LESS && part < 1 / LESS) return undefined
    if (
      part < 1 &&
      isAbout(window.goodputPerSecond, anchor.goodputPerSecond * part, 1.3) &&
      isAbout(share, anchor.share, 2)
    ) {
      this.#anchor = undefined
      return { share, offeredPerSecond: anchor.offeredPerSecond, less: window }
    }
    this.#anchor = window
    return undefined
  }
}

function isAbout(value: number, expected: number, factor: number): boolean {
  return value <= expected * factor && value >= expected / factor
}
