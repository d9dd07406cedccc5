/** Large enough that allocating is rare, small enough that one entry that waits long keeps little else alive. */
const SLAB_BYTES = 64 * 1024
const COMMA = 44

/**
 * Where entries lie while they wait: text is written behind the last one as bytes, outside of the garbage collector's
 * heap. As strings, ten thousand waiting entries were half a million small objects to be copied and marked over and over,
 * and that was 44 % of the time a publisher took (`node --cpu-prof`, bench/loop/headracePublish.ts).
 *
 * A full slab is forgotten here and lives as long as the entries in it.
 */
export class Slab {
  /** Where the last text went: `buffer` from `start` to `end`. */
  buffer: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
  start = 0
  end = -1

  /**
   * A comma goes between two texts, so that neighbours can be copied together.
   *
   * @param bytes of the text in UTF-8; as many as it has characters when it is ASCII
   */
  write(text: string, bytes: number): void {
    let offset = this.end + 1
    if (offset + bytes > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
      offset = 0
    } else {
      this.buffer[offset - 1] = COMMA
    }
    this.start = offset
    this.end = offset + this.buffer.write(text, offset, bytes === text.length ? 'latin1' : 'utf8')
  }
}

const BODY_SLAB_BYTES = 256 * 1024

/** Memory for the bodies of requests, cut from larger pieces: a batch is above what Node itself pools. */
export class BodySlab {
  #buffer: Buffer = Buffer.alloc(0)
  #end = 0

  /** Bytes of unknown content. */
  cut(bytes: number): Buffer {
    if (this.#end + bytes > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(BODY_SLAB_BYTES, bytes))
      this.#end = 0
    }
    this.#end += bytes
    return this.#buffer.subarray(this.#end - bytes, this.#end)
  }
}
