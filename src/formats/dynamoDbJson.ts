import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem, ItemDecoder } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { jsonFault, parsePlainJson } from '../item/plainJson.ts'
import type { RawRecord } from '../item/rawRecord.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { typedItem } from './csvColumns.ts'
import { isObject } from './isObject.ts'
import type { CsvOptions } from './record.ts'
import type { ItemSpelling } from './spelling.ts'

/** How a record's text becomes an item: as its JSON spells it, or as a change of an incremental export. */
export type Spelling = ItemSpelling | 'change'

/** Turns the text of records into items. */
export class RecordDecoder {
  readonly #spelling: Spelling
  readonly #types: CsvOptions['types']
  readonly #decoder = new ItemDecoder()

  /** @param types of attributes of ordinary JSON, see `CsvOptions` */
  constructor(spelling: Spelling, types: CsvOptions['types']) {
    this.#spelling = spelling
    this.#types = types
  }

  /** @throws {ItemError} saying what is wrong with this record. */
  decode(text: string): PlainItem {
    const spelling = this.#spelling
    if (spelling === 'plain') {
      const item = plainItem(text)
      return this.#types === undefined ? item : typedItem(item, this.#types)
    }
    if (spelling === 'change') return changeItem(text)
    return this.#decoder.decodeText(spelling === 'wrapped' ? unwrap(text) : text.trim())
  }

  rawOf(text: string): RawRecord {
    return { raw: text.trim(), rawFormat: { format: this.#spelling === 'plain' ? 'jsonl' : 'ddb-json' } }
  }
}

function unwrap(text: string): string {
  const head = /^\s*\{\s*"Item"\s*:\s*(?=\{)/.exec(text)
  const end = text.trimEnd()
  if (head !== null && end.endsWith('}')) return end.slice(head[0].length, -1).trimEnd()
  throw new ItemError(
    `this record does not look like {"Item":{"name":{"S":"…"}}}, as most records of this file do${faultWords(text)}`,
  )
}

function faultWords(text: string): string {
  try {
    parseJson(text)
    return ''
  } catch {
    return `: ${jsonFault(text).message}`
  }
}

/** The item of what {@link spellingOf} calls wrapped. */
export function unwrapped(record: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  return record['Item'] as { readonly [name: string]: unknown }
}

/** What is to be done, as a change is asked for. */
export function changeItem(text: string): PlainItem {
  let change: { readonly Keys?: unknown | undefined; readonly NewImage?: unknown | undefined }
  try {
    change = parseJson(text) ?? {}
  } catch (error) {
    throw new ItemError(`not valid JSON: ${(error as Error).message}`)
  }
  const { Keys: key, NewImage: image } = change
  if (!isObject(key) || Object.keys(key).length === 0 || !(image === undefined || isObject(image)))
    throw new ItemError('not a change of an incremental export: {"Metadata":…,"Keys":{…},"NewImage":{…}}')
  return image === undefined ? { delete: decodeItem(key) } : { put: decodeItem(image) }
}

/** @throws {ItemError} for what is not a JSON object */
export function plainItem(text: string): PlainItem {
  const value = parsePlainJson(text)
  if (/^\s*\{/.test(text)) return value as PlainItem
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  throw new ItemError(`a record must be a JSON object {…}, not ${found.replace(/a (object|bigint)/, 'a number')}`)
}
