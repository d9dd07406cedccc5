import type { PlainItem } from './attributeValue.ts'
import { NumberValue } from './number.ts'

/**
 * An item as ordinary JSON. Numbers keep every digit. What JSON has no form for becomes the nearest that it has: a set a
 * list, bytes base64 text; they do not come back as they were.
 */
export function writePlainJson(item: PlainItem): string {
  // Three times as fast, for the items that most are.
  return isPlainJson(item) ? JSON.stringify(item) : writeValue(item)
}

/** Whether JSON has a form for all of it. */
function isPlainJson(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'bigint' && typeof value !== 'function'
  if (Array.isArray(value)) {
    for (const member of value) if (!isPlainJson(member)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const name in value) if (!isPlainJson((value as { [name: string]: unknown })[name])) return false
  return true
}

function writeValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (value instanceof NumberValue) return value.text
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (Array.isArray(value) || value instanceof Set) return `[${Array.from(value, writeValue).join(',')}]`
  let text = ''
  for (const name of Object.keys(value)) {
    const attribute = (value as { [name: string]: unknown })[name]
    if (attribute !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${writeValue(attribute)}`
  }
  return `{${text}}`
}
