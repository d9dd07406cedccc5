import type { PlainItem } from './attributeValue.ts'
import { NumberValue } from './number.ts'

/**
 * An item as ordinary JSON. Numbers keep every digit. What JSON has no form for becomes the nearest that it has: a set a
 * list, bytes base64 text; they do not come back as they were.
 */
export function writePlainJson(item: PlainItem): string {
  return writeValue(item)
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
