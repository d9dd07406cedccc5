import type { LogicalType, SchemaElement, SchemaTree } from 'hyparquet'
import type { PlainValue } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import { plainNumber } from '../item/number.ts'
import { parsePlainJson } from '../item/plainJson.ts'
import { strictText } from './strictUtf8.ts'

/** What an element was called, and said of its values, before {@link takeOver}. */
export type Originals = ReadonlyMap<SchemaElement, SchemaElement>

/** Text that is no UTF-8, or another value that has no form. It is told of where the item is made. */
class BadCell {
  readonly error: ItemError

  constructor(error: ItemError) {
    this.error = error
  }
}

/** Annotations by which the library makes doubles, dates of milliseconds, or nothing at all of values. */
const OURS =
  /^(?:DECIMAL|DATE|TIME|TIME_MILLIS|TIME_MICROS|TIMESTAMP|TIMESTAMP_MILLIS|TIMESTAMP_MICROS|INTERVAL|BSON|MAP|MAP_KEY_VALUE|GEOMETRY|GEOGRAPHY)$/
/** A member of that name would change what an object is. */
const PROTO = '__proto__'
const OTHER_PROTO = 'headrace.__proto__'

/**
 * Takes from a file's schema what the library would do inexactly, so that values come as they lie in the file, and maps as
 * lists of their entries.
 *
 * @returns what was there before
 */
export function takeOver(
  schema: readonly SchemaElement[],
  columns: readonly { readonly path_in_schema: string[] }[],
): Originals {
  const originals = new Map<SchemaElement, SchemaElement>()
  for (const element of schema) {
    originals.set(element, { ...element })
    const isEnum = element.converted_type === 'ENUM' || element.logical_type?.type === 'ENUM'
    if (isEnum) element.converted_type = 'UTF8'
    if (OURS.test(element.converted_type ?? '')) delete element.converted_type
    if (isEnum || OURS.test(element.logical_type?.type ?? '')) delete element.logical_type
    if (element.name === PROTO) element.name = OTHER_PROTO
  }
  for (const { path_in_schema: path } of columns)
    for (const [index, name] of path.entries()) if (name === PROTO) path[index] = OTHER_PROTO
  return originals
}

/** How the library is to read what it reads. */
export const PARSERS: {
  readonly stringFromBytes: (bytes: Uint8Array) => unknown
  readonly jsonFromBytes: (bytes: Uint8Array) => unknown
  readonly timestampFromNanoseconds: (nanoseconds: bigint) => unknown
} = {
  stringFromBytes: textOf,
  jsonFromBytes: textOf,
  // Of INT96 only.
  timestampFromNanoseconds: (nanoseconds) => attempt(() => timestampText(nanoseconds, 9, false)),
}

function textOf(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined
  return attempt(() => strictText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'text'))
}

function attempt(make: () => string): string | BadCell {
  try {
    return make()
  } catch (error) {
    if (error instanceof ItemError) return new BadCell(error)
    throw error
  }
}

/**
 * What a value of a file is in plain JavaScript; undefined for none. Numbers keep every digit; dates and times become ISO
 * 8601 text with as many digits as their unit has.
 *
 * @throws {ItemError} for what has no such form
 */
export function plainValue(value: unknown, node: SchemaTree, originals: Originals): PlainValue | undefined {
  if (value === undefined || value === null) return undefined
  const { element } = node
  if (element.repetition_type === 'REPEATED' && Array.isArray(value))
    return value.map((one) => single(one, node, originals) ?? null)
  return single(value, node, originals)
}

function single(value: unknown, node: SchemaTree, originals: Originals): PlainValue | undefined {
  if (value === undefined || value === null) return undefined
  const original = originals.get(node.element)!
  if (node.children.length === 0) return leaf(value, original)
  if (isMap(original)) return mapOf(value, node, originals)
  if (Array.isArray(value)) return listOf(value, node, originals)
  const struct: { [name: string]: PlainValue } = {}
  for (const child of node.children) {
    const made = plainValue((value as { [name: string]: unknown })[child.element.name], child, originals)
    if (made !== undefined) define(struct, originals.get(child.element)!.name, made)
  }
  return struct
}

function listOf(values: readonly unknown[], node: SchemaTree, originals: Originals): PlainValue {
  const repeated = node.children[0]!
  // Of three levels, or of the two that old writers made (LogicalTypes.md of the format, "Lists").
  const member = repeated.children.length === 1 ? repeated.children[0]! : repeated
  return values.map((one) => single(one, member, originals) ?? null)
}

