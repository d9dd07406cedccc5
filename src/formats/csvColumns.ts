import type { PlainItem, PlainValue } from '../item/attributeValue.ts'
import { bytesFromBase64 } from '../item/base64.ts'
import { decodeValue } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { type KeyAttribute, type KeySchema, keyPartsOf, typeName } from '../item/itemKey.ts'
import { NumberValue, numberText, plainNumber } from '../item/number.ts'
import { jsonFault, parsePlainJson } from '../item/plainJson.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { FormatError } from './formatError.ts'
import type { ColumnType, CsvOptions } from './record.ts'

export interface CsvColumn {
  readonly name: string
  readonly type: ColumnType
}

const COLUMN_TYPES: ReadonlySet<string> = new Set<ColumnType>(['S', 'N', 'BOOL', 'NULL', 'B', 'json', 'ddb'])

/** @throws {TypeError} for a type or a delimiter that there is not. */
export function checkCsvOptions(options: CsvOptions): void {
  for (const [name, type] of Object.entries(options.types ?? {})) {
    if (!COLUMN_TYPES.has(type)) {
      throw new TypeError(
        `csv.types: "${type}" is not a valid type for column "${name}": use one of ${[...COLUMN_TYPES].join(', ')}`,
      )
    }
  }
  const { delimiter } = options
  if (delimiter !== undefined && !/^[\t\x20-\x7e]$/.test(delimiter)) {
    throw new TypeError(
      `csv.delimiter must be one ASCII character, such as ";" or a tab, not ${JSON.stringify(delimiter)}`,
    )
  }
  if (delimiter === '"') throw new TypeError('csv.delimiter cannot be the quote character')
}

/** A name with a type behind it, or without. */
export function readColumn(text: string): { readonly name: string; readonly type: ColumnType | undefined } {
  const trimmed = text.trim()
  const colon = trimmed.lastIndexOf(':')
  const suffix = trimmed.slice(colon + 1)
  if (colon === -1 || !COLUMN_TYPES.has(suffix)) return { name: trimmed, type: undefined }
  return { name: trimmed.slice(0, colon), type: suffix as ColumnType }
}

/** As {@link readColumn} reads it back; undefined for a name that no header line can hold: one that begins with a blank. */
export function columnText({ name, type }: CsvColumn): string | undefined {
  for (const text of type === 'S' ? [name, `${name}:S`] : [`${name}:${type}`]) {
    const read = readColumn(text)
    if (name !== '' && read.name === name && (read.type ?? 'S') === type) return text
  }
  return undefined
}

export interface CsvHeader {
  readonly file: string
  readonly types: NonNullable<CsvOptions['types']>
  readonly delimiter: string
  /** Of the table that the records are for. */
  readonly key?: KeySchema | undefined
}

/**
 * The columns that a header line names: `id`, `price:N`. Blanks around a name do not belong to it; what follows a colon
 * and is no type does. A column of the table's key has the key's type.
 *
 * @throws {FormatError} for a name that is missing or stands there twice, for a type given to no column, and where the
 *   table's key is not among them or has another type.
 */
export function csvColumns(cells: readonly string[], { file, types, delimiter, key }: CsvHeader): CsvColumn[] {
  const keyParts = key === undefined ? [] : keyPartsOf(key)
  const columns = cells.map((cell, index): CsvColumn => {
    const { name, type: suffix } = readColumn(cell)
    if (name === '') {
      throw new FormatError(`the header line has no name for column ${index + 1}. Name every column.`, {
        file,
        line: 1,
      })
    }
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    return { name, type: type ?? suffix ?? keyParts.find((part) => part.name === name)?.type ?? 'S' }
  })
  const names = new Set(columns.map(({ name }) => name))
  if (names.size < columns.length) {
    const twice = columns.find(({ name }, index) => columns.findIndex((column) => column.name === name) !== index)
    throw new FormatError(`the header line names "${twice!.name}" twice. Rename one.`, { file, line: 1 })
  }
  const lost = Object.keys(types).find((name) => !names.has(name))
  if (lost !== undefined) {
    throw new FormatError(
      `csv.types (--types) has a type for column "${lost}", which the header does not have: ${[...names].join(', ')}`,
      {
        file,
        line: 1,
      },
    )
  }
  for (const part of keyParts) checkKeyColumn(part, columns, delimiter, file)
  return columns
}

/** Columns that a message lists. */
const NAMED_MAX = 12

