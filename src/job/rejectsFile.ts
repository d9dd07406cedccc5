import { closeSync, openSync, writeSync } from 'node:fs'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { JobReject } from './reject.ts'

const BUFFER_CHARACTERS = 64 * 1024

/**
 * Rejects as JSON Lines: `{"code":…,"message":…,"place":…,"item":{…}}` with the item in DynamoDB JSON, or
 * `"raw":"…"` where the record is not an item. The file is made with the first reject, readable by its owner only, and
 * never in place of another.
 */
export class RejectsFile {
  readonly path: string
  readonly #encoder = new ItemEncoder()
  #file: number | undefined
  #text = ''
  #count = 0

  constructor(path: string) {
    this.path = path
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

  flush(): void {
    if (this.#text === '') return
    try {
      this.#file ??= openSync(this.path, 'ax', 0o600)
      writeSync(this.#file, this.#text)
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`
      throw new HeadraceError(
        'CONFIGURATION',
        `the rejects can not be written to ${this.path}: ${reason}. Name another file with --rejects`,
      )
    }
    this.#text = ''
  }

  close(): void {
    this.flush()
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
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
