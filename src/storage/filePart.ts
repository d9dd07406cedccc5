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
  throw new StorageError(`"${path}" is no file: it can be read only once. Put it into a file first.`, path)
}

/** A file from some place on, counting what is taken of it. */
export class FilePart {
  bytesTaken = 0
  readonly #path: string
  readonly #from: number

  /** @param from where to begin; above 0, with the next line */
  constructor(path: string, from = 0) {
    this.#path = path
    this.#from = from
  }

  /** @throws {StorageError} from the iteration, as {@link openSource} */
  chunks(): AsyncIterable<Uint8Array> {
    return openSource(this.#path, { open: (path) => this.#read(path) })
  }

  async *#read(path: string): AsyncGenerator<Uint8Array> {
    let inLine = this.#from > 0
    // The byte before says whether a line begins here.
    const start = inLine ? this.#from - 1 : 0
    for await (const chunk of createReadStream(path, { start, highWaterMark: CHUNK_BYTES })) {
      let bytes = chunk as Buffer
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
