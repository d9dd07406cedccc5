import type { Clock, Timer } from './clock.ts'
import type { Random } from './random.ts'

interface Delay {
  timer: Timer
  dueAtMs: number
  /** Not before then, whatever happens. */
  readonly leastAtMs: number
  readonly fire: () => void
}

/** Whoever waits longer than this goes within this long when it is hastened, and no sooner is anything hastened again. */
const HASTEN_MS = 500

/** Things that happen later, each after a delay of its own, and sooner when what they wait for is over. */
export class Delays {
  readonly #clock: Clock
  readonly #random: Random
  readonly #delays = new Set<Delay>()
  #hastenedAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  get size(): number {
    return this.#delays.size
  }

  /** @param leastMs of the delay, that nothing shortens */
  add(delayMs: number, then: () => void, leastMs = 0): void {
    const fire = (): void => {
      this.#delays.delete(delay)
      then()
    }
    const now = this.#clock.now()
    const timer = this.#clock.setTimer(fire, delayMs)
    const delay: Delay = { timer, dueAtMs: now + delayMs, leastAtMs: now + leastMs, fire }
    this.#delays.add(delay)
  }

  /** Nobody waits longer than half a second from now on, and not all go at once. */
  hasten(): void {
    if (this.#delays.size === 0) return
    const now = this.#clock.now()
    if (now - this.#hastenedAtMs < HASTEN_MS) return
    this.#hastenedAtMs = now
    for (const delay of this.#delays) {
      const leastMs = Math.max(0, delay.leastAtMs - now)
      if (delay.dueAtMs - now <= leastMs + HASTEN_MS) continue
      delay.timer.clear()
      const delayMs = leastMs + this.#random() * HASTEN_MS
      delay.timer = this.#clock.setTimer(delay.fire, delayMs)
      delay.dueAtMs = now + delayMs
    }
  }

  /** Forgets all of them. */
  clear(): void {
    for (const { timer } of this.#delays) timer.clear()
    this.#delays.clear()
  }
}
