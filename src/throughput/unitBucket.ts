/** No answer is as late as that. */
const ANSWER_MS_MAX = 60_000

/**
 * Leave to spend capacity units: a bucket that fills at a rate, holds one second's worth, and may owe. Spending is
 * estimated before the request and settled after it, when the service has said what it took; a debt is waited off.
 *
 * It is told the time and asked questions; it has no clock of its own.
 */
export class UnitBucket {
  #unitsPerSecond: number
  #balance: number
  #at: number
  /** How full it was at most from each of these moments on; the latest last, and the lowest. */
  readonly #crests: { readonly atMs: number; balance: number }[] = []

  /** @param unitsPerSecond above 0; `Infinity` for no limit */
  constructor(unitsPerSecond: number, nowMs: number) {
    this.#unitsPerSecond = unitsPerSecond
    this.#balance = Number.isFinite(unitsPerSecond) ? unitsPerSecond : 0
    this.#at = nowMs
  }

  get unitsPerSecond(): number {
    return this.#unitsPerSecond
  }

  setRate(unitsPerSecond: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#unitsPerSecond = unitsPerSecond
    this.#crests.length = 0
    this.#balance = Number.isFinite(unitsPerSecond) ? Math.min(this.#balance, unitsPerSecond) : 0
  }

  /** Nothing is saved any more; what is owed still is. */
  empty(): void {
    this.#balance = Math.min(this.#balance, 0)
  }

  /**
   * Takes the units and returns 0, or takes nothing and returns how many milliseconds to wait before asking again.
   * A request may take more than is there as long as nothing is owed, else one larger than a second's worth never could.
   */
  take(units: number, nowMs: number): number {
    const waitMs = this.shortMs(units, nowMs)
    if (waitMs === 0) this.spend(units)
    return waitMs
  }

  /**
   * How many milliseconds until these units can be taken; 0 for now. Takes nothing.
   *
   * @param debtSecondsMax of a greater debt only so many seconds' worth is waited off, and the rest is forgotten
   */
  shortMs(units: number, nowMs: number, debtSecondsMax: number = Number.POSITIVE_INFINITY): number {
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY) return 0
    this.#fill(nowMs)
    this.#balance = Math.max(this.#balance, -debtSecondsMax * this.#unitsPerSecond)
    const wanted = Math.min(units, this.#unitsPerSecond)
    if (this.#balance >= wanted) return 0
    return Math.max(1, ((wanted - this.#balance) / this.#unitsPerSecond) * 1_000)
  }

  /** Takes the units, which `shortMs` has just said are there. */
  spend(units: number): void {
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY) return
    while (this.#crests.length > 0 && this.#crests.at(-1)!.balance <= this.#balance) this.#crests.pop()
    if (this.#crests.length > 0 && this.#crests[0]!.atMs < this.#at - ANSWER_MS_MAX) this.#crests.shift()
    this.#crests.push({ atMs: this.#at, balance: this.#balance })
    this.#balance -= units
  }

  /**
   * What was estimated has cost this much. What comes back is no more than could have been saved meanwhile: a second's worth
   * would be two, if what was spent in vain came back to a bucket that has filled since.
   *
   * @param spentAtMs when it was taken
   */
  settle(estimatedUnits: number, consumedUnits: number, spentAtMs: number): void {
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY) return
    let back = estimatedUnits - consumedUnits
    if (back > 0) {
      let first = this.#crests.length
      while (first > 0 && this.#crests[first - 1]!.atMs > spentAtMs) first -= 1
      const fullest = this.#crests[first]?.balance ?? this.#balance
      back = Math.min(back, Math.max(0, this.#unitsPerSecond - fullest))
      for (; first < this.#crests.length; first += 1) this.#crests[first]!.balance += back
    }
    this.#balance += back
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#at)
    this.#at = nowMs
    // No time at all, times an endless rate, is no number.
    if (this.#unitsPerSecond === Number.POSITIVE_INFINITY) return
    this.#balance = Math.min(this.#unitsPerSecond, this.#balance + (elapsedMs / 1_000) * this.#unitsPerSecond)
  }
}
