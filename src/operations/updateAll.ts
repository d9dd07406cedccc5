import { checkWhole } from '../database/checkOption.ts'
import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem } from '../item/decode.ts'
import type { Change, Edit } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { attributesBytes } from '../item/valueBytes.ts'
import type { Summary } from '../job/summary.ts'
import { changeOf } from '../publish/changeBatch.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import { isDone } from '../publish/isDone.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { Deadlines } from '../runtime/deadlines.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { compileExpression, type Expression } from '../scan/expression.ts'
import type { RawPage } from '../scan/page.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import type { Job, JobRates, RunOptions } from './job.ts'
import { changeUnits, prepareChange, type RawItem } from './prepareChange.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

/**
 * Decides on one item. It sees the item as it is now, and must not change it: what it returns is what is written.
 *
 * After a conflict it is asked again with the item as it then is, so it may see an item more than once. What it throws,
 * and a promise that does not settle in time, is a reject of that item alone.
 */
export type Visitor = (item: PlainItem) => Edit | Promise<Edit>

export interface UpdateOptions
  extends WriteOptions,
    Pick<ScanOptions, 'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'consistentRead'> {
  /**
   * Longest wait for the promise of a visitor to settle, 1 to 3,600,000. Default 60,000. An item that takes longer is a
   * reject with the code `VisitorFailed`, and stays as it is whatever the promise comes to later.
   */
  readonly visitTimeoutMs?: number
}

