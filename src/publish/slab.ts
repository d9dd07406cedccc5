import type { PlainItem } from '../item/attributeValue.ts'
import { GETTER_WRITES, type ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { Utf8Writer } from '../item/utf8Writer.ts'
import type { ChangePlan } from './changeBatch.ts'

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
  buffer: Buffer
  start = 0
  end = -1
  #isWriting = false
  readonly #writer: Utf8Writer

  /** @param bytes of a slab; a text that is longer has one of its own */
  constructor(bytes: number = SLAB_BYTES) {
    this.#writer = new Utf8Writer(bytes)
    this.buffer = this.#writer.buffer
  }

  /**
   * Writes an item. A comma goes between two texts, so that neighbours can be copied together.
   *
   * @throws {ItemError} as `ItemEncoder.encode`, and when an attribute's getter writes here meanwhile; then the slab is as
   *   before
   */
  writeItem(encoder: ItemEncoder, item: PlainItem): void {
    this.#begin()
    try {
      encoder.write(item, this.#writer)
      this.#commit()
    } finally {
      this.#isWriting = false
    }
  }

  /**
   * Writes the parameters of a change: the values that it sets, its key, and the values that it expects, in the order of
   * its statement and with commas between.
   *
   * @param plan says which: a getter that gives nothing any more is then an error, and no parameter too few
   * @returns bytes that are set, names and values
   * @throws {ItemError} as {@link writeItem}
   */
  writeParameters(
    encoder: ItemEncoder,
    { partition, sort }: KeySchema,
    plan: ChangePlan,
    key: PlainItem,
    set: { readonly [name: string]: unknown } | undefined,
    expect: { readonly [name: string]: unknown },
  ): number {
    const { setNames, expectNames, expectMissing } = plan
    let bytesSet = 0
    this.#begin()
    try {
      const writer = this.#writer
      for (let index = 0; index < setNames.length; index += 1) {
        const name = setNames[index]!
        encoder.writeValue(set![name], writer, name)
        bytesSet += encoder.sizeBytes + name.length
      }
      encoder.writeValue(key[partition.name], writer, partition.name)
      if (sort !== undefined) encoder.writeValue(key[sort.name], writer, sort.name)
      for (let index = 0; index < expectNames.length; index += 1) {
        const name = expectNames[index]!
        if (!expectMissing[index]!) encoder.writeValue(expect[name], writer, name)
      }
      writer.end -= 1
      this.#commit()
      return bytesSet
    } finally {
      this.#isWriting = false
    }
  }

  /** @param bytes of the text in UTF-8; as many as it has characters when it is ASCII */
  write(text: string, bytes: number): void {
    this.#begin()
    if (bytes === text.length) this.#writer.ascii(text)
    else this.#writer.text(text)
    this.#commit()
    this.#isWriting = false
  }

  /** The next text begins behind the last that is whole: what was begun and not finished is written over. */
  #begin(): void {
    if (this.#isWriting) throw new ItemError(GETTER_WRITES)
    this.#isWriting = true
    const { buffer, end } = this
    if (end >= 0 && end < buffer.length) buffer[end] = COMMA
    this.#writer.open(buffer, Math.min(end + 1, buffer.length))
  }

  #commit(): void {
    const { buffer, start, end } = this.#writer
    this.buffer = buffer
    this.start = start
    this.end = end
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
