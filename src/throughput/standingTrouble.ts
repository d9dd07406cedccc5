import type { Clock, Timer } from '../runtime/clock.ts'

/** So long nothing may get through before it is said: most failures are over by then. */
const SAY_AFTER_MS = 5_000
const SAY_EVERY_MS = 30_000

/**
 * Says why nothing gets through, soon after it began and again from time to time with its age. A job has patience for
 * minutes; whoever watches it wants to know what it waits for.
 */
export class StandingTrouble {
  readonly #clock: Clock
  readonly #lastProgressAt: () => number
  readonly #tell: (reason: string, sinceMs: number) => void
  #reason = ''
  #timer: Timer | undefined

  /** @param tell told the latest reason, and for how long nothing got through */
  constructor(clock: Clock, lastProgressAt: () => number, tell: (reason: string, sinceMs: number) => void) {
    this.#clock = clock
    this.#lastProgressAt = lastProgressAt
    this.#tell = tell
  }

  /** A request failed, though not for the rate. */
  onFailure(reason: string): void {
    this.#reason = reason
    if (this.#timer !== undefined) return
    const silentMs = this.#clock.now() - this.#lastProgressAt()
    this.#wait(Math.max(0, SAY_AFTER_MS - silentMs), this.#lastProgressAt())
  }

  close(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #wait(delayMs: number, progressAt: number): void {
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined
        // Something got through meanwhile; what fails after that begins anew.
        if (this.#lastProgressAt() !== progressAt) return
        this.#tell(this.#reason, this.#clock.now() - progressAt)
        this.#wait(SAY_EVERY_MS, progressAt)
      },
      delayMs,
      true,
    )
  }
}
