import { ItemError } from '../item/itemError.ts'
import { counted } from '../runtime/counted.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { SCAN_OUTPUT_NAMES } from './detectFormat.ts'
import { FormatError } from './formatError.ts'
import { type ReaderOptions, rawOf } from './jsonLines.ts'
import type { SourceRecord } from './record.ts'
import { beginningOf, MARK, strictText, withoutMark } from './strictUtf8.ts'

export interface JsonValuesOptions extends ReaderOptions {
  /**
   * `array`: the elements of one array, whose `[` is the first byte. `scanOutput`: the same, with the rest of an object
   * behind it. `sequence`: values one after another, such as a single object over many lines.
   */
  readonly layout: 'array' | 'scanOutput' | 'sequence'
  /** The line of the first byte, counted from 1. */
  readonly line: number
  /** Of scan output: what stands in front of the array, and who is told what is missing of it. */
  readonly prefix?: string | undefined
  readonly onIncomplete?: ((why: string) => void) | undefined
}

/**
 * Reads JSON values out of a document without holding it. The scanner only finds where a value begins and ends; what is
 * in it is the decoder's affair. So a value with a fault inside becomes an error record, and the next one is found all
 * the same: a bracket that does not match closes the nearest one that does, and a line's end closes a string.
 *
 * @throws {FormatError} when the document ends within a value or an array, or goes on behind its array.
 */
export async function* readJsonValues(
  pieces: AsyncIterable<Buffer>,
  options: JsonValuesOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  const scanner = new ValueScanner(options)
  try {
    for await (const piece of pieces) {
      const records = scanner.push(piece)
      if (records.length > 0) yield records
      scanner.check()
    }
  } catch (error) {
    // Where reading fails, what was complete before is handed out, too.
    const records = scanner.end()
    if (records.length > 0) yield records
    throw error
  }
  const records = scanner.end()
  if (records.length > 0) yield records
  scanner.checkEnd()
}

/** Longest rest of an object behind its array that is looked at. */
const TAIL_BYTES_MAX = 64 * 1024
/** A document nested deeper than that is an attack or an accident. */
const DEPTH_MAX = 1_000_000

class ValueScanner {
  readonly #options: JsonValuesOptions
  readonly #isArray: boolean
  /** The bytes from the value that is being read onwards, and where in the file they begin. */
  #buffer: Buffer = Buffer.alloc(0)
  #bufferOffset: number
  #line: number
  #state: 'before' | 'within' | 'behind'
  /** Where the value that is being read begins in the buffer; -1 between values. */
  #valueAt = -1
  #valueLine = 1
  #valueOffset = 0
  /** The value has grown too long and was reported; its end is still looked for. */
  #skipping = false
  /** The open brackets of the value that is being read, as their closing bytes. */
  readonly #open: number[] = []
  #inString = false
  #escaped = false
  /** Bytes behind the array. */
  #tail = ''
  /** Values that have ended. */
  #count = 0
  #failure: FormatError | undefined

  constructor(options: JsonValuesOptions) {
    this.#options = options
    this.#bufferOffset = options.offset
    this.#line = options.line
    this.#isArray = options.layout !== 'sequence'
    this.#state = this.#isArray ? 'before' : 'within'
  }

