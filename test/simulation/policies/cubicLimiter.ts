import { type Clock, sleep } from '../../../src/runtime/clock.ts'

const BETA = 0.7
const SCALE = 0.4
const SMOOTH = 0.8
const FILL_RATE_MIN = 0.5
const CAPACITY_MIN = 1

/** The rate limiter of the SDKs' adaptive mode (`DefaultRateLimiter` of @smithy/core): requests a second, after CUBIC. */
export class CubicLimiter {
  readonly #clock: Clock
  #enabled = false
  #fillRate = 0
  #capacityMax = 0
  #capacity = 0
  #filledAt = 0
  #measured = 0
  #requests = 0
  #bucketAt: number
  #rateMax = 0
  #throttledAt: number
  #window = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#throttledAt = this.#now()
    this.#bucketAt = Math.floor(this.#now())
  }

  /** Requests a second; undefined before the first throttle. */
  get rate(): number | undefined {
    return this.#enabled ? this.#fillRate : undefined
  }

  async take(): Promise<void> {
    if (!this.#enabled) return
    this.#fill()
    while (this.#capacity < 1) {
      // Node's timers wait a millisecond at least.
      await sleep(this.#clock, Math.max(1, ((1 - this.#capacity) / this.#fillRate) * 1_000))
      this.#fill()
    }
    this.#capacity -= 1
  }

  onReply(throttled: boolean): void {
    this.#measure()
    const now = this.#now()
    let rate: number
    if (throttled) {
      this.#rateMax = this.#enabled ? Math.min(this.#measured, this.#fillRate) : this.#measured
      this.#throttledAt = now
      this.#enabled = true
      rate = this.#rateMax * BETA
    } else {
      rate = SCALE * (now - this.#throttledAt - this.#window) ** 3 + this.#rateMax
    }
    this.#window = ((this.#rateMax * (1 - BETA)) / SCALE) ** (1 / 3)
    this.#fill()
    rate = Math.min(rate, 2 * this.#measured)
    this.#fillRate = Math.max(rate, FILL_RATE_MIN)
    this.#capacityMax = Math.max(rate, CAPACITY_MIN)
    this.#capacity = Math.min(this.#capacity, this.#capacityMax)
  }

  #now(): number {
    return this.#clock.now() / 1_000
  }

  #fill(): void {
    const now = this.#now()
    if (this.#filledAt > 0) {
      this.#capacity = Math.min(this.#capacityMax, this.#capacity + (now - this.#filledAt) * this.#fillRate)
    }
    this.#filledAt = now
  }

  #measure(): void {
    const bucket = Math.floor(this.#now() * 2) / 2
    this.#requests += 1
    if (bucket <= this.#bucketAt) return
    this.#measured = (this.#requests / (bucket - this.#bucketAt)) * SMOOTH + this.#measured * (1 - SMOOTH)
    this.#requests = 0
    this.#bucketAt = bucket
  }
}
