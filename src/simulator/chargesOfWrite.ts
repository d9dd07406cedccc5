import { indexParts } from './applyWrite.ts'
import type { Attributes } from './attributes.ts'
import type { Charge } from './charge.ts'
import type { PrimaryKey } from './primaryKey.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/**
 * What a write takes as far as the request shows: of the table, and of each index that has to follow. Where an item was in
 * an index before is not to be seen; the store tells what that cost, and until then it counts at the item's own hash.
 *
 * @param known the item after a put; of a change what it sets; nothing of a delete
 * @param units a guess for the table itself
 * @param whole that is the whole item, and an index without its keys has nothing to do
 */
export function chargesOfWrite(
  table: SimulatedTable,
  key: PrimaryKey,
  known: Attributes,
  units: number,
  whole: boolean,
): Charge[] {
  const { capacity, arn } = table
  const charges: Charge[] = [{ capacity, index: undefined, arn, kind: 'write', hash: key.hash, units }]
  for (const index of table.indexes) {
    const parts = indexParts(index, table.key, undefined, known)
    const place = { capacity: index.capacity, index: index.name, arn: index.arn, kind: 'write' } as const
    for (const part of parts) charges.push({ ...place, hash: part.hash, units: part.units })
    if (!whole && parts.length === 0) charges.push({ ...place, hash: key.hash, units: 0 })
  }
  return charges
}
