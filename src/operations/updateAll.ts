import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem } from '../item/decode.ts'
import type { Change, Edit } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import type { Summary } from '../job/summary.ts'
import { changeOf } from '../publish/changeBatch.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import { isDone } from '../publish/isDone.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { compileExpression, type Expression } from '../scan/expression.ts'
import type { RawPage } from '../scan/page.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import type { Job, RunOptions } from './job.ts'
import { prepareChange, type RawItem } from './prepareChange.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

/**
 * Decides on one item. It sees the item as it is now, and must not change it: what it returns is what is written.
 *
 * After a conflict it is asked again with the item as it then is, so it may see an item more than once.
 */
export type Visitor = (item: PlainItem) => Edit | Promise<Edit>

export interface UpdateOptions
  extends WriteOptions,
    Pick<ScanOptions, 'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'consistentRead'> {}

/** Visitors that return promises are asked for at most so many items at once. */
const VISITS_MAX = 256
/** After so many conflicts over one item, someone is writing it all the time. */
const CONFLICTS_MAX = 8

/**
 * Shows every item of a table to a visitor and writes what it asks for: only those attributes, and only if they still are
 * what the visitor saw. An item that was changed meanwhile is read again and the visitor asked again; one that is gone
 * stays gone.
 */
export function updateAll(table: Table, visitor: Visitor, options: UpdateOptions = {}): Job {
  return new UpdateJob(table, visitor, options)
}

class UpdateJob implements Job, EntryOwner {
  readonly #table: Table
  readonly #visitor: Visitor
  readonly #options: UpdateOptions
  readonly #filter: Expression | undefined
  readonly #run: WriteRun
  readonly #encoder = new ItemEncoder()
  #scan: ScanEngine | undefined
  #engine!: PublishEngine
  #schema!: KeySchema
  /** Asynchronous visits and re-reads under way; the job ends when there is none. */
  readonly #pending = new Set<Promise<void>>()
  #end: Deferred<void> | undefined
  #failure: unknown

