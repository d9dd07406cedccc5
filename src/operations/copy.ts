import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import type { JobWhat, TableSpec } from '../job/jobSpec.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import type { Summary } from '../job/summary.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { isSameTable } from './isSameTable.ts'
import type { JobRates, PlannableJob, RunOptions } from './job.ts'
import { planTable } from './plan/planTable.ts'
import type { WrittenItem } from './plan/writeCharge.ts'
import { TableReader } from './tableReader.ts'
import { tableSpec } from './tableSpec.ts'
import { isFault, Transformer, type TransformFault, type TransformSource, transformSpec } from './transform.ts'
import type { VisitedItem } from './visitedItem.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

export interface CopyOptions
  extends WriteOptions,
    Pick<ScanOptions, 'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'consistentRead'> {
  /** Makes of each item what is written to the target. Default: the item as it is. */
  readonly transform?: TransformSource
}

/**
 * Writes every item of one table into another, which may be in another region or account: connect to each. The source is
 * only read. What is in the target under the same key is replaced; the rest of it stays.
 *
 * A scan is no snapshot: what is written to the source meanwhile may be copied or not.
 */
export function copy(source: Table, target: Table, options: CopyOptions = {}): PlannableJob {
  return new CopyJob(source, target, options)
}

/** Transforms that return promises are asked for at most so many items at once. */
const TRANSFORMS_MAX = 256

class CopyJob implements PlannableJob, EntryOwner {
  readonly #source: Table
  readonly #target: Table
  readonly #options: CopyOptions
  readonly #reader: TableReader
  readonly #run: WriteRun
  #transformer: Transformer | undefined
  #engine!: PublishEngine
  #schema!: KeySchema
  /** Of items of which several were made: how many are on their way, and the first reason why one of them is not written. */
  readonly #several = new Map<VisitedItem, { left: number; reject: JobReject | undefined }>()
  readonly #pending = new Set<Promise<void>>()
  #signal!: AbortSignal

