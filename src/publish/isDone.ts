import type { Change } from '../item/edit.ts'
import { isSameValueText } from '../item/isSameValueText.ts'

/**
 * Whether the item, given in DynamoDB JSON as it is now, is as this change would have made it. Asked after an answer was
 * lost: then a condition that does not hold may be the work of the very change.
 */
export function isDone(change: Change, attributes: { [name: string]: unknown } | undefined): boolean {
  if (change.deletes) return attributes === undefined
  if (attributes === undefined) return false
  return (
    change.setNames.every((name, index) => hasValue(attributes, name, change.setTexts[index]!)) &&
    change.removeNames.every((name) => !Object.hasOwn(attributes, name))
  )
}

function hasValue(attributes: { [name: string]: unknown }, name: string, text: string): boolean {
  return Object.hasOwn(attributes, name) && isSameValueText(JSON.stringify(attributes[name]), text)
}
