import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem, ItemDecoder } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { parsePlainJson } from '../item/plainJson.ts'
import { parseJson } from '../runtime/parseJson.ts'

/**
 * How a record's text becomes an item: ordinary JSON, DynamoDB JSON, DynamoDB JSON within `{"Item": …}` as the native
 * export writes it, what an incremental export tells of one key, or what a job could not store, as it lies in its rejects.
 */
export type Spelling = 'plain' | 'dynamodb' | 'wrapped' | 'change' | 'reject'

/** The spelling of a file, judged by its first record, as `JSON.parse` reads it. */
export function spellingOf(record: object): Spelling {
  const entries = Object.entries(record)
  if (entries.length === 0) return 'plain'
  if (entries.every(([, value]) => isAttributeValue(value))) return 'dynamodb'
  const inner: unknown = entries.length === 1 && entries[0]![0] === 'Item' ? entries[0]![1] : undefined
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return 'plain'
  const attributes = Object.values(inner)
  return attributes.length > 0 && attributes.every(isAttributeValue) ? 'wrapped' : 'plain'
}

function isAttributeValue(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const entries = Object.entries(value)
  if (entries.length !== 1) return false
  const [type, content] = entries[0]!
  if (type === 'S' || type === 'N' || type === 'B') return typeof content === 'string'
  if (type === 'BOOL' || type === 'NULL') return typeof content === 'boolean'
  if (type === 'M') return typeof content === 'object' && content !== null && !Array.isArray(content)
  return (type === 'L' || type === 'SS' || type === 'NS' || type === 'BS') && Array.isArray(content)
}

/** Turns the text of records into items. Where the spelling is not known, the first record that parses decides it. */
export class RecordDecoder {
  #spelling: Spelling | undefined
  readonly #decoder = new ItemDecoder()

  constructor(spelling: Spelling | undefined) {
    this.#spelling = spelling
  }

  /** @throws {ItemError} saying what is wrong with this record. */
  decode(text: string): PlainItem {
    const spelling = this.#spelling ?? this.#judge(text)
    if (spelling === 'plain') return plainItem(text)
    if (spelling === 'reject') return rejectedItem(text)
    if (spelling === 'change') return changeItem(text)
    return this.#decoder.decodeText(spelling === 'wrapped' ? unwrap(text) : text.trim())
  }

  #judge(text: string): Spelling {
    try {
      const record: unknown = parseJson(text)
      if (typeof record === 'object' && record !== null) this.#spelling = spellingOf(record)
    } catch {
      // A bad record tells nothing of the others.
    }
    return this.#spelling ?? 'plain'
  }
}

function unwrap(text: string): string {
  const head = /^\s*\{\s*"Item"\s*:\s*(?=\{)/.exec(text)
  const end = text.trimEnd()
  if (head !== null && end.endsWith('}')) return end.slice(head[0].length, -1).trimEnd()
  throw new ItemError('the file began with records like {"Item":{"name":{"S":"…"}}}, and this is none')
}

/** What is to be done, as a change is asked for. */
function changeItem(text: string): PlainItem {
  let change: { readonly Keys?: unknown; readonly NewImage?: unknown }
  try {
    change = parseJson(text) ?? {}
  } catch (error) {
    throw new ItemError(`this is no JSON: ${(error as Error).message}`)
  }
  const { Keys: key, NewImage: image } = change
  if (!isObject(key) || Object.keys(key).length === 0 || !(image === undefined || isObject(image)))
    throw new ItemError('this is no change as an incremental export has it: {"Metadata":…,"Keys":{…},"NewImage":{…}}')
  return image === undefined ? { delete: decodeItem(key) } : { put: decodeItem(image) }
}

function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function rejectedItem(text: string): PlainItem {
  let reject: { item?: { [name: string]: unknown }; raw?: unknown }
  try {
    reject = parseJson(text) as typeof reject
  } catch {
    throw new ItemError('this is no line of a rejects file, which is {"code":…,"message":…,"place":…,"item":{…}}')
  }
  if (typeof reject.item === 'object' && reject.item !== null) return decodeItem(reject.item)
  // It was no item then. Somebody may have put it right.
  if (typeof reject.raw === 'string') return plainItem(reject.raw)
  throw new ItemError('this reject has neither an item nor the text of one')
}

function plainItem(text: string): PlainItem {
  const value = parsePlainJson(text)
  if (/^\s*\{/.test(text)) return value as PlainItem
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  throw new ItemError(`a record is a JSON object {…}, and this is ${found.replace(/a (object|bigint)/, 'a number')}`)
}
