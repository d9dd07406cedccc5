import type { Clock, Timer } from '../runtime/clock.ts'
import type { WireAnswer, WireFailure, WireReceiver } from './wire.ts'
import type { RequestRecord } from './writeLog.ts'

/** One request under way: it ends once, in an answer, a failure, or because nobody waits for it any more. */
export class Exchange {
  readonly record: RequestRecord
  readonly #clock: Clock
  readonly #receiver: WireReceiver
  readonly #onEnd: () => void
  #timer: Timer | undefined
  #ended = false

  constructor(clock: Clock, receiver: WireReceiver, record: RequestRecord, onEnd: () => void) {
    this.#clock = clock
    this.#receiver = receiver
    this.record = record
    this.#onEnd = onEnd
  }

  answerAfter(delayMs: number, answer: WireAnswer): void {
    this.#endAfter(delayMs, () => {
      // What was damaged on the way acknowledges nothing.
      const whole = this.record.fault !== 'wrong checksum' && this.record.fault !== 'cut body'
      if (whole) this.record.answeredAtMs = this.#clock.now()
      this.#receiver.onAnswer(answer)
    })
  }

  failAfter(delayMs: number, kind: WireFailure['kind'], message: string): void {
    this.#endAfter(delayMs, () => this.#receiver.onFailure({ kind, message, cause: undefined }))
  }

  /** The receiver hears nothing more. */
  abort(): void {
    this.#ended = true
    this.#timer?.clear()
    this.#onEnd()
  }

  #endAfter(delayMs: number, tell: () => void): void {
    if (this.#ended) return
    this.#timer?.clear()
    this.#timer = this.#clock.setTimer(() => {
      this.#ended = true
      this.#onEnd()
      tell()
    }, delayMs)
  }
}
