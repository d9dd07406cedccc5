import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import type { JobReject } from '../job/reject.ts'
import type { Ending } from '../job/tally.ts'
import { changeOf } from '../publish/changeBatch.ts'
import type { Conflict, ConflictLook } from '../publish/conflictResolver.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { JobRun } from './jobRun.ts'
import { keyAdvice } from './keyAdvice.ts'
import type { Replacements } from './replacements.ts'
import { TableChangeWriter } from './tableChange.ts'
import { isFault, type Transformer, type TransformFault } from './transform.ts'
import type { IfExists } from './writeOptions.ts'

export interface MadeWritesOptions<Origin> {
  readonly run: JobRun
  readonly engine: PublishEngine
  /** The key of the table that is written to. */
  readonly schema: KeySchema
  readonly signal: AbortSignal
  /** Undefined for what leaves items as they are. */
  readonly transformer: Transformer | undefined
  /** What the transform makes are changes, and no items. */
  readonly makesChanges: boolean
  /** Where it comes from, for its reject. */
  readonly placeOf: (origin: Origin) => string
  /** What its reject shows: what was read, or what was made of it. */
  readonly itemOf: (origin: Origin, made: PlainItem | undefined) => PlainItem
  /** All that was made of it has ended; told once. */
  readonly onEnd: (origin: Origin, ending: Ending, reject: JobReject | undefined) => void
  /** For items, where what they overwrite is kept. */
  readonly replacements?: Replacements | undefined
  /** For items. Default `overwrite`. */
  readonly ifExists?: IfExists | undefined
}

interface Several {
  /** On their way. */
  left: number
  /** The first reason why one of them is not written. */
  reject: JobReject | undefined
  /** The one that says most of those that have ended. */
  ending: Ending | undefined
}

/** What becomes of a record of which several items were made: the first of these that one of them came to. */
const RANKS: readonly Ending[] = ['written', 'overwritten', 'skipped']

/** Transforms that return promises are asked for at most so many items at once. */
const TRANSFORMS_MAX = 256

/**
 * Writes what a transform makes of each item: nothing, one, or several. An item is written when all that was made of it is,
 * and a reject when some of it can not be.
 */
export class MadeWrites<Origin extends object> implements EntryOwner {
  readonly #options: MadeWritesOptions<Origin>
  readonly #changes: TableChangeWriter | undefined
  /** Of records of which several items were made. */
  readonly #several = new Map<Origin, Several>()
  /** Transforms that have not settled. */
  readonly #pending = new Set<Promise<void>>()
  #end: Deferred<void> | undefined

  constructor(options: MadeWritesOptions<Origin>) {
    this.#options = options
    this.#changes = options.makesChanges ? new TableChangeWriter(options.engine, options.schema) : undefined
  }

