import type { NativeService } from '../../job/plan.ts'
import type { PriceTable } from '../../job/priceTable.ts'

/** What of AWS's own bulk services does the same work. */
export type NativeWay = 'export' | 'import'

const GIBIBYTE = 1_073_741_824

/**
 * What the native services would cost for so many bytes (developer guide, "DynamoDB data export to Amazon S3" and
 * "DynamoDB data import from Amazon S3").
 */
export function nativeServices(
  ways: readonly NativeWay[],
  bytes: number,
  region: string,
  prices: PriceTable,
  hasPointInTimeRecovery: boolean | undefined,
): NativeService[] {
  const ofRegion = new Map(Object.entries(prices.regions)).get(region)
  const { currency } = prices
  return ways.map((way): NativeService => {
    const perGibibyte = way === 'export' ? ofRegion?.exportPerGibibyte : ofRegion?.importPerGibibyte
    const amount = perGibibyte === undefined ? undefined : (bytes / GIBIBYTE) * perGibibyte
    if (way === 'import') {
      const limits = 'into a new table only, from files in S3; consumes no WCU'
      return { service: 'import from S3', amount, currency, limits }
    }
    const recovery =
      hasPointInTimeRecovery === true
        ? ''
        : hasPointInTimeRecovery === false
          ? ', which is off here'
          : '; whether that is on is unknown'
    const limits = `the whole table, to S3; consumes no RCU and needs point-in-time recovery${recovery}`
    return { service: 'export to S3', amount, currency, limits }
  })
}
