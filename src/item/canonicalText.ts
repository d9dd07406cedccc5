import { base64 } from './base64.ts'
import { canonicalNumber, NumberValue, numberText } from './number.ts'

/**
 * One text for everything that DynamoDB takes for the same value, and another for everything else: attributes and
 * elements of sets in one order, numbers in one spelling (`1.0` is `1`), every value with its type (`"1"` is not 1). For
 * comparing; nothing reads it back.
 *
 * @param value an item, or the value of an attribute, in plain JavaScript
 */
export function canonicalText(value: unknown): string {
  if (typeof value === 'string') return `S${value.length}:${value}`
  if (typeof value === 'number') return `N${numberText(value)};`
  if (value === null) return '0'
  if (typeof value === 'boolean') return value ? 'T' : 'F'
  if (typeof value === 'bigint' || value instanceof NumberValue) return `N${canonicalNumber(`${value}`)};`
  if (value instanceof Uint8Array) return `B${base64(value)};`
  if (Array.isArray(value)) return `L${value.length}:${value.map(canonicalText).join('')}`
  if (value instanceof Set) return `U${value.size}:${Array.from(value, canonicalText).sort().join('')}`
  return mapText(value as { readonly [name: string]: unknown })
}

function mapText(map: { readonly [name: string]: unknown }): string {
  const names = Object.keys(map)
  if (!isSorted(names)) names.sort()
  let text = ''
  let count = 0
  for (const name of names) {
    const value = map[name]
    // An attribute that is undefined does not exist.
    if (value === undefined) continue
    text += `${name.length}:${name}${canonicalText(value)}`
    count += 1
  }
  return `M${count}:${text}`
}

function isSorted(names: readonly string[]): boolean {
  for (let index = 1; index < names.length; index += 1) if (names[index - 1]! > names[index]!) return false
  return true
}
