import { isAscii, isUtf8 } from 'node:buffer'
import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import type { SourceRecord } from './record.ts'
import { rawText, strictText } from './strictUtf8.ts'

/** Makes an item of the text of a record. */
interface TextDecoder {
  /** @throws {ItemError} saying what is wrong with this record */
  decode(text: string): PlainItem
}

export interface ReaderOptions {
  readonly file: string
  readonly decoder: TextDecoder
  readonly lineBytesMax: number
  /** Where the stream begins in the file, in bytes. */
  readonly offset: number
  /** The line that begins there. Default 1. */
  readonly line?: number
}

const NEWLINE = 10

/**
 * Reads one JSON record per line; lines end in `\n` or `\r\n`, blank ones are skipped.
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
  #line: number
  #offset: number
  #carry: Buffer[] = []
  #carryBytes = 0
  /** Within a line that is too long and has been reported. */
  #skipping = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#offset = options.offset
    this.#line = options.line ?? 1
  }

  push(piece: Buffer): SourceRecord[] {
    let rest = piece
    if (this.#skipping) {
      const end = rest.indexOf(NEWLINE)
      this.#offset += end === -1 ? rest.length : end + 1
      if (end === -1) return []
      this.#skipping = false
      this.#line += 1
      rest = rest.subarray(end + 1)
    }
    const end = rest.lastIndexOf(NEWLINE) + 1
    const records: SourceRecord[] = []
    if (end > 0) {
      this.#keep(rest.subarray(0, end))
      this.#readRegion(this.#takeCarry(), records)
    }
    this.#keep(rest.subarray(end))
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
    const text = ascii ? region.toString('latin1') : isUtf8(region) ? region.toString('utf8') : undefined
    let textAt = 0
    let at = 0
    while (at < region.length) {
      // In ASCII a character is a byte, and one search serves both.
      let textEnd = text === undefined ? 0 : text.indexOf('\n', textAt)
      if (textEnd === -1) textEnd = text!.length
      let end = ascii ? textEnd : region.indexOf(NEWLINE, at)
      if (end === -1) end = region.length
      if (end - at > lineBytesMax) {
        records.push(this.#tooLong(region.subarray(at, end)))
      } else {
        const place = { file, line: this.#line, offset: this.#offset }
        try {
          const line = text === undefined ? strictText(region.subarray(at, end)) : text.slice(textAt, textEnd)
          if (line.charCodeAt(0) === OPEN_BRACE || line.trim() !== '') {
            records.push({ item: this.#options.decoder.decode(line), place })
          }
        } catch (error) {
          if (!(error instanceof ItemError)) throw error
          records.push({ error: error.message, raw: rawText(region.subarray(at, lineEnd(region, at, end))), place })
        }
      }
      this.#line += 1
      this.#offset += end - at + 1
      textAt = textEnd + 1
      at = end + 1
    }
  }

  #tooLong(bytes: Buffer): SourceRecord {
    const place = { file: this.#options.file, line: this.#line, offset: this.#offset }
    return { error: `the line is longer than ${this.#options.lineBytesMax} bytes`, raw: rawText(bytes), place }
  }
}

const OPEN_BRACE = 123

function lineEnd(region: Buffer, start: number, end: number): number {
  return end > start && region[end - 1] === 13 ? end - 1 : end
}
