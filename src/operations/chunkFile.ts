import { type Packing, pack } from '../formats/packing.ts'
import type { DiskFile } from '../storage/disk.ts'

/** Text that is gathered before it is written, and what a member of a gzip file, or a frame of a zstd file, holds. */
const CHUNK_BYTES = 1024 * 1024
/** Chunks that are being packed at once. */
const PACKING_MAX = 4

/**
 * Text into a file, in chunks; each is told of when it is written. Packed, each chunk is a gzip
 * member or a zstd frame of its own, so that the file can be cut behind any of them and gone on with: readers join them
 * (RFC 1952, 2.2; RFC 8878, 3).
 */
export class ChunkFile {
  readonly #file: DiskFile
  readonly #packing: Packing | undefined
  #lines: string[] = []
  #length = 0
  #onWritten: (() => void)[] = []
  /** The last chunk that was handed on; chunks are written in their order. */
  #last: Promise<void> = Promise.resolve()
  #underWay = 0
  #failure: unknown

  constructor(file: DiskFile, options: { readonly packing: Packing | undefined }) {
    this.#file = file
    this.#packing = options.packing
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
    return this.#underWay < PACKING_MAX ? undefined : this.#last
  }

  /** Resolves when everything is in the file. */
  async flush(): Promise<void> {
    if (this.#onWritten.length > 0) this.#handOn()
    await this.#last
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What was gathered shall not wait for more. */
  hurry(): void {
    if (this.#onWritten.length > 0 && this.#underWay < PACKING_MAX) this.#handOn()
  }

  #handOn(): void {
    const bytes = Buffer.from(this.#lines.join(''))
    const onWritten = this.#onWritten
    this.#lines = []
    this.#length = 0
    this.#onWritten = []
    if (this.#packing === undefined && this.#underWay === 0) {
      this.#write(bytes, onWritten)
      return
    }
    const packed = this.#packing !== undefined && bytes.length > 0 ? pack(bytes, this.#packing) : bytes
    this.#underWay += 1
    this.#last = Promise.all([packed, this.#last]).then(
      ([chunk]) => {
        this.#underWay -= 1
        this.#write(chunk, onWritten)
      },
      (error: unknown) => {
        this.#underWay -= 1
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
