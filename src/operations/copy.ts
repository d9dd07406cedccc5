import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { describeItemKey, keySchemaText } from '../item/itemKey.ts'
import type { JobHow, JobWhat, TableSpec } from '../job/jobSpec.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import type { Ending } from '../job/tally.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { isSameTable } from './isSameTable.ts'
import type { FilteredJob } from './job.ts'
import { COPY, type JobIdentity } from './jobIdentity.ts'
import { FilteredRun, type JobRun, type OpenRun, type Work } from './jobRun.ts'
import { MadeWrites } from './madeWrites.ts'
import { type Operation, reopenTransform } from './operation.ts'
import { plannedWrites } from './plan/plannedWrites.ts'
import { planTable } from './plan/planTable.ts'
import type { WrittenItem } from './plan/writeCharge.ts'
import type { FilterPreview } from './previewFilter.ts'
import { openReplacements, type Replacements } from './replacements.ts'
import { TableReader } from './tableReader.ts'
import { tableSpec } from './tableSpec.ts'
import { type Transformed, Transformer, type TransformFault, type TransformSource, transformSpec } from './transform.ts'
import type { VisitedItem } from './visitedItem.ts'
import { checkIfExists, type IfExists, ifExistsSpec, type WriteOptions } from './writeOptions.ts'

/**
 * How a table is copied.
 *
 * @typeParam In the type of the source's items. Default: {@link PlainItem}
 * @typeParam Out the type of the target's items. Default: `In`
 * @example
 * const options: CopyOptions<User> = { transform: (user) => ({ ...user, tier: 'gold' }), ifExists: 'skip' }
 */
export interface CopyOptions<In extends object = PlainItem, Out extends object = In>
  extends WriteOptions,
    Pick<
      ScanOptions,
      'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'sharedReadRate' | 'consistentRead'
    > {
  /** Makes of each item what is written to the target. Default: the item as it is. */
  readonly transform?: TransformSource<In, Out> | undefined
  /**
   * Keep what is replaced, as it was, in the job's directory, from where `undo` puts it back. Each item is read first, and
   * written on condition that it still is what was read: a read unit or more for each, and a write of its own. Default false.
   */
  readonly keepOld?: boolean | undefined
  /** What becomes of an item whose key the target already has; see `LoadOptions`. Default `'overwrite'`. */
  readonly ifExists?: IfExists | undefined
}

/**
 * Writes every item of one table into another, which may be in another region or account: connect to each. The source is
 * only read. What is in the target under the same key is replaced; the rest of it stays.
 *
 * A scan is no snapshot: what is written to the source meanwhile may be copied or not.
 *
 * Without a transform, the items of the source must fit the type of the target.
 *
 * @throws {TypeError} for options out of range
 * @example
 * await copy(users, archive, { transform: (user) => ({ ...user, archived: true }) }).run()
 */
export function copy<Item extends object, Target extends object, const Made extends Transformed<Target>>(
  source: Table<Item>,
  target: Table<Target>,
  options: Omit<CopyOptions, 'transform'> & { readonly transform: (item: Readonly<Item>) => Made | Promise<Made> },
): FilteredJob
export function copy<Item extends Target, Target extends object>(
  source: Table<Item>,
  target: Table<Target>,
  options?: CopyOptions<NoInfer<Item>, NoInfer<Target>>,
): FilteredJob
export function copy<Item extends object, Target extends object>(
  source: Table<Item>,
  target: Table<Target>,
  options: Omit<CopyOptions, 'transform'> & { readonly transform: URL },
): FilteredJob
export function copy(source: Table, target: Table, options: CopyOptions = {}): FilteredJob {
  return copyAs(COPY, source, target, options)
}

/**
 * A copy, or a job of a user's own that reads a table.
 *
 * @internal
 */
export function copyAs(identity: JobIdentity, source: Table, target: Table, options: CopyOptions): FilteredJob {
  return new FilteredRun(identity.operation, source, new CopyWork(source, target, options, identity))
}

class CopyWork implements Work {
  readonly options: WriteOptions
  readonly reader: TableReader
  readonly #identity: JobIdentity
  readonly #source: Table
  readonly #target: Table
  readonly #options: CopyOptions
  #run!: JobRun
  #transformer: Transformer | undefined
  #made!: MadeWrites<VisitedItem>
  #replacements: Replacements | undefined
  #signal!: AbortSignal

  constructor(source: Table, target: Table, options: CopyOptions, identity: JobIdentity) {
    this.#identity = identity
    this.#source = source
    this.#target = target
    this.#options = options
    const {
      segments,
      concurrency,
      filter,
      readUnitsPerSecond,
      sharedReadRate,
      consistentRead,
      transform,
      keepOld,
      ifExists,
      ...writeOptions
    } = options
    checkIfExists(ifExists, keepOld)
    this.options = writeOptions
    this.reader = new TableReader(source, options)
  }

