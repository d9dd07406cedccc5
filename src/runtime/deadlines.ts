import type { Clock, Timer } from './clock.ts'

interface Deadline {
  readonly dueAtMs: number
  readonly expire: () => void
}

/**
 * One limit for many things that begin one after another, with one timer, for the oldest: what begins later ends later,
 * and most end long before. The timer may stay set when nothing waits; {@link clear} it.
 */
export class Deadlines {
  readonly limitMs: number
  readonly #clock: Clock
  readonly #background: boolean
  /** In the order in which they are due. */
  readonly #open = new Set<Deadline>()
  #timer: Timer | undefined

  /** @param background its timer does not keep the process alive */
  constructor(clock: Clock, limitMs: number, background = false) {
    this.#clock = clock
    this.limitMs = limitMs
    this.#background = background
  }

  /**
   * Something begins.
   *
   * @param expire called once unless it is said in time that it has ended
   * @returns says that it has ended; harmless afterwards
   */
  begin(expire: () => void): () => void {
    const deadline: Deadline = { dueAtMs: this.#clock.now() + this.limitMs, expire }
    this.#open.add(deadline)
    this.#timer ??= this.#setTimer(this.limitMs)
    return () => void this.#open.delete(deadline)
  }

  /** Forgets all of them. */
  clear(): void {
    this.#open.clear()
    this.#timer?.clear()
    this.#timer = undefined
  }

  #setTimer(delayMs: number): Timer {
    return this.#clock.setTimer(() => this.#expireDue(), delayMs, this.#background)
  }

  #expireDue(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    const due: Deadline[] = []
    for (const deadline of this.#open) {
      if (deadline.dueAtMs > now) {
        this.#timer = this.#setTimer(deadline.dueAtMs - now)
        break
      }
      this.#open.delete(deadline)
      due.push(deadline)
    }
    for (const { expire } of due) expire()
  }
}
