import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { RawFormat, RawRecord } from '../item/rawRecord.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { readCsvRow } from './csv.ts'
import { typedItem } from './csvColumns.ts'
import { changeItem, plainItem, unwrapped } from './dynamoDbJson.ts'
import { IonDecoder, type IonLibrary, loadIon } from './ion.ts'
import { isObject } from './isObject.ts'
import type { CsvOptions } from './record.ts'
import { spellingOf } from './spelling.ts'
import { rawText } from './strictUtf8.ts'

/** What a rejects file says of a record; see `rejectLine` of `job/`. */
interface Reject {
  readonly item?: unknown | undefined
  readonly raw?: unknown | undefined
  readonly rawBase64?: unknown | undefined
  readonly format?: unknown | undefined
  readonly columns?: unknown | undefined
  readonly delimiter?: unknown | undefined
  readonly truncated?: unknown | undefined
}

const FIELDS: ReadonlySet<string> = new Set([
  'code',
  'message',
  'place',
  'item',
  'raw',
  'rawBase64',
  'format',
  'columns',
  'delimiter',
  'truncated',
])

/**
 * The records of a rejects file, each as it was or as somebody has put it right: its item in DynamoDB JSON; its own text in
 * the format that the reject names, or in another that the text tells; or the whole line replaced by the record.
 */
export class RejectDecoder {
  readonly #isChanges: boolean
  readonly #ion: IonLibrary | undefined
  readonly #types: CsvOptions['types']

  private constructor(isChanges: boolean, ion: IonLibrary | undefined, types: CsvOptions['types']) {
    this.#isChanges = isChanges
    this.#ion = ion
    this.#types = types
  }

  /**
   * @param isChanges the records are changes, see `ReadOptions`
   * @param types that attributes get, as of the files that the records come from
   */
  static async open(isChanges: boolean, types?: CsvOptions['types']): Promise<RejectDecoder> {
    // Most rejects are not Ion; for those that are, its absence is told with the record.
    const ion = await loadIon().catch(() => undefined)
    return new RejectDecoder(isChanges, ion, types)
  }

  /** @throws {ItemError} saying what is wrong with this record */
  decode(line: string): PlainItem {
    const item = this.#decode(line)
    return this.#types === undefined || this.#isChanges ? item : typedItem(item, this.#types)
  }

