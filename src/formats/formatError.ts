import { HeadraceError } from '../runtime/headraceError.ts'

/** Where in a file reading could not go on. */
export interface FormatPlace {
  readonly file: string
  /** Counted from 1. */
  readonly line?: number | undefined
  /** Bytes from the start of the file; of the compressed file where it is the compression that is broken. */
  readonly offset?: number | undefined
}

/**
 * A file that can not be read on, as opposed to one bad record in it. The message says what is wrong, where, and what
 * to do. Whatever was complete before that place has been handed out.
 */
export class FormatError extends HeadraceError {
  readonly filePlace: FormatPlace
  readonly #what: string

  constructor(message: string, place: FormatPlace, options: { cause?: unknown } = {}) {
    const line = place.line === undefined ? '' : `:${place.line}`
    super('INPUT', `${place.file}${line}: ${message}`, options)
    this.filePlace = place
    this.#what = message
  }

  /** The same error, saying also how many records were read before it. */
  after(records: number): FormatError {
    const several = `The ${records} complete records before it were read.`
    const read = ['No record was read.', 'The one complete record before it was read.'][records] ?? several
    const sentence = /[.!?]$/.test(this.#what) ? this.#what : `${this.#what}.`
    return new FormatError(`${sentence} ${read}`, this.filePlace, { cause: this.cause ?? this })
  }
}
