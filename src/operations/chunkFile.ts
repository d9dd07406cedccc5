import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { DiskFile } from '../storage/disk.ts'

/** Text that is gathered before it is written, and what a member of a gzip file holds. */
const CHUNK_BYTES = 1024 * 1024
/** Chunks that are being packed at once. */
const PACKING_MAX = 4

const pack = promisify(gzip)

/**
 * Text into a file, in chunks; each is told of when it is written. With gzip each chunk is a member of its own, so that
 * the file can be cut behind any of them and gone on with: readers join the members (RFC 1952, 2.2).
 */
export class ChunkFile {
  readonly #file: DiskFile
  readonly #gzip: boolean
  #lines: string[] = []
  #length = 0
  #onWritten: (() => void)[] = []
  /** The last chunk that was handed on; chunks are written in their order. */
  #last: Promise<void> = Promise.resolve()
  #packing = 0
  #failure: unknown

  constructor(file: DiskFile, options: { readonly gzip: boolean }) {
    this.#file = file
    this.#gzip = options.gzip
  }

  /**
   * @param text whole lines
   * @param onWritten called when they are in the file
   * @returns a promise when there is something to wait for before more is given
   * @throws what the file system said when something could not be written
   */
  write(text: string, onWritten: () => void): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    if (text !== '') this.#lines.push(text)
    this.#length += text.length
    this.#onWritten.push(onWritten)
    if (this.#length < CHUNK_BYTES) return undefined
    this.#handOn()
    return this.#packing < PACKING_MAX ? undefined : this.#last
  }

  /** Resolves when everything is in the file. */
  async flush(): Promise<void> {
    if (this.#onWritten.length > 0) this.#handOn()
    await this.#last
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What was gathered shall not wait for more. */
  hurry(): void {
    if (this.#onWritten.length > 0 && this.#packing < PACKING_MAX) this.#handOn()
  }

  #handOn(): void {
    const bytes = Buffer.from(this.#lines.join(''))
    const onWritten = this.#onWritten
    this.#lines = []
    this.#length = 0
    this.#onWritten = []
    if (!this.#gzip && this.#packing === 0) {
      this.#write(bytes, onWritten)
      return
    }
    const packed = this.#gzip && bytes.length > 0 ? pack(bytes, { level: constants.Z_BEST_SPEED }) : bytes
    this.#packing += 1
    this.#last = Promise.all([packed, this.#last]).then(
      ([chunk]) => {
        this.#packing -= 1
        this.#write(chunk, onWritten)
      },
      (error: unknown) => {
        this.#packing -= 1
        this.#failure ??= error
      },
    )
  }

  #write(bytes: Buffer, onWritten: readonly (() => void)[]): void {
    if (this.#failure !== undefined) return
    try {
      if (bytes.length > 0) this.#file.write(bytes)
      for (const told of onWritten) told()
    } catch (error) {
      // Thrown to whoever writes or flushes next.
      this.#failure = error
    }
  }
}
