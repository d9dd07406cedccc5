import type { PlainItem } from '../item/attributeValue.ts'
import { bytesFromBase64 } from '../item/base64.ts'
import { ItemError } from '../item/itemError.ts'
import { parsePlainJson } from '../item/plainJson.ts'

/** A type of Spark SQL, as `DataType.json()` has it. */
export type SparkType =
  | string
  | { readonly type: 'struct'; readonly fields: readonly { readonly name: string; readonly type: SparkType }[] }
  | { readonly type: 'array'; readonly elementType: SparkType }
  | { readonly type: 'map'; readonly valueType: SparkType }

/** Puts right what JSON has no form for; undefined where JSON says it as it is. */
type Revive = (value: unknown, path: string) => unknown

/**
 * Makes an item of the JSON that Spark's `to_json` writes of a row. Numbers keep every digit as they are; bytes are base64
 * text there, and what is no number is text in place of a number, which only the schema tells.
 *
 * @returns a function that throws `ItemError`, naming the column, for what can not be an item
 */
export function sparkRowReader(schema: SparkType): (text: string) => PlainItem {
  const revive = reviverOf(schema)
  return (text) => {
    const row = parsePlainJson(text)
    if (row === null || typeof row !== 'object' || Array.isArray(row))
      throw new ItemError('a row must be a JSON object')
    return (revive === undefined ? row : revive(row, '')) as PlainItem
  }
}

function reviverOf(type: SparkType): Revive | undefined {
  if (type === 'binary') return bytesOf
  if (type === 'double' || type === 'float') return numberOf
  if (typeof type === 'string') return undefined
  if (type.type === 'struct') return structReviver(type.fields)
  if (type.type === 'array') {
    const revive = reviverOf(type.elementType)
    return revive && ((list, path) => (list as unknown[]).map((value, at) => each(revive, value, `${path}[${at}]`)))
  }
  const revive = reviverOf(type.valueType)
  if (revive === undefined) return undefined
  return (map, path) => {
    for (const name of Object.keys(map as object)) put(map as Row, name, revive, path)
    return map
  }
}

type Row = { [name: string]: unknown }

function structReviver(fields: readonly { readonly name: string; readonly type: SparkType }[]): Revive | undefined {
  const revived = fields.flatMap(({ name, type }) => {
    const revive = reviverOf(type)
    return revive === undefined ? [] : [{ name, revive }]
  })
  if (revived.length === 0) return undefined
  return (row, path) => {
    for (const { name, revive } of revived) if (Object.hasOwn(row as Row, name)) put(row as Row, name, revive, path)
    return row
  }
}

function put(row: Row, name: string, revive: Revive, path: string): void {
  const value = each(revive, row[name], path === '' ? name : `${path}.${name}`)
  // Assigning to __proto__ would change what the object is instead of what it holds.
  if (name === '__proto__') Object.defineProperty(row, name, { value })
  else row[name] = value
}

function each(revive: Revive, value: unknown, path: string): unknown {
  return value === null ? null : revive(value, path)
}

function bytesOf(value: unknown, path: string): Uint8Array {
  const bytes = typeof value === 'string' ? bytesFromBase64(value) : undefined
  if (bytes === undefined) throw new ItemError('bytes that are not valid base64', path)
  return bytes
}

function numberOf(value: unknown, path: string): unknown {
  if (typeof value === 'string') throw new ItemError(`${value} is not a number that DynamoDB can store`, path)
  return value
}
