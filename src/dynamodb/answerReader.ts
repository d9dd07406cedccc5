import type { TransportAnswer } from './transport.ts'

/** The server does not speak HTTP/1.1 as RFC 9112 has it. Nothing that follows on this connection can be told apart. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
}

/** What the answers of DynamoDB say in front of their bodies is a quarter of a kibibyte. */
const HEAD_BYTES_MAX = 64 << 10
/** No operation answers with more than 16 MB (BatchGetItem); what announces far more is no DynamoDB. */
export const BODY_BYTES_MAX: number = 256 << 20
const CR = 13
const LF = 10
const HEAD_END = Buffer.from('\r\n\r\n')
const NO_BYTES: Buffer = Buffer.alloc(0)

type State = 'head' | 'length' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer' | 'untilClose' | 'done'
type MutableAnswer = { -readonly [Name in keyof TransportAnswer]: TransportAnswer[Name] }

/**
 * Reads answers of HTTP/1.1, one after another, however their bytes are cut into pieces (RFC 9112: §4 status line, §5
 * fields, §6 length of the body, §7.1 chunks). Of the fields it keeps the few that a {@link TransportAnswer} has.
 *
 * The pieces are copied, so their memory may be used again at once.
 */
export class AnswerReader {
  /** Whether another answer can follow on this connection. Known once {@link read} or {@link end} has said true. */
  persistent: boolean = true
  /** For how long the server keeps the connection when nothing is asked, as it says; undefined where it does not. */
  keepAliveMs: number | undefined
  #answer: MutableAnswer = emptyAnswer(0)
  #state: State = 'head'
  /** Bytes of a head, of the size of a chunk, or of a trailer, that have not come whole. */
  #part: Buffer = NO_BYTES
  /** Of the body, or of the chunk, what has not come. */
  #missing = 0
  #filled = 0
  #chunks: Buffer[] = []
  #chunkedBytes = 0

  /** Whether some of an answer has come. */
  get begun(): boolean {
    return this.#state !== 'head' || this.#part.length > 0
  }

  /** The answer that has come whole; the reader is then ready for the next. */
  take(): TransportAnswer {
    const answer = this.#answer
    this.#answer = EMPTY_ANSWER
    this.#state = 'head'
    this.#chunks = []
    this.#chunkedBytes = 0
    return answer
  }

