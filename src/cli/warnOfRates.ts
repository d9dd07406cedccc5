import type { Rate, Table } from '../index.ts'
import type { Talk } from './talk.ts'

/** Says so where a part of what the table has was asked for, and a table on demand has nothing that it could be a part of. */
export async function warnOfRates(
  talk: Talk,
  table: Table,
  rates: { readonly readUnitsPerSecond?: Rate | undefined; readonly writeUnitsPerSecond?: Rate | undefined },
  flags: { readonly rate?: Rate | undefined },
): Promise<void> {
  const { readUnitsPerSecond: read, writeUnitsPerSecond: write } = rates
  if (typeof read !== 'string' && typeof write !== 'string') return
  // Why a table can not be described is told by the work that needs it.
  const description = await table.describe().catch(() => undefined)
  if (description?.billing !== 'on demand') return
  const unbounded = [
    ...(typeof read === 'string' && description.readUnitsPerSecondMax === undefined ? ['read'] : []),
    ...(typeof write === 'string' && description.writeUnitsPerSecondMax === undefined ? ['write'] : []),
  ]
  for (const direction of unbounded) {
    const rate = direction === 'read' ? read : write
    const flag = rate === flags.rate ? '--rate' : `--${direction}-rate`
    talk.say(
      `${flag} ${rate} has no effect: ${table.name} is an on-demand table without a maximum ${direction} throughput. Pass a number, such as ${flag} 500`,
    )
  }
}
