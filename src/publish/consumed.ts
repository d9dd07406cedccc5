import { reportedUnits } from '../item/units.ts'
import type { ConsumedUnits } from '../throughput/limiter.ts'

/** `ConsumedCapacity` as the service gives it, with `INDEXES` or with `TOTAL`. */
export interface ConsumedCapacity {
  readonly CapacityUnits?: unknown | undefined
  readonly GlobalSecondaryIndexes?: {
    readonly [name: string]: { readonly CapacityUnits?: unknown | undefined } | undefined
  } | null
}

/**
 * What requests took together. What local indexes take is the table's (developer guide, "Write throughput considerations for
 * local secondary indexes").
 *
 * @returns undefined where the endpoint does not tell, or tells what no request can consume
 */
export function readConsumed(parts: readonly ConsumedCapacity[] | undefined): ConsumedUnits | undefined {
  if (!Array.isArray(parts)) return undefined
  let total: number | undefined
  let ofIndexes = 0
  let indexes: Map<string, number> | undefined
  for (const part of parts as readonly (ConsumedCapacity | null)[]) {
    const units = reportedUnits(part?.CapacityUnits)
    if (units === undefined) return undefined
    total = (total ?? 0) + units
    const { GlobalSecondaryIndexes } = part!
    for (const name in GlobalSecondaryIndexes) {
      const ofIndex = reportedUnits(GlobalSecondaryIndexes[name]?.CapacityUnits)
      if (ofIndex === undefined) return undefined
      indexes ??= new Map()
      indexes.set(name, (indexes.get(name) ?? 0) + ofIndex)
      ofIndexes += ofIndex
    }
  }
  return total === undefined || ofIndexes > total ? undefined : { total, table: total - ofIndexes, indexes }
}
