import { checkWhole } from '../database/checkOption.ts'
import type { Database } from '../database/database.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { rateOfSpec } from '../operations/operation.ts'
import { DEFAULT_RATE, type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'

export interface SliceRates {
  readonly readUnitsPerSecond?: Rate | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
}

/**
 * What one of so many workers may spend of what the job may, or of what is Headrace's default: nobody needs to talk to
 * anybody for that to hold. Where the rate is shared, it alone counts. An emulator on this machine has no default.
 *
 * @throws {TypeError} for a number of workers that is none
 */
export async function ratesOf(
  { how: { rates } }: JobSpec,
  workersMax: number,
  database: Database,
  shared: { readonly sharedReadRate?: SharedRate | undefined; readonly sharedWriteRate?: SharedRate | undefined } = {},
): Promise<SliceRates> {
  const { loopback } = (await database.open()).connection
  checkWhole('workersMax', workersMax, 1, 100_000)
  const rateOf = (direction: 'read' | 'write', isShared: boolean): Rate | undefined => {
    if (isShared) return Number.POSITIVE_INFINITY
    const rate = rates?.[direction]
    if (rate !== undefined) return partOf(rateOfSpec(direction, rate)!, workersMax)
    return loopback ? undefined : partOf(DEFAULT_RATE, workersMax)
  }
  const read = rateOf('read', shared.sharedReadRate !== undefined)
  const write = rateOf('write', shared.sharedWriteRate !== undefined)
  return {
    readUnitsPerSecond: read,
    writeUnitsPerSecond: write,
  }
}

function partOf(rate: Rate, workersMax: number): Rate {
  const share = shareOf('rate', rate)
  if (share === undefined) return (rate as number) / workersMax
  return `${Number(((share * 100) / workersMax).toFixed(9))}%`
}
