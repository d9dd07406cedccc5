import type { Cost } from './costMeter.ts'

/** What so little of a job has cost says nothing of the rest. */
const SETTLED_MIN = 1_000
const SHARE_MIN = 0.01

/**
 * What all of a job comes to, by what the part of it that is settled has cost.
 *
 * @param settled records of all runs
 * @param share of all records that these are, from 0 to 1; what was told of a table may be old, so it can come to more
 * @returns undefined while too little is settled to say, and where there turn out to be more records than was thought
 */
export function expectedCost(cost: Cost, settled: number, share: number | undefined): Cost | undefined {
  if (share === undefined || settled < SETTLED_MIN || !(share >= SHARE_MIN && share <= 1)) return undefined
  return { ...cost, amount: cost.amount / share }
}

/** How far the reading of a table has come. */
export interface TableShare {
  /** Items of the table, as the service tells it. */
  readonly itemsTold: number
  /** Of this run: items that were looked at, and those of them for which the filter holds. */
  readonly scanned: number
  readonly matched: number
}

/** @returns the part of all items for which the filter holds that is settled; undefined where nothing is known of them */
export function shareOfTable(settled: number, { itemsTold, scanned, matched }: TableShare): number | undefined {
  const expected = scanned === 0 ? 0 : itemsTold * (matched / scanned)
  return expected === 0 ? undefined : settled / expected
}