  get how(): JobHow {
    return this.reader.how
  }

  async plan(options?: PlanOptions): Promise<Plan> {
    const { clock } = await this.#source.database.open()
    const transformer = await Transformer.open(this.#options.transform, clock)
    const { writeUnitsPerSecond, prices, ...reading } = this.#options
    const { operation, makesChanges } = this.#identity
    const writtenOf = (made: readonly PlainItem[] | TransformFault): readonly WrittenItem[] =>
      plannedWrites(made, makesChanges)
    try {
      return await planTable(
        {
          ...reading,
          operation,
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

  preview(signal?: AbortSignal): Promise<FilterPreview | undefined> {
    return this.reader.preview(signal)
  }

  async open({ run, schema, database, description, directory, signal }: OpenRun): Promise<void> {
    this.#run = run
    this.#signal = signal
    const [there, target] = await Promise.all([this.#target.database.open(), this.#target.describe()])
    if (isSameTable(tableSpec(description, this.#source, database), tableSpec(target, this.#target, there))) {
      const { name } = this.#source
      const message =
        this.#identity.operation === 'copy'
          ? `table ${name} cannot be copied to itself: to change its items, use update`
          : `a job cannot read and write table ${name}, because it would read its own writes: to change items, use update`
      throw new HeadraceError('CONFIGURATION', message, { place: { option: 'target' } })
    }
    this.#transformer = await Transformer.open(this.#options.transform, database.clock)
    const engine = await run.startEngine(this.#target)
    const { keepOld, ifExists = 'overwrite', patienceMs } = this.#options
    // Items of one table have keys of their own, and another table's key need not tell them apart.
    const mayMerge = this.#transformer !== undefined || keySchemaText(target.key) !== keySchemaText(schema)
    if (mayMerge && ifExists === 'overwrite' && !this.#identity.makesChanges) run.account.compareKeys()
    if (keepOld === true) {
      const { clock } = database
      const table = this.#target
      this.#replacements = await openReplacements({ run, engine, table, directory, clock, signal, patienceMs })
    }
    this.#made = new MadeWrites({
      run,
      engine,
      schema: target.key,
      signal,
      transformer: this.#transformer,
      makesChanges: this.#identity.makesChanges,
      placeOf: ({ item }) => describeItemKey(item, schema),
      itemOf: ({ item }, made) => made ?? item,
      onEnd: (visited, ending, reject) => this.#end(visited, ending, reject),
      replacements: this.#replacements,
      ifExists,
    })
    await this.reader.open({
      run,
      directory,
      signal,
      // Pages of the source are visited side by side so that what is written falls on all of the target.
      spread: target,
      queueSize: this.#options.maxQueueSize,
      isStopped: () => this.#isStopped(),
    })
    engine.onFailure = () => {
      this.reader.walk.wake()
      this.#made.wake()
    }
  }

  run(): Promise<void> {
    return this.reader.visitAll((item) => this.#visit(item))
  }

  settled(): Promise<void> {
    return this.#made.settled()
  }

  close(): void {
    this.#transformer?.close()
    this.#replacements?.close()
  }

  async what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    const { transform, keepOld, ifExists } = this.#options
    const [there, target] = await Promise.all([this.#target.database.open(), this.#target.describe()])
    return {
      operation: this.#identity.operation,
      table,
      target: tableSpec(target, this.#target, there),
      ...transformSpec(this.#identity.module ?? transform),
      ...(keepOld === true ? { keepOld } : {}),
      ...ifExistsSpec(ifExists),
      ...(await this.reader.what(earlier, target)),
    }
  }

  #isStopped(): boolean {
    this.#run.throwIfFailed()
    return this.#signal.aborted
  }

  #visit(visited: VisitedItem): Promise<void> | undefined {
    this.#run.take()
    return this.#made.take(visited, visited.item, visited.segment)
  }

  #end(visited: VisitedItem, ending: Ending, reject: JobReject | undefined): void {
    if (reject === undefined) this.#run.account.tally[ending] += 1
    else this.#run.reject(reject)
    this.reader.walk.settle(visited, ending, reject)
  }
}

/** @internal */
export const COPY_OPERATION: Operation = {
  name: 'copy',
  reopen: (from) => {
    const { what, table, target, write, read } = from
    return copy(table, target!.table(what.target!.name), {
      ...write,
      ...read,
      keepOld: what.keepOld,
      ifExists: what.ifExists,
      transform: reopenTransform(from),
    })
  },
  slices: {},
}