  push(piece: Buffer): SourceRecord[] {
    const records: SourceRecord[] = []
    let at = 0
    if (this.#valueAt === -1) {
      this.#bufferOffset += this.#buffer.length
      this.#buffer = piece
    } else {
      const kept = this.#buffer.subarray(this.#valueAt)
      this.#bufferOffset += this.#valueAt
      at = kept.length
      this.#buffer = Buffer.concat([kept, piece])
      this.#valueAt = 0
    }
    if (this.#state === 'before') {
      at += 1
      this.#state = 'within'
    }
    if (this.#state === 'within') at = this.#scan(at, records)
    if (this.#state === 'behind') this.#takeTail(this.#buffer.subarray(at))
    if (this.#valueAt !== -1 && this.#buffer.length - this.#valueAt > this.#options.lineBytesMax) {
      records.push(this.#tooLong(this.#buffer.length))
      this.#skipping = true
      this.#valueAt = -1
    }
    return records
  }

  end(): SourceRecord[] {
    const records: SourceRecord[] = []
    if (this.#valueAt === -1 || this.#open.length > 0 || this.#inString) return records
    // Of an array that is cut short, the last value is complete when its bracket is closed; a bare number may go on.
    const first = this.#buffer[this.#valueAt]
    if (!this.#isArray || first === OPEN_BRACE || first === OPEN_BRACKET) this.#finish(this.#buffer.length, records)
    return records
  }

  /** @throws {FormatError} when reading cannot go on; what was complete before has been handed out */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#options.layout === 'array' && this.#state === 'behind') this.#checkTail()
  }

  checkEnd(): void {
    const { file } = this.#options
    const inValue = this.#valueAt !== -1 || this.#skipping
    if (this.#state === 'behind') {
      this.#checkTail()
    } else if (this.#isArray || inValue) {
      const line = inValue ? this.#valueLine : this.#line
      const offset = inValue ? this.#valueOffset : this.#bufferOffset + this.#buffer.length
      const what = inValue ? 'the record that starts here is not complete' : 'the array is not closed'
      throw new FormatError(`${what}: the file is truncated. Download or create the file again.`, {
        file,
        line,
        offset,
      })
    }
  }

  #scan(from: number, records: SourceRecord[]): number {
    const bytes = this.#buffer
    const open = this.#open
    const isArray = this.#isArray
    let inString = this.#inString
    let escaped = this.#escaped
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at]!
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
        if (byte === NEWLINE) {
          this.#line += 1
          inString = false
          escaped = false
        }
        continue
      }
      if (byte <= SPACE) {
        if (byte === NEWLINE) this.#line += 1
        if (!isArray && open.length === 0 && this.#inValue()) this.#finish(at, records)
        continue
      }
      if (byte === COMMA) {
        if (open.length > 0) continue
        if (isArray) {
          if (!this.#inValue()) this.#begin(at)
          this.#finish(at, records)
          continue
        }
      }
      if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        const match = open.lastIndexOf(byte)
        if (match !== -1) open.length = match
        else if (isArray && byte === CLOSE_BRACKET) {
          if (this.#inValue()) this.#finish(at, records)
          this.#state = 'behind'
          return at + 1
        }
        if (!this.#inValue()) this.#begin(at)
        if (!isArray && open.length === 0) this.#finish(at + 1, records)
        continue
      }
      if (!this.#inValue()) this.#begin(at)
      if (byte === QUOTE) inString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        // Closing brackets come two after opening ones in ASCII.
        open.push(byte + 2)
        if (open.length > DEPTH_MAX) {
          this.#failure = this.#tooDeep()
          return bytes.length
        }
      }
    }
    this.#inString = inString
    this.#escaped = escaped
    return bytes.length
  }

  #inValue(): boolean {
    return this.#valueAt !== -1 || this.#skipping
  }

  #begin(at: number): void {
    this.#valueAt = at
    this.#valueLine = this.#line
    this.#valueOffset = this.#bufferOffset + at
  }

  #finish(end: number, records: SourceRecord[]): void {
    this.#open.length = 0
    this.#count += 1
    if (this.#skipping) {
      this.#skipping = false
      return
    }
    if (end - this.#valueAt > this.#options.lineBytesMax) {
      records.push(this.#tooLong(end))
    } else if (this.#isOnlyMark(end)) {
      this.#count -= 1
    } else {
      const bytes = withoutMark(this.#buffer.subarray(this.#valueAt, end))
      const place = { file: this.#options.file, line: this.#valueLine, offset: this.#valueOffset }
      try {
        records.push({ item: this.#options.decoder.decode(strictText(bytes)), place })
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        records.push({ error: error.message, ...rawOf(Buffer.from(bytes), this.#options.decoder), place })
      }
    }
    this.#valueAt = -1
  }

  /** Where files were put together, a byte order mark may stand by itself. */
  #isOnlyMark(end: number): boolean {
    const length = end - this.#valueAt
    return length === MARK.length && withoutMark(this.#buffer.subarray(this.#valueAt, end)).length === 0
  }

  #tooLong(end: number): SourceRecord {
    const place = { file: this.#options.file, line: this.#valueLine, offset: this.#valueOffset }
    const { rawFormat } = this.#options.decoder.rawOf('')
    return {
      error: `the record is longer than ${this.#options.lineBytesMax} bytes`,
      ...beginningOf(this.#buffer.subarray(this.#valueAt, end)),
      rawFormat: { format: rawFormat?.format ?? 'jsonl', isCut: true },
      place,
    }
  }

  #tooDeep(): FormatError {
    const { file } = this.#options
    return new FormatError('brackets are nested a million levels deep here: this is not table data.', {
      file,
      line: this.#valueLine,
    })
  }

  #takeTail(bytes: Buffer): void {
    this.#tail = (this.#tail + bytes.toString('latin1')).slice(0, TAIL_BYTES_MAX)
  }

  #checkTail(): void {
    const { file, layout } = this.#options
    const place = { file, line: this.#line }
    if (layout === 'array') {
      if (this.#tail.trim() === '') return
      throw new FormatError(
        'there is text after the end of the array. Remove it, or move it to a file of its own.',
        place,
      )
    }
    const { prefix = '{"Items":', onIncomplete } = this.#options
    let output: { readonly [name: string]: unknown }
    try {
      output = parseJson(`${prefix}[]${Buffer.from(this.#tail, 'latin1').toString()}`) as typeof output
    } catch {
      throw new FormatError(
        'the scan output is not closed, or there is text after it. Create the file again, with one scan output per file.',
        place,
      )
    }
    const strange = Object.keys(output).find((name) => !SCAN_OUTPUT_NAMES.includes(name))
    if (strange === undefined) {
      const why = incompleteWords(output, this.#count)
      if (why !== undefined) onIncomplete?.(`${file}: ${why}`)
      return
    }
    throw new FormatError(
      `this starts like scan output, but also has a member ${JSON.stringify(strange)}; its "Items" were read as records. ` +
        'If it is a single record, write it on one line and read it as jsonl.',
      place,
    )
  }
}

/** What scan output says of items that are not in it; undefined where nothing is missing. */
function incompleteWords(output: { readonly [name: string]: unknown }, items: number): string | undefined {
  const token = ['NextToken', 'LastEvaluatedKey'].find((name) => output[name] !== undefined && output[name] !== null)
  const { Count: count } = output
  const parts: string[] = []
  if (token !== undefined) parts.push(`it ends with a ${token}, so more pages are missing`)
  if (typeof count === 'number' && count !== items)
    parts.push(`its Count says ${counted(count, 'item')}, but it has ${items.toLocaleString('en-US')}`)
  return parts.length === 0 ? undefined : parts.join('; ')
}

const NEWLINE = 10
const SPACE = 32
const QUOTE = 34
const COMMA = 44
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
