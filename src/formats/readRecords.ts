import { ItemError } from '../item/itemError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { ByteSource } from './byteSource.ts'
import { readCsv } from './csv.ts'
import { checkCsvOptions } from './csvColumns.ts'
import { decompress, isPacked } from './decompress.ts'
import { detectFormat, type FileShape } from './detectFormat.ts'
import { RecordDecoder } from './dynamoDbJson.ts'
import { FormatError } from './formatError.ts'
import { IonDecoder, loadIon } from './ion.ts'
import { isObject } from './isObject.ts'
import { readJsonLines, type TextDecoder } from './jsonLines.ts'
import { type JsonValuesOptions, readJsonValues } from './jsonValues.ts'
import type { ReadOptions, SourceRecord } from './record.ts'
import { RejectDecoder } from './rejectDecoder.ts'
import { type ItemSpelling, isPlainlySpelt, judgeSpelling } from './spelling.ts'

const LINE_BYTES_MAX = 8 * 1024 * 1024
/** Enough of a file to judge it by, if that holds a whole line; at most so much is looked at to see one. */
const HEAD_BYTES = 64 * 1024
const HEAD_BYTES_MAX = 1024 * 1024

/**
 * The records of a file: JSON Lines, a JSON array or object, DynamoDB JSON in either layout (also what
 * `aws dynamodb scan` prints and what the native export writes), Ion, or CSV; each also packed with gzip or zstd. They come in
 * arrays, one for each piece of the file; memory is bounded by the piece (256 KiB) and the longest record.
 *
 * A bad record is an error record in its place, and reading goes on. Breaking out of the loop releases the stream.
 *
 * @throws {TypeError} at once, for options that make no sense.
 * @throws {FormatError} from the iteration, for a file that can not be read on, after every complete record before
 *   that place has been handed out. Errors of the stream itself come through as they are.
 */
export function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<readonly SourceRecord[], void, undefined> {
  const lineBytesMax = options.lineBytesMax ?? LINE_BYTES_MAX
  if (!Number.isSafeInteger(lineBytesMax) || lineBytesMax < 1) {
    throw new TypeError(`lineBytesMax must be a whole number of bytes, at least 1, not ${lineBytesMax}`)
  }
  checkCsvOptions(options.csv ?? {})
  return read(chunks, options, lineBytesMax)
}

async function* read(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions,
  lineBytesMax: number,
): AsyncGenerator<readonly SourceRecord[], void, undefined> {
  let records = 0
  const packed = new ByteSource(chunks)
  // Within what is packed nobody can go to a place without reading what is in front of it.
  const { seek, ...streaming } = options
  const head = await packed.head(4)
  const source = new ByteSource(decompress(packed, options.file))
  try {
    for await (const batch of await open(source, isPacked(head) ? streaming : options, lineBytesMax, seek)) {
      records += batch.length
      yield batch
    }
  } catch (error) {
    throw error instanceof FormatError ? error.after(records) : error
  } finally {
    await source.close()
    await packed.close()
  }
}

