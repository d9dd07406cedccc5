import type { Clock, Timer } from '../runtime/clock.ts'

/** So much is done again at most when a process dies and another goes on. */
const EVERY_MS = 10_000

/** Does something again and again while a slice is done, until it fails. */
export class CursorKeeper {
  readonly #clock: Clock
  readonly #keep: () => Promise<void>
  readonly #onFailure: () => void
  readonly #everyMs: number
  #timer: Timer | undefined
  #keeping: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #stopped = false

  constructor(clock: Clock, keep: () => Promise<void>, onFailure: () => void, everyMs: number = EVERY_MS) {
    this.#clock = clock
    this.#keep = keep
    this.#onFailure = onFailure
    this.#everyMs = everyMs
    this.#setTimer()
  }

  /**
   * Does it no more; what is under way is waited for.
   *
   * @throws what it has failed with
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.clear()
    await this.#keeping
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #setTimer(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#keeping = this.#keep()
        .catch((error: unknown) => {
          this.#failure = { error }
          this.#onFailure()
        })
        .finally(() => {
          this.#keeping = undefined
          if (!this.#stopped && this.#failure === undefined) this.#setTimer()
        })
    }, this.#everyMs)
  }
}
