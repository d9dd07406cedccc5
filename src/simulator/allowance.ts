/**
 * Units that may be used: they come at a rate, and what is not used is saved up to a depth. Whoever finds one may take
 * what they need, and the debt is waited off: a single item may cost more than a second brings.
 */
export class Allowance {
  #unitsPerSecond: number
  #depth: number
  #saved: number
  #atMs: number
  #occupied = 0

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

  /** Units a second that others take. */
  get occupied(): number {
    return this.#occupied
  }

  /** Units a second that are left beside others. */
  get freePerSecond(): number {
    return Math.max(0, this.#unitsPerSecond - this.#occupied)
  }

  setRate(unitsPerSecond: number, depthSeconds: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#unitsPerSecond = unitsPerSecond
    this.#depth = unitsPerSecond * depthSeconds
    this.#saved = Math.min(this.#saved, this.#depth)
  }

  /** Others take so many units a second from now on, all the time and before anyone else; what is saved goes first. */
  occupy(unitsPerSecond: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#occupied = unitsPerSecond
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
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY || nowMs === this.#atMs) return
    const gain = ((nowMs - this.#atMs) / 1_000) * (this.#unitsPerSecond - this.#occupied)
    this.#atMs = nowMs
    // Others stop where nothing is left; they do not run up a debt.
    if (gain >= 0) this.#saved = Math.min(this.#depth, this.#saved + gain)
    else this.#saved = Math.max(Math.min(this.#saved, 0), this.#saved + gain)
  }
}