  constructor(table: Table, visitor: Visitor, options: UpdateOptions) {
    this.#table = table
    this.#visitor = visitor
    this.#options = options
    this.#filter = options.filter === undefined ? undefined : compileExpression(options.filter)
    const { segments, concurrency, filter, readUnitsPerSecond, consistentRead, ...writeOptions } = options
    this.#run = new WriteRun('update', table, writeOptions, () =>
      this.#scan === undefined ? undefined : { stats: this.#scan.stats, segments: this.#scan.segments },
    )
  }

  get progress(): Summary {
    return this.#run.summary
  }

  async run({ signal }: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    try {
      const { engine, schema } = await run.open()
      this.#engine = engine
      this.#schema = schema
      this.#scan = await this.#table.scanEngine(this.#options)
      await this.#visitAll(this.#scan, signal)
      this.#scan.destroy()
      return await run.finish(signal, () => this.#settled())
    } catch (error) {
      this.#scan?.destroy()
      run.abandon()
      throw this.#failure ?? error
    }
  }

  async #visitAll(scan: ScanEngine, signal: AbortSignal | undefined): Promise<void> {
    // A page may be long in coming; a signal does not wait for it.
    const onAbort = (): void => {
      scan.destroy()
      this.#wake()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for (let page = await scan.nextRaw(); page !== undefined; page = await scan.nextRaw()) {
        if (isStopped(signal)) break
        await this.#visitPage(page, signal)
        if (this.#failure !== undefined) throw this.#failure
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #visitPage(page: RawPage, signal: AbortSignal | undefined): Promise<void> {
    const { items } = page
    for (let index = 0; index < items.length; index += 1) {
      if (isStopped(signal)) return
      const item = items[index]!
      this.#run.tally.read += 1
      const raw: RawItem = {
        attribute: (name) => page.rawAttribute(index, name),
        names: () => page.rawNames(index),
      }
      const visit = this.#visit(item, raw, 0)
      if (visit instanceof Promise) {
        this.#track(visit)
        while (this.#pending.size >= VISITS_MAX && !isStopped(signal)) await this.#nextEnd()
      } else if (!visit) {
        await this.#run.room(signal)
      }
    }
  }

  /** Asks the visitor and does what it says. Returns whether there is room for more, or a promise to have done it. */
  #visit(item: PlainItem, raw: RawItem, conflicts: number): boolean | Promise<void> {
    let edit: Edit | Promise<Edit>
    try {
      edit = this.#visitor(item)
    } catch (error) {
      this.#rejectVisit(raw, error)
      return true
    }
    if (isPromise(edit)) {
      return Promise.resolve(edit).then(
        async (resolved) => {
          if (!this.#apply(resolved, item, raw, conflicts)) await this.#engine.ready
        },
        (error: unknown) => this.#rejectVisit(raw, error),
      )
    }
    return this.#apply(edit, item, raw, conflicts)
  }

  #apply(edit: Edit, item: PlainItem, raw: RawItem, conflicts: number): boolean {
    let change: Change | undefined
    try {
      change = prepareChange(edit, raw, this.#schema, this.#encoder)
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      this.#run.reject({
        code: 'InvalidItem',
        message: error.message,
        place: this.#placeOf(raw),
        item: originalItem(raw),
      })
      return true
    }
    if (change === undefined) {
      this.#run.tally.filtered += 1
      return true
    }
    return this.#engine.change(change, this.#hashOf(item, raw), 1, this, conflicts)
  }

  #rejectVisit(raw: RawItem, error: unknown): void {
    const message = `the visitor failed: ${error instanceof Error ? error.message : error}`
    this.#run.reject({ code: 'VisitorFailed', message, place: this.#placeOf(raw), item: originalItem(raw) })
  }

  onStored(): void {
    this.#run.tally.written += 1
  }

  onRefused(entry: Entry, code: string, message: string): void {
    const key = decodeItem(JSON.parse(entryKeyText(entry, this.#schema)))
    this.#run.reject({ code, message, place: describeItemKey(key, this.#schema), item: key })
  }

  onConflict(entry: Entry): void {
    this.#run.conflicts += 1
    this.#track(this.#decideAgain(entry))
  }

  /** The item is not what was read: looks at it as it is now. */
  async #decideAgain(entry: Entry): Promise<void> {
    const keyText = entryKeyText(entry, this.#schema)
    const { tally } = this.#run
    // Without the filter: the change itself may be why it does not hold any more.
    if (
      entry.ambiguous &&
      isDone(changeOf(entry, this.#schema), await this.#table.readAgain(keyText, undefined, this.#options.patienceMs))
    ) {
      // It was this very change, made by a try whose answer was lost.
      tally.written += 1
      return
    }
    const attributes = await this.#table.readAgain(keyText, this.#filter, this.#options.patienceMs)
    if (attributes === undefined) {
      tally.filtered += 1
      return
    }
    const item = decodeItem(attributes)
    const conflicts = (entry.origin as number) + 1
    if (conflicts >= CONFLICTS_MAX) {
      const message = `the item was changed by others each of ${conflicts} times between reading and writing it`
      this.#run.reject({ code: 'Conflict', message, place: describeItemKey(item, this.#schema), item })
      return
    }
    const raw: RawItem = {
      attribute: (name) => (Object.hasOwn(attributes, name) ? JSON.stringify(attributes[name]) : undefined),
      names: () => Object.keys(attributes),
    }
    await this.#visit(item, raw, conflicts)
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= error
        const message = error instanceof Error ? error.message : `${error}`
        this.#engine.destroy(
          error instanceof HeadraceError ? error : new HeadraceError('REFUSED', message, { cause: error }),
        )
      })
      .finally(() => {
        this.#pending.delete(tracked)
        this.#wake()
      })
    this.#pending.add(tracked)
  }

  /** Resolves when the next piece of pending work ends, or the job is stopped. */
  #nextEnd(): Promise<void> {
    this.#end ??= deferred()
    return this.#end.promise
  }

  #wake(): void {
    this.#end?.resolve()
    this.#end = undefined
  }

  /** Every change is settled, and so is whatever conflicts led to. */
  async #settled(): Promise<void> {
    do {
      while (this.#pending.size > 0) await this.#nextEnd()
      await this.#engine.flush()
      // While the flush waited, a conflict may have come and gone, and left a change that the flush knew nothing of.
    } while (this.#pending.size > 0 || this.#engine.outstanding > 0)
  }

  #hashOf(item: PlainItem, raw: RawItem): number {
    try {
      return keyHash(item, this.#schema)
    } catch (error) {
      // The visitor spoilt the key of its object; the text still has it.
      if (!(error instanceof ItemError)) throw error
      return keyHash(this.#keyOf(raw), this.#schema)
    }
  }

  #keyOf(raw: RawItem): PlainItem {
    const { partition, sort } = this.#schema
    const names = sort === undefined ? [partition.name] : [partition.name, sort.name]
    return decodeItem(Object.fromEntries(names.map((name) => [name, JSON.parse(raw.attribute(name)!)])))
  }

  #placeOf(raw: RawItem): string {
    return describeItemKey(this.#keyOf(raw), this.#schema)
  }
}

/** A promise, or what only acts like one, as query builders do. */
function isPromise(edit: Edit | Promise<Edit>): edit is Promise<Edit> {
  return typeof edit === 'object' && edit !== null && 'then' in edit && typeof edit.then === 'function'
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

/** The item as it was read, whatever the visitor has done to the object. */
function originalItem(raw: RawItem): PlainItem {
  const attributes: { [name: string]: unknown } = Object.create(null)
  for (const name of raw.names()) attributes[name] = JSON.parse(raw.attribute(name)!)
  return decodeItem(attributes)
}
