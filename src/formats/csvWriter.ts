import { stringify } from 'csv-stringify/sync'
import type { PlainItem } from '../item/attributeValue.ts'
import { base64 } from '../item/base64.ts'
import { encodeItem } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { writePlainJson } from '../item/writePlainJson.ts'
import { columnTypeOf, numberOf } from './columnFacts.ts'
import { type CsvColumn, columnText } from './csvColumns.ts'
import type { ItemWriter } from './itemWriter.ts'
import { Losses } from './losses.ts'

export interface CsvWriterOptions {
  /** In their order. */
  readonly columns: readonly CsvColumn[]
  /** One ASCII character. Default `,`. */
  readonly delimiter?: string | undefined
  /**
   * Put `'` in front of text that a spreadsheet would take for a formula: what begins with `=`, `+`, `-`, `@` (also in full
   * width or behind blanks), a tab, a carriage return or a line feed. It stays there when the file is loaded. Default false.
   */
  readonly safe?: boolean | undefined
  /** Name the types of columns in the header, so that the file is read back as it was. Default false. */
  readonly typedHeader?: boolean | undefined
  /** Told once of each attribute of which something will not come back as it was, in words. */
  readonly onLoss?: ((text: string) => void) | undefined
}

/** OWASP's list for CSV injection; some programs skip blanks in front, or take full-width forms for the ASCII ones. */
const FORMULA = /^(?:[\t\r\n]|[\s\u200b-\u200f\u2060]*[=+\-@＝＋－＠])/

/**
 * Comma-separated values as RFC 4180 describes them, by csv-stringify, a record to an item, lines ended by LF. The header
 * has plain names, or with `typedHeader` names and types (`price:N`; text has none), as our reader takes them. An attribute
 * that an item does not have is an empty cell, and so is NULL unless its column says `NULL`, `json` or `ddb`; bytes are
 * base64 text.
 */
export class CsvWriter implements ItemWriter {
  readonly head: string
  readonly tail = ''
  readonly #columns: readonly CsvColumn[]
  readonly #names: ReadonlySet<string>
  readonly #losses: Losses
  readonly #safe: boolean
  readonly #line: (cells: readonly string[]) => string

  /** @throws {TypeError} for no columns, one named twice, and a name that no header line can hold */
  constructor({ columns, delimiter = ',', safe = false, typedHeader = false, onLoss }: CsvWriterOptions) {
    if (columns.length === 0) throw new TypeError('columns: list at least one column')
    const form = { delimiter, quoted_match: /[\r\n]/ }
    this.#line = (cells) => stringify([cells as string[]], form)
    this.#columns = columns
    this.#names = new Set(columns.map(({ name }) => name))
    if (this.#names.size < columns.length) throw new TypeError('columns: a column is listed twice')
    this.#safe = safe
    this.#losses = new Losses(onLoss)
    const header = columns.map((column) => {
      // A plain name that ends like a type is told from one.
      const text = columnText(typedHeader ? column : { name: column.name, type: 'S' })
      if (text === undefined)
        throw new TypeError(`columns: ${JSON.stringify(column.name)} cannot be written in a header line`)
      return this.#made(text, column.name)
    })
    this.head = this.#line(header)
    const typed = columns.filter(({ type }) => type !== 'S').map(({ name, type }) => `${name}=${type}`)
    if (!typedHeader && typed.length > 0) {
      onLoss?.(
        'the header has plain names, without the types of columns. To load the file back with its types, pass ' +
          `--types ${typed.join(',')} to headrace load, or export with csv.typedHeader (--typed-header)`,
      )
    }
  }

  /** @throws {ItemError} for a value that is not of its column's type, unless that is text or JSON */
  write(item: PlainItem): string {
    const cells = this.#columns.map((column) => {
      const value: unknown = Object.hasOwn(item, column.name) ? item[column.name] : undefined
      return value === undefined ? '' : this.#cell(value, column)
    })
    for (const name of Object.keys(item))
      if (!this.#names.has(name)) this.#losses.tell(name, 'left out, because the file has no column for it')
    return this.#line(cells)
  }

  #cell(value: unknown, column: CsvColumn): string {
    const { name, type } = column
    if (type === 'ddb') return dynamoDbText(value)
    const own = columnTypeOf(value)
    if (type === 'json') {
      this.#losses.lookAt(name, value)
      return writePlainJson(value as PlainItem)
    }
    if (type === 'S' && own !== 'NULL') {
      if (own !== 'S') this.#losses.tell(name, `${nameOf(own)} is written as text, and loads as text`)
      return this.#textCell(own === 'S' ? (value as string) : textOf(value), name)
    }
    if (own === 'NULL' && type !== 'NULL') {
      this.#losses.tell(name, 'NULL is written as an empty cell, and loads as a missing attribute')
      return ''
    }
    if (own !== type) {
      const advice = `declare the column as ${name}:json or ${name}:ddb`
      throw new ItemError(`${nameOf(own)}, but the column is ${name}:${type}: ${advice}`, name)
    }
    return type === 'B' ? this.#textCell(textOf(value), name) : textOf(value)
  }

  #textCell(text: string, name: string): string {
    if (text === '') {
      this.#losses.tell(
        name,
        'an empty value is written as an empty cell, and loads as a missing attribute. ' +
          `To keep it, declare the column as ${name}:ddb`,
      )
    }
    return this.#made(text, name)
  }

  #made(text: string, name: string): string {
    if (!this.#safe || !FORMULA.test(text)) return text
    this.#losses.tell(name, "a value that starts like a formula is written with a leading ', and loads with it")
    return `'${text}`
  }
}

/** Any value in DynamoDB JSON. */
export function dynamoDbText(value: unknown): string {
  const text = encodeItem({ v: value })
  return text.slice(text.indexOf(':') + 1, -1)
}

function textOf(value: unknown): string {
  switch (columnTypeOf(value)) {
    case 'N':
      return numberOf(value)
    case 'B':
      return base64(value as Uint8Array)
    default:
      return writePlainJson(value as PlainItem)
  }
}

function nameOf(type: string): string {
  if (type === 'json' || type === 'ddb') return 'a list, a map or a set'
  return `a value of type ${type}`
}
