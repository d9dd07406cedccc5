import { formatUnitRate } from '../runtime/units.ts'
import type { TableDescription } from './tableDescription.ts'

/**
 * What was changed in what a table can take, for people; undefined where nothing was.
 *
 * @param direction whose units are of interest
 */
export function capacityNotice(
  before: TableDescription,
  now: TableDescription,
  direction: 'read' | 'write',
): string | undefined {
  const [was, is] = [capacityWords(before, direction), capacityWords(now, direction)]
  const changes = was === is ? [] : [`table ${now.name} now has ${is}, and had ${was} before`]
  for (const index of now.indexes) {
    const other = before.indexes.find(({ name }) => name === index.name)
    if (other === undefined) continue
    const billing = { billing: now.billing }
    const [then, words] = [
      capacityWords({ ...other, billing: before.billing }, direction),
      capacityWords({ ...index, ...billing }, direction),
    ]
    if (then !== words) changes.push(`index ${index.name} now has ${words}, and had ${then} before`)
  }
  return changes.length === 0 ? undefined : changes.join('; ')
}

type Capacity = Pick<
  TableDescription,
  'billing' | 'readUnitsPerSecond' | 'writeUnitsPerSecond' | 'readUnitsPerSecondMax' | 'writeUnitsPerSecondMax'
>

function capacityWords(capacity: Capacity, direction: 'read' | 'write'): string {
  const isRead = direction === 'read'
  const units = isRead ? capacity.readUnitsPerSecond : capacity.writeUnitsPerSecond
  if (capacity.billing === 'provisioned')
    return `provisioned ${direction} capacity of ${formatUnitRate(units, direction)}`
  const most = isRead ? capacity.readUnitsPerSecondMax : capacity.writeUnitsPerSecondMax
  if (most === undefined) return `on-demand ${direction} capacity`
  return `on-demand ${direction} capacity of at most ${formatUnitRate(most, direction)}`
}
