/**
 * Units that may be used: they come at a rate, and what is not used is saved up to a depth. Whoever finds one may take
 * what they need, and the debt is waited off: a single item may cost more than a second brings.
 */
export class Allowance {
  #unitsPerSecond: number
  #depth: number
  #saved: number
  #atMs: number

  /**
   * @param unitsPerSecond above 0; `Infinity` for no limit
   * @param depthSeconds how many seconds' worth can be saved, above 0
   * @param filled share of the depth that is there at first, 0 to 1
   */
  constructor(unitsPerSecond: number, depthSeconds: number, filled: number, nowMs: number) {
    this.#unitsPerSecond = unitsPerSecond
    this.#depth = unitsPerSecond * depthSeconds
    this.#saved = this.#depth === Number.POSITIVE_INFINITY ? this.#depth : this.#depth * filled
    this.#atMs = nowMs
  }

  get unitsPerSecond(): number {
    return this.#unitsPerSecond
  }

  setRate(unitsPerSecond: number, depthSeconds: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#unitsPerSecond = unitsPerSecond
    this.#depth = unitsPerSecond * depthSeconds
    this.#saved = Math.min(this.#saved, this.#depth)
  }

  /** Whether there is a whole unit to begin with. */
  hasAny(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#saved >= Math.min(1, this.#depth)
  }

  spend(units: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#saved -= units
  }

  #fill(nowMs: number): void {
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY) return
    this.#saved = Math.min(this.#depth, this.#saved + ((nowMs - this.#atMs) / 1_000) * this.#unitsPerSecond)
    this.#atMs = nowMs
  }
}
