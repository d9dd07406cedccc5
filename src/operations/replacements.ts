import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { Change } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { itemKey, type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { keyAttributes } from '../item/keyAttributes.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import { CONFLICTS_MAX, conflictsWords } from '../publish/conflictResolver.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import type { JobRun } from './jobRun.ts'
import { type Attributes, KEYS_MAX, KeyReader } from './keyReader.ts'
import { OldImages } from './oldImages.ts'
import { changeUnits, prepareChange, type RawItem, rawItem } from './prepareChange.ts'

export interface ReplacementsOptions {
  readonly run: JobRun
  readonly engine: PublishEngine
  readonly schema: KeySchema
  readonly images: OldImages
  /** Whose rate holds for the reading of what is replaced. */
  readonly scan: ScanEngine
  readonly reader: KeyReader
  readonly signal: AbortSignal
}

/** Told of the end of one; undefined where it is written. */
export type OnReplaced = (reject: { readonly code: string; readonly message: string } | undefined) => void

/** Items that are being replaced at once. */
const PENDING_MAX = 2_000
/** Keys that are asked for at once, at most {@link KEYS_MAX} in one request. */
const READS_MAX = 8
/** How long reading is tried for. */
const PATIENCE_MS = 600_000
/** Of a table that tells nothing of itself. */
const ITEM_BYTES_GUESS = 1_024

interface Replacement {
  readonly item: PlainItem
  readonly key: string
  readonly lane: number
  readonly onEnd: OnReplaced
  conflicts: number
}

/**
 * Writes items whole, as puts do, and keeps what they take the place of: each is read first, and written as a change on
 * condition that it still is what was read, when its old image is on the disk. Of one key one is under way at a time.
 */
export class Replacements implements EntryOwner {
  readonly #options: ReplacementsOptions
  readonly #encoder = new ItemEncoder()
  /** The ones that wait behind the first of their key. */
  readonly #underWay = new Map<string, Replacement[]>()
  #toRead: Replacement[] = []
  #reads = 0
  /** Read units that were told. */
  #readUnits = 0
  #pending = 0
  #room: Deferred<void> | undefined

  constructor(options: ReplacementsOptions) {
    this.#options = options
  }

  /** Those that have not ended. */
  get pending(): number {
    return this.#pending
  }

  /** Resolves when another one may be taken, or one has ended; undefined when one may be taken now. */
  get room(): Promise<void> | undefined {
    return this.#pending < PENDING_MAX ? undefined : this.nextEnd()
  }

  nextEnd(): Promise<void> {
    this.#room ??= deferred()
    return this.#room.promise
  }

  /** @throws {ItemError} for what can not be stored */
  take(item: PlainItem, lane: number, onEnd: OnReplaced): void {
    const key = itemKey(item, this.#options.schema)
    // For its bounds; what is sent is made of it when it is known what it replaces.
    this.#encoder.encode(item)
    const one: Replacement = { item, key, lane, onEnd, conflicts: 0 }
    this.#pending += 1
    const others = this.#underWay.get(key)
    if (others !== undefined) {
      others.push(one)
      return
    }
    this.#underWay.set(key, [])
    this.#read(one)
  }

  /** Resolves when no change waits for its image. */
  flush(): Promise<void> {
    return this.#options.images.flush()
  }

  close(): void {
    this.#options.images.close()
    this.#options.scan.destroy()
  }

  /** Whoever waits looks again at whether there is anything to wait for. */
  wake(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #read(one: Replacement): void {
    this.#toRead.push(one)
    // In a moment, so that those that come together are asked for together.
    if (this.#toRead.length === 1) queueMicrotask(() => this.#pump())
    else if (this.#toRead.length >= KEYS_MAX) this.#pump()
  }

  #pump(): void {
    while (this.#reads < READS_MAX && this.#toRead.length > 0) {
      const batch = this.#toRead.splice(0, KEYS_MAX)
      this.#reads += 1
      this.#replace(batch)
        .catch((error: unknown) => {
          // Who stops does not want it any more.
          if (!this.#options.signal.aborted) this.#options.run.fail(error)
        })
        .finally(() => {
          this.#reads -= 1
          this.#pump()
          this.wake()
        })
    }
  }

  async #replace(batch: readonly Replacement[]): Promise<void> {
    const found = await this.#readAll(batch.map(({ key }) => key))
    for (const one of batch) this.#send(one, found.get(one.key))
  }

  async #readAll(keys: readonly string[]): Promise<Map<string, Attributes>> {
    const { reader, scan, run } = this.#options
    const found = await reader.read(keys)
    run.account.onReread(scan.readUnits - this.#readUnits)
    this.#readUnits = scan.readUnits
    return found
  }

  #send(one: Replacement, old: Attributes | undefined): void {
    const { schema, images, engine } = this.#options
    const raw = rawItem(old ?? keyAttributes(one.key, schema))
    let change: Change | undefined
    try {
      change = this.#changeOf(one, raw, old !== undefined)
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      this.#end(one, { code: 'InvalidItem', message: error.message })
      return
    }
    if (change === undefined) {
      // It is as it shall be.
      this.#end(one, undefined)
      return
    }
    const units = change.creates === true ? writeUnits(raw.bytes() + bytesOfTexts(change)) : changeUnits(change, raw)
    const hash = keyHash(one.item, schema)
    images.keep(change, raw, units, () => {
      // Nothing more is sent when it has failed; that is told by whoever waits for it.
      if (engine.failure === undefined) engine.change(change, hash, units, this, one, one.lane)
    })
  }

  #changeOf({ item }: Replacement, raw: RawItem, isThere: boolean): Change | undefined {
    const { schema } = this.#options
    const keyNames = keyNamesOf(schema)
    const set = Object.fromEntries(Object.entries(item).filter(([name]) => !keyNames.includes(name)))
    const remove = raw.names().filter((name) => !keyNames.includes(name) && item[name] === undefined)
    const change = prepareChange({ set, remove }, raw, schema, this.#encoder)
    if (isThere) return change
    const key = keyNames.map((name) => raw.attribute(name)!)
    const { setNames = [], setTexts = [] } = change ?? {}
    return { key, deletes: false, creates: true, setNames, setTexts, removeNames: [], expectNames: [], expectTexts: [] }
  }

  onStored(entry: Entry): void {
    this.#end(entry.origin as Replacement, undefined)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#options.images.cancel(entryKeyText(entry, this.#options.schema))
    this.#end(entry.origin as Replacement, { code, message })
  }

  /** The item is not what was read: reads it again, with others. */
  onConflict(entry: Entry): void {
    const { run, schema, images } = this.#options
    const one = entry.origin as Replacement
    images.cancel(entryKeyText(entry, schema))
    run.account.conflicts += 1
    one.conflicts += 1
    if (one.conflicts < CONFLICTS_MAX) this.#read(one)
    else this.#end(one, { code: 'Conflict', message: conflictsWords(one.conflicts) })
  }

  #end(one: Replacement, reject: { readonly code: string; readonly message: string } | undefined): void {
    this.#pending -= 1
    const others = this.#underWay.get(one.key)!
    const next = others.shift()
    if (next === undefined) this.#underWay.delete(one.key)
    one.onEnd(reject)
    if (next !== undefined) this.#read(next)
    this.wake()
  }
}

/** About what they count. */
function bytesOfTexts({ setNames, setTexts }: Change): number {
  let bytes = 0
  for (const [index, name] of setNames.entries()) bytes += name.length + setTexts[index]!.length
  return bytes
}

/**
 * Ready to keep what is replaced, in the job's directory.
 *
 * @throws {TypeError} for a job without a directory
 */
export async function openReplacements(options: {
  readonly run: JobRun
  readonly engine: PublishEngine
  readonly table: Table
  readonly directory: JobDirectory | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly patienceMs: number | undefined
}): Promise<Replacements> {
  const { run, engine, table, directory, clock, signal, patienceMs = PATIENCE_MS } = options
  if (directory === undefined) throw new TypeError('keepOld requires a job directory: run({ directory })')
  const { key: schema, itemCount, sizeBytes } = await table.describe()
  const { service } = await table.database.open()
  const images = new OldImages(directory, clock, schema, (error) => run.fail(error))
  // Only for its rate: nothing is scanned.
  const scan = await table.scanEngine({ segments: 1, consistentRead: true })
  const itemBytes = itemCount > 0 ? sizeBytes / itemCount : ITEM_BYTES_GUESS
  const reader = new KeyReader({ table, service, schema, scan, itemBytes, patienceMs, signal })
  return new Replacements({ run, engine, schema, images, scan, reader, signal })
}
