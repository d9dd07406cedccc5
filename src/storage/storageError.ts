import { HeadraceError } from '../runtime/headraceError.ts'

/** Named bytes that can not be read or written. The message says which, why, and what to do. */
export class StorageError extends HeadraceError {
  /** The path or address, as it was given. */
  readonly path: string

  constructor(message: string, path: string, options: { cause?: unknown } = {}) {
    super('INPUT', message, options)
    this.path = path
  }
}
