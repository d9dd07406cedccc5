import type { PlainValue } from '../item/attributeValue.ts'
import { bytesFromBase64 } from '../item/base64.ts'
import { decodeValue } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { plainNumber } from '../item/number.ts'
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
      throw new TypeError(`csv.types: column "${name}" has type "${type}"; one of ${[...COLUMN_TYPES].join(', ')}`)
    }
  }
  const { delimiter } = options
  if (delimiter !== undefined && !/^[\t\x20-\x7e]$/.test(delimiter)) {
    throw new TypeError(`csv.delimiter is ${JSON.stringify(delimiter)}; one ASCII character, such as ";" or a tab`)
  }
  if (delimiter === '"') throw new TypeError('csv.delimiter can not be the quote character')
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

/**
 * The columns that a header line names: `id`, `price:N`. Blanks around a name do not belong to it; what follows a colon
 * and is no type does.
 *
 * @throws {FormatError} for a name that is missing or stands there twice, and for a type given to no column.
 */
export function csvColumns(
  cells: readonly string[],
  types: NonNullable<CsvOptions['types']>,
  file: string,
): CsvColumn[] {
  const columns = cells.map((cell, index): CsvColumn => {
    const { name, type: suffix } = readColumn(cell)
    if (name === '') {
      throw new FormatError(`the header line has no name for column ${index + 1}. Name every column.`, {
        file,
        line: 1,
      })
    }
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    return { name, type: type ?? suffix ?? 'S' }
  })
  const names = new Set(columns.map(({ name }) => name))
  if (names.size < columns.length) {
    const twice = columns.find(({ name }, index) => columns.findIndex((column) => column.name === name) !== index)
    throw new FormatError(`the header line names "${twice!.name}" twice. Rename one.`, { file, line: 1 })
  }
  const lost = Object.keys(types).find((name) => !names.has(name))
  if (lost !== undefined) {
    throw new FormatError(`a type is given for column "${lost}", and the header has: ${[...names].join(', ')}`, {
      file,
      line: 1,
    })
  }
  return columns
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
      if (bytes === undefined) throw new ItemError('not base64', column.name)
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
