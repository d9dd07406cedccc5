import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { AsyncBuffer, FileMetaData, RowGroup, SchemaTree } from 'hyparquet'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { plainNumber } from '../item/number.ts'
import { parsePlainJson } from '../item/plainJson.ts'
import { typedText } from '../item/typedText.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { dynamoDbValue } from './csvColumns.ts'
import { FormatError } from './formatError.ts'
import { loadParquetCompressors, loadParquetReader, NOTE_KEY, type ParquetNote } from './parquetLibrary.ts'
import { define, type Originals, PARSERS, plainValue, takeOver } from './parquetValues.ts'
import type { RandomAccess } from './randomAccess.ts'
import type { RecordPosition, SourceRecord } from './record.ts'
import { MARK } from './strictUtf8.ts'

export interface ParquetReaderOptions {
  /** The name for messages. */
  readonly file: string
  /** Rows up to that one are not wanted. */
  readonly after?: RecordPosition | undefined
  /** The key of the table that the rows are for: its attributes must be columns. */
  readonly key?: KeySchema | undefined
  /** Of a row group, unpacked, that are in memory at once; one that is larger is read in parts. Default 32 MiB. */
  readonly partBytes?: number | undefined
}

type Library = Awaited<ReturnType<typeof loadParquetReader>>
type Compressors = Awaited<ReturnType<typeof loadParquetCompressors>>

const MAGIC = 'PAR1'
/** Magic in front, length of the footer and magic at the end. */
const BYTES_MIN = 12
const PART_BYTES = 32 * 1024 * 1024
const ROWS_AT_ONCE = 1_000

/**
 * The rows of a Parquet file as items, row group by row group. A null is an attribute that the item does not have; structs
 * and maps become maps, where a null member is no member, lists lists. The place of a row is its number: `line` counts from
 * 1, `offset` from 0.
 *
 * A value that has no form in DynamoDB makes an error record of its row.
 *
 * @throws {FormatError} from the iteration: before the first record for a file that is cut, no Parquet, or has a broken
 *   footer
 * @throws {HeadraceError} `CONFIGURATION` where the packages for it are not installed
 */
export async function* readParquet(
  source: RandomAccess,
  options: ParquetReaderOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  const library = await loadParquetReader()
  const reader = new ParquetReader(source, options, library)
  await reader.open()
  let records = 0
  try {
    for await (const batch of reader.batches()) {
      records += batch.length
      yield batch
    }
  } catch (error) {
    throw error instanceof FormatError ? error.after(records) : error
  }
}

/** In the place of a value that has no form in DynamoDB, for its reject. */
class Unreadable {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

class ParquetReader {
  readonly #source: RandomAccess
  readonly #options: ParquetReaderOptions
  readonly #library: Library
  #metadata!: FileMetaData
  #schema!: SchemaTree
  #originals!: Originals
  #note: ParquetNote | undefined
  #compressors: Compressors = {}
  /** What the source said when it could not be read. */
  #failure: unknown

  constructor(source: RandomAccess, options: ParquetReaderOptions, library: Library) {
    this.#source = source
    this.#options = options
    this.#library = library
  }

  async open(): Promise<void> {
    const { sizeBytes } = this.#source
    if (sizeBytes < BYTES_MIN) throw this.#broken(`not a Parquet file: it has only ${counted(sizeBytes, 'byte')}`)
    const head = Buffer.from(await this.#source.read(0, 4)).toString('latin1')
    const tail = Buffer.from(await this.#source.read(sizeBytes - 4, 4)).toString('latin1')
    if (head === 'PARE' || tail === 'PARE') throw this.#broken('the file is encrypted', 'Decrypt it')
    if (head !== MAGIC) throw this.#broken('not a Parquet file: it does not start with PAR1')
    if (tail !== MAGIC) throw this.#broken('the file does not end with PAR1: it is truncated')
    this.#metadata = await this.#guard('its footer', () =>
      this.#library.parquetMetadataAsync(this.#file, { geoparquet: false, parsers: PARSERS as object }),
    )
    this.#checkNames(await this.#footer())
    this.#note = this.#readNote()
    // A footer that is damaged may have anything where a number should be.
    await this.#guard('its footer', () => this.#check())
    const chunks = this.#metadata.row_groups.flatMap(({ columns }) => columns.map(({ meta_data: data }) => data!))
    this.#originals = takeOver(this.#metadata.schema, chunks)
    this.#schema = await this.#guard('its schema', async () => this.#library.parquetSchema(this.#metadata))
    this.#checkKey()
  }

  async #footer(): Promise<Buffer> {
    const { sizeBytes } = this.#source
    const length = Buffer.from(await this.#source.read(sizeBytes - 8, 4)).readUInt32LE(0)
    return Buffer.from(await this.#source.read(Math.max(0, sizeBytes - 8 - length), Math.min(length, sizeBytes - 8)))
  }

  /** The library takes a byte order mark off the front of a name, and so would give an attribute another one. */
  #checkNames(footer: Buffer): void {
    if (!footer.includes(MARK)) return
    for (const { name } of this.#metadata.schema) {
      const bytes = Buffer.concat([MARK, Buffer.from(name)])
      // As the footer has it (Thrift, compact protocol): how long it is, in 7 bits a byte, and then itself.
      const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
      if (!footer.includes(Buffer.concat([Buffer.from(length), bytes]))) continue
      throw this.#broken(
        `the column ${JSON.stringify(`\uFEFF${name}`)} starts with a byte order mark (U+FEFF), which is not supported`,
        'Rename it',
      )
    }
  }