const VISIT_TIMEOUT_MS = 60_000
/** Visitors that return promises are asked for at most so many items at once. */
const VISITS_MAX = 256
/** Pages lie open side by side, and those of all segments together are no larger than this. */
const PAGES_BYTES_MAX = 4 * 1024 * 1024
const PAGE_BYTES_MIN = 32 * 1024
/** However many segments are read at once, each may have so many writes under way: two batches. */
const UNSETTLED_MIN = 50
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
  /** Asked for since the job was made. */
  #readRate: Rate | undefined
  #engine!: PublishEngine
  #schema!: KeySchema
  /** Asynchronous visits and re-reads under way; the job ends when there is none. */
  readonly #pending = new Set<Promise<void>>()
  readonly #visitTimeoutMs: number
  #visits!: Deadlines
  #end: Deferred<void> | undefined
  #failure: unknown
  /** Writes of each segment that have not ended, and how many of them a segment may have and still be visited. */
  #unsettled = new Uint32Array(0)
  #unsettledMax = 0

  constructor(table: Table, visitor: Visitor, options: UpdateOptions) {
    this.#table = table
    this.#visitor = visitor
    this.#options = options
    this.#filter = options.filter === undefined ? undefined : compileExpression(options.filter)
    const {
      segments,
      concurrency,
      filter,
      readUnitsPerSecond,
      consistentRead,
      visitTimeoutMs = VISIT_TIMEOUT_MS,
      ...writeOptions
    } = options
    this.#visitTimeoutMs = checkWhole('visitTimeoutMs', visitTimeoutMs, 1, 3_600_000)
    this.#run = new WriteRun('update', table, writeOptions, () =>
      this.#scan === undefined ? undefined : { stats: this.#scan.stats, segments: this.#scan.segments },
    )
  }

  get progress(): Summary {
    return this.#run.summary
  }

  setRates({ readUnitsPerSecond, writeUnitsPerSecond }: JobRates): void {
    if (readUnitsPerSecond !== undefined) {
      shareOf('readUnitsPerSecond', readUnitsPerSecond)
      this.#readRate = readUnitsPerSecond
      this.#scan?.setRate(readUnitsPerSecond)
    }
    if (writeUnitsPerSecond !== undefined) this.#run.setRate(writeUnitsPerSecond)
  }

  async run({ signal }: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    try {
      const { engine, schema, database } = await run.open()
      this.#visits = new Deadlines(database.clock, this.#visitTimeoutMs)
      this.#engine = engine
      engine.onFailure = () => this.#wake()
      this.#schema = schema
      const description = await this.#table.describe()
      const concurrency = this.#options.concurrency ?? chooseConcurrency(description)
      const { connection } = await this.#table.database.open()
      this.#scan = await this.#table.scanEngine({
        ...this.#options,
        ...(this.#readRate === undefined ? {} : { readUnitsPerSecond: this.#readRate }),
        concurrency,
        // Emulators have no partitions to spread over, and dynoxide ends a segment that goes on behind an item that is gone.
        ...(connection.loopback ? {} : { pageBytesMax: Math.max(PAGE_BYTES_MIN, PAGES_BYTES_MAX / concurrency) }),
        holdSegments: true,
      })
      this.#unsettled = new Uint32Array(this.#scan.segments)
      // Half of the queue for all of them together, so that one that waits never keeps another out.
      this.#unsettledMax = Math.max(UNSETTLED_MIN, (this.#options.maxQueueSize ?? 10_000) / concurrency / 2)
      await this.#visitAll(this.#scan, concurrency, signal)
      this.#scan.destroy()
      return await run.finish(signal, () => this.#settled())
    } catch (error) {
      this.#scan?.destroy()
      run.abandon()
      throw this.#failure ?? error
    } finally {
      this.#visits?.clear()
    }
  }

  /**
   * Shows items to the visitor, one of each open page in turn: a segment is a range of hashes, and so is a partition, and
   * what is written back in the order of one segment falls on one partition after another. A segment whose writes do not get
   * through, because its partition is hot, is passed over until they do.
   */
  async #visitAll(scan: ScanEngine, concurrency: number, signal: AbortSignal | undefined): Promise<void> {
    // A page may be long in coming; a signal does not wait for it.
    const onAbort = (): void => {
      scan.destroy()
      this.#wake()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const open: OpenPage[] = []
    try {
      while (!isStopped(signal)) {
        const failure = this.#failure ?? this.#engine.failure
        if (failure !== undefined) throw failure
        while (open.length < concurrency) {
          const page: RawPage | undefined = open.length === 0 ? await scan.nextRaw() : scan.takeRaw()
          if (page === undefined) break
          open.push({ page, next: 0 })
        }
        if (open.length === 0) return
        const visited = await this.#visitRounds(open, scan, signal)
        // All that could be visited belongs to segments that are passed over.
        if (!visited && open.length > 0 && !isStopped(signal)) await this.#nextEnd()
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Visits an item of each open page, again and again, until one ends; returns whether there was any to visit. */
  async #visitRounds(open: OpenPage[], scan: ScanEngine, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      let visited = false
      let ended = false
      for (let index = open.length - 1; index >= 0; index -= 1) {
        const one = open[index]!
        const { items, segment } = one.page
        if (this.#unsettled[segment]! >= this.#unsettledMax) continue
        visited = true
        if (one.next < items.length) {
          const visit = this.#visitItem(one.page, one.next, signal)
          one.next += 1
          if (visit !== undefined) await visit
          if (isStopped(signal) || this.#failure !== undefined) return true
        }
        // Its next page is on its way while the rest of this one is looked at.
        if (one.next === (items.length + 1) >> 1) scan.goOn(segment)
        if (one.next < items.length) continue
        open[index] = open.at(-1)!
        open.pop()
        ended = true
      }
      if (ended || !visited) return visited
    }
  }

  /** @returns a promise when there is something to wait for before the next */
  #visitItem(page: RawPage, index: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    this.#run.tally.read += 1
    const raw: RawItem = {
      attribute: (name) => page.rawAttribute(index, name),
      names: () => page.rawNames(index),
      bytes: () => page.rawBytes(index),
    }
    const visit = this.#visit(page.items[index]!, raw, page.segment, 0)
    if (visit instanceof Promise) {
      this.#track(visit)
      return this.#pending.size < VISITS_MAX ? undefined : this.#fewerVisits(signal)
    }
    return visit ? undefined : this.#run.room(signal)
  }

  async #fewerVisits(signal: AbortSignal | undefined): Promise<void> {
    while (this.#pending.size >= VISITS_MAX && !isStopped(signal)) await this.#nextEnd()
  }

  /** Asks the visitor and does what it says. Returns whether there is room for more, or a promise to have done it. */
  #visit(item: PlainItem, raw: RawItem, segment: number, conflicts: number): boolean | Promise<void> {
    let edit: Edit | Promise<Edit>
    try {
      edit = this.#visitor(item)
    } catch (error) {
      this.#rejectVisit(raw, error)
      return true
    }
    if (isPromise(edit)) return this.#awaitVisit(edit, item, raw, segment, conflicts)
    return this.#apply(edit, item, raw, segment, conflicts)
  }

  /** Does what the visitor says in the end, unless it takes too long. */
  #awaitVisit(edit: Promise<Edit>, item: PlainItem, raw: RawItem, segment: number, conflicts: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let late = false
      const settle = this.#visits.begin(() => {
        late = true
        this.#rejectVisit(raw, `its promise did not settle within ${this.#visits.limitMs / 1_000} s`)
        resolve()
      })
      Promise.resolve(edit)
        .then(
          async (resolved) => {
            settle()
            if (!late && !this.#apply(resolved, item, raw, segment, conflicts)) await this.#engine.ready
          },
          (error: unknown) => {
            settle()
            if (!late) this.#rejectVisit(raw, error)
          },
        )
        .then(resolve, reject)
    })
  }

  #apply(edit: Edit, item: PlainItem, raw: RawItem, segment: number, conflicts: number): boolean {
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
    this.#unsettled[segment]! += 1
    const origin: Origin = { segment, conflicts }
    return this.#engine.change(change, this.#hashOf(item, raw), changeUnits(change, raw), this, origin, segment)
  }

  #rejectVisit(raw: RawItem, error: unknown): void {
    const message = `the visitor failed: ${error instanceof Error ? error.message : error}`
    this.#run.reject({ code: 'VisitorFailed', message, place: this.#placeOf(raw), item: originalItem(raw) })
  }

  onStored(entry: Entry): void {
    this.#run.tally.written += 1
    this.#settle((entry.origin as Origin).segment)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#settle((entry.origin as Origin).segment)
    const key = decodeItem(JSON.parse(entryKeyText(entry, this.#schema)))
    this.#run.reject({ code, message, place: describeItemKey(key, this.#schema), item: key })
  }

  onConflict(entry: Entry): void {
    this.#run.conflicts += 1
    this.#settle((entry.origin as Origin).segment)
    this.#track(this.#decideAgain(entry))
  }

  /** A write of this segment has ended, so its turn may have come again. */
  #settle(segment: number): void {
    this.#unsettled[segment]! -= 1
    if (this.#end !== undefined && this.#unsettled[segment]! <= this.#unsettledMax / 2) this.#wake()
  }

  /** The item is not what was read: looks at it as it is now. */
  async #decideAgain(entry: Entry): Promise<void> {
    const origin = entry.origin as Origin
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
    const conflicts = origin.conflicts + 1
    if (conflicts >= CONFLICTS_MAX) {
      const message = `the item was changed by others each of ${conflicts} times between reading and writing it`
      this.#run.reject({ code: 'Conflict', message, place: describeItemKey(item, this.#schema), item })
      return
    }
    const raw: RawItem = {
      attribute: (name) => (Object.hasOwn(attributes, name) ? JSON.stringify(attributes[name]) : undefined),
      names: () => Object.keys(attributes),
      bytes: () => attributesBytes(attributes),
    }
    await this.#visit(item, raw, origin.segment, conflicts)
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

  /** Resolves when the next piece of pending work ends, a segment's turn comes again, or the job is stopped. */
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
      while (this.#pending.size > 0) {
        const failure = this.#failure ?? this.#engine.failure
        if (failure !== undefined) throw failure
        await this.#nextEnd()
      }
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

/** A page of which some items were visited. */
interface OpenPage {
  readonly page: RawPage
  next: number
}

/** Where a change comes from. */
interface Origin {
  readonly segment: number
  readonly conflicts: number
}

/**
 * Segments to read at once so that what is written back falls on all of the table's partitions: two for each. A partition
 * takes 1,000 write units (developer guide, "Partitions and data distribution").
 */
function chooseConcurrency({ writeUnitsPerSecond, warmWriteUnitsPerSecond, billing }: TableDescription): number {
  const units = billing === 'provisioned' ? writeUnitsPerSecond : Math.max(16_000, warmWriteUnitsPerSecond)
  return Math.min(128, Math.max(16, 2 * Math.ceil(units / 1_000)))
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
