/**
 * How many entries may be at the service at once: all that was asked for until the service pushes back, then fewer, and
 * slowly more again (additive increase, multiplicative decrease). Told facts, asked one question.
 */
export class InFlightWindow {
  readonly #max: number
  readonly #min: number
  #limit: number
  #cutAt = Number.NEGATIVE_INFINITY

  /**
   * @param max entries, at least `min`
   * @param min entries that may always be in flight: one batch
   */
  constructor(max: number, min: number) {
    this.#max = Math.max(max, min)
    this.#min = min
    this.#limit = this.#max
  }

  get limit(): number {
    return this.#limit
  }

  /** A request of so many entries was answered and none was pushed back. */
  onStored(entries: number): void {
    if (this.#limit < this.#max) this.#limit = Math.min(this.#max, this.#limit + (entries * this.#min) / this.#limit)
  }

  /**
   * The service pushed back. Requests sent before the last cut say nothing new, so cuts are a latency apart.
   *
   * @param share of the request that was pushed back: a cut is as deep as that says (DCTCP, RFC 8257), or a little too much
   *   would cost almost everything
   */
  onThrottled(nowMs: number, latencyMs: number, share = 1): void {
    if (nowMs - latencyMs < this.#cutAt) return
    this.#cutAt = nowMs
    this.#limit = Math.max(this.#min, this.#limit * (1 - 0.3 * share))
  }
}
