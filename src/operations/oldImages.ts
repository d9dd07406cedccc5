import type { Change } from '../item/edit.ts'
import { type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { DiskFile } from '../storage/disk.ts'
import type { RawItem } from './prepareChange.ts'

/** Where a job keeps what it changes, in its directory. */
export const OLD_IMAGES = 'old.jsonl'

/** What a change does to an item, both ways: a line of {@link OLD_IMAGES}. Attributes are in DynamoDB JSON. */
export interface OldImage {
  readonly key: Attributes
  /** The image before this one of the same key is of a change that was never made. */
  readonly void?: true | undefined
  /** The item is deleted; `old` is all of it but its key. */
  readonly deleted?: true | undefined
  /** The item is made, where there was none; `new` is all of it but its key. */
  readonly created?: true | undefined
  /** The attributes that are changed, as they were: those that are not here were not there. */
  readonly old: Attributes
  /** As they become: those that are not here go. */
  readonly new?: Attributes | undefined
  /** Write units that the change takes, about, and so does putting it back. */
  readonly units?: number | undefined
}

type Attributes = { readonly [name: string]: unknown }

/** Changes wait so long for company, as each file that is brought to the disk takes a millisecond. */
const GATHER_MS = 10
const GATHER_MAX = 500

/** Keeps the old images of a job. A change is sent when its image is on the disk, and not before. */
export class OldImages {
  readonly #directory: JobDirectory
  readonly #file: DiskFile
  #nameIsKept = false
  readonly #clock: Clock
  readonly #schema: KeySchema
  readonly #onFailure: (error: unknown) => void
  #lines: string[] = []
  #onKept: (() => void)[] = []
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closed = false

  /** @param onFailure told when images can not be kept; nothing more is sent then */
  constructor(directory: JobDirectory, clock: Clock, schema: KeySchema, onFailure: (error: unknown) => void) {
    this.#directory = directory
    this.#file = directory.log(OLD_IMAGES)
    this.#clock = clock
    this.#schema = schema
    this.#onFailure = onFailure
  }

  /**
   * @param units that the change takes
   * @param onKept sends the change
   */
  keep(change: Change, raw: RawItem, units: number, onKept: () => void): void {
    this.#lines.push(`${imageText(change, raw, units, this.#schema)}\n`)
    this.#onKept.push(onKept)
    if (this.#onKept.length >= GATHER_MAX) this.#write()
    else this.#timer ??= this.#clock.setTimer(() => this.#write(), GATHER_MS)
  }

  /** The change that was kept last for this item was not made. */
  cancel(keyText: string): void {
    this.#lines.push(`{"key":${keyText},"void":true}\n`)
  }

  /** Resolves when nothing waits for its image. */
  async flush(): Promise<void> {
    while (!this.#closed && (this.#writing !== undefined || this.#onKept.length > 0)) {
      this.#write()
      await this.#writing
    }
  }

  close(): void {
    this.#closed = true
    this.#timer?.clear()
    this.#timer = undefined
  }

  #write(): void {
    this.#timer?.clear()
    this.#timer = undefined
    // The next ones go together when these are done.
    if (this.#writing !== undefined || this.#closed || this.#onKept.length === 0) return
    const onKept = this.#onKept
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#onKept = []
    this.#writing = this.#sync(bytes)
      .then(() => {
        this.#writing = undefined
        if (this.#closed) return
        for (const kept of onKept) kept()
        this.#write()
      })
      .catch((error: unknown) => {
        this.close()
        this.#onFailure(this.#words(error))
      })
  }

  #words(error: unknown): unknown {
    if (!(error instanceof Error) || !('code' in error)) return error
    const where = this.#directory.pathOf(OLD_IMAGES)
    const message = `cannot write old images to ${where}: ${error.message}. Free some space, and resume`
    return new HeadraceError('CONFIGURATION', message, { cause: error })
  }

  async #sync(bytes: Buffer): Promise<void> {
    this.#file.write(bytes)
    await this.#file.sync()
    if (this.#nameIsKept) return
    // Once: a machine that goes down before the first checkpoint may forget that there is such a file.
    await this.#directory.syncNames()
    this.#nameIsKept = true
  }
}

function imageText(change: Change, raw: RawItem, units: number, schema: KeySchema): string {
  const keyNames = keyNamesOf(schema)
  const textOf = (names: readonly string[], texts: readonly (string | undefined)[]): string =>
    `{${names
      .flatMap((name, index) => (texts[index] === undefined ? [] : [`${JSON.stringify(name)}:${texts[index]}`]))
      .join(',')}}`
  const key = textOf(keyNames, change.key)
  if (change.deletes) {
    const names = raw.names().filter((name) => !keyNames.includes(name))
    const old = textOf(
      names,
      names.map((name) => raw.attribute(name)),
    )
    return `{"key":${key},"deleted":true,"old":${old},"units":${units}}`
  }
  const created = change.creates === true ? '"created":true,' : ''
  const names = [...change.setNames, ...change.removeNames]
  const old = textOf(
    names,
    names.map((name) => raw.attribute(name)),
  )
  return `{"key":${key},${created}"old":${old},"new":${textOf(change.setNames, change.setTexts)},"units":${units}}`
}

/** The change that puts it back, on condition that the item is as the job left it. */
export function changeBack(image: OldImage, schema: KeySchema): Change {
  const keyNames = keyNamesOf(schema)
  const key = keyNames.map((name) => JSON.stringify(image.key[name]))
  const setNames = Object.keys(image.old)
  const setTexts = setNames.map((name) => JSON.stringify(image.old[name]))
  if (image.deleted === true) {
    return { key, deletes: false, creates: true, setNames, setTexts, removeNames: [], expectNames: [], expectTexts: [] }
  }
  const after = image.new ?? {}
  if (image.created === true) {
    const names = Object.keys(after)
    const expectTexts = names.map((name) => JSON.stringify(after[name]))
    return { key, deletes: true, setNames: [], setTexts: [], removeNames: [], expectNames: names, expectTexts }
  }
  const removeNames = Object.keys(after).filter((name) => !Object.hasOwn(image.old, name))
  const expectNames = [...new Set([...setNames, ...Object.keys(after)])]
  return {
    key,
    deletes: false,
    setNames,
    setTexts,
    removeNames,
    expectNames,
    expectTexts: expectNames.map((name) => (Object.hasOwn(after, name) ? JSON.stringify(after[name]) : undefined)),
  }
}
