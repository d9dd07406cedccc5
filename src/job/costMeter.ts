import { BUILT_IN_PRICES, type ClassPrices, type PriceTable } from './priceTable.ts'

/** Capacity units, of a table and its indexes together. */
export interface Units {
  readonly readUnits: number
  readonly writeUnits: number
}

/** What units cost. */
export interface Cost {
  readonly amount: number
  /** `USD`, unless the price table has another. */
  readonly currency: string
  /** The day of the price table. */
  readonly asOf: string
  /**
   * `provisioned` where the capacity is paid for by the hour, used or not: the amount is the part of it that the work
   * takes, and nothing is added to the bill.
   */
  readonly billing: 'on demand' | 'provisioned'
}

/** Of a table, what decides on its prices. `TableDescription` is one. */
export interface PricedTable {
  readonly tableClass: string
  readonly billing: 'on demand' | 'provisioned'
  /** Other regions of a global table; each write is made, and paid for, in all of them. */
  readonly replicas: readonly string[]
}

const SECONDS_AN_HOUR = 3_600
const MILLION = 1_000_000

/** Tells what a job on one table has cost so far, or would cost. It holds prices and counts nothing. */
export class CostMeter {
  readonly #prices: PriceTable
  readonly #table: PricedTable
  readonly #class: ClassPrices | undefined

  /**
   * @param region the table's, such as `us-east-1`
   * @param prices default {@link BUILT_IN_PRICES}
   */
  constructor(table: PricedTable, region: string, prices: PriceTable = BUILT_IN_PRICES) {
    this.#prices = prices
    this.#table = table
    const regions = new Map(Object.entries(prices.regions))
    this.#class = new Map(Object.entries(regions.get(region)?.classes ?? {})).get(table.tableClass)
  }

  /**
   * Write units of a global table count once for each region, at the price of this one.
   *
   * @returns undefined where the price of region, table class or replicated writes is not known
   */
  costOf({ readUnits, writeUnits }: Units): Cost | undefined {
    const prices = this.#class
    if (prices === undefined) return undefined
    const { billing, replicas } = this.#table
    const provisioned = billing === 'provisioned'
    const read = provisioned
      ? prices.provisionedReadUnitHour / SECONDS_AN_HOUR
      : prices.onDemandReadsPerMillion / MILLION
    let write = provisioned
      ? prices.provisionedWriteUnitHour / SECONDS_AN_HOUR
      : prices.onDemandWritesPerMillion / MILLION
    if (replicas.length > 0) {
      if (!provisioned) {
        if (prices.replicatedWritesPerMillion === undefined) return undefined
        write = prices.replicatedWritesPerMillion / MILLION
      }
      write *= 1 + replicas.length
    }
    const { currency, asOf } = this.#prices
    return { amount: priceOf({ readUnits, writeUnits }, { read, write }), currency, asOf, billing }
  }
}

/** What units cost at the prices of one unit each. */
export function priceOf(
  { readUnits, writeUnits }: Units,
  unit: { readonly read: number; readonly write: number },
): number {
  return readUnits * unit.read + writeUnits * unit.write
}

/** @returns undefined where neither is known */
export function addCosts(left: Cost | undefined, right: Cost | undefined): Cost | undefined {
  if (left === undefined || right === undefined) return left ?? right
  const billing = left.billing === 'on demand' ? left.billing : right.billing
  return { ...right, amount: left.amount + right.amount, billing }
}
