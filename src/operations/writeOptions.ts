import type { OpenDatabase } from '../database/database.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import { CostMeter } from '../job/costMeter.ts'
import type { JobHow, JobWhat } from '../job/jobSpec.ts'
import type { PriceTable } from '../job/priceTable.ts'
import type { JobReject } from '../job/reject.ts'
import type { PublisherOptions } from '../publish/publisher.ts'
import type { Rate } from '../throughput/rate.ts'

/** What becomes of a record whose key the table already has. */
export type IfExists = 'overwrite' | 'skip' | 'reject'

export interface WriteOptions extends Omit<PublisherOptions, 'onReject'> {
  /** Told of each record that can never be written. Without it, and without a directory, the first one fails the job. */
  readonly onReject?: ((reject: JobReject) => void) | undefined
  /** What units cost, for `Summary.cost`. Default: AWS's list, as far as it is built in; see `readPriceFile`. */
  readonly prices?: PriceTable | undefined
}

/**
 * @throws {TypeError} for what is none of the three, or makes no sense beside `keepOld`
 *
 * @internal
 */
export function checkIfExists(ifExists: unknown, keepOld: boolean | undefined): void {
  if (ifExists === undefined || ifExists === 'overwrite') return
  if (ifExists !== 'skip' && ifExists !== 'reject')
    throw new TypeError(`ifExists must be 'overwrite', 'skip' or 'reject', not ${JSON.stringify(ifExists)}`)
  if (keepOld === true)
    throw new TypeError(`with ifExists '${ifExists}' nothing is overwritten: omit keepOld (--keep-old)`)
}

/**
 * What a job's description says of it.
 *
 * @internal
 */
export function ifExistsSpec(ifExists: IfExists | undefined): Pick<JobWhat, 'ifExists'> {
  return ifExists === undefined || ifExists === 'overwrite' ? {} : { ifExists }
}

/**
 * How a job writes, for its description.
 *
 * @internal
 */
export function howWritten({ maxInFlight, maxQueueSize, patienceMs, writeUnitsPerSecond }: WriteOptions): JobHow {
  const rates = writeUnitsPerSecond === undefined ? undefined : { write: rateText(writeUnitsPerSecond) }
  return { maxInFlight, maxQueueSize, patienceMs, rates }
}

/**
 * JSON has no word for it.
 *
 * @internal
 */
export function rateText(rate: Rate): number | string {
  return rate === Number.POSITIVE_INFINITY ? 'unlimited' : rate
}

/**
 * @returns undefined for emulators, and where the price is not known
 *
 * @internal
 */
export function costMeter(
  description: TableDescription,
  { connection }: OpenDatabase,
  prices: PriceTable | undefined,
): CostMeter | undefined {
  return connection.loopback ? undefined : new CostMeter(description, connection.region, prices)
}
