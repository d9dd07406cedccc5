import type { PlainItem } from '../item/attributeValue.ts'
import { type KeySchema, keyPartsOf } from '../item/itemKey.ts'
import { NumberValue } from '../item/number.ts'

/**
 * What a person can do about an item whose key is not the table's, as sentences behind the message; empty where nothing is
 * known to help.
 */
export function keyAdvice(item: PlainItem, schema: KeySchema): string {
  for (const { name, type } of keyPartsOf(schema)) {
    const value: unknown = Object.hasOwn(item, name) ? item[name] : undefined
    if (value === undefined) return missingAdvice(item, name)
    const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue
    const mayBecome =
      (type === 'N' && typeof value === 'string' && /^[-+]?\d/.test(value)) || (type === 'S' && isNumber)
    if (mayBecome) return `. To read it as ${type}, set its type: csv.types (--types ${name}=${type})`
    if (typeof value === 'object' && value !== null && isTyped(value))
      return '. The record looks like DynamoDB JSON: set the format (--format ddb-json)'
  }
  return ''
}

function missingAdvice(item: PlainItem, name: string): string {
  const names = Object.keys(item)
  if (names.length === 1 && names[0] === 'Item' && typeof item['Item'] === 'object' && item['Item'] !== null)
    return '. The record looks like DynamoDB JSON inside "Item": set the format (--format ddb-json)'
  if (['code', 'message', 'place'].every((member) => names.includes(member)))
    return '. The record looks like a rejected record of a job: load such files with --from-rejects'
  const like = names.find((other) => other.trim().toLowerCase() === name.trim().toLowerCase())
  return like === undefined ? '' : `. It has ${JSON.stringify(like)}: names are case-sensitive`
}

function isTyped(value: object): boolean {
  const names = Object.keys(value)
  return names.length === 1 && /^(?:S|N|B)$/.test(names[0]!)
}
