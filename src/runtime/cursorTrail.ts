/**
 * Tells when cursors that are followed one after another come back to where they were. It remembers one of them, and
 * another one after 1, 2, 4, 8 … steps, so a circle of any length is found within a few times its length (R. P. Brent,
 * "An improved Monte Carlo factorization algorithm", 1980).
 */
export class CursorTrail {
  #remembered: string | undefined
  #steps = 0
  #stepsMax = 1

  /** @param first where the first request began; undefined for the beginning */
  constructor(first: string | undefined) {
    this.#remembered = first
  }

  /** @returns false for a cursor that was followed before */
  isNew(cursor: string): boolean {
    if (cursor === this.#remembered) return false
    this.#steps += 1
    if (this.#steps === this.#stepsMax) {
      this.#remembered = cursor
      this.#steps = 0
      this.#stepsMax *= 2
    }
    return true
  }
}