  #checkKey(): void {
    const { key } = this.#options
    if (key === undefined || this.#note?.rest !== undefined) return
    const names = this.#schema.children.map(({ element }) => this.#originals.get(element)!.name)
    const missing = keyNamesOf(key).find((name) => !names.includes(name))
    if (missing === undefined) return
    const like = names.find((name) => name.toLowerCase() === missing.toLowerCase())
    throw this.#broken(
      `it has no column "${missing}", which is part of the table's key. Its columns are ${names.slice(0, 12).join(', ')}`,
      like === undefined ? 'Check that this is the right table' : `Names are case-sensitive: rename "${like}"`,
    )
  }

  async *batches(): AsyncGenerator<readonly SourceRecord[]> {
    const { after, partBytes = PART_BYTES } = this.#options
    const first = after === undefined ? 0 : after.offset + 1
    let groupStart = 0
    for (const group of this.#metadata.row_groups) {
      const rows = Number(group.num_rows)
      const groupEnd = groupStart + rows
      const parts = Math.max(1, Math.ceil(unpackedBytes(group) / partBytes))
      const step = Math.max(1, Math.ceil(rows / parts))
      for (let start = Math.max(groupStart, first); start < groupEnd; start += step)
        yield* this.#readRows(start, Math.min(groupEnd, start + step))
      groupStart = groupEnd
    }
  }

