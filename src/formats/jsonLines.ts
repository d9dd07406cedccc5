import { isAscii, isUtf8 } from 'node:buffer'
import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import type { RawRecord } from '../item/rawRecord.ts'
import type { SourceRecord } from './record.ts'
import { beginningOf, MARK, rawText, strictText, withoutMark } from './strictUtf8.ts'

/** Makes an item of the text of a record. */
export interface TextDecoder {
  /** @throws {ItemError} saying what is wrong with this record */
  decode(text: string): PlainItem
  /** What its reject shows of a record that could not be decoded. */
  rawOf(text: string): RawRecord
}

export interface ReaderOptions {
  readonly file: string
  readonly decoder: TextDecoder
  readonly lineBytesMax: number
  /** The byte that ends a line: 13 in files with old Mac line ends. Default 10, also behind a 13. */
  readonly newline?: number | undefined
  /** Where the stream begins in the file, in bytes. */
  readonly offset: number
  /** The line that begins there. Default 1. */
  readonly line?: number | undefined
}

const NEWLINE = 10
const RETURN = 13

/**
 * Reads one JSON record per line; lines end in `\n`, `\r\n` or `\r`, blank ones are skipped. JSON has no bare `\r` but
 * between its tokens, so one within a line that cannot be read may be a line end of its own. A byte order mark in front of
 * a record does not belong to it.
 *
 * ```
 *   pieces   ──────────┼──────────────┼──────
 *   lines    ──┴───┴───────┴──┴────────────┴─
 *              └ region ┘└─ region ──┘└ carry
 * ```
 *
 * A region is all the whole lines that a piece completes. It is checked and decoded at once, which is several times
 * faster than line by line; only a region with bytes that are no UTF-8 is taken apart.
 */
export async function* readJsonLines(
  pieces: AsyncIterable<Buffer>,
  options: ReaderOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  const lines = new LineReader(options)
  for await (const piece of pieces) {
    const records = lines.push(piece)
    if (records.length > 0) yield records
  }
  const records = lines.end()
  if (records.length > 0) yield records
}

