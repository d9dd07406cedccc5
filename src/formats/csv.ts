import { isUtf8 } from 'node:buffer'
import { CsvError, Parser } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import type { RawRecord } from '../item/rawRecord.ts'
import { counted } from '../runtime/counted.ts'
import { type CsvColumn, type CsvHeader, cellValue, columnText, csvColumns, readColumn } from './csvColumns.ts'
import { FormatError } from './formatError.ts'
import type { SourceRecord } from './record.ts'
import { rawText, strictText } from './strictUtf8.ts'

export interface CsvReaderOptions extends CsvHeader {
  readonly lineBytesMax: number
  /** The byte that ends a line, to count them by: 10, or 13 in files with old Mac line ends. */
  readonly newline: number
  /** Where the stream begins in the file, in bytes. */
  readonly offset: number
}

/**
 * Reads comma-separated values as RFC 4180 describes them, by csv-parse; the first line names the columns. Lines end in
 * `\n`, `\r\n` or `\r`. An empty
 * cell, quoted or not, is an attribute that the item does not have.
 *
 * A record with a bad cell, or with too many or too few, is an error record. A misplaced quote ends the file: where the
 * next record begins can then only be guessed, and a wrong guess would make items of the wrong cells. So does a record
 * that is too long, as a quote that is never closed makes the rest of the file one cell.
 *
 * @throws {FormatError} as said above, and when the header line can not be used.
 */
export async function* readCsv(
  pieces: AsyncIterable<Buffer>,
  options: CsvReaderOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  const reader = new CsvReader(options)
  try {
    for await (const piece of pieces) {
      const records = await reader.push(piece)
      if (records.length > 0) yield records
      reader.check()
    }
    const records = await reader.end()
    if (records.length > 0) yield records
    reader.check()
  } finally {
    reader.close()
  }
}

/**
 * Hands on each record at the moment it is found, when `info.bytes` is still where it ends. To ask the parser for that
 * with every record (its `info` option) takes as long as the parsing itself.
 */
class RecordParser extends Parser {
  onRecord: (cells: string[]) => void = () => {}

  override push(cells: string[] | null): boolean {
    if (cells !== null) this.onRecord(cells)
    return true
  }
}

/** The longest first: a `\r\n` is one of them. */
const RECORD_DELIMITERS = ['\r\n', '\n', '\r']

/** Bytes that the parser holds back to look ahead, and the line's end: a record is not found too long for them. */
const LOOK_AHEAD_BYTES = 16
const LINE_END_BYTES = 2

class CsvReader {
  readonly #options: CsvReaderOptions
  readonly #parser: RecordParser
  readonly #newline: string
  #columns: readonly CsvColumn[] | undefined
  #records: SourceRecord[] = []
  /** Where the next record begins. */
  #line = 1
  #offset: number
  /** The parser's own count of lines at the end of the last record. */
  #parserLines = 0
  #givenBytes = 0
  #failure: unknown

