import { checkWhole } from '../database/checkOption.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { readRateOf } from '../operations/resume.ts'
import { DEFAULT_RATE, type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'

export interface SliceRates {
  readonly readUnitsPerSecond?: Rate
  readonly writeUnitsPerSecond?: Rate
}

/**
 * What one of so many workers may spend of what the job may, or of what is Headrace's default: nobody needs to talk to
 * anybody for that to hold. Where the rate is shared, it alone counts.
 *
 * @throws {TypeError} for a number of workers that is none
 */
export function ratesOf(
  { how: { rates } }: JobSpec,
  workersMax: number,
  shared: { readonly sharedReadRate?: SharedRate; readonly sharedWriteRate?: SharedRate } = {},
): SliceRates {
  checkWhole('workersMax', workersMax, 1, 100_000)
  const part = (direction: 'read' | 'write'): Rate => {
    const rate = rates?.[direction]
    return partOf(rate === undefined ? DEFAULT_RATE : readRateOf(direction, rate), workersMax)
  }
  return {
    readUnitsPerSecond: shared.sharedReadRate === undefined ? part('read') : Number.POSITIVE_INFINITY,
    writeUnitsPerSecond: shared.sharedWriteRate === undefined ? part('write') : Number.POSITIVE_INFINITY,
  }
}

function partOf(rate: Rate, workersMax: number): Rate {
  const share = shareOf('rate', rate)
  if (share === undefined) return (rate as number) / workersMax
  return `${Number(((share * 100) / workersMax).toFixed(9))}%`
}
