import type { Clock, Timer } from '../../src/runtime/clock.ts'

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 0
  #wallStart: number
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  constructor(wallStart = Date.UTC(2026, 0, 1)) {
    this.#wallStart = wallStart
  }

  /** Timers that have neither fired nor been cleared. */
  get timers(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#wallStart + this.#now
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return {
      clear: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  /** Goes on by so much, calling on the way what is due, in order; then lets promises settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#now = due.at
      due.callback()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

/** When every promise that can go on has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