  /**
   * @returns whether the answer is whole now
   * @throws {AnswerError} for what is no HTTP/1.1, or more than a bound
   */
  read(bytes: Buffer): boolean {
    let at = 0
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(bytes, at)
          break
        case 'length':
          at = this.#readBody(bytes, at)
          break
        case 'chunk':
          at = this.#readChunk(bytes, at)
          break
        case 'untilClose':
          this.#keep(bytes, at, bytes.length)
          at = bytes.length
          break
        case 'done':
          // What nobody has asked for. The answer before it is whole, and the connection ends with it.
          this.persistent = false
          return true
        default:
          at = this.#readLine(bytes, at)
      }
    }
    return this.#state === 'done'
  }

  /** The server has closed the connection. Returns whether that is how this answer ends. */
  end(): boolean {
    if (this.#state !== 'untilClose') return false
    this.#finish()
    return true
  }

  #readHead(bytes: Buffer, begin: number): number {
    if (this.#part.length === 0) {
      const end = bytes.indexOf(HEAD_END, begin)
      if (end !== -1) {
        this.#takeHead(bytes.toString('latin1', begin, end))
        return end + 4
      }
      this.#part = Buffer.from(bytes.subarray(begin))
    } else {
      const before = this.#part.length
      const joined = Buffer.concat([this.#part, bytes.subarray(begin)])
      // The end itself may be cut in two.
      const end = joined.indexOf(HEAD_END, Math.max(0, before - 3))
      if (end !== -1) {
        this.#part = NO_BYTES
        this.#takeHead(joined.toString('latin1', 0, end))
        return begin + end + 4 - before
      }
      this.#part = joined
    }
    if (this.#part.length > HEAD_BYTES_MAX) throw new AnswerError(`its header is longer than ${HEAD_BYTES_MAX} bytes`)
    return bytes.length
  }

  #takeHead(head: string): void {
    let lineEnd = head.indexOf('\r\n')
    if (lineEnd === -1) lineEnd = head.length
    const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(
      lineEnd > 64 ? head.slice(0, 64) : head.slice(0, lineEnd),
    )
    if (statusLine === null) throw new AnswerError(`it starts with ${JSON.stringify(head.slice(0, 40))}`)
    const status = Number(statusLine[2])
    const answer = emptyAnswer(status)
    let persistent = statusLine[1] === '1'
    let length = -1
    let chunked = false
    this.keepAliveMs = undefined
    for (let begin = lineEnd + 2; begin < head.length; begin = lineEnd + 2) {
      lineEnd = head.indexOf('\r\n', begin)
      if (lineEnd === -1) lineEnd = head.length
      const colon = head.indexOf(':', begin)
      if (colon <= begin || colon >= lineEnd) {
        throw new AnswerError(
          `its header has the line ${JSON.stringify(head.slice(begin, Math.min(lineEnd, begin + 40)))}`,
        )
      }
      // By length first: of most fields not even the name is read.
      switch (colon - begin) {
        case 4:
          if (isNamed(head, begin, 'date')) answer.date = head.slice(colon + 1, lineEnd).trim()
          break
        case 10:
          if (isNamed(head, begin, 'connection')) {
            const wish = head.slice(colon + 1, lineEnd).toLowerCase()
            if (/(?:^|,)\s*close\s*(?:,|$)/.test(wish)) persistent = false
            else if (/(?:^|,)\s*keep-alive\s*(?:,|$)/.test(wish)) persistent = true
          } else if (isNamed(head, begin, 'keep-alive')) {
            const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(head.slice(colon + 1, lineEnd))
            if (seconds !== null) this.keepAliveMs = Number(seconds[1]) * 1_000
          }
          break
        case 11:
          if (isNamed(head, begin, 'x-amz-crc32')) answer.crc32 = Number(head.slice(colon + 1, lineEnd))
          break
        case 14:
          if (isNamed(head, begin, 'content-length')) {
            length = contentLength(head.slice(colon + 1, lineEnd).trim(), length)
          }
          break
        case 16:
          if (isNamed(head, begin, 'x-amzn-requestid')) answer.requestId = head.slice(colon + 1, lineEnd).trim()
          else if (isNamed(head, begin, 'content-encoding')) {
            answer.gzip =
              head
                .slice(colon + 1, lineEnd)
                .trim()
                .toLowerCase() === 'gzip'
          }
          break
        case 17:
          if (isNamed(head, begin, 'x-amz-retry-after')) {
            answer.retryAfterMs = Number(head.slice(colon + 1, lineEnd))
          } else if (isNamed(head, begin, 'transfer-encoding')) {
            const coding = head.slice(colon + 1, lineEnd).trim()
            if (chunked || coding.toLowerCase() !== 'chunked') {
              throw new AnswerError(`its transfer-encoding is ${JSON.stringify(coding.slice(0, 40))}`)
            }
            chunked = true
          }
          break
      }
    }
    // An interim answer; the one that counts follows.
    if (status < 200) {
      if (status === 101) throw new AnswerError('it switches to another protocol')
      return
    }
    this.#answer = answer
    // With both of them, the chunks are what counts, and the connection is not to be used again (RFC 9112 §6.3).
    this.persistent = persistent && !(chunked && length !== -1)
    this.#filled = 0
    if (status === 204 || status === 304) this.#state = 'done'
    else if (chunked) this.#state = 'chunkSize'
    else if (length === -1) {
      this.#state = 'untilClose'
      this.persistent = false
    } else {
      this.#missing = length
      this.#state = length === 0 ? 'done' : 'length'
    }
  }

  #readBody(bytes: Buffer, begin: number): number {
    const end = Math.min(bytes.length, begin + this.#missing)
    if (this.#filled === 0 && end - begin === this.#missing) {
      this.#answer.body = Buffer.from(bytes.subarray(begin, end))
    } else {
      if (this.#filled === 0) this.#answer.body = Buffer.allocUnsafeSlow(this.#missing)
      bytes.copy(this.#answer.body, this.#filled, begin, end)
    }
    this.#filled += end - begin
    this.#missing -= end - begin
    if (this.#missing === 0) this.#state = 'done'
    return end
  }

  #readChunk(bytes: Buffer, begin: number): number {
    const end = Math.min(bytes.length, begin + this.#missing)
    this.#keep(bytes, begin, end)
    this.#missing -= end - begin
    if (this.#missing === 0) this.#state = 'chunkEnd'
    return end
  }

  /** One line of what stands between the pieces of a chunked body. */
  #readLine(bytes: Buffer, begin: number): number {
    const lineFeed = bytes.indexOf(LF, begin)
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1
    this.#part = Buffer.concat([this.#part, bytes.subarray(begin, end)])
    if (this.#part.length > HEAD_BYTES_MAX) throw new AnswerError('a line between its chunks does not end')
    if (lineFeed === -1) return end
    const part = this.#part
    this.#part = NO_BYTES
    if (part.at(-2) !== CR) throw new AnswerError('a line between its chunks ends without carriage return')
    const line = part.toString('latin1', 0, part.length - 2)
    if (this.#state === 'trailer') {
      if (line === '') this.#finish()
    } else if (this.#state === 'chunkEnd') {
      if (line !== '') throw new AnswerError('a chunk is longer than announced')
      this.#state = 'chunkSize'
    } else {
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;|$)/i.exec(line)
      if (size === null) throw new AnswerError(`the size of a chunk is ${JSON.stringify(line.slice(0, 40))}`)
      this.#missing = Number.parseInt(size[1]!, 16)
      this.#state = this.#missing === 0 ? 'trailer' : 'chunk'
    }
    return end
  }

  #keep(bytes: Buffer, begin: number, end: number): void {
    this.#chunkedBytes += end - begin
    if (this.#chunkedBytes > BODY_BYTES_MAX) throw new AnswerError(`its body is longer than ${BODY_BYTES_MAX} bytes`)
    this.#chunks.push(Buffer.from(bytes.subarray(begin, end)))
  }

  #finish(): void {
    this.#answer.body = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#state = 'done'
  }
}

function emptyAnswer(status: number): MutableAnswer {
  return { status, body: NO_BYTES, crc32: undefined, requestId: '', gzip: false, date: '', retryAfterMs: undefined }
}

const EMPTY_ANSWER: MutableAnswer = emptyAnswer(0)

function isNamed(head: string, begin: number, name: string): boolean {
  // The last letter tells most names of one length apart before any string is made.
  const last = begin + name.length - 1
  return (
    (head.charCodeAt(last) | 32) === name.charCodeAt(name.length - 1) &&
    head.slice(begin, last + 1).toLowerCase() === name
  )
}

function contentLength(text: string, before: number): number {
  const length = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (length === -1 || (before !== -1 && before !== length)) {
    throw new AnswerError(`its content-length is ${JSON.stringify(text.slice(0, 40))}`)
  }
  if (length > BODY_BYTES_MAX) throw new AnswerError(`it announces ${length} bytes`)
  return length
}
