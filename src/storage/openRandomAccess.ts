import { open } from 'node:fs/promises'
import { fileSentence } from './fileSentence.ts'
import { StorageError } from './storageError.ts'

/** Bytes that can be read from anywhere until they are closed. */
export interface OpenBytes extends AsyncDisposable {
  readonly sizeBytes: number
  /** So far. */
  readonly bytesTaken: number
  /** @returns just so many; fewer only where there are fewer now */
  read(start: number, length: number): Promise<Uint8Array>
}

/**
 * A file of this machine.
 *
 * @throws {StorageError} for what is not there or can not be read; from `read`, too
 */
export async function openRandomAccess(path: string): Promise<OpenBytes> {
  try {
    const handle = await open(path)
    const { size } = await handle.stat()
    let bytesTaken = 0
    return {
      sizeBytes: size,
      get bytesTaken() {
        return bytesTaken
      },
      async read(start, length) {
        try {
          const bytes = Buffer.allocUnsafeSlow(length)
          const { bytesRead } = await handle.read(bytes, 0, length, start)
          bytesTaken += bytesRead
          return bytes.subarray(0, bytesRead)
        } catch (cause) {
          throw new StorageError(fileSentence(path, cause), path, { cause })
        }
      },
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
}
