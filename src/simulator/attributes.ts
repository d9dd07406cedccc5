import { normalNumber, numberSize } from './decimal.ts'
import { invalid } from './serviceError.ts'

/** One value in DynamoDB JSON: an object with one member, named for the type. */
export type AttributeValue = { readonly [type: string]: unknown }

/** An item or a key in DynamoDB JSON, without a prototype, never changed once made. */
export type Attributes = { readonly [name: string]: AttributeValue }

const NESTING_MAX = 32

/** @throws {ServiceError} for what is no item */
export function readAttributes(raw: unknown): Attributes {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) throw invalid('an item must be an object')
  const attributes: { [name: string]: AttributeValue } = Object.create(null)
  for (const [name, value] of Object.entries(raw)) {
    if (name === '') throw invalid('One or more parameter values were invalid: an attribute name is empty')
    attributes[name] = readValue(value, 1)
  }
  return attributes
}

/**
 * @param depth of nesting, 1 for an attribute of an item
 * @param checksSets false accepts an empty set and one with duplicates
 */
export function readValue(raw: unknown, depth = 1, checksSets = true): AttributeValue {
  const members = raw !== null && typeof raw === 'object' ? Object.entries(raw) : []
  const [member] = members
  if (member === undefined || members.length !== 1) {
    throw invalid('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the types')
  }
  if (depth > NESTING_MAX) throw invalid('Nesting Levels have exceeded supported limits')
  const [type, value] = member
  const isText = typeof value === 'string'
  if (type === 'S' && isText) return { S: value }
  if (type === 'N' && isText) return { N: normalNumber(value) }
  if (type === 'B' && isText) return { B: checkBase64(value) }
  if (type === 'BOOL' && typeof value === 'boolean') return { BOOL: value }
  if (type === 'NULL' && value === true) return { NULL: true }
  if (type === 'L' && Array.isArray(value))
    return { L: value.map((element) => readValue(element, depth + 1, checksSets)) }
  if (type === 'M' && value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const map: { [name: string]: AttributeValue } = Object.create(null)
    for (const [name, part] of Object.entries(value)) map[name] = readValue(part, depth + 1, checksSets)
    return { M: map }
  }
  if ((type === 'SS' || type === 'NS' || type === 'BS') && Array.isArray(value)) {
    return { [type]: readSet(type, value, checksSets) }
  }
  throw invalid(`Supplied AttributeValue is empty or of a wrong type: ${type}`)
}

function readSet(type: string, elements: readonly unknown[], checks: boolean): string[] {
  if (checks && elements.length === 0)
    throw invalid('One or more parameter values were invalid: An set may not be empty')
  const texts = elements.map((element) => {
    if (typeof element !== 'string') throw invalid('a set holds something that is no text')
    return type === 'NS' ? normalNumber(element) : type === 'BS' ? checkBase64(element) : element
  })
  if (checks && new Set(texts).size < texts.length) throw invalid('Input collection contains duplicates')
  return texts
}

function checkBase64(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw invalid('Invalid base64 in a Binary')
  return text
}

/** Bytes that an item counts by the service's rules (developer guide, "Item sizes and formats"). */
export function itemSize(attributes: Attributes): number {
  let bytes = 0
  for (const name in attributes) bytes += Buffer.byteLength(name) + valueSize(attributes[name]!)
  return bytes
}

function valueSize(attribute: AttributeValue): number {
  let type = ''
  for (type in attribute) break
  const value = attribute[type]
  const list = Array.isArray(value) ? value : []
  switch (type) {
    case 'S':
      return Buffer.byteLength(value as string)
    case 'N':
      return numberSize(value as string)
    case 'B':
      return Buffer.from(value as string, 'base64').length
    case 'SS':
      return list.reduce((sum: number, text) => sum + Buffer.byteLength(text), 0)
    case 'NS':
      return list.reduce((sum: number, text) => sum + numberSize(text), 0)
    case 'BS':
      return list.reduce((sum: number, text) => sum + Buffer.from(text, 'base64').length, 0)
    case 'L':
      return list.reduce((sum: number, element) => sum + 1 + valueSize(element), 3)
    case 'M': {
      const members = Object.entries(value as Attributes)
      return members.reduce((sum, [name, part]) => sum + 1 + Buffer.byteLength(name) + valueSize(part), 3)
    }
    default:
      return 1
  }
}

/** One text for all values that the service holds to be equal: sets and maps in one order. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).map(([name, part]) => {
    const isSet = /^[SNB]S$/.test(name) && Array.isArray(part)
    return `${JSON.stringify(name)}:${isSet ? `[${part.map(canonicalText).sort().join(',')}]` : canonicalText(part)}`
  })
  return `{${members.sort().join(',')}}`
}

/** Whether the service holds two values, or two items, to be equal: whether their {@link canonicalText} is the same. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((element, index) => isSame(element, right[index]))
  }
  const one = left as { readonly [name: string]: unknown }
  const other = right as { readonly [name: string]: unknown }
  let names = 0
  for (const name in one) {
    names += 1
    const set = name === 'SS' || name === 'NS' || name === 'BS'
    if (set && Array.isArray(one[name])) {
      if (canonicalText({ [name]: one[name] }) !== canonicalText({ [name]: other[name] })) return false
    } else if (!isSame(one[name], other[name])) return false
  }
  for (const _ in other) names -= 1
  return names === 0
}
