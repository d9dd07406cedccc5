/** Longest piece handed on: bounds what one step of a reader holds, whatever the caller hands in. */
const PIECE_BYTES_MAX = 256 * 1024

/**
 * A stream of bytes whose beginning can be looked at before it is read. Pieces are at most 256 KiB and never empty.
 * A failure of the stream is thrown only when everything before it has been taken.
 */
export class ByteSource implements AsyncIterable<Buffer> {
  readonly #pieces: AsyncGenerator<Buffer>
  #head: Buffer[] = []
  #headBytes = 0
  #ended = false
  #failure: { readonly error: unknown } | undefined

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces(chunks)
  }

  /** The first bytes, at least `bytesMin` of them unless the stream is shorter. Leaves them to be read. */
  async head(bytesMin: number): Promise<Buffer> {
    while (this.#headBytes < bytesMin && !this.#ended) {
      try {
        const next = await this.#pieces.next()
        if (next.done) {
          this.#ended = true
        } else {
          this.#head.push(next.value)
          this.#headBytes += next.value.length
        }
      } catch (error) {
        this.#failure = { error }
        this.#ended = true
      }
    }
    return this.#head.length === 1 ? this.#head[0]! : Buffer.concat(this.#head)
  }

  [Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    return this.from(0)
  }

  /** The pieces from byte `start` on, which must lie within what {@link head} has returned. */
  async *from(start: number): AsyncGenerator<Buffer> {
    const head = this.#head
    this.#head = []
    let skip = start
    try {
      for (const piece of head) {
        if (skip < piece.length) yield skip === 0 ? piece : piece.subarray(skip)
        skip = Math.max(0, skip - piece.length)
      }
      if (this.#failure !== undefined) throw this.#failure.error
      if (!this.#ended) yield* this.#pieces
    } finally {
      await this.close()
    }
  }

  /** Releases the stream when it will not be read. */
  async close(): Promise<void> {
    await this.#pieces.return(undefined)
  }
}

async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let start = 0; start < bytes.length; start += PIECE_BYTES_MAX) {
      yield bytes.subarray(start, start + PIECE_BYTES_MAX)
    }
  }
}