function checkKeyColumn(part: KeyAttribute, columns: readonly CsvColumn[], delimiter: string, file: string): void {
  const place = { file, line: 1 }
  const column = columns.find(({ name }) => name === part.name)
  if (column?.type === part.type || column?.type === 'ddb' || column?.type === 'json') return
  if (column !== undefined) {
    throw new FormatError(
      `column "${part.name}" has type ${column.type}, but the table's key has type ${part.type}. ` +
        'Omit its type, or use the same.',
      place,
    )
  }
  const names = columns.slice(0, NAMED_MAX).map(({ name }) => JSON.stringify(name))
  const more = columns.length > NAMED_MAX ? ` and ${columns.length - NAMED_MAX} more` : ''
  const found = columns.length === 1 ? `Its only column is ${names[0]}` : `Its columns are ${names.join(', ')}${more}`
  throw new FormatError(
    `the header line has no column "${part.name}", which is part of the table's key. ${found}. ` +
      keyAdvice(part.name, columns, delimiter),
    place,
  )
}

/** What may be wrong. */
function keyAdvice(wanted: string, columns: readonly CsvColumn[], delimiter: string): string {
  const plain = (name: string): string => name.replace(/^["'\s]+|["'\s]+$/g, '').toLowerCase()
  const like = columns.find(({ name }) => plain(name) === wanted.toLowerCase())
  if (like !== undefined) {
    return /["']/.test(like.name)
      ? `Check its quotes: ${JSON.stringify(like.name)}.`
      : `Names are case-sensitive: rename ${JSON.stringify(like.name)}.`
  }
  const other = [',', ';', '\t', '|'].find(
    (one) =>
      one !== delimiter &&
      columns.some(({ name }) => name.split(one).some((cell) => plain(cell) === wanted.toLowerCase())),
  )
  if (other !== undefined) {
    const shown = other === '\t' ? 'a tab (\\t)' : JSON.stringify(other)
    return `The delimiter seems to be ${shown}: set csv.delimiter (--delimiter).`
  }
  if (columns.some(({ name }) => /[\r\n]/.test(name)))
    return 'A name contains a line end: check whether a quote is missing.'
  return 'Check that this is the right table, that the first line is the header, and that quotes are closed.'
}

/**
 * An item of ordinary JSON whose attributes have these types.
 *
 * @throws {ItemError} naming the attribute, for what cannot become the type.
 */
export function typedItem(item: PlainItem, types: NonNullable<CsvOptions['types']>): PlainItem {
  for (const [name, type] of Object.entries(types)) {
    if (!Object.hasOwn(item, name)) continue
    const typed = typedValue(item[name], { name, type })
    // Assigning to __proto__ would change what the object is instead of what it holds.
    Object.defineProperty(item, name, { value: typed, enumerable: true, configurable: true, writable: true })
  }
  return item
}

function typedValue(value: unknown, column: CsvColumn): unknown {
  const { name, type } = column
  if (value === null) return null
  if (typeof value === 'string') return cellValue(value, column)
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue
  if (isNumber && type === 'N') return value
  if (isNumber && type === 'S') return typeof value === 'number' ? numberText(value) : `${value}`
  if (typeof value === 'boolean' && type === 'BOOL') return value
  if (type === 'json' || (type === 'ddb' && !isNumber)) return value
  throw new ItemError(`it is ${typeName(value)} and cannot become ${type}`, name)
}

/**
 * The value of a cell that is not empty.
 *
 * @throws {ItemError} naming the column.
 */
export function cellValue(cell: string, column: CsvColumn): PlainValue {
  if (column.type === 'S') return cell
  const text = cell.trim()
  switch (column.type) {
    case 'N':
      return named(column, () => plainNumber(text))
    case 'BOOL': {
      const lower = text.toLowerCase()
      if (lower === 'true') return true
      if (lower === 'false') return false
      throw new ItemError(`${JSON.stringify(text)} is neither true nor false`, column.name)
    }
    case 'NULL':
      if (/^(?:null|true)$/i.test(text)) return null
      throw new ItemError(`${JSON.stringify(text)} is not null`, column.name)
    case 'B': {
      const bytes = bytesFromBase64(text)
      if (bytes === undefined) throw new ItemError('not valid base64', column.name)
      return bytes
    }
    case 'json':
      return named(column, () => parsePlainJson(text))
    case 'ddb':
      return named(column, () => dynamoDbValue(text))
  }
}

/** @throws {ItemError} for what is no DynamoDB JSON */
export function dynamoDbValue(text: string): PlainValue {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    throw jsonFault(text)
  }
  return decodeValue(value) as PlainValue
}

function named<Value>(column: CsvColumn, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof ItemError) throw new ItemError(error.message, column.name)
    throw error
  }
}
