import { checkWhole } from '../database/checkOption.ts'
import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem } from '../item/decode.ts'
import type { Change, Changes, Edit, KnownNames } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import type { JobHow, JobWhat, TableSpec } from '../job/jobSpec.ts'
import { newMark } from '../job/newMark.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import { CONFLICTS_MAX, type Conflict, type ConflictLook, conflictsWords } from '../publish/conflictResolver.ts'
import { deletionText, type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { Clock } from '../runtime/clock.ts'
import { Deadlines } from '../runtime/deadlines.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { isPromise } from '../runtime/isPromise.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { FilteredJob } from './job.ts'
import { FilteredRun, type JobRun, type OpenRun, type Work } from './jobRun.ts'
import { OldImages } from './oldImages.ts'
import { givenOrModule, type Operation } from './operation.ts'
import { planUpdate } from './plan/planUpdate.ts'
import { changeUnits, prepareChange, type RawItem, rawItem } from './prepareChange.ts'
import { type FilterPreview, refuseUnknownNames } from './previewFilter.ts'
import { TableReader } from './tableReader.ts'
import type { VisitedItem } from './visitedItem.ts'
import { openVisitor, readEdit, type Visitor, type VisitorSource, visitorSpec } from './visitor.ts'
import type { VisitorPool } from './visitorPool.ts'
import { VisitorThreads, type Workers } from './visitorThreads.ts'
import type { WriteOptions } from './writeOptions.ts'

export interface DeleteOptions
  extends WriteOptions,
    Pick<
      ScanOptions,
      'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'sharedReadRate' | 'consistentRead'
    > {
  /**
   * Keep what is changed, as it was, in the job's directory, from where `undo` puts it back. Each change waits until that
   * is on the disk. Default false.
   */
  readonly keepOld?: boolean | undefined
  /**
   * Before it starts, a job looks at a small sample of the table. It refuses a filter that compares with an attribute which
   * no item there has: most often that is a string without its single quotes, `state <> "keep"`. Set this where the attribute
   * is only rare. Default false.
   */
  readonly allowUnknownAttributes?: boolean | undefined
}

export interface UpdateOptions extends DeleteOptions {
  /**
   * Longest wait for the promise of a visitor to settle, 1 to 3,600,000. Default 60,000. An item that takes longer is a
   * reject with the code `VisitorFailed`, and stays as it is whatever the promise comes to later.
   */
  readonly visitTimeoutMs?: number | undefined
  /**
   * Mark each item that is changed, in the same write, and pass over those that have the mark: for edits that must not be
   * made twice, such as adding 1. The attribute's name, or true for `headrace_once`; it stays until it is removed. Default
   * false.
   */
  readonly once?: boolean | string | undefined
  /**
   * Visit in so many threads, 1 to 256, and not in this one: for visitors that compute long, or that nobody vouches for. The
   * visitor must be a module. One that throws, never ends (`visitTimeoutMs`), takes more than 512 MiB or ends the process
   * costs the item that it was at, a reject with the code `VisitorFailed`. `'auto'` begins in this thread, and goes to as many as
   * there are cores but one when visits by a module turn out to take more than 20 microseconds. Default: this thread.
   */
  readonly workers?: Workers | undefined
}

const VISIT_TIMEOUT_MS = 60_000
/** Visitors that return promises are asked for at most so many items at once. */
const VISITS_MAX = 256
/** The attribute that `once: true` marks items with. */
const ONCE = 'headrace_once'

/**
 * Shows every item of a table to a visitor and writes what it asks for: only those attributes, and only if they still are
 * what the visitor saw. An item that was changed meanwhile is read again and the visitor asked again; one that is gone
 * stays gone.
 *
 * @param visitor a function, a module with one as its default export, or the same changes for every item. Names and values
 * are checked against the table's type
 * @throws {TypeError} for options out of range
 * @example
 * const job = updateAll(users, (user) => (user.tier ? undefined : { set: { tier: 'gold' } }))
 * const summary = await job.run({ directory: '.headrace/add-tier' })
 */
export function updateAll<
  Item extends object,
  // What the function returns has a parameter of its own: only so are literals such as 'gold' inferred.
  // biome-ignore lint/suspicious/noConfusingVoidType: a visitor may return nothing at all
  const Made extends Edit<Item> | void,
>(
  table: Table<Item>,
  visitor: (((item: Readonly<Item>) => Made | Promise<Made>) & KnownNames<Item, Made>) | URL | Changes<NoInfer<Item>>,
  options: UpdateOptions = {},
): FilteredJob {
  return new FilteredRun(
    'update',
    table,
    new UpdateWork('update', table as Table<object>, visitor as VisitorSource, options),
  )
}

/**
 * Deletes every item of a table, or those for which the filter holds when they go.
 *
 * @throws {TypeError} for options out of range
 * @example
 * await deleteAll(sessions, { filter: 'expires < 1767225600' }).run()
 */
export function deleteAll(table: Table, options: DeleteOptions = {}): FilteredJob {
  return new FilteredRun('delete', table, new UpdateWork('delete', table, () => 'delete', options))
}

class UpdateWork implements Work, EntryOwner {
  readonly options: WriteOptions
  readonly reader: TableReader
  readonly #operation: 'update' | 'delete'
  readonly #table: Table
  readonly #source: VisitorSource
  readonly #options: UpdateOptions
  #run!: JobRun
  readonly #encoder = new ItemEncoder()
  readonly #once: string | undefined
  /** What this job's mark looks like in an item. */
  #onceText = ''
  /** Everything goes, whatever it is by then: it need not be read for that, nor be as it was. */
  readonly #blind: boolean
  #visitor!: Visitor
  #engine!: PublishEngine
  #schema!: KeySchema
  #directory: JobDirectory | undefined
  #oldImages: OldImages | undefined
  #adds = false
  /** Asynchronous visits and re-reads under way; the job ends when there is none. */
  readonly #pending = new Set<Promise<void>>()
  readonly #visitTimeoutMs: number
  readonly #threads: VisitorThreads
  #visits!: Deadlines
  #signal!: AbortSignal
  #clock!: Clock
  #failure: unknown

  constructor(operation: 'update' | 'delete', table: Table, source: VisitorSource, options: UpdateOptions) {
    this.#operation = operation
    this.#table = table
    this.#source = source
    this.#options = options
    this.#blind = operation === 'delete' && options.filter === undefined && options.keepOld !== true
    const {
      segments,
      concurrency,
      filter,
      readUnitsPerSecond,
      sharedReadRate,
      consistentRead,
      once,
      keepOld,
      allowUnknownAttributes,
      visitTimeoutMs = VISIT_TIMEOUT_MS,
      workers,
      ...writeOptions
    } = options
    this.#once = once === true ? ONCE : once === false ? undefined : once
    this.#visitTimeoutMs = checkWhole('visitTimeoutMs', visitTimeoutMs, 1, 3_600_000)
    this.options = writeOptions
    this.reader = new TableReader(table, options)
    this.#threads = new VisitorThreads(workers, source, visitTimeoutMs, (text) => this.#run.warn(text))
  }

  get how(): JobHow {
    const { workers } = this.#options
    return { ...this.reader.how, visitTimeoutMs: this.#visitTimeoutMs, workers }
  }

  async plan(options?: PlanOptions): Promise<Plan> {
    const visitor = await openVisitor(this.#source)
    return planUpdate(this.#operation, this.#table, visitor, this.#options, options)
  }

  async preview(signal?: AbortSignal): Promise<FilterPreview | undefined> {
    const preview = await this.reader.preview(signal)
    if (this.#options.allowUnknownAttributes !== true) refuseUnknownNames(preview)
    return preview
  }

  async prepare(): Promise<void> {
    if (!this.#threads.isElsewhere) this.#visitor = await openVisitor(this.#source)
  }

  async open({ run, schema, database, description, directory, signal }: OpenRun): Promise<void> {
    this.#run = run
    this.#signal = signal
    this.#clock = database.clock
    this.#schema = schema
    this.#directory = directory
    const engine = await run.startEngine(this.#table)
    this.#engine = engine
    this.#visits = new Deadlines(database.clock, this.#visitTimeoutMs)
    this.#checkRepeats(directory)
    if (this.#options.keepOld === true) this.#oldImages = this.#openOldImages(directory, database.clock)
    this.#onceText = `{"S":${JSON.stringify(directory?.spec.mark ?? newMark(database.random))}}`
    await this.reader.open({
      run,
      directory,
      signal,
      spread: description,
      select: this.#blind ? keyNamesOf(schema) : undefined,
      queueSize: this.#options.maxQueueSize,
      isStopped: () => this.#isStopped(),
    })
    engine.onFailure = () => this.reader.walk.wake()
    this.#threads.open()
  }

  run(): Promise<void> {
    return this.reader.visitAll((item) => this.#visitItem(item))
  }

  /** Every change has ended, and so has whatever conflicts led to. */
  async settled(): Promise<void> {
    do {
      while (this.#pending.size > 0) {
        const failure = this.#failure ?? this.#engine.failure
        if (failure !== undefined) throw failure
        await this.reader.walk.nextEnd()
      }
      await this.#oldImages?.flush()
      await this.#engine.flush()
      // While the flush waited, a conflict may have come and gone, and left a change that the flush knew nothing of.
    } while (this.#pending.size > 0 || this.#engine.outstanding > 0)
  }

  faultOf(error: unknown): unknown {
    return this.#failure ?? error
  }

  close(): void {
    this.#threads.close()
    this.#oldImages?.close()
    this.#visits?.clear()
  }

  async what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    return {
      operation: this.#operation,
      table,
      ...(this.#operation === 'delete' ? {} : { visitor: visitorSpec(this.#source) }),
      once: this.#once,
      ...(this.#options.keepOld === true ? { keepOld: true } : {}),
      ...(await this.reader.what(earlier, await this.#table.describe())),
    }
  }

  /** What was added in a run that ended at once may have been added behind its last checkpoint. */
  #checkRepeats(directory: JobDirectory | undefined): void {
    if (this.#once !== undefined || directory?.mayNotRepeat !== true) return
    throw new HeadraceError(
      'STATE',
      `the job in ${directory.path} uses "add" and ended without a final checkpoint: ` +
        'resuming it could add twice to some items. Nothing was changed. To make such a job resumable, ' +
        'start it with --once, which marks the items that are done',
    )
  }

  #openOldImages(directory: JobDirectory | undefined, clock: Clock): OldImages {
    if (directory === undefined) throw new TypeError('keepOld requires a job directory: run({ directory })')
    return new OldImages(directory, clock, this.#schema, (error) => {
      this.#failure ??= error
      this.reader.walk.wake()
    })
  }

  #isStopped(): boolean {
    const failure = this.#failure ?? this.#engine.failure
    if (failure !== undefined) throw failure
    return this.#signal.aborted
  }

  /** @returns a promise when there is something to wait for before the next */
  #visitItem(visited: VisitedItem): Promise<void> | undefined {
    this.#run.take()
    if (this.#blind) return this.#deleteBlindly(visited)
    const visit = this.#visit(visited.item, visited, visited)
    if (visit instanceof Promise) {
      this.#track(visit)
      return this.#pending.size < this.#threads.visitsMax(VISITS_MAX) ? undefined : this.#fewerVisits()
    }
    return visit ? undefined : this.#run.room()
  }

  #deleteBlindly(visited: VisitedItem): Promise<void> | undefined {
    visited.deletes = true
    const names = keyNamesOf(this.#schema)
    const key = names.map((name) => `${JSON.stringify(name)}:${visited.attribute(name)}`).join(',')
    const text = deletionText(`{${key}}`)
    const hash = keyHash(visited.item, this.#schema)
    // Only the key was read; what the item weighs, the reading says.
    const units = writeUnits(this.reader.scan!.itemBytes)
    const bytes = Buffer.byteLength(text)
    const hasRoom = this.#engine.write('delete', text, bytes, hash, units, this, visited, visited.segment)
    return hasRoom ? undefined : this.#run.room()
  }

  async #fewerVisits(): Promise<void> {
    while (this.#pending.size >= this.#threads.visitsMax(VISITS_MAX) && !this.#isStopped())
      await this.reader.walk.nextEnd()
  }

  /** Asks the visitor and does what it says. Returns whether there is room for more, or a promise to have done it. */
  #visit(item: PlainItem, raw: RawItem, visited: VisitedItem): boolean | Promise<void> {
    if (this.#once !== undefined && raw.attribute(this.#once) === this.#onceText) {
      // Done by this very job, before its process died or an answer was lost.
      this.#end(visited, 'written')
      return true
    }
    const { pool } = this.#threads
    if (pool !== undefined) return this.#visitIn(pool, item, raw, visited)
    let edit: Edit | Promise<Edit>
    try {
      edit = this.#threads.visit(this.#clock, () => this.#visitor(item))
    } catch (error) {
      this.#rejectVisit(visited, raw, error)
      return true
    }
    if (isPromise(edit)) return this.#awaitVisit(edit, item, raw, visited)
    return this.#apply(edit, item, raw, visited)
  }

  /** As {@link #visit}, in another thread, which sees to its own time. */
  async #visitIn(pool: VisitorPool, item: PlainItem, raw: RawItem, visited: VisitedItem): Promise<void> {
    const attributes = raw.names().map((name) => `${JSON.stringify(name)}:${raw.attribute(name)}`)
    let edit: Edit
    try {
      edit = await pool.visit(`{${attributes.join(',')}}`)
    } catch (error) {
      if (error instanceof HeadraceError) throw error
      if (error instanceof ItemError) this.#rejectEdit(visited, raw, error)
      else this.#rejectVisit(visited, raw, error)
      return
    }
    if (!this.#apply(edit, item, raw, visited)) await this.#engine.ready
  }

  /** Does what the visitor says in the end, unless it takes too long. */
  #awaitVisit(edit: Promise<Edit>, item: PlainItem, raw: RawItem, visited: VisitedItem): Promise<void> {
    return new Promise((resolve, reject) => {
      let late = false
      const settle = this.#visits.begin(() => {
        late = true
        this.#rejectVisit(visited, raw, `its promise did not settle within ${this.#visits.limitMs / 1_000} s`)
        resolve()
      })
      Promise.resolve(edit)
        .then(
          async (resolved) => {
            settle()
            if (!late && !this.#apply(resolved, item, raw, visited)) await this.#engine.ready
          },
          (error: unknown) => {
            settle()
            if (!late) this.#rejectVisit(visited, raw, error)
          },
        )
        .then(resolve, reject)
    })
  }

  #apply(edit: Edit, item: PlainItem, raw: RawItem, visited: VisitedItem): boolean {
    let change: Change | undefined
    try {
      change = prepareChange(edit, raw, this.#schema, this.#encoder)
      if (change !== undefined && this.#once !== undefined) change = markChange(change, this.#once, this.#onceText, raw)
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      this.#rejectEdit(visited, raw, error)
      return true
    }
    if (change === undefined) {
      this.#end(visited, 'filtered')
      return true
    }
    if (!this.#adds && this.#directory !== undefined && adds(edit)) {
      if (this.#once === undefined && this.#directory.isFleeting) throw fleetingError()
      this.#adds = true
      this.#directory.forbidRepeats()
      if (this.#once === undefined) {
        this.#run.warn(
          'this job uses "add": after a crash it cannot be resumed, because some items might be added to twice. ' +
            'To make such a job resumable, start it with once (--once)',
        )
      }
      this.#run.mayRepeat = this.#once !== undefined
    }
    visited.deletes = change.deletes
    const hash = this.#hashOf(item, raw)
    const units = changeUnits(change, raw)
    if (this.#oldImages === undefined) return this.#engine.change(change, hash, units, this, visited, visited.segment)
    this.#oldImages.keep(change, raw, units, () =>
      this.#engine.change(change, hash, units, this, visited, visited.segment),
    )
    // How many may wait is for their segments to say.
    return true
  }

  #rejectEdit(visited: VisitedItem, raw: RawItem, { message }: ItemError): void {
    this.#reject(visited, { code: 'InvalidItem', message, place: this.#placeOf(raw), item: originalItem(raw) })
  }

  #rejectVisit(visited: VisitedItem, raw: RawItem, error: unknown): void {
    const message = `the visitor failed: ${error instanceof Error ? error.message : error}`
    this.#reject(visited, { code: 'VisitorFailed', message, place: this.#placeOf(raw), item: originalItem(raw) })
  }

  #reject(visited: VisitedItem, reject: JobReject): void {
    this.#run.reject(reject)
    this.reader.walk.settle(visited, 'rejected', reject)
  }

  #end(visited: VisitedItem, ending: 'written' | 'filtered'): void {
    this.#run.account.tally[ending] += 1
    this.reader.walk.settle(visited, ending)
  }

  onStored(entry: Entry): void {
    this.#end(entry.origin as VisitedItem, 'written')
  }

  onRefused(entry: Entry, code: string, message: string): void {
    const key = decodeItem(parseJson(entryKeyText(entry, this.#schema)))
    const place = describeItemKey(key, this.#schema)
    this.#reject(entry.origin as VisitedItem, { code, message, place, item: key })
  }

  conflictLook(): ConflictLook {
    return 'current'
  }

  /** The item is not what was read: the visitor is asked again, with the item as it is now. */
  onConflict(entry: Entry, { current }: Conflict): void {
    this.#run.account.conflicts += 1
    const visited = entry.origin as VisitedItem
    this.#oldImages?.cancel(entryKeyText(entry, this.#schema))
    if (current === undefined || this.reader.filter?.matches(current) === false) {
      this.#end(visited, 'filtered')
      return
    }
    const item = decodeItem(current)
    visited.conflicts += 1
    if (visited.conflicts >= CONFLICTS_MAX) {
      const message = conflictsWords(visited.conflicts)
      this.#reject(visited, { code: 'Conflict', message, place: describeItemKey(item, this.#schema), item })
      return
    }
    const visit = this.#visit(item, rawItem(current), visited)
    if (visit instanceof Promise) this.#track(visit)
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
        this.reader.walk.wake()
      })
    this.#pending.add(tracked)
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
    const names = keyNamesOf(this.#schema)
    return decodeItem(Object.fromEntries(names.map((name) => [name, parseJson(raw.attribute(name)!)])))
  }

  #placeOf(raw: RawItem): string {
    return describeItemKey(this.#keyOf(raw), this.#schema)
  }
}

/** The same change, which also leaves the job's mark, and is not made where the mark is. */
function markChange(change: Change, name: string, text: string, raw: RawItem): Change {
  if (change.deletes) return change
  if (change.expectNames.includes(name)) throw new ItemError('this attribute marks the items that are done', name)
  return {
    ...change,
    setNames: [...change.setNames, name],
    setTexts: [...change.setTexts, text],
    expectNames: [...change.expectNames, name],
    expectTexts: [...change.expectTexts, raw.attribute(name)],
  }
}

function adds(edit: Edit): boolean {
  return typeof edit === 'object' && Object.keys(edit?.add ?? {}).length > 0
}

function fleetingError(): HeadraceError {
  return new HeadraceError(
    'STATE',
    'the visitor uses "add", and a slice that restarts from its last cursor could add twice to some items. ' +
      'Describe the job with once: true (--once), which marks the items that are done',
  )
}

/** The item as it was read, whatever the visitor has done to the object. */
function originalItem(raw: RawItem): PlainItem {
  const attributes: { [name: string]: unknown } = Object.create(null)
  for (const name of raw.names()) attributes[name] = parseJson(raw.attribute(name)!)
  return decodeItem(attributes)
}

/** @internal */
export const UPDATE_OPERATION: Operation = {
  name: 'update',
  reopen: ({ what, how, table, write, read, options }) => {
    const { visitor, once, keepOld } = what
    const source =
      visitor?.edit !== undefined && options.visitor === undefined
        ? readEdit(visitor.edit)
        : givenOrModule('visitor', visitor, options.visitor)
    const { visitTimeoutMs, workers } = how
    return updateAll(table, source, { ...write, ...read, visitTimeoutMs, workers, once, keepOld })
  },
  slices: {},
}

/** @internal */
export const DELETE_OPERATION: Operation = {
  name: 'delete',
  reopen: ({ what, table, write, read }) => deleteAll(table, { ...write, ...read, keepOld: what.keepOld }),
  slices: {},
}
