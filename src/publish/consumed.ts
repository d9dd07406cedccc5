import type { ConsumedUnits } from '../throughput/limiter.ts'

/** `ConsumedCapacity` as the service gives it, with `INDEXES` or with `TOTAL`. */
export interface ConsumedCapacity {
  readonly CapacityUnits?: number
  readonly GlobalSecondaryIndexes?: { readonly [name: string]: { readonly CapacityUnits?: number } }
}

/**
 * What requests took together. What local indexes take is the table's (developer guide, "Write throughput considerations for
 * local secondary indexes").
 *
 * @returns undefined where the endpoint does not tell
 */
export function readConsumed(parts: readonly ConsumedCapacity[] | undefined): ConsumedUnits | undefined {
  let total: number | undefined
  let ofIndexes = 0
  let indexes: Map<string, number> | undefined
  for (const { CapacityUnits, GlobalSecondaryIndexes } of parts ?? []) {
    if (CapacityUnits === undefined) continue
    total = (total ?? 0) + CapacityUnits
    for (const name in GlobalSecondaryIndexes) {
      const units = GlobalSecondaryIndexes[name]!.CapacityUnits ?? 0
      indexes ??= new Map()
      indexes.set(name, (indexes.get(name) ?? 0) + units)
      ofIndexes += units
    }
  }
  return total === undefined ? undefined : { total, table: total - ofIndexes, indexes }
}