class LineReader {
  readonly #options: ReaderOptions
  #newline: number
  #line: number
  #offset: number
  #carry: Buffer[] = []
  #carryBytes = 0
  /** Within a line that is too long and has been reported. */
  #skipping = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#newline = options.newline ?? NEWLINE
    this.#offset = options.offset
    this.#line = options.line ?? 1
  }

  push(piece: Buffer): SourceRecord[] {
    let rest = piece
    // Files that were put together may begin with the line ends of an old Mac and go on with others.
    if (this.#newline === RETURN && rest.includes(NEWLINE)) this.#newline = NEWLINE
    if (this.#skipping) {
      const end = firstLineEnd(rest)
      this.#offset += end === -1 ? rest.length : end + 1
      if (end === -1) return []
      this.#skipping = false
      if (rest[end] === this.#newline) this.#line += 1
      rest = rest.subarray(end + 1)
    }
    const end = rest.lastIndexOf(this.#newline) + 1
    const records: SourceRecord[] = []
    if (end > 0) {
      this.#keep(rest.subarray(0, end))
      this.#readRegion(this.#takeCarry(), records)
    }
    this.#keep(rest.subarray(end))
    if (this.#carryBytes > this.#options.lineBytesMax) this.#readLines(records)
    if (this.#carryBytes > this.#options.lineBytesMax) {
      const start = this.#takeCarry()
      records.push(this.#tooLong(start))
      this.#offset += start.length
      this.#skipping = true
    }
    return records
  }

  end(): SourceRecord[] {
    const records: SourceRecord[] = []
    if (this.#carryBytes > 0) this.#readRegion(this.#takeCarry(), records)
    return records
  }

  /** What is too long for one line may be many, with old Mac line ends between them. */
  #readLines(records: SourceRecord[]): void {
    const carry = this.#takeCarry()
    const end = carry.lastIndexOf(RETURN) + 1
    records.push(...this.#partsOf(carry.subarray(0, end)))
    this.#offset += end
    this.#keep(carry.subarray(end))
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#carry.push(bytes)
    this.#carryBytes += bytes.length
  }

  #takeCarry(): Buffer {
    const bytes = this.#carry.length === 1 ? this.#carry[0]! : Buffer.concat(this.#carry)
    this.#carry = []
    this.#carryBytes = 0
    return bytes
  }

  #readRegion(region: Buffer, records: SourceRecord[]): void {
    const { file, lineBytesMax } = this.#options
    const ascii = isAscii(region)
    const newline = this.#newline
    const newlineText = newline === NEWLINE ? '\n' : '\r'
    const text = ascii ? region.toString('latin1') : isUtf8(region) ? region.toString('utf8') : undefined
    let textAt = 0
    let at = 0
    while (at < region.length) {
      // In ASCII a character is a byte, and one search serves both.
      let textEnd = text === undefined ? 0 : text.indexOf(newlineText, textAt)
      if (textEnd === -1) textEnd = text!.length
      let end = ascii ? textEnd : region.indexOf(newline, at)
      if (end === -1) end = region.length
      if (end - at > lineBytesMax) {
        const line = region.subarray(at, end)
        records.push(...(line.includes(RETURN) ? this.#partsOf(line) : [this.#tooLong(line)]))
      } else {
        const place = { file, line: this.#line, offset: this.#offset }
        try {
          const line = text === undefined ? strictText(region.subarray(at, end)) : text.slice(textAt, textEnd)
          if (line.charCodeAt(0) === OPEN_BRACE || line.trim() !== '') {
            records.push({ item: this.#options.decoder.decode(line), place })
          }
        } catch (error) {
          if (!(error instanceof ItemError)) throw error
          const line = region.subarray(at, lineEnd(region, at, end))
          records.push(...(this.#readParts(line) ?? [this.#reject(error, line, place)]))
        }
      }
      this.#line += 1
      this.#offset += end - at + 1
      textAt = textEnd + 1
      at = end + 1
    }
  }

  /**
   * A line that cannot be read may be several, with old Mac line ends between them, as where files were put together. Then
   * one may also begin with the byte order mark of its file.
   *
   * @returns undefined where it is one record, and a bad one
   */
  #readParts(line: Buffer): SourceRecord[] | undefined {
    if (!line.includes(RETURN) && !line.includes(MARK)) return undefined
    const records = this.#partsOf(line)
    return records.some((record) => 'item' in record) ? records : undefined
  }

  #partsOf(line: Buffer): SourceRecord[] {
    const records: SourceRecord[] = []
    let start = 0
    while (start < line.length) {
      let end = line.indexOf(RETURN, start)
      if (end === -1) end = line.length
      const part = withoutMark(line.subarray(start, end))
      const place = { file: this.#options.file, line: this.#line, offset: this.#offset + start }
      if (part.length > this.#options.lineBytesMax) {
        records.push({ ...this.#tooLong(part), place })
        start = end + 1
        continue
      }
      try {
        const text = strictText(part)
        if (text.trim() !== '') records.push({ item: this.#options.decoder.decode(text), place })
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        records.push(this.#reject(error, part, place))
      }
      start = end + 1
    }
    return records
  }

  #reject(error: ItemError, bytes: Buffer, place: SourceRecord['place']): SourceRecord {
    return { error: error.message, ...rawOf(bytes, this.#options.decoder), place }
  }

  #tooLong(bytes: Buffer): SourceRecord {
    const place = { file: this.#options.file, line: this.#line, offset: this.#offset }
    const { rawFormat } = this.#options.decoder.rawOf('')
    return {
      error: `the line is longer than ${this.#options.lineBytesMax} bytes`,
      ...beginningOf(bytes),
      rawFormat: { format: rawFormat?.format ?? 'jsonl', isCut: true },
      place,
    }
  }
}

/** What a reject shows of a record that could not be decoded. */
export function rawOf(bytes: Buffer, decoder: TextDecoder): RawRecord {
  if (isUtf8(bytes)) return decoder.rawOf(bytes.toString('utf8'))
  const { rawFormat } = decoder.rawOf('')
  return { raw: rawText(bytes), rawBytes: Buffer.from(bytes), rawFormat }
}

const OPEN_BRACE = 123

/** Of any kind: what follows a line that is too long is read. */
function firstLineEnd(bytes: Buffer): number {
  const newline = bytes.indexOf(NEWLINE)
  const before = newline === -1 ? bytes : bytes.subarray(0, newline)
  const at = before.indexOf(RETURN)
  return at === -1 ? newline : at
}

function lineEnd(region: Buffer, start: number, end: number): number {
  return end > start && region[end - 1] === 13 ? end - 1 : end
}
