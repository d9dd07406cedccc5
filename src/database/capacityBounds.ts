import { type Bounds, UNBOUNDED } from '../throughput/limiter.ts'
import { DEFAULT_RATE, shareOf } from '../throughput/rate.ts'
import type { TableCapacity, TableDescription } from './tableDescription.ts'

/** A new table on demand takes so much at once (developer guide, "Warm throughput"). */
const START_READ_UNITS_PER_SECOND = 12_000
const START_WRITE_UNITS_PER_SECOND = 4_000

/** What a table and each of its indexes may be asked for in one direction. */
export interface CapacityBounds {
  readonly table: Bounds
  readonly indexes: ReadonlyMap<string, Bounds>
}

/**
 * Provisioned, no more than the given share of what there is. On demand, no more than that share of the maximum that its
 * owner has set, if any, and to begin with what the table is ready for; what more it gives is found out.
 *
 * @param share above 0 to 1
 * @param index that is read instead of the table
 */
export function capacityBounds(
  table: TableDescription,
  direction: 'read' | 'write',
  share: number,
  index?: string,
): CapacityBounds {
  const provisioned = table.billing === 'provisioned'
  const bounds = (capacity: TableCapacity): Bounds => boundsOf(capacity, direction, share, provisioned)
  if (index !== undefined) {
    const found = table.indexes.find(({ name }) => name === index)
    return { table: found === undefined ? UNBOUNDED : bounds(found), indexes: new Map() }
  }
  const indexes = direction === 'write' ? table.indexes : []
  return { table: bounds(table), indexes: new Map(indexes.map((one) => [one.name, bounds(one)])) }
}

/**
 * Units a second that a table as a whole gives, so that what is throttled by key range below it is that range's. Of a
 * provisioned table any: what the whole is short of has a reason of its own.
 */
export function provenUnits(table: TableDescription, direction: 'read' | 'write'): number {
  if (table.billing === 'provisioned') return Number.POSITIVE_INFINITY
  return direction === 'read'
    ? Math.max(START_READ_UNITS_PER_SECOND, table.warmReadUnitsPerSecond)
    : Math.max(START_WRITE_UNITS_PER_SECOND, table.warmWriteUnitsPerSecond)
}

function boundsOf(capacity: TableCapacity, direction: 'read' | 'write', share: number, provisioned: boolean): Bounds {
  const [units, most, warm, start] =
    direction === 'read'
      ? [
          capacity.readUnitsPerSecond,
          capacity.readUnitsPerSecondMax,
          capacity.warmReadUnitsPerSecond,
          START_READ_UNITS_PER_SECOND,
        ]
      : [
          capacity.writeUnitsPerSecond,
          capacity.writeUnitsPerSecondMax,
          capacity.warmWriteUnitsPerSecond,
          START_WRITE_UNITS_PER_SECOND,
        ]
  if (provisioned) return units > 0 ? { unitsPerSecondMax: units * share, unitsPerSecond: units * share } : UNBOUNDED
  const unitsPerSecondMax = (most ?? Number.POSITIVE_INFINITY) * share
  // Of many that begin at once, each by a small share, no more than all of it is asked for.
  const part = Math.min(1, share / shareOf('rate', DEFAULT_RATE)!)
  return { unitsPerSecondMax, unitsPerSecond: Math.min(unitsPerSecondMax, Math.max(start, warm) * part) }
}