function isMap({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === 'MAP' || converted === 'MAP_KEY_VALUE' || logical?.type === 'MAP'
}

function mapOf(value: unknown, node: SchemaTree, originals: Originals): PlainValue {
  const entries = node.children[0]!
  const [keyNode, valueNode] = entries.children
  const map: { [name: string]: PlainValue } = {}
  const list = (value as { [name: string]: unknown })[entries.element.name]
  for (const entry of Array.isArray(list) ? (list as { [name: string]: unknown }[]) : []) {
    const key = plainValue(entry[keyNode!.element.name], keyNode!, originals)
    if (key === undefined || key === null || key instanceof Uint8Array || (typeof key === 'object' && !('text' in key)))
      throw new ItemError('a map whose keys are not strings')
    const made = valueNode === undefined ? undefined : plainValue(entry[valueNode.element.name], valueNode, originals)
    define(map, `${key}`, made ?? null)
  }
  return map
}

/** Assigning to `__proto__` would change what the object is instead of what it holds. */
export function define(object: { [name: string]: unknown }, name: string, value: unknown): void {
  if (name !== PROTO) object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function leaf(value: unknown, element: SchemaElement): PlainValue {
  if (value instanceof BadCell) throw value.error
  const { converted_type: converted, logical_type: logical } = element
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return decimal(value, element)
  if (converted === 'DATE' || logical?.type === 'DATE')
    return timestampText(BigInt(value as number) * DAY, 0, false).slice(0, 10)
  const unit = unitOf(converted, logical)
  if (unit !== undefined && element.type !== 'INT96') {
    const isTime = converted?.startsWith('TIME_') === true || logical?.type === 'TIME'
    if (isTime) return timeText(BigInt(value as number | bigint), unit.digits)
    return timestampText(BigInt(value as bigint), unit.digits, unit.isUtc)
  }
  if (typeof value === 'bigint') return plainNumber(`${value}`)
  if (value instanceof Uint8Array) return value.slice()
  if (typeof value === 'string' && (converted === 'JSON' || logical?.type === 'JSON')) return parsePlainJson(value)
  return variant(value)
}

/** What the library has made of values that say themselves what they are. */
function variant(value: unknown): PlainValue {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof BadCell) throw value.error
  if (typeof value === 'bigint') return plainNumber(`${value}`)
  if (Array.isArray(value)) return value.map((one) => (one === undefined ? null : variant(one)))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value as PlainValue
  const map: { [name: string]: PlainValue } = {}
  for (const [name, one] of Object.entries(value)) if (one !== undefined) define(map, name, variant(one))
  return map
}

function decimal(value: unknown, { scale = 0 }: SchemaElement): PlainValue {
  const unscaled = value instanceof Uint8Array ? signed(value) : BigInt(value as number | bigint)
  return plainNumber(`${unscaled}e${-scale}`)
}

/** Two's complement, the highest byte first. */
function signed(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

const DAY = 86_400n

interface Unit {
  /** Of a second's fraction. */
  readonly digits: number
  readonly isUtc: boolean
}

function unitOf(converted: SchemaElement['converted_type'], logical: LogicalType | undefined): Unit | undefined {
  if (logical?.type === 'TIMESTAMP' || logical?.type === 'TIME') {
    const digits = { MILLIS: 3, MICROS: 6, NANOS: 9 }[logical.unit]
    return { digits, isUtc: logical.isAdjustedToUTC }
  }
  if (converted?.endsWith('_MILLIS')) return { digits: 3, isUtc: true }
  if (converted?.endsWith('_MICROS')) return { digits: 6, isUtc: true }
  return undefined
}

/** Years that ISO 8601 writes with four digits, in seconds. */
const YEAR_0 = -62_167_219_200n
const YEAR_10000 = 253_402_300_800n

/** @param count since 1970, in units of so many digits of a second */
function timestampText(count: bigint, digits: number, isUtc: boolean): string {
  const unit = 10n ** BigInt(digits)
  let seconds = count / unit
  let fraction = count % unit
  if (fraction < 0n) {
    fraction += unit
    seconds -= 1n
  }
  if (seconds < YEAR_0 || seconds >= YEAR_10000) throw new ItemError('a time outside the years 0000 to 9999')
  const text = new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)
  return `${text}${fractionText(fraction, digits)}${isUtc ? 'Z' : ''}`
}

function timeText(count: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits)
  const seconds = count / unit
  if (count < 0n || seconds > DAY) throw new ItemError('a time beyond 24 hours')
  const text = new Date(Number(seconds) * 1_000).toISOString().slice(11, 19)
  return `${text}${fractionText(count % unit, digits)}`
}

function fractionText(fraction: bigint, digits: number): string {
  return digits === 0 ? '' : `.${`${fraction}`.padStart(digits, '0')}`
}