  /**
   * Makes and writes.
   *
   * @param lane see `Entry`
   * @returns a promise when there is something to wait for before the next
   */
  take(origin: Origin, item: PlainItem, lane: number): Promise<void> | undefined {
    const { transformer, run } = this.#options
    const made = transformer?.apply(item) ?? [item]
    if (!(made instanceof Promise)) return this.#write(origin, made, lane) ? undefined : this.#room()
    const work = made.then(async (list) => {
      if (!this.#write(origin, list, lane)) await this.#room()
    })
    this.#track(
      work.catch((error: unknown) => {
        // The engine tells of its own failure, and a stop is none.
        if (error !== this.#options.engine.failure) run.fail(error)
      }),
    )
    return this.#pending.size < TRANSFORMS_MAX ? undefined : this.#fewerPending()
  }

  /** Resolves when everything that was taken has ended. */
  async settled(): Promise<void> {
    const { run, engine, replacements } = this.#options
    do {
      while (this.#pending.size > 0) {
        run.throwIfFailed()
        await this.#nextEnd()
      }
      while (replacements !== undefined && replacements.pending > 0) {
        run.throwIfFailed()
        await replacements.nextEnd()
      }
      await engine.flush()
      // While the flush waited, a transform may have settled.
    } while (this.#pending.size > 0 || engine.outstanding > 0)
  }

  /** Whoever waits looks again at whether there is anything to wait for. */
  wake(): void {
    this.#end?.resolve()
    this.#end = undefined
    this.#options.replacements?.wake()
  }

  #room(): Promise<void> {
    const { run, replacements } = this.#options
    const room = replacements?.room
    return room === undefined ? run.room() : run.untilStopped(room)
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#pending.delete(tracked)
      this.wake()
    })
    this.#pending.add(tracked)
  }

  #nextEnd(): Promise<void> {
    this.#end ??= deferred()
    return this.#end.promise
  }

  async #fewerPending(): Promise<void> {
    const { run, signal } = this.#options
    const wake = (): void => this.wake()
    signal.addEventListener('abort', wake)
    try {
      while (this.#pending.size >= TRANSFORMS_MAX && !signal.aborted) {
        run.throwIfFailed()
        await this.#nextEnd()
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  /** @returns whether there is room for more */
  #write(origin: Origin, made: readonly PlainItem[] | TransformFault, lane: number): boolean {
    if (isFault(made)) {
      this.#options.onEnd(origin, 'rejected', this.#rejectOf(origin, 'TransformFailed', made.fault, undefined))
      return true
    }
    if (made.length === 0) {
      this.#options.onEnd(origin, 'filtered', undefined)
      return true
    }
    if (made.length > 1) this.#several.set(origin, { left: made.length, reject: undefined, ending: undefined })
    const { replacements } = this.#options
    let hasRoom = true
    for (const one of made) {
      try {
        hasRoom =
          replacements === undefined ? this.#put(one, origin, lane) : this.#replace(replacements, one, origin, lane)
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        const advice = this.#changes === undefined ? keyAdvice(one, this.#options.schema) : ''
        this.#settle(origin, 'rejected', this.#rejectOf(origin, 'InvalidItem', error.message + advice, one))
      }
    }
    return hasRoom
  }

  #put(one: PlainItem, origin: Origin, lane: number): boolean {
    if (this.#changes !== undefined) return this.#changes.write(one, this, origin, lane)
    const { engine, run, schema, ifExists = 'overwrite' } = this.#options
    if (ifExists !== 'overwrite') return engine.insert(one, this, origin, lane)
    return engine.put(one, this, origin, lane, run.account.keyCheckOf(one, schema))
  }

  #replace(replacements: Replacements, one: PlainItem, origin: Origin, lane: number): boolean {
    const { run, schema } = this.#options
    const [hash, check] = [keyHash(one, schema), run.account.keyCheckOf(one, schema)]
    replacements.take(one, lane, (reject) => {
      if (reject === undefined) this.#settle(origin, run.account.endingOf(hash, check), undefined)
      else this.#settle(origin, 'rejected', this.#rejectOf(origin, reject.code, reject.message, one))
    })
    return replacements.room === undefined
  }

  #rejectOf(origin: Origin, code: string, message: string, made: PlainItem | undefined): JobReject {
    const { placeOf, itemOf } = this.#options
    return { code, message, place: placeOf(origin), item: itemOf(origin, made) }
  }

  /** One that was made of it has ended. */
  #settle(origin: Origin, ending: Ending, reject: JobReject | undefined): void {
    const several = this.#several.get(origin)
    if (several === undefined) {
      this.#options.onEnd(origin, ending, reject)
      return
    }
    several.left -= 1
    several.reject ??= reject
    if (reject === undefined && (several.ending === undefined || RANKS.indexOf(ending) < RANKS.indexOf(several.ending)))
      several.ending = ending
    if (several.left > 0) return
    this.#several.delete(origin)
    this.#options.onEnd(origin, several.reject === undefined ? several.ending! : 'rejected', several.reject)
  }

  onStored(entry: Entry): void {
    this.#settle(entry.origin as Origin, this.#options.run.account.endingOf(entry.keyHash, entry.keyCheck), undefined)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    const { schema } = this.#options
    // Of an insert all of the item is there; of an update only its key.
    const made =
      entry.plan?.creates === true ? insertedItem(entry, schema) : decodeItemText(entryKeyText(entry, schema))
    this.#settle(entry.origin as Origin, 'rejected', this.#rejectOf(entry.origin as Origin, code, message, made))
  }

  /** A change may have been made by a run before this one whose process died; an insert only where one did die. */
  conflictLook(entry: Entry): ConflictLook {
    return entry.plan?.creates === true && !this.#options.run.mayFindOwnWrites ? 'doubt' : 'origin'
  }

  onConflict(entry: Entry, { kind }: Conflict, message: string): void {
    if (entry.plan?.creates === true) this.#exists(entry)
    else this.onRefused(entry, 'Conflict', kind === 'gone' ? 'the item to update does not exist' : message)
  }

  /** The table has another item of this key. */
  #exists(entry: Entry): void {
    const { ifExists, schema } = this.#options
    if (ifExists === 'skip') {
      this.#settle(entry.origin as Origin, 'skipped', undefined)
      return
    }
    const key = describeItemKey(decodeItemText(entryKeyText(entry, schema)), schema)
    this.onRefused(entry, 'DuplicateItem', `the table already has an item with the key ${key}`)
  }
}

/** The item of an entry that inserts it. */
function insertedItem(entry: Entry, schema: KeySchema): PlainItem {
  const { key, setNames, setTexts } = changeOf(entry, schema)
  const attributes = [...keyNamesOf(schema).map((name, index) => [name, key[index]!] as const)]
  attributes.push(...setNames.map((name, index) => [name, setTexts[index]!] as const))
  return decodeItemText(`{${attributes.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`)
}
