/** Failures in a row that change nothing yet. */
const TOKENS_MAX = 20
/** What a success gives back. So a service that fails one request in six is still sent all there is. */
const TOKENS_PER_SUCCESS = 0.2

/**
 * Whether failures are few enough to go on as if there were none. A client that sends as much as ever to a service that
 * does nothing but fail keeps it from recovering (M. Brooker, "Fixing retries with token buckets and circuit breakers").
 *
 * Each failure takes a token and each success brings a fifth of one back. While there is none, nothing new is sent, and
 * what failed goes again at its backoff's pace, until successes have brought tokens back.
 */
export class RetryBudget {
  #tokens = TOKENS_MAX

  get spent(): boolean {
    return this.#tokens < 1
  }

  onSuccess(): void {
    if (this.#tokens < TOKENS_MAX) this.#tokens = Math.min(TOKENS_MAX, this.#tokens + TOKENS_PER_SUCCESS)
  }

  onFailure(): void {
    this.#tokens = Math.max(0, this.#tokens - 1)
  }
}
