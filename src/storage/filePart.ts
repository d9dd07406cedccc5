import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileSentence } from './fileSentence.ts'
import { openSource } from './openSource.ts'
import { StorageError } from './storageError.ts'

/** Small, so that what was taken is hardly more than what was looked at. */
const CHUNK_BYTES = 16 * 1024
const NEWLINE = 10

/**
 * Bytes of a file as it lies on the disk.
 *
 * @throws {StorageError} for what is not there, and for what can be read only once, such as a pipe
 */
export async function fileBytes(path: string): Promise<number> {
  try {
    const stats = await stat(path)
    if (stats.isFile()) return stats.size
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
  throw new StorageError(`"${path}" is not a regular file and can be read only once. Write it to a file first.`, path)
}

/** A file from some place on, counting what is taken of it. */
export class FilePart {
  bytesTaken = 0
  readonly #path: string
  readonly #from: number
  readonly #open: (start: number) => AsyncIterable<Uint8Array>

  /**
   * @param from where to begin; above 0, with the next line
   * @param open the bytes from an offset on, in small pieces. Default: of a file of this machine
   */
  constructor(path: string, from = 0, open: (start: number) => AsyncIterable<Uint8Array> = readPieces(path)) {
    this.#path = path
    this.#from = from
    this.#open = open
  }

  /** @throws {StorageError} from the iteration, as {@link openSource} */
  chunks(): AsyncIterable<Uint8Array> {
    return openSource(this.#path, { open: () => this.#read() })
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    let inLine = this.#from > 0
    // The byte before says whether a line begins here.
    const start = inLine ? this.#from - 1 : 0
    for await (const chunk of this.#open(start)) {
      let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (inLine) {
        const end = bytes.indexOf(NEWLINE)
        if (end === -1) continue
        inLine = false
        bytes = bytes.subarray(end + 1)
      }
      this.bytesTaken += bytes.length
      if (bytes.length > 0) yield bytes
    }
  }
}

function readPieces(path: string): (start: number) => AsyncIterable<Uint8Array> {
  return (start) => createReadStream(path, { start, highWaterMark: CHUNK_BYTES })
}
