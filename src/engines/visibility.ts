import type { Clock, Timer } from '../runtime/clock.ts'
import type { Queue } from './queue.ts'
import type { SqsMessage } from './sqsEvent.ts'

/** Of the time for which a message is kept, so much passes before it is kept again. */
const SHARE = 1 / 3

/** Keeps messages from others while they are worked on, however long that takes. */
export class Visibility {
  readonly #queue: Queue
  readonly #seconds: number
  readonly #clock: Clock
  readonly #onWarning: ((text: string) => void) | undefined
  readonly #held = new Set<SqsMessage>()
  #timer: Timer | undefined
  #keeping: Promise<void> = Promise.resolve()

  constructor(queue: Queue, seconds: number, clock: Clock, onWarning: ((text: string) => void) | undefined) {
    this.#queue = queue
    this.#seconds = seconds
    this.#clock = clock
    this.#onWarning = onWarning
  }

  hold(messages: readonly SqsMessage[]): void {
    for (const message of messages) this.#held.add(message)
    this.#timer ??= this.#clock.setTimer(() => this.#keep(), this.#seconds * 1_000 * SHARE)
  }

  /** Resolves when nothing is under way any more that could keep them from others. */
  async release(messages: readonly SqsMessage[]): Promise<void> {
    for (const message of messages) this.#held.delete(message)
    if (this.#held.size > 0) return
    this.#timer?.clear()
    this.#timer = undefined
    await this.#keeping
  }

  #keep(): void {
    this.#keeping = this.#queue
      .keep([...this.#held], this.#seconds)
      .catch((error: unknown) => (error instanceof Error ? error.message : `${error}`))
      .then((failed) => {
        if (failed !== undefined)
          this.#onWarning?.(`cannot extend the visibility timeout, so messages may be delivered twice: ${failed}`)
      })
    this.#timer = this.#clock.setTimer(() => this.#keep(), this.#seconds * 1_000 * SHARE)
  }
}
