import { UnitBucket } from './unitBucket.ts'

/** Leave to spend units in a part of a second, which was got from a budget that others spend of, too. */
export interface Grant {
  readonly units: number
  readonly fromMs: number
  /** What is left then is lost: the next second has its own. */
  readonly untilMs: number
}

/** Where nothing can be said but that more was asked for; who grants tells when there is some, and this is for when that fails. */
const ASK_AGAIN_MS = 500

/**
 * Leave to spend capacity units of a budget that is shared: what was granted, for as long as that holds. What was spent beyond
 * it, since a request took more than was thought, is owed. Where nobody grants any more, a fixed share is spent.
 *
 * As {@link UnitBucket}, it is told the time and asked questions.
 */
export class GrantBucket {
  readonly #share: UnitBucket
  #isAlone = false
  /** Those that hold now or will, in the order of their beginnings. */
  #grants: { units: number; readonly fromMs: number; readonly untilMs: number }[] = []
  #owed = 0
  #spent = 0
  #wanted = 0

  /** @param shareUnitsPerSecond what is spent while nobody grants anything, above 0 */
  constructor(shareUnitsPerSecond: number, nowMs: number) {
    this.#share = new UnitBucket(shareUnitsPerSecond, nowMs)
  }

  /** Units that somebody waits for and that are not granted; 0 for none. */
  get wanted(): number {
    return this.#wanted
  }

  /** Units that were taken, in all. */
  get spent(): number {
    return this.#spent
  }

  grant(grant: Grant): void {
    this.#isAlone = false
    this.#wanted = 0
    let { units } = grant
    const paid = Math.min(units, this.#owed)
    this.#owed -= paid
    units -= paid
    if (units > 0) this.#grants.push({ ...grant, units })
    this.#grants.sort((left, right) => left.fromMs - right.fromMs)
  }

  /** Nobody grants anything: the share holds until something is granted. */
  stayAlone(): void {
    this.#isAlone = true
    this.#wanted = 0
  }

  /** As of {@link UnitBucket}. */
  shortMs(units: number, nowMs: number): number {
    this.#forget(nowMs)
    if (this.#isAlone) {
      // Whoever grants is asked now and then.
      this.#wanted = units
      return this.#share.shortMs(units, nowMs)
    }
    let ready = 0
    let coming = 0
    let fromMs = Number.POSITIVE_INFINITY
    for (const grant of this.#grants) {
      if (grant.fromMs <= nowMs) ready += grant.units
      else {
        coming += grant.units
        fromMs = Math.min(fromMs, grant.fromMs)
      }
    }
    if (ready >= units) return 0
    const lacking = units + this.#owed - ready - coming
    this.#wanted = Math.max(0, lacking)
    return Math.max(1, Math.min(ASK_AGAIN_MS, fromMs - nowMs))
  }

  /** Takes the units, which `shortMs` has just said are there. */
  spend(units: number): void {
    this.#spent += units
    if (this.#isAlone) {
      this.#share.spend(units)
      return
    }
    let left = units
    for (const grant of this.#grants) {
      const taken = Math.min(left, grant.units)
      grant.units -= taken
      left -= taken
    }
    this.#owed += left
  }

  /** As of {@link UnitBucket}; what comes back may be of a second that is over, and is lost. */
  settle(estimatedUnits: number, consumedUnits: number, spentAtMs: number): void {
    if (this.#isAlone) this.#share.settle(estimatedUnits, consumedUnits, spentAtMs)
    else this.#owed = Math.max(0, this.#owed + consumedUnits - estimatedUnits)
  }

  #forget(nowMs: number): void {
    this.#grants = this.#grants.filter(({ units, untilMs }) => units > 0 && untilMs > nowMs)
  }
}
