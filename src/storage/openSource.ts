import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { StorageError } from './storageError.ts'

const CHUNK_BYTES = 256 * 1024

export interface OpenSourceOptions {
  /** The stream that the path `-` stands for, such as `process.stdin`. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Another storage: the bytes of what has this name. Default: a file of this machine. */
  readonly open?: (path: string) => AsyncIterable<Uint8Array>
}

/**
 * The bytes of a file, in chunks of 256 KiB, or of the caller's stream for the path `-`. The file is opened when the
 * first chunk is asked for, and closed when the last was given or the loop is left.
 *
 * @throws {StorageError} from the iteration, for a file that is not there, is a directory, or can not be read, also where
 *   that shows only half-way; and for a stream that fails.
 * @throws {TypeError} for `-` without a stream.
 */
export function openSource(path: string, options: OpenSourceOptions = {}): AsyncIterable<Uint8Array> {
  const { stdin, open = readFile } = options
  if (path !== '-') return read(path, () => open(path))
  if (stdin === undefined) throw new TypeError('the path "-" needs options.stdin, the stream to read')
  return read(path, () => stdin)
}

function readFile(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: CHUNK_BYTES })
}

async function* read(path: string, open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* open()
  } catch (cause) {
    throw new StorageError(sentence(path, cause), path, { cause })
  }
}

function sentence(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `There is no file "${path}" (looked for ${resolve(path)}). Check the name.`
    case 'EISDIR':
      return `"${path}" is a directory. Name a file in it.`
    case 'EACCES':
    case 'EPERM':
      return `"${path}" may not be read by this user. Check its permissions.`
    case 'EMFILE':
    case 'ENFILE':
      return `"${path}" can not be opened: too many files are open. Raise the limit (ulimit -n).`
    default:
      return `${path === '-' ? 'Standard input' : `"${path}"`} can not be read: ${cause instanceof Error ? cause.message : cause}`
  }
}
