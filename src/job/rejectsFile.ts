import { HeadraceError } from '../runtime/headraceError.ts'
import { openSink, type Sink } from '../storage/openSink.ts'
import type { JobReject } from './reject.ts'
import { rejectLine } from './rejectLine.ts'

const BUFFER_CHARACTERS = 64 * 1024

/**
 * Rejects as JSON Lines, see `rejectLine`. The file is made with the first reject, readable by its owner only, and
 * never in place of another. When it can not be written on, such as on a full disk, its last line may be cut off.
 */
export class RejectsFile {
  readonly path: string
  readonly #open: (path: string) => Sink
  #file: Sink | undefined
  #failure: HeadraceError | undefined
  #text = ''
  #count = 0

  /** @param open another storage than this machine's disk */
  constructor(path: string, open: (path: string) => Sink = openSink) {
    this.path = path
    this.#open = open
  }

  get count(): number {
    return this.#count
  }

  /** @throws {HeadraceError} `CONFIGURATION` when the file can not be made or written */
  add(reject: JobReject): void {
    this.#count += 1
    this.#text += `${rejectLine(reject)}\n`
    if (this.#text.length > BUFFER_CHARACTERS || this.#file === undefined) this.flush()
  }

  /** @throws {HeadraceError} as {@link add}; once it has failed, each time */
  flush(): void {
    // A second try could leave a line twice, or half a line in between.
    if (this.#failure !== undefined) throw this.#failure
    if (this.#text === '') return
    try {
      this.#file ??= this.#open(this.path)
      this.#file.write(this.#text)
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`
      this.#failure = new HeadraceError(
        'CONFIGURATION',
        `cannot write rejected records to ${this.path}: ${reason}. Free some space, or choose another directory (--job)`,
        { cause: error },
      )
      throw this.#failure
    }
    this.#text = ''
  }

  /** @throws {HeadraceError} as {@link add}, unless it was told before */
  close(): void {
    try {
      if (this.#failure === undefined) this.flush()
    } finally {
      const file = this.#file
      this.#file = undefined
      file?.close()
    }
  }
}
