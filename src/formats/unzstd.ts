import { pipeline } from 'node:stream'
import type { ByteSource } from './byteSource.ts'
import { FormatError } from './formatError.ts'
import { NEEDS_NODE, ZstdFrames, zstd } from './zstd.ts'

const OUTPUT_BYTES = 64 * 1024
/** A frame may ask for so much memory, 8 MiB, which is what `zstd -19` makes (zstd(1)). */
const WINDOW_LOG_MAX = 23

/**
 * As `gunzip` does for gzip: frames one after another, and a frame that is cut short is an error. What was unpacked waits
 * until somebody takes it, so that a small file that becomes a large one takes no memory.
 *
 * @throws {FormatError} where the data is cut short or damaged, or this Node has no zstd
 */
export async function* unzstd(source: ByteSource, file: string): AsyncGenerator<Buffer> {
  if (zstd === undefined) {
    const what = `the file is compressed with zstd, which ${NEEDS_NODE}. Unpack it: zstd -dc`
    throw new FormatError(what, { file, offset: 0 })
  }
  const packed = new PackedFrames(source, file)
  try {
    while (await packed.hasFrame()) yield* unpackFrame(packed, file)
  } finally {
    await packed.close()
  }
}

async function* unpackFrame(packed: PackedFrames, file: string): AsyncGenerator<Buffer> {
  const params = { [zstd!.constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX }
  const engine = zstd!.createZstdDecompress({ chunkSize: OUTPUT_BYTES, params })
  // What goes wrong comes out of the engine.
  pipeline(packed.frame(), engine, () => undefined)
  try {
    yield* engine as AsyncIterable<Buffer>
  } catch (cause) {
    if (cause instanceof FormatError) throw cause
    // Node 24 says so with an error, Node 22 with an early end.
    if (packed.isCut) throw cutShort(packed, file, cause)
    const { message, code } = cause as NodeJS.ErrnoException
    const advice = code?.endsWith('windowTooLarge')
      ? 'unpacking it needs more than 8 MiB of memory (zstd --ultra or --long). Unpack it: zstd -dc --long=31'
      : `the zstd data is damaged at about compressed byte ${packed.offset} (${message}). Download or create the file again.`
    throw new FormatError(advice, { file, offset: packed.offset }, { cause })
  } finally {
    engine.destroy()
  }
  if (packed.isCut) throw cutShort(packed, file)
}

function cutShort({ offset }: PackedFrames, file: string, cause?: unknown): FormatError {
  const what = `the zstd data ends early, after ${offset} compressed bytes: the file is truncated`
  return new FormatError(`${what}. Download or create the file again.`, { file, offset }, { cause })
}

/** The bytes of one frame after another. */
class PackedFrames {
  readonly #pieces: AsyncGenerator<Buffer>
  readonly #file: string
  readonly #frames = new ZstdFrames()
  #piece: Buffer = Buffer.alloc(0)
  #at = 0
  /** Bytes that were taken. */
  offset = 0
  /** The data ended within a frame. */
  isCut = false

  constructor(source: ByteSource, file: string) {
    this.#pieces = source.from(0)
    this.#file = file
  }

  /** Whether there is another one, or something that should be one. */
  async hasFrame(): Promise<boolean> {
    while (this.#at === this.#piece.length) {
      const next = await this.#pieces.next()
      if (next.done === true) return false
      this.#piece = next.value
      this.#at = 0
    }
    return true
  }

  /** Its bytes; also of one that holds no data, of which the engine makes nothing. */
  async *frame(): AsyncGenerator<Buffer> {
    do {
      if (!(await this.hasFrame())) {
        this.isCut = true
        return
      }
      const count = this.#frames.take(this.#piece, this.#at)
      if (count === undefined) {
        const what = `the zstd data is damaged at about compressed byte ${this.offset} (there is other data after it)`
        throw new FormatError(`${what}. Download or create the file again.`, { file: this.#file, offset: this.offset })
      }
      const bytes = this.#piece.subarray(this.#at, this.#at + count)
      this.#at += count
      this.offset += count
      yield bytes
    } while (!this.#frames.isBetween)
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined)
  }
}
