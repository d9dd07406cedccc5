import type { PlainItem } from './attributeValue.ts'
import { ItemError } from './itemError.ts'
import { canonicalNumber, NumberValue, numberText } from './number.ts'

/** One attribute of a table's primary key. */
export interface KeyAttribute {
  readonly name: string
  readonly type: 'S' | 'N' | 'B'
}

/** A table's primary key: the partition key and, where there is one, the sort key. */
export interface KeySchema {
  readonly partition: KeyAttribute
  readonly sort?: KeyAttribute | undefined
}

/** Partition key, then sort key. */
export function keyPartsOf({ partition, sort }: KeySchema): KeyAttribute[] {
  return sort === undefined ? [partition] : [partition, sort]
}

/** Names of the attributes of a key: the partition key's, then the sort key's. */
export function keyNamesOf({ partition, sort }: KeySchema): string[] {
  return sort === undefined ? [partition.name] : [partition.name, sort.name]
}

/** A key in words: `id:S`, or `customer:S,number:N`. */
export function keySchemaText(schema: KeySchema): string {
  return keyPartsOf(schema)
    .map(({ name, type }) => `${name}:${type}`)
    .join(',')
}

/** Service quotas, "Partition key length" and "Sort key length". */
const PARTITION_KEY_BYTES_MAX = 2_048
const SORT_KEY_BYTES_MAX = 1_024

/**
 * An item's primary key as one string: two items of a table have the same key exactly when this text is the same
 * (numbers by value, so `1.0` is `1`).
 *
 * @throws {ItemError} when a key attribute is missing, of another type than the table's, empty or too long.
 */
export function itemKey(item: PlainItem, schema: KeySchema): string {
  const partition = keyText(item, schema.partition, PARTITION_KEY_BYTES_MAX)
  if (schema.sort === undefined) return partition
  const sort = keyText(item, schema.sort, SORT_KEY_BYTES_MAX)
  // The length first, so that ("ab", "c") and ("a", "bc") differ.
  return `${partition.length}:${partition}${sort}`
}

function keyText(item: PlainItem, attribute: KeyAttribute, bytesMax: number): string {
  const { name, type } = attribute
  const value: unknown = item[name]
  let bytes: number
  let text: string
  if (type === 'S' && typeof value === 'string') {
    text = value
    // Three bytes a UTF-16 unit is the most there can be.
    bytes = value.length * 3 <= bytesMax ? value.length : Buffer.byteLength(value)
  } else if (type === 'N' && typeName(value) === 'N') {
    return keyNumber(value as number | bigint | NumberValue, name)
  } else if (type === 'B' && value instanceof Uint8Array) {
    text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    bytes = value.byteLength
  } else if (value === undefined || !Object.hasOwn(item, name)) {
    throw new ItemError(`the item has no "${name}", which is part of the table's key`)
  } else {
    throw new ItemError(`the key attribute must be of type ${type}, not ${typeName(value)}`, name)
  }
  if (bytes === 0) throw new ItemError('a key attribute cannot be empty', name)
  if (bytes > bytesMax)
    throw new ItemError(`the key attribute has ${bytes} bytes: DynamoDB allows at most ${bytesMax}`, name)
  return text
}

function keyNumber(value: number | bigint | NumberValue, name: string): string {
  try {
    return typeof value === 'number' ? numberText(value) : canonicalNumber(`${value}`)
  } catch (error) {
    throw error instanceof ItemError ? new ItemError(error.message, name) : error
  }
}

/** An item's key for messages: `pk="a", sk=7`. */
export function describeItemKey(item: PlainItem, schema: KeySchema): string {
  return keyPartsOf(schema)
    .map(({ name }) => `${name}=${describeValue(item[name])}`)
    .join(', ')
}

function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value.subarray(0, 32)).toString('hex')}`
  const text = typeof value === 'string' ? JSON.stringify(value) : `${value}`
  return text.length > 100 ? `${text.slice(0, 97)}…` : text
}

/** DynamoDB's letters for the type of a plain value. */
export function typeName(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return 'S'
  if (typeof value === 'boolean') return 'BOOL'
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue) return 'N'
  if (value instanceof Uint8Array) return 'B'
  if (Array.isArray(value)) return 'L'
  if (value instanceof Set) {
    const [first] = value
    return first instanceof Uint8Array ? 'BS' : typeof first === 'string' ? 'SS' : 'NS'
  }
  return typeof value === 'object' ? 'M' : typeof value
}
