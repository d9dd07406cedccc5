import type { TableDescription } from '../database/tableDescription.ts'
import type { CostMeter } from '../job/costMeter.ts'

export interface CostSoFar {
  /** Of all runs. */
  readonly readUnits: number
  readonly writeUnits: number
  /** Of this run: estimated write units of the table that have ended, and that may still be consumed. */
  readonly endedUnits: number
  readonly unitsAtStake: number
  /** Segments that are being read. */
  readonly reading: number
}

/** A page is at most 1 MB, and a strongly consistent read unit is for 4 KB (developer guide, "Read consistency"). */
const PAGE_UNITS_MAX = 256
/** Of the largest item, 400 KB. */
const ITEM_UNITS_MAX = 400
/** What was learned of so few says nothing. */
const LEARNED_UNITS_MIN = 1_000
/** What is to come may take more than what has been. */
const LEARNED_FACTOR = 1.5

/** Whether a job may go on without what it costs coming to more than was allowed, whatever becomes of what is under way. */
export class CostLimit {
  readonly #most: number
  readonly #readUnit: number
  readonly #writeUnit: number
  /** Each index takes an entry away and puts one there, neither larger than the item (developer guide, on index writes). */
  readonly #indexFactor: number

  /** @returns undefined where the price is not known */
  static of(
    most: number,
    read: CostMeter | undefined,
    write: CostMeter | undefined,
    { indexes, localIndexes }: TableDescription,
  ): CostLimit | undefined {
    // An emulator has no meter, and costs nothing.
    const readUnit = read === undefined ? 0 : read.costOf({ readUnits: 1, writeUnits: 0 })?.amount
    const writeUnit = write === undefined ? 0 : write.costOf({ readUnits: 0, writeUnits: 1 })?.amount
    if (readUnit === undefined || writeUnit === undefined) return undefined
    return new CostLimit(most, readUnit, writeUnit, 1 + 2 * (indexes.length + localIndexes.length))
  }

  private constructor(most: number, readUnit: number, writeUnit: number, indexFactor: number) {
    this.#most = most
    this.#readUnit = readUnit
    this.#writeUnit = writeUnit
    this.#indexFactor = indexFactor
  }

  /** Whether another item may be taken. */
  allows({ readUnits, writeUnits, endedUnits, unitsAtStake, reading }: CostSoFar, runWriteUnits: number): boolean {
    const learned = endedUnits < LEARNED_UNITS_MIN ? 0 : (LEARNED_FACTOR * runWriteUnits) / endedUnits
    const factor = Math.max(this.#indexFactor, learned)
    const writes = writeUnits + (unitsAtStake + ITEM_UNITS_MAX) * factor
    const reads = readUnits + reading * PAGE_UNITS_MAX
    return writes * this.#writeUnit + reads * this.#readUnit <= this.#most
  }
}
