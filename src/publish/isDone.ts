import type { Change } from '../item/edit.ts'
import { parseJson } from '../runtime/parseJson.ts'

/**
 * Whether the item, given in DynamoDB JSON as it is now, is as this change would have made it. Asked after an answer was
 * lost: then a condition that does not hold may be the work of the very change.
 */
export function isDone(change: Change, attributes: { [name: string]: unknown } | undefined): boolean {
  if (change.deletes) return attributes === undefined
  if (attributes === undefined) return false
  return (
    change.setNames.every((name, index) => sameValue(attributes[name], parseJson(change.setTexts[index]!))) &&
    change.removeNames.every((name) => !Object.hasOwn(attributes, name))
  )
}

function sameValue(left: unknown, right: unknown): boolean {
  return left !== undefined && canonicalText(left) === canonicalText(right)
}

/** DynamoDB JSON with maps and sets in one order, so that equal values have equal texts. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, part]) => {
    const isSet = (name === 'SS' || name === 'NS' || name === 'BS') && Array.isArray(part)
    return `${JSON.stringify(name)}:${isSet ? `[${part.map(canonicalText).sort().join(',')}]` : canonicalText(part)}`
  })
  return `{${entries.sort().join(',')}}`
}