  async *#readRows(start: number, end: number): AsyncGenerator<readonly SourceRecord[]> {
    const columns = new Map<string, Cells>(
      this.#schema.children.map(({ element }) => [element.name, new Cells(start, end)]),
    )
    await this.#guard(`rows ${start + 1} to ${end}`, () =>
      this.#library.parquetRead({
        file: this.#file,
        metadata: this.#metadata,
        rowStart: start,
        rowEnd: end,
        compressors: this.#compressors,
        parsers: PARSERS as object,
        utf8: false,
        onChunk: ({ columnName, columnData, rowStart }) => columns.get(columnName)!.add(columnData, rowStart),
      }),
    )
    for (const [name, { count }] of columns) {
      if (count !== end - start)
        throw this.#broken(
          `${name} has ${count} values for the ${counted(end - start, 'row')} from ${start + 1} to ${end}`,
        )
    }
    for (let row = start; row < end; ) {
      const records: SourceRecord[] = []
      for (const last = Math.min(end, row + ROWS_AT_ONCE); row < last; row += 1)
        records.push(this.#record(row, columns))
      yield records
    }
  }

  #record(row: number, columns: ReadonlyMap<string, Cells>): SourceRecord {
    const place = { file: this.#options.file, line: row + 1, offset: row }
    const item: { [name: string]: unknown } = {}
    let fault: ItemError | undefined
    for (const node of this.#schema.children) {
      const { name } = this.#originals.get(node.element)!
      const cell = columns.get(node.element.name)!.at(row)
      try {
        const value = plainValue(cell, node, this.#originals)
        if (value === undefined) continue
        if (typeof value === 'string' && name === this.#note?.rest) {
          for (const [other, one] of Object.entries(decodeItemText(value))) define(item, other, one)
        } else define(item, name, this.#noted(name, value))
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        fault ??= new ItemError(error.message, name)
        // So that a reject shows the rest of the row, and a place for what it has to say.
        define(item, name, new Unreadable(error.message))
      }
    }
    if (fault === undefined) return { item, place }
    return { error: fault.message, raw: typedText(item), rawFormat: { format: 'ddb-json' }, place }
  }

  /** @throws {ItemError} for text that is not what the note says */
  #noted(name: string, value: unknown): unknown {
    const { columns = {} } = this.#note ?? {}
    if (typeof value !== 'string' || !Object.hasOwn(columns, name)) return value
    switch (columns[name]) {
      case 'json':
        return parsePlainJson(value)
      case 'ddb':
        return dynamoDbValue(value)
      case 'N':
        return plainNumber(value)
      default:
        return value
    }
  }

  /** What we wrote beside the columns, where the file is ours. */
  #readNote(): ParquetNote | undefined {
    const text = this.#metadata.key_value_metadata?.find(({ key }) => key === NOTE_KEY)?.value
    if (text === undefined) return undefined
    let note: Partial<ParquetNote> | undefined
    try {
      note = parseJson(text) as Partial<ParquetNote>
    } catch {
      // As below.
    }
    if (note?.version === 1 && typeof note.columns === 'object') return note as ParquetNote
    throw this.#broken(`this Headrace cannot read its ${NOTE_KEY}`, 'Use a newer Headrace')
  }

  /** What the footer speaks of is there, and is packed in a way that can be unpacked. */
  async #check(): Promise<void> {
    const { row_groups: groups, num_rows: rows } = this.#metadata
    let sum = 0n
    const codecs = new Set<string>()
    for (const { columns, num_rows: count } of groups) {
      sum += count
      for (const { meta_data: data, file_path: other } of columns) {
        if (data === undefined || other) throw this.#broken('its columns are in other files')
        const start = data.dictionary_page_offset ?? data.data_page_offset
        if (
          start < 0n ||
          data.total_compressed_size < 0n ||
          start + data.total_compressed_size > BigInt(this.#source.sizeBytes)
        )
          throw this.#broken(
            `${data.path_in_schema.join('.')} is beyond the end of the file: the file is truncated, or its footer is damaged`,
          )
        codecs.add(data.codec)
      }
    }
    if (sum !== rows) throw this.#broken(`its footer counts ${rows} rows, but its row groups have ${sum}`)
    codecs.delete('UNCOMPRESSED')
    // The library has this one.
    codecs.delete('SNAPPY')
    this.#compressors = {
      GZIP: (bytes, size) => gunzipSync(bytes, { maxOutputLength: size }),
      BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size }),
    }
    const others = [...codecs].filter((codec) => !(codec in this.#compressors))
    if (others.length > 0) this.#compressors = { ...(await loadParquetCompressors()), ...this.#compressors }
    const unknown = others.find((codec) => !(codec in this.#compressors))
    if (unknown !== undefined) throw this.#broken(`it is compressed with ${unknown}, which is not supported`)
    this.#compressors = guarded(this.#compressors)
  }

  get #file(): AsyncBuffer {
    return {
      byteLength: this.#source.sizeBytes,
      slice: async (start, end = this.#source.sizeBytes) => {
        let bytes: Uint8Array
        try {
          bytes = await this.#source.read(start, end - start)
        } catch (error) {
          this.#failure ??= error
          throw error
        }
        if (bytes.length < end - start) throw new Error('it became shorter while it was read')
        // Not copied where they have a buffer of their own: these are whole columns.
        const { buffer, byteOffset, byteLength } = bytes
        const isOwn = byteLength === buffer.byteLength
        return (isOwn ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer
      },
    }
  }

  /** @throws {FormatError} where the library can not read on; what the source said comes through as it is */
  async #guard<Value>(what: string, read: () => Promise<Value>): Promise<Value> {
    try {
      return await read()
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure
      if (error instanceof HeadraceError) throw error
      const why = error instanceof Error ? error.message : `${error}`
      throw this.#broken(`cannot read ${what}: ${why}`, 'The file is damaged, or uses an unsupported feature', error)
    }
  }

  #broken(what: string, advice = 'Download the file again', cause?: unknown): FormatError {
    return new FormatError(`${what}. ${advice}.`, { file: this.#options.file }, { cause })
  }
}

/** What unpacks may stumble over a page with nothing in it, as one has whose values are all null. */
function guarded(compressors: Compressors): Compressors {
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (bytes: Uint8Array, size: number) => (size === 0 ? new Uint8Array() : unpack(bytes, size)),
    ]),
  )
}

/** The cells of a column in some rows. */
class Cells {
  readonly #start: number
  readonly #end: number
  readonly #pieces: { readonly start: number; readonly data: ArrayLike<unknown> }[] = []
  #last = 0

  constructor(start: number, end: number) {
    this.#start = start
    this.#end = end
  }

  /** Of how many rows there are cells. */
  get count(): number {
    let count = 0
    for (const { start, data } of this.#pieces)
      count += Math.max(0, Math.min(this.#end, start + data.length) - Math.max(this.#start, start))
    return count
  }

  add(data: ArrayLike<unknown>, start: number): void {
    this.#pieces.push({ start, data })
  }

  at(row: number): unknown {
    for (;;) {
      const piece = this.#pieces[this.#last]
      if (piece === undefined) return undefined
      if (row >= piece.start + piece.data.length) this.#last += 1
      else return piece.data[row - piece.start]
    }
  }
}

function unpackedBytes({ columns }: RowGroup): number {
  return columns.reduce((sum, { meta_data: data }) => sum + Number(data?.total_uncompressed_size ?? 0n), 0)
}