  constructor(options: CsvReaderOptions) {
    this.#options = options
    this.#offset = options.offset
    this.#newline = String.fromCharCode(options.newline)
    this.#parser = new RecordParser({
      // As Latin-1 a character is a byte: nothing is lost before a cell is decoded strictly, and ASCII need not be.
      encoding: 'latin1',
      delimiter: options.delimiter,
      // Not found out by the first line, as some lines of a file may have been edited elsewhere.
      record_delimiter: RECORD_DELIMITERS,
      relax_column_count: true,
    })
    this.#parser.onRecord = (cells) => this.#take(cells)
    // Failures come with the callbacks of the writes; without a listener they would also end the process.
    this.#parser.on('error', () => {})
  }

  /** The records that this piece completes. */
  async push(piece: Buffer): Promise<SourceRecord[]> {
    this.#givenBytes += piece.length
    await this.#settled((done) => this.#parser.write(piece, done))
    const pending = this.#givenBytes - (this.#offset - this.#options.offset)
    if (pending > this.#options.lineBytesMax + LOOK_AHEAD_BYTES) this.#failure ??= this.#tooLong()
    return this.#taken()
  }

  async end(): Promise<SourceRecord[]> {
    await this.#settled((done) => this.#parser.end(done))
    return this.#taken()
  }

  /** @throws {FormatError} when reading can not go on */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): void {
    this.#parser.destroy()
  }

  #settled(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve) => {
      act((error) => {
        if (error) this.#failure ??= error instanceof CsvError ? this.#misquoted(error) : error
        resolve()
      })
    })
  }

  #taken(): SourceRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }

  #take(cells: string[]): void {
    if (this.#failure !== undefined) return
    const { lineBytesMax, offset } = this.#options
    const end = offset + this.#parser.info.bytes
    if (end - this.#offset > lineBytesMax + LINE_END_BYTES) {
      this.#failure = this.#tooLong()
      return
    }
    if (this.#columns !== undefined) {
      if (cells.length > 1 || cells[0] !== '') this.#records.push(this.#record(cells, this.#columns))
    } else if (cells.length > 1 || cells[0]!.trim() !== '') {
      try {
        this.#columns = csvColumns(cells.map(cellText), this.#options)
      } catch (error) {
        this.#failure = error instanceof ItemError ? this.#unreadable(error.message) : error
        return
      }
    }
    this.#offset = end
    const { lines } = this.#parser.info
    this.#line += 1
    // The parser counts a CR LF in a cell twice.
    if (lines - this.#parserLines > 1) for (const cell of cells) this.#line += newlines(cell, this.#newline)
    this.#parserLines = lines
  }

  #record(cells: readonly string[], columns: readonly CsvColumn[]): SourceRecord {
    const place = { file: this.#options.file, line: this.#line, offset: this.#offset }
    if (cells.length !== columns.length) {
      const error = `${counted(cells.length, 'cell')}, but the header has ${columns.length}`
      return { error, ...this.#raw(cells, columns), place }
    }
    try {
      return { item: itemOf(cells, columns), place }
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      return { error: error.message, ...this.#raw(cells, columns), place }
    }
  }

  /** The record as text again; quotes stand only where they must. */
  #raw(cells: readonly string[], columns: readonly CsvColumn[]): RawRecord {
    const { delimiter } = this.#options
    const quoted = cells.map((cell) =>
      cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
    )
    const bytes = Buffer.from(quoted.join(delimiter), 'latin1')
    const rawFormat = { format: 'csv', columns: columns.map((column) => columnText(column) ?? column.name), delimiter }
    return { raw: rawText(bytes), rawBytes: isUtf8(bytes) ? undefined : bytes, rawFormat }
  }

  #tooLong(): FormatError {
    const limit = `longer than ${this.#options.lineBytesMax} bytes`
    return this.#unreadable(`the record that starts here is ${limit}`, 'Check whether a quote is missing in it.')
  }

  #misquoted(error: CsvError): FormatError {
    const index = Number(error['column'])
    const column = this.#columns?.[index]?.name
    const cell = column === undefined ? `cell ${index + 1}` : `"${column}"`
    const advice = 'Quote a cell that contains a quote, and double the quote inside: "5"" pipe".'
    switch (error.code) {
      case 'INVALID_OPENING_QUOTE':
        return this.#unreadable(`${cell} contains a quote but is not quoted`, advice)
      case 'CSV_INVALID_CLOSING_QUOTE':
        return this.#unreadable(`there is text after the closing quote of ${cell}`, advice)
      case 'CSV_QUOTE_NOT_CLOSED':
        return this.#unreadable(`the opening quote of ${cell} is never closed`, 'Close or remove it.')
      default:
        return this.#unreadable(error.message, 'Fix that line.')
    }
  }

  /** Of the record that begins at the present place. */
  #unreadable(what: string, advice = ''): FormatError {
    const place = { file: this.#options.file, line: this.#line, offset: this.#offset }
    const [head, tail] = this.#columns === undefined ? ['cannot read the header line: ', ' Is this CSV?'] : ['', '']
    return new FormatError(`${head}${what}.${advice === '' ? '' : ` ${advice}`}${tail}`, place)
  }
}

function itemOf(cells: readonly string[], columns: readonly CsvColumn[]): { [name: string]: unknown } {
  const item: { [name: string]: unknown } = {}
  for (let index = 0; index < columns.length; index += 1) {
    const cell = cells[index]!
    if (cell === '') continue
    const column = columns[index]!
    const value = cellValue(textOf(cell, column), column)
    // Assigning to __proto__ would change what the object is instead of what it holds.
    if (column.name === '__proto__') {
      Object.defineProperty(item, column.name, { value, enumerable: true, configurable: true, writable: true })
    } else {
      item[column.name] = value
    }
  }
  return item
}

const NOT_ASCII = /[\x80-\xff]/

/** @throws {ItemError} for bytes that are no UTF-8 */
function cellText(cell: string): string {
  return NOT_ASCII.test(cell) ? strictText(Buffer.from(cell, 'latin1'), 'cell') : cell
}

function textOf(cell: string, column: CsvColumn): string {
  try {
    return cellText(cell)
  } catch (error) {
    throw error instanceof ItemError ? new ItemError(error.message, column.name) : error
  }
}

function newlines(cell: string, newline: string): number {
  let count = 0
  for (let at = cell.indexOf(newline); at !== -1; at = cell.indexOf(newline, at + 1)) count += 1
  return count
}

/**
 * The item of one row, as a reject holds it.
 *
 * @param names of its columns, as a header line has them
 * @throws {ItemError} saying what is wrong with it
 */
export function readCsvRow(text: string, names: readonly string[], delimiter = ','): PlainItem {
  let rows: string[][]
  try {
    rows = parse(text, { delimiter, record_delimiter: RECORD_DELIMITERS, relax_column_count: true })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new ItemError(`not a valid CSV row: ${error.message}`)
  }
  const [cells = [], ...more] = rows.filter((row) => row.length > 1 || row[0] !== '')
  if (more.length > 0) throw new ItemError(`${counted(rows.length, 'CSV row')} in one reject, which holds only one`)
  if (cells.length !== names.length)
    throw new ItemError(`${counted(cells.length, 'cell')}, but the header has ${names.length}: ${names.join(', ')}`)
  const columns = names.map((name) => {
    const { name: column, type = 'S' } = readColumn(name)
    return { name: column, type }
  })
  return itemOf(
    cells.map((cell) => Buffer.from(cell).toString('latin1')),
    columns,
  )
}
