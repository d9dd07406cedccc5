import { createReadStream } from 'node:fs'
import { fileSentence } from './fileSentence.ts'
import { StorageError } from './storageError.ts'

const CHUNK_BYTES = 64 * 1024

export interface OpenSourceOptions {
  /** The stream that the path `-` stands for, such as `process.stdin`. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined
  /** Another storage: the bytes of what has this name, from an offset on. Default: a file of this machine. */
  readonly open?: ((path: string, start: number) => AsyncIterable<Uint8Array>) | undefined
  /** First byte that is wanted. Default 0. */
  readonly start?: number | undefined
}

/**
 * The bytes of a file, in chunks of 64 KiB, or of the caller's stream for the path `-`. The file is opened when the
 * first chunk is asked for, and closed when the last was given or the loop is left.
 *
 * @throws {StorageError} from the iteration, for a file that is not there, is a directory, or can not be read, also where
 *   that shows only half-way; and for a stream that fails.
 * @throws {TypeError} for `-` without a stream.
 */
export function openSource(path: string, options: OpenSourceOptions = {}): AsyncIterable<Uint8Array> {
  const { stdin, open = readFile, start = 0 } = options
  if (path !== '-') return read(path, () => open(path, start))
  if (stdin === undefined) throw new TypeError('the path "-" requires options.stdin, the stream to read')
  return read(path, () => stdin)
}

function readFile(path: string, start: number): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: CHUNK_BYTES, start })
}

async function* read(path: string, open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* open()
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
}
