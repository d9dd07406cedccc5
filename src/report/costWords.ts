import type { Cost } from '../job/costMeter.ts'
import { formatMoney } from './figures.ts'

const AMOUNT_MIN = 0.0001

/** What was spent so far, and what all of it comes to, where that is known: `$0.42 of about $3.10`. */
export function costWords(cost: Cost, expected: Cost | undefined): string {
  const spent = formatMoney(cost.amount, cost.currency)
  // Less than can be said of an amount is not worth an "about".
  return expected === undefined || expected.amount < AMOUNT_MIN
    ? spent
    : `${spent} of about ${formatMoney(expected.amount, expected.currency)}`
}
