import { createReadStream } from 'node:fs'
import { fileSentence } from './fileSentence.ts'
import { StorageError } from './storageError.ts'

const CHUNK_BYTES = 256 * 1024

export interface OpenSourceOptions {
  /** The stream that the path `-` stands for, such as `process.stdin`. */
  readonly stdin?: AsyncIterable<Uint8Array>
}

/**
 * The bytes of a file, in chunks of 256 KiB, or of the caller's stream for the path `-`. The file is opened when the
 * first chunk is asked for, and closed when the last was given or the loop is left.
 *
 * @throws {StorageError} from the iteration, for a file that is not there, is a directory, or can not be read.
 * @throws {TypeError} for `-` without a stream.
 */
export function openSource(path: string, options: OpenSourceOptions = {}): AsyncIterable<Uint8Array> {
  if (path !== '-') return readFile(path)
  if (options.stdin === undefined) throw new TypeError('the path "-" needs options.stdin, the stream to read')
  return options.stdin
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES })
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
}