  #decode(line: string): PlainItem {
    const reject = this.#read(line)
    if (reject === undefined) return this.#decodeText(line, undefined)
    if (isObject(reject.item)) return this.#decodeItem(reject.item)
    return this.#decodeRaw(reject)
  }

  /** The record itself where it is a reject again, so that no reject is wrapped in another. */
  rawOf(line: string): RawRecord {
    const reject = this.#read(line)
    if (reject === undefined) return { raw: line.trim(), rawFormat: formatByText(line) }
    if (isObject(reject.item)) return { raw: JSON.stringify(reject.item), rawFormat: { format: 'ddb-json' } }
    const { raw, rawBase64 } = reject
    return {
      raw: typeof raw === 'string' ? raw : line.trim(),
      rawBytes: typeof rawBase64 === 'string' && !isMended(reject) ? Buffer.from(rawBase64, 'base64') : undefined,
      rawFormat: formatOf(reject),
    }
  }

  /** @returns undefined for what is not a reject but the record itself */
  #read(line: string): Reject | undefined {
    let value: unknown
    try {
      value = parseJson(line)
    } catch {
      return undefined
    }
    if (!isObject(value)) return undefined
    const names = Object.keys(value)
    const isReject = names.every((name) => FIELDS.has(name)) && ['code', 'place'].every((name) => names.includes(name))
    if (!isReject && !(isObject(value['item']) && names.length === 1)) return undefined
    return value
  }

  #decodeItem(item: { readonly [name: string]: unknown }): PlainItem {
    if (this.#isChanges) return decodeItem(item)
    const spelling = spellingOf(item)
    if (spelling === 'wrapped') return decodeItem(unwrapped(item))
    // What was written is typed. Without a single type it was put right by hand, in ordinary JSON.
    const isTyped = Object.values(item).some((value) => isObject(value))
    return spelling === 'plain' && !isTyped ? plainItem(JSON.stringify(item)) : decodeItem(item)
  }

  #decodeRaw(reject: Reject): PlainItem {
    const { raw, rawBase64, truncated } = reject
    if (truncated === true)
      throw new ItemError(
        'the reject contains only the start of this record, which was too long: load it from its own file',
      )
    if (typeof raw !== 'string') throw new ItemError('this reject has neither an item nor its text')
    if (typeof rawBase64 === 'string' && !isMended(reject))
      throw new ItemError('the record is not valid UTF-8: correct "raw", and remove "rawBase64"')
    return this.#decodeText(raw, formatOf(reject))
  }

  /** In the format that is named; where it cannot be read in that, in the one that its text tells. */
  #decodeText(text: string, format: RawFormat | undefined): PlainItem {
    const told = formatByText(text)
    if (format === undefined) {
      if (told !== undefined) return this.#decodeAs(text, told)
      throw new ItemError(
        'the format of this record is unknown: put it back into "raw" of its reject, or load it without --from-rejects',
      )
    }
    try {
      return this.#decodeAs(text, format)
    } catch (error) {
      if (told === undefined || told.format === format.format || !(error instanceof ItemError)) throw error
      return this.#decodeAs(text, told)
    }
  }

  /** JSON is Ion, too, and DynamoDB JSON read as Ion would be another item. */
  #isTypedJson(text: string): boolean {
    try {
      const record: unknown = parseJson(text)
      return isObject(record) && spellingOf(record) !== 'plain'
    } catch {
      return false
    }
  }

  #decodeAs(text: string, { format, columns, delimiter }: RawFormat): PlainItem {
    if (format === 'csv') {
      if (columns === undefined) throw new ItemError('this reject is a CSV row without "columns": add the column names')
      return readCsvRow(text, columns, delimiter)
    }
    if (format === 'ion' && !this.#isTypedJson(text)) {
      if (this.#ion === undefined) throw new ItemError('this record is Ion, which needs the package ion-js')
      return new IonDecoder(this.#ion, this.#isChanges).decode(text.startsWith(ION) ? text : `${ION} ${text}`)
    }
    if (format === 'parquet') throw new ItemError('a row of a Parquet file cannot be corrected here: correct the file')
    if (this.#isChanges) return changeItem(text)
    let record: unknown
    try {
      record = parseJson(text)
    } catch {
      // Says what is wrong with it.
      return plainItem(text)
    }
    if (!isObject(record)) return plainItem(text)
    const spelling = spellingOf(record)
    if (spelling === 'wrapped') return decodeItem(unwrapped(record))
    return spelling === 'dynamodb' || format === 'ddb-json' ? decodeItem(record) : plainItem(text)
  }
}

const ION = '$ion_1_0'

function formatByText(text: string): RawFormat | undefined {
  const begin = text.trimStart()
  if (begin.startsWith(ION) || /^\{\s*(?:Item|Record)\s*:/.test(begin)) return { format: 'ion' }
  return begin.startsWith('{') ? { format: 'jsonl' } : undefined
}

function formatOf({ format, columns, delimiter }: Reject): RawFormat | undefined {
  if (typeof format !== 'string') return undefined
  return {
    format,
    columns: Array.isArray(columns) ? columns.map(String) : undefined,
    delimiter: typeof delimiter === 'string' ? delimiter : undefined,
  }
}

/** Whether the text is no longer the one of the bytes beside it. */
function isMended({ raw, rawBase64 }: Reject): boolean {
  return typeof raw === 'string' && typeof rawBase64 === 'string' && rawText(Buffer.from(rawBase64, 'base64')) !== raw
}