async function open(
  source: ByteSource,
  options: ReadOptions,
  lineBytesMax: number,
  reopen: ReadOptions['seek'],
): Promise<AsyncGenerator<readonly SourceRecord[]>> {
  const { file } = options
  let head = await beginning(source)
  refuseForeign(head, file)
  const offset = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0
  head = head.subarray(offset, HEAD_BYTES_MAX)
  const shape = detectFormat(head, file, options.format)
  const { seek, after = options.beginAt, key, changes = false } = options

  const newline = newlineOf(head)
  if (shape.shape === 'csv') {
    const delimiter = options.csv?.delimiter ?? shape.delimiter
    const types = options.csv?.types ?? {}
    return readCsv(source.from(offset), { file, types, delimiter, lineBytesMax, offset, key, newline })
  }
  /** @param isKnown what its records look like was seen at the beginning: the rest can begin anywhere */
  const lines = (decoder: TextDecoder, isKnown: boolean): AsyncGenerator<readonly SourceRecord[]> => {
    const options = { file, decoder, lineBytesMax, newline }
    if (after === undefined || seek === undefined || !isKnown)
      return readJsonLines(source.from(offset), { ...options, offset })
    // Either way the record that begins there may come.
    const rest = new ByteSource(seek(after.offset))
    return closing(rest, readJsonLines(rest.from(0), { ...options, ...after }))
  }
  if (shape.shape === 'ion') return lines(new IonDecoder(await loadIon(), changes), true)
  if (shape.shape === 'rejects') return lines(await RejectDecoder.open(changes, options.csv?.types), true)
  const probed = shape.spelling ?? (await probe(head, shape, options))
  const spelling = changes ? 'change' : (probed ?? 'plain')
  const decoder = new RecordDecoder(spelling, options.csv?.types)
  if (shape.shape === 'lines') return lines(decoder, probed !== undefined || changes)
  if (shape.shape === 'sequence') {
    return readJsonValues(source.from(offset), { file, decoder, lineBytesMax, offset, layout: 'sequence', line: 1 })
  }
  const start = offset + shape.start
  const line = head.toString('latin1', 0, shape.start).split('\n').length
  const prefix = head.toString('utf8', 0, shape.start)
  const values = { file, decoder, lineBytesMax, offset: start, layout: shape.shape, line, prefix }
  if (shape.shape === 'scanOutput' && after === undefined && reopen !== undefined)
    await checkScanOutput(new ByteSource(decompress(new ByteSource(reopen(0)), file)), values)
  return readJsonValues(source.from(start), { ...values, onIncomplete: options.onIncomplete })
}

/** That all of it is scan output shows only at its end: known before the first record is, where it can be read twice. */
async function checkScanOutput(source: ByteSource, options: JsonValuesOptions): Promise<void> {
  const item = {}
  const decoder: TextDecoder = { decode: () => item, rawOf: (raw) => ({ raw }) }
  await source.head(options.offset + 1)
  for await (const _ of readJsonValues(source.from(options.offset), { ...options, decoder })) {
    // Only its end is of interest.
  }
}