  constructor(source: Table, target: Table, options: CopyOptions) {
    this.#source = source
    this.#target = target
    this.#options = options
    const { segments, concurrency, filter, readUnitsPerSecond, consistentRead, transform, ...writeOptions } = options
    this.#reader = new TableReader(source, options)
    this.#run = new WriteRun('copy', source, writeOptions, () => this.#reader.scan)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  async plan(options?: PlanOptions): Promise<Plan> {
    const { clock } = await this.#source.database.open()
    const transformer = await Transformer.open(this.#options.transform, clock)
    const { writeUnitsPerSecond, prices, ...reading } = this.#options
    const writtenOf = (made: readonly PlainItem[] | TransformFault): WrittenItem[] => {
      if (isFault(made)) throw new Error(made.fault)
      return made.map((after) => ({ before: undefined, after }))
    }
    try {
      return await planTable(
        {
          ...reading,
          operation: 'copy',
          table: this.#source,
          spread: true,
          prices,
          writes: {
            table: this.#target,
            writeUnitsPerSecond,
            of: (item) => {
              const made = transformer?.apply(item) ?? [item]
              return made instanceof Promise ? made.then(writtenOf) : writtenOf(made)
            },
          },
        },
        options,
      )
    } finally {
      transformer?.close()
    }
  }

  setRates({ readUnitsPerSecond, writeUnitsPerSecond }: JobRates): void {
    if (readUnitsPerSecond !== undefined) this.#reader.setRate(readUnitsPerSecond)
    if (writeUnitsPerSecond !== undefined) this.#run.setRate(writeUnitsPerSecond)
  }

  async run(options: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    const reader = this.#reader
    try {
      const opened = await run.begin(options, (table, earlier) => this.#what(table, earlier), this.#reader.how)
      const { schema, database, directory, signal } = opened
      this.#signal = signal
      this.#schema = schema
      const [there, target] = await Promise.all([this.#target.database.open(), this.#target.describe()])
      if (isSameTable(tableSpec(opened.description, this.#source, database), tableSpec(target, this.#target, there))) {
        const message = `table ${this.#source.name} can not be copied to itself; to change its items, use update`
        throw new HeadraceError('CONFIGURATION', message)
      }
      this.#transformer = await Transformer.open(this.#options.transform, database.clock)
      this.#engine = await run.startEngine(this.#target)
      await reader.open({
        run,
        directory,
        signal,
        // Pages of the source are visited side by side so that what is written falls on all of the target.
        spread: target,
        queueSize: this.#options.maxQueueSize,
        isStopped: () => this.#isStopped(),
      })
      this.#engine.onFailure = () => reader.walk.wake()
      await reader.visitAll((item) => this.#visit(item))
      return await run.finish(() => this.#settled())
    } catch (error) {
      reader.close()
      return await run.abandon(error)
    } finally {
      reader.close()
      this.#transformer?.close()
    }
  }

  async #what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    const { transform } = this.#options
    const [there, target] = await Promise.all([this.#target.database.open(), this.#target.describe()])
    return {
      operation: 'copy',
      table,
      target: tableSpec(target, this.#target, there),
      ...(transform === undefined ? {} : { visitor: transformSpec(transform) }),
      ...(await this.#reader.what(earlier, target)),
    }
  }

  #isStopped(): boolean {
    this.#run.throwIfFailed()
    return this.#signal.aborted
  }

  #visit(visited: VisitedItem): Promise<void> | undefined {
    this.#run.take()
    const { item } = visited
    const made = this.#transformer?.apply(item) ?? [item]
    if (!(made instanceof Promise)) return this.#write(visited, made) ? undefined : this.#run.room()
    const work = made
      .then(async (list) => {
        if (!this.#write(visited, list)) await this.#run.room()
      })
      .catch((error: unknown) => {
        // The engine tells of its own failure, and a stop is none.
        if (error !== this.#engine.failure) this.#run.fail(error)
      })
      .finally(() => {
        this.#pending.delete(work)
        this.#reader.walk.wake()
      })
    this.#pending.add(work)
    return this.#pending.size < TRANSFORMS_MAX ? undefined : this.#fewerTransforms()
  }

  async #fewerTransforms(): Promise<void> {
    while (this.#pending.size >= TRANSFORMS_MAX && !this.#isStopped()) await this.#reader.walk.nextEnd()
  }

  /** @returns whether there is room for more */
  #write(visited: VisitedItem, made: readonly PlainItem[] | TransformFault): boolean {
    if (isFault(made)) {
      this.#end(visited, this.#rejectOf(visited, 'TransformFailed', made.fault, visited.item))
      return true
    }
    if (made.length === 0) {
      this.#run.tally.filtered += 1
      this.#reader.walk.settle(visited, 'filtered')
      return true
    }
    if (made.length > 1) this.#several.set(visited, { left: made.length, reject: undefined })
    let hasRoom = true
    for (const item of made) {
      try {
        hasRoom = this.#engine.put(item, this, visited, visited.segment)
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        this.#settle(visited, this.#rejectOf(visited, 'InvalidItem', error.message, item))
      }
    }
    return hasRoom
  }

  #rejectOf(visited: VisitedItem, code: string, message: string, item: PlainItem): JobReject {
    return { code, message, place: describeItemKey(visited.item, this.#schema), item }
  }

  /** One that was made of it has ended. */
  #settle(visited: VisitedItem, reject: JobReject | undefined): void {
    const several = this.#several.get(visited)
    if (several === undefined) {
      this.#end(visited, reject)
      return
    }
    several.left -= 1
    several.reject ??= reject
    if (several.left > 0) return
    this.#several.delete(visited)
    this.#end(visited, several.reject)
  }

  #end(visited: VisitedItem, reject: JobReject | undefined): void {
    if (reject === undefined) this.#run.tally.written += 1
    else this.#run.reject(reject)
    this.#reader.walk.settle(visited, reject === undefined ? 'written' : 'rejected', reject)
  }

  onStored(entry: Entry): void {
    this.#settle(entry.origin as VisitedItem, undefined)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    const visited = entry.origin as VisitedItem
    this.#settle(visited, this.#rejectOf(visited, code, message, decodeItemText(entry.text)))
  }

  onConflict(entry: Entry, message: string): void {
    this.onRefused(entry, 'Conflict', message)
  }

  async #settled(): Promise<void> {
    while (this.#pending.size > 0) {
      this.#run.throwIfFailed()
      await this.#reader.walk.nextEnd()
    }
  }
}
