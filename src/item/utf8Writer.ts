/** Room behind what is asked for, so that what closes a long text does not make it move again. */
const SPARE_BYTES = 256
/** Above about this length a regular expression's call and one native copy beat a loop. */
const LOOP_LENGTH_MAX = 50

/** Up to this length, room is made for the most bytes that a text can have; counting them first is a call more. */
const COUNTED_LENGTH_MIN = 1_000

const NEEDS_CARE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
const QUOTE = 34
const BACKSLASH = 92

/** A text that is written often, made ready to be written four bytes at a time. */
export class Piece {
  /** Bytes in UTF-8. */
  readonly length: number
  /** These bytes, the first of each four lowest; the last word is filled up with zeros. */
  readonly words: Int32Array

  constructor(text: string) {
    const bytes = Buffer.from(text)
    this.length = bytes.length
    this.words = new Int32Array((bytes.length + 3) >> 2)
    for (let index = 0; index < bytes.length; index += 1) this.words[index >> 2]! |= bytes[index]! << ((index & 3) * 8)
  }
}

/**
 * Writes text as UTF-8 into memory, from `start` to `end`; when that is full, what was written moves to larger memory.
 *
 * As a string that is joined from pieces, each piece is an object for the garbage collector, and the whole is copied twice
 * more, to be flat and to be bytes.
 */
export class Utf8Writer {
  buffer: Buffer
  /** Where the text that is being written begins. What lies before it does not move with it. */
  start = 0
  /** Where its next byte goes. */
  end = 0
  #view: DataView
  readonly #bytesMin: number

  /** @param bytesMin size of each memory; longer texts get a larger one */
  constructor(bytesMin: number) {
    this.#bytesMin = bytesMin
    this.buffer = Buffer.allocUnsafeSlow(bytesMin)
    this.#view = viewOf(this.buffer)
  }

  /** Begins a text in this buffer, which may be one that the writer had before. */
  open(buffer: Buffer, start: number): void {
    if (buffer !== this.buffer) {
      this.buffer = buffer
      this.#view = viewOf(buffer)
    }
    this.start = start
    this.end = start
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return
    const begun = this.end - this.start
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytesMin, 2 * begun, begun + bytes + SPARE_BYTES))
    this.buffer.copy(larger, 0, this.start, this.end)
    this.buffer = larger
    this.#view = viewOf(larger)
    this.start = 0
    this.end = begun
  }

  piece(piece: Piece): void {
    const { words } = piece
    const count = words.length
    this.reserve(count * 4)
    const view = this.#view
    let at = this.end
    for (let index = 0; index < count; index += 1) {
      view.setInt32(at, words[index]!, true)
      at += 4
    }
    this.end += piece.length
  }

  /**
   * Writes a text, if it is as {@link isPlainText} asks. The check is in the loop that writes, since reading the characters
   * of a string is the dearest part.
   *
   * @returns whether it was written
   */
  plain(text: string): boolean {
    const { length } = text
    if (length > LOOP_LENGTH_MAX) {
      if (!isPlainText(text)) return false
      this.ascii(text)
      return true
    }
    this.reserve(length)
    const { buffer } = this
    let at = this.end
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index)
      if (code < 32 || code > 126 || code === QUOTE || code === BACKSLASH) return false
      buffer[at] = code
      at += 1
    }
    this.end = at
    return true
  }

  ascii(text: string): void {
    this.reserve(text.length)
    this.end += this.buffer.write(text, this.end, 'latin1')
  }

  /**
   * @param text without half surrogate pairs
   * @returns how many bytes it has
   */
  text(text: string): number {
    const { length } = text
    this.reserve(length > COUNTED_LENGTH_MIN ? Buffer.byteLength(text) : 3 * length)
    const bytes = this.buffer.write(text, this.end, 'utf8')
    this.end += bytes
    return bytes
  }
}

/** Whether a text is printable ASCII without quote and backslash: its JSON form is itself, its bytes are its length. */
export function isPlainText(text: string): boolean {
  const { length } = text
  if (length > LOOP_LENGTH_MAX) return !NEEDS_CARE.test(text)
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 32 || code > 126 || code === QUOTE || code === BACKSLASH) return false
  }
  return true
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
