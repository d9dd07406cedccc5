import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { openSink, type Sink } from '../storage/openSink.ts'
import type { JobReject } from './reject.ts'

const BUFFER_CHARACTERS = 64 * 1024

/**
 * Rejects as JSON Lines: `{"code":…,"message":…,"place":…,"item":{…}}` with the item in DynamoDB JSON, or
 * `"raw":"…"` where the record is not an item. The file is made with the first reject, readable by its owner only, and
 * never in place of another. When it can not be written on, such as on a full disk, its last line may be cut off.
 */
export class RejectsFile {
  readonly path: string
  readonly #encoder = new ItemEncoder()
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
    const { code, message, place, item, raw } = reject
    this.#count += 1
    this.#text += `${JSON.stringify({ code, message, place })!.slice(0, -1)}${this.#content(item, raw)}}\n`
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
        `the rejects can not be written to ${this.path}: ${reason}. Free some space, or give the job another directory with --job`,
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

  #content(item: JobReject['item'], raw: string | undefined): string {
    if (raw !== undefined) return `,"raw":${JSON.stringify(raw)}`
    if (item === undefined) return ''
    try {
      return `,"item":${this.#encoder.encode(item)}`
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      // What DynamoDB would not take has no DynamoDB JSON; what JSON can show of it is better than nothing.
      return `,"raw":${JSON.stringify(shown(item))}`
    }
  }
}

function shown(item: object): string {
  try {
    return JSON.stringify(item, showUnusual) ?? ''
  } catch (error) {
    // Without end, such as an object that holds itself.
    return `can not be shown: ${error instanceof Error ? error.message : error}`
  }
}

function showUnusual(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return String(value)
  if (value instanceof Set) return [...value]
  return value
}