/** The spelling that most records at the beginning have. @throws {FormatError} where none of them is an object */
async function probe(head: Buffer, shape: FileShape, options: ReadOptions): Promise<ItemSpelling | undefined> {
  const { file, format } = options
  const objects: object[] = []
  const others: unknown[] = []
  const decoder: TextDecoder = {
    decode(text) {
      let value: unknown
      try {
        value = parseJson(text)
      } catch {
        throw new ItemError('not valid JSON')
      }
      if (isObject(value)) objects.push(value)
      else others.push(value)
      return {}
    },
    rawOf: (raw) => ({ raw }),
  }
  const start = 'start' in shape ? shape.start : 0
  const common = { file, decoder, lineBytesMax: head.length, offset: 0, line: 1 }
  try {
    if (shape.shape === 'lines') {
      for await (const _ of readJsonLines(only(head), { ...common, newline: newlineOf(head) })) {
        // The decoder takes what is of interest.
      }
    } else {
      const layout = shape.shape === 'sequence' ? 'sequence' : 'array'
      for await (const _ of readJsonValues(only(head.subarray(start)), { ...common, layout })) {
        // As above.
      }
    }
  } catch (error) {
    // The beginning of a file ends where it will.
    if (!(error instanceof FormatError)) throw error
  }
  if (objects.length === 0 && others.length > 0 && shape.shape !== 'lines') {
    const [first] = others
    const kind = first === null ? 'null' : Array.isArray(first) ? 'arrays' : `${typeof first}s`
    throw new FormatError(`the file contains ${kind}, but a record must be a JSON object {…}.`, { file, offset: 0 })
  }
  const changes = objects.filter((object) => 'Keys' in object && 'Metadata' in object).length
  if (options.changes !== true && changes > 0 && changes === objects.length) {
    throw new FormatError(
      'the file contains changes of an incremental export, which can delete items: set applyChanges (--apply-changes) to make them.',
      { file, offset: 0 },
    )
  }
  const spelling = judgeSpelling(objects)
  return format === 'ddb-json' && spelling !== 'wrapped' ? 'dynamodb' : spelling
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Old Mac files end their lines so; in others it stands at most in front of a 10. */
export function newlineOf(head: Buffer): number {
  if (head.includes(10)) return 10
  const at = head.indexOf(13)
  // Behind the last one a 10 may follow.
  return at === -1 || at === head.length - 1 ? 10 : 13
}

async function* closing<Value>(source: ByteSource, values: AsyncGenerator<Value>): AsyncGenerator<Value> {
  try {
    yield* values
  } finally {
    await source.close()
  }
}

/** Enough to judge the file by; of a producer that is slow, as much as leaves no doubt. */
async function beginning(source: ByteSource): Promise<Buffer> {
  let head = await source.head(4)
  for (;;) {
    const enough = head.includes('\n') || head.includes('\r') ? HEAD_BYTES : HEAD_BYTES_MAX
    if (head.length >= enough || beginsWithRecord(head)) return head
    const longer = await source.head(head.length + 1)
    if (longer.length === head.length) return head
    head = longer
  }
}

/** A first line that is a whole record, and leaves no doubt of its kind. */
function beginsWithRecord(head: Buffer): boolean {
  const text = head.toString('latin1').trimStart()
  const end = text.search(/\n|\r./s)
  if (end === -1) return false
  try {
    const record = parseJson(text.slice(0, end))
    return isObject(record) && isPlainlySpelt(record)
  } catch {
    return false
  }
}

/** Files that are often handed in and are something else, by their first bytes. */
const FOREIGN: readonly { readonly magic: readonly number[]; readonly what: string; readonly advice: string }[] = [
  { magic: [0xff, 0xfe], what: 'UTF-16, little-endian', advice: 'Convert it: iconv -f UTF-16 -t UTF-8' },
  { magic: [0xfe, 0xff], what: 'UTF-16, big-endian', advice: 'Convert it: iconv -f UTF-16 -t UTF-8' },
  { magic: [0x7b, 0x00], what: 'UTF-16, little-endian', advice: 'Convert it: iconv -f UTF-16LE -t UTF-8' },
  { magic: [0x5b, 0x00], what: 'UTF-16, little-endian', advice: 'Convert it: iconv -f UTF-16LE -t UTF-8' },
  { magic: [0x00, 0x7b], what: 'UTF-16, big-endian', advice: 'Convert it: iconv -f UTF-16BE -t UTF-8' },
  { magic: [0x00, 0x5b], what: 'UTF-16, big-endian', advice: 'Convert it: iconv -f UTF-16BE -t UTF-8' },
  {
    magic: [0xe0, 0x01, 0x00, 0xea],
    what: 'binary Ion',
    advice: 'Convert it to text, one item per line: ion dump --format lines',
  },
  { magic: [0x50, 0x4b, 0x03, 0x04], what: 'a ZIP archive', advice: 'Unpack it: unzip -p' },
  { magic: [0x42, 0x5a, 0x68], what: 'compressed with bzip2', advice: 'Unpack it: bzip2 -dc' },
  {
    magic: [0x50, 0x41, 0x52, 0x31],
    what: 'Parquet, which cannot be read as a stream',
    advice: 'Write it to a file whose name ends in .parquet, or pass --format parquet.',
  },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: 'compressed twice, with zstd inside', advice: 'Unpack it: zstd -dc' },
  { magic: [0x1f, 0x8b], what: 'compressed with gzip twice', advice: 'Unpack it: gzip -dc' },
]

function refuseForeign(head: Buffer, file: string): void {
  const foreign = FOREIGN.find(({ magic }) => magic.every((byte, index) => head[index] === byte))
  if (foreign !== undefined) {
    throw new FormatError(`the file is ${foreign.what}. ${foreign.advice}`, { file, offset: 0 })
  }
}
