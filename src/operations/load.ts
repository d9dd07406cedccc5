import type { Table } from '../database/table.ts'
import { FormatError } from '../formats/formatError.ts'
import { packingOf } from '../formats/packing.ts'
import type { SourceRecord } from '../formats/record.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import type { Positions } from '../job/checkpoint.ts'
import type { JobWhat, SourceSpec, TableSpec } from '../job/jobSpec.ts'
import type { Plan } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import type { Ending } from '../job/tally.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { counted } from '../runtime/counted.ts'
import { deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { segmentOrder } from '../scan/segmentOrder.ts'
import { StorageError } from '../storage/storageError.ts'
import { checkSources } from './checkSources.ts'
import type { RecordSource } from './file.ts'
import type { DescribeOptions, PlannableJob } from './job.ts'
import { type JobIdentity, LOAD, LOAD_CHANGES } from './jobIdentity.ts'
import { type JobRun, type OpenRun, PlannedRun, type Work } from './jobRun.ts'
import { keyAdvice } from './keyAdvice.ts'
import { MadeWrites } from './madeWrites.ts'
import { type Operation, reopenTransform } from './operation.ts'
import { type LoadPlanOptions, planLoad } from './plan/planLoad.ts'
import { reopenSource } from './reopenSource.ts'
import { openReplacements, type Replacements } from './replacements.ts'
import { SourceLedger } from './sourceLedger.ts'
import { splitSources } from './splitSources.ts'
import { type Transformed, Transformer, type TransformSource, transformSpec } from './transform.ts'
import { checkIfExists, type IfExists, ifExistsSpec, type WriteOptions } from './writeOptions.ts'

/**
 * How records are loaded.
 *
 * @typeParam Out the type of the table's items. Default: {@link PlainItem}
 * @example
 * const options: LoadOptions<User> = { transform: ({ ID, Mail }) => ({ id: ID, email: Mail }), ifExists: 'skip' }
 */
export interface LoadOptions<Out extends object = PlainItem> extends WriteOptions {
  /** Makes of each record what is written. Default: the record as it is. */
  readonly transform?: TransformSource<PlainItem, Out> | undefined
  /**
   * The sources are incremental exports, whose records are changes: items are written, and deleted. Without it such sources
   * are refused, and with it any others. Default false.
   */
  readonly applyChanges?: boolean | undefined
  /**
   * Keep what is replaced, as it was, in the job's directory, from where `undo` puts it back. Each item is read first, and
   * written on condition that it still is what was read: a read unit or more for each, and a write of its own. Default false.
   */
  readonly keepOld?: boolean | undefined
  /**
   * What becomes of a record whose key the table already has: `'overwrite'` writes it in place of that item; `'skip'`
   * leaves the item and counts the record as *skipped*; `'reject'` leaves the item and makes the record a reject with the
   * code `DuplicateItem`. The last two go as PartiQL `INSERT`, 25 a request, at the price of any other write. Of two
   * records of one key the first one is inserted. Default `'overwrite'`.
   */
  readonly ifExists?: IfExists | undefined
}

/**
 * Writes every record into a table, each whole, in place of any item of the same key. Of two records of one key in one
 * source the later one stays, unless a transform takes its time over it.
 *
 * Several sources are read side by side, a record of each in turn: files that a table was exported to hold a range of
 * hashes each, as partitions do, and one file after another would fall on one partition after another.
 *
 * Records have no type. What a transform makes must fit the type of the table.
 *
 * @throws {TypeError} for options out of range, or that contradict the sources
 * @example
 * await load(await files(['users.csv']), users, { transform: ({ ID }) => ({ id: ID, tier: 'gold' }) }).run()
 */
export function load<Item extends object, const Made extends Transformed<Item> = Transformed<Item>>(
  source: RecordSource | readonly RecordSource[],
  table: Table<Item>,
  options?: Omit<LoadOptions, 'transform'> & {
    readonly transform?: ((record: PlainItem) => Made | Promise<Made>) | URL | undefined
  },
): PlannableJob<LoadPlanOptions>
export function load(
  source: RecordSource | readonly RecordSource[],
  table: Table,
  options: LoadOptions = {},
): PlannableJob<LoadPlanOptions> {
  const sources = 'records' in source ? [source] : source
  const { applyChanges = false, ...loadOptions } = options
  checkChanges(sources, applyChanges, loadOptions)
  return loadAs(applyChanges ? LOAD_CHANGES : LOAD, sources, table, loadOptions)
}

/**
 * A load, or a job of a user's own that reads files.
 *
 * @internal
 */
export function loadAs(
  identity: JobIdentity,
  sources: readonly RecordSource[],
  table: Table,
  options: LoadOptions,
): PlannableJob<LoadPlanOptions> {
  return new PlannedRun(identity.operation, table, new LoadWork(sources, table, options, identity))
}

/** @throws {TypeError} for changes that nobody meant to apply, and for what is none where changes are meant */
function checkChanges(
  sources: readonly RecordSource[],
  applyChanges: boolean,
  { transform, keepOld, ifExists }: LoadOptions,
): void {
  const isChanges = (source: RecordSource): boolean => source.isChanges === true
  const odd = sources.find((source) => isChanges(source) !== applyChanges)
  if (odd !== undefined && applyChanges)
    throw new TypeError(
      `${odd.name} contains items, not changes: applyChanges (--apply-changes) is for incremental exports`,
    )
  if (odd !== undefined) {
    throw new TypeError(
      `${odd.name} is an incremental export, whose changes can delete items. ` +
        'To make them in a table that has the earlier items, set applyChanges (--apply-changes)',
    )
  }
  if (applyChanges && keepOld === true)
    throw new TypeError('keepOld (--keep-old) does not work with incremental exports: omit it')
  if (applyChanges && ifExists !== undefined && ifExists !== 'overwrite')
    throw new TypeError('ifExists (--if-exists) does not work with incremental exports: omit it')
  if (applyChanges && transform !== undefined)
    throw new TypeError('a transform does not work with incremental exports: omit it')
}

/** Files without records that are named. */
const EMPTY_NAMED_MAX = 3
/** Sources that are open at the same time. */
const OPEN_MAX = 64
/** Records of one source before it is another's turn. */
const STRIDE = 4
/** However many sources are open, each may have so many writes under way: two batches. */
const UNSETTLED_MIN = 50

/** A record of which a transform makes what is written. */
interface TakenRecord {
  readonly stream: SourceLedger
  readonly sequence: number
  readonly item: PlainItem
}

class LoadWork implements Work, EntryOwner {
  readonly options: WriteOptions
  readonly #identity: JobIdentity
  readonly #sources: readonly RecordSource[]
  readonly #table: Table
  readonly #options: LoadOptions
  #run!: JobRun
  #engine!: PublishEngine
  /** An earlier run has described the job. */
  #wasBegun = false
  #transformer: Transformer | undefined
  /** Undefined where records are written as they are. */
  #made: MadeWrites<TakenRecord> | undefined
  #replacements: Replacements | undefined
  /** Of each source, in their order. */
  #streams: readonly SourceLedger[] = []
  /** As long as their records' offsets go; undefined where that is not known. */
  #sizes: readonly (number | undefined)[] = []
  /** Offsets at which they begin. */
  #starts: readonly number[] = []
  readonly #unsettledMax: number
  #signal!: AbortSignal
  #schema!: KeySchema
  /** What the records of the sources must have. */
  #sourceKey: KeySchema | undefined
  #failure: unknown
  /** Sources that were read and had no records. */
  #empty = 0

  constructor(sources: readonly RecordSource[], table: Table, options: LoadOptions, identity: JobIdentity) {
    this.#identity = identity
    this.#table = table
    this.#options = options
    const names = new Set(sources.map(({ name }) => name))
    if (names.size < sources.length) throw new TypeError('two sources have the same name: pass each source once')
    this.#sources = sources
    const { transform, keepOld, ifExists, ...writeOptions } = options
    checkIfExists(ifExists, keepOld)
    this.options = writeOptions
    const side = Math.min(OPEN_MAX, sources.length)
    // Half of the queue for all of them together, so that one that waits never keeps another out.
    const share = Math.max(UNSETTLED_MIN, (options.maxQueueSize ?? 10_000) / Math.max(1, side) / 2)
    this.#unsettledMax = side > 1 ? share : Number.POSITIVE_INFINITY
  }

  get failure(): unknown {
    return this.#failure
  }

  async plan(planOptions?: LoadPlanOptions): Promise<Plan> {
    const { clock } = await this.#table.database.open()
    const transformer = await Transformer.open(this.#options.transform, clock)
    try {
      return await planLoad(this.#sources, this.#table, this.#options, { ...this.#identity, transformer }, planOptions)
    } finally {
      transformer?.close()
    }
  }

  async whatFor({ split = false, slices = 1 }: DescribeOptions): Promise<Work['what']> {
    if (slices > 1 && this.#phases.length > 1)
      throw new TypeError(
        'several incremental exports must load one after another: omit slices and threads, or load one export',
      )
    const sources = split ? await splitSources(this.#sources, slices) : this.#sources
    return (table) => this.#describe(table, sources)
  }

  what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    this.#wasBegun = earlier !== undefined
    return this.#describe(table, this.#sources)
  }

  async open({ run, schema, database, directory, signal }: OpenRun): Promise<void> {
    this.#run = run
    this.#signal = signal
    this.#schema = schema
    const engine = await run.startEngine(this.#table)
    this.#engine = engine
    const { transform, keepOld, ifExists = 'overwrite', patienceMs } = this.#options
    const { makesChanges } = this.#identity
    this.#transformer = await Transformer.open(transform, database.clock)
    const transformer = this.#transformer
    if (keepOld === true) {
      const { clock } = database
      const table = this.#table
      this.#replacements = await openReplacements({ run, engine, table, directory, clock, signal, patienceMs })
    }
    const replacements = this.#replacements
    if (ifExists === 'overwrite' && !makesChanges) run.account.compareKeys()
    if (transformer !== undefined || makesChanges || replacements !== undefined || ifExists !== 'overwrite') {
      this.#made = new MadeWrites({
        run,
        engine,
        schema,
        signal,
        transformer,
        makesChanges,
        placeOf: ({ stream, sequence }) => `${stream.name}:${stream.lineOf(sequence)}`,
        // As it was read, so that it can be put right and loaded again.
        itemOf: ({ item }) => item,
        onEnd: (record, ending, reject) => this.#end(record, ending, reject),
        replacements,
        ifExists,
      })
    }
    // A transform may make the key.
    if (transformer === undefined && !makesChanges) this.#sourceKey = schema
    if (!this.#wasBegun) {
      await checkSources(this.#sources, this.#sourceKey, signal)
      if (transformer === undefined) await this.#checkKey(schema)
    }
    this.#streams = this.#ledgers(directory?.checkpoint?.positions)
    const unknown = this.#sources.find(({ isChanges, itemCount }) => isChanges === true && itemCount === undefined)
    if (unknown !== undefined)
      run.warn(`${unknown.name} has no manifest: Headrace cannot check that the export is complete and in order`)
    run.account.share = () => this.#share()
    run.keep(() => ({ kind: 'sources', sources: this.#streams.map((stream) => stream.position) }))
    engine.onFailure = () => {
      this.#wakeAll()
      this.#made?.wake()
    }
  }

  async run(): Promise<void> {
    const wakeAll = (): void => this.#wakeAll()
    this.#signal.addEventListener('abort', wakeAll, { once: true })
    try {
      for (const [place, phase] of this.#phases.entries()) {
        // What a later export says of a key comes behind what an earlier one says, also after a crash.
        if (place > 0) await this.#run.untilStopped(this.settled().then(() => this.#engine.flush()))
        if (this.#isStopped()) break
        await this.#readAll(phase)
      }
    } finally {
      this.#signal.removeEventListener('abort', wakeAll)
    }
    if (!this.#isStopped()) this.#checkItemCount()
  }

  async settled(): Promise<void> {
    await this.#made?.settled()
  }

  close(): void {
    this.#transformer?.close()
    this.#replacements?.close()
  }

  /** Of each phase, in their order, the places of its sources. */
  get #phases(): number[][] {
    const phases = new Map<number, number[]>()
    for (const [index, { phase = 0 }] of this.#sources.entries())
      phases.set(phase, [...(phases.get(phase) ?? []), index])
    return [...phases].sort(([left], [right]) => left - right).map(([, indexes]) => indexes)
  }

  async #readAll(indexes: readonly number[]): Promise<void> {
    // Files lie in the order of their ranges, if any: those that are open together shall be far apart.
    const left = segmentOrder(indexes.length).reverse()
    const readers = Array.from({ length: Math.min(OPEN_MAX, left.length) }, async () => {
      for (let place = left.pop(); place !== undefined; place = left.pop()) {
        if (this.#isStopped()) return
        await this.#readSource(indexes[place]!)
      }
    })
    await Promise.all(readers)
  }

  /** An export of another table is known by its first item, before anything is written. */
  async #checkKey(schema: KeySchema): Promise<void> {
    const source = this.#sources.find(({ itemCount }) => itemCount !== undefined && itemCount > 0)
    if (source === undefined) return
    for await (const [record] of untilAborted(source.records(), this.#signal)) {
      if (record === undefined || 'error' in record) return
      const { item } = record
      const image: PlainItem = source.isChanges === true ? (item['put'] ?? item['delete']) : item
      try {
        keyHash(image, schema)
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        throw new HeadraceError(
          'INPUT',
          `${source.name} is an export of a table with another key than ${this.#table.name}: ${error.message}. ` +
            'Choose a table with the same key, or pass a transform that sets it',
          { cause: error, place: { table: this.#table.name } },
        )
      }
      return
    }
  }

  /** Where a manifest says how many there are. */
  #checkItemCount(): void {
    let told = 0
    for (const { itemCount } of this.#sources) {
      if (itemCount === undefined) return
      told += itemCount
    }
    const { read } = this.#run.account.tally
    if (this.#sources.length === 0 || read === told) return
    const message = `the manifest lists ${counted(told, 'item')}, but ${read} were read and written: download the export again`
    this.#failure = new HeadraceError('INPUT', message)
  }

  async #describe(table: TableSpec, ofSources: readonly RecordSource[]): Promise<JobWhat> {
    const sources: SourceSpec[] = []
    for (const source of ofSources) {
      const described = (await source.describe?.()) ?? { name: source.name }
      const { phase = 0 } = source
      sources.push(phase === 0 ? described : { ...described, phase })
    }
    this.#sizes = sources.map(sizeOf)
    this.#starts = sources.map(({ range }) => range?.from ?? 0)
    const { operation, module } = this.#identity
    const { transform, keepOld, ifExists } = this.#options
    const keeps = keepOld === true ? { keepOld } : {}
    return { operation, table, sources, ...transformSpec(module ?? transform), ...keeps, ...ifExistsSpec(ifExists) }
  }

  /** Of all bytes of the files, in front of what is not settled; undefined where a file does not tell its size. */
  #share(): number | undefined {
    let settled = 0
    let all = 0
    for (const [index, { position }] of this.#streams.entries()) {
      const size = this.#sizes[index]
      if (size === undefined) return undefined
      all += size
      const start = this.#starts[index]!
      settled += position.done ? size : Math.max(0, (position.after?.offset ?? start) - start)
    }
    return all === 0 ? undefined : settled / all
  }

  #ledgers(from: Positions | undefined): SourceLedger[] {
    const positions = from?.kind === 'sources' ? from.sources : []
    const side = Math.max(1, Math.min(OPEN_MAX, this.#sources.length))
    return this.#sources.map((source, index) => {
      const position = positions[index]
      // Also if nothing of it is settled: what it was asked for in an earlier run, it will not give again.
      if (this.#wasBegun && position?.done !== true && source.isOnce === true) {
        throw new HeadraceError(
          'STATE',
          `${source.name === '-' ? 'standard input' : source.name} cannot be read twice, so the rest of it cannot ` +
            `be loaded. ${source.onceAdvice ?? 'Write it to a file first, and load that'}`,
        )
      }
      return new SourceLedger(source.name, position, this.#run.account.passed, this.#run.record, side)
    })
  }

  /** A file without records is often the wrong one. */
  #noteEmpty(name: string): void {
    this.#empty += 1
    if (this.#empty <= EMPTY_NAMED_MAX) this.#run.warn(`${name === '-' ? 'standard input' : name} contains no records`)
    else if (this.#empty === EMPTY_NAMED_MAX + 1) this.#run.warn('more files contain no records')
  }

  #isStopped(): boolean {
    return this.#signal.aborted || this.#failure !== undefined
  }

  async #readSource(index: number): Promise<void> {
    const source = this.#sources[index]!
    const stream = this.#streams[index]!
    if (stream.position.done) return
    const { after } = stream.position
    const several = this.#sources.length > 1
    let turn = 0
    let isEmpty = true
    try {
      for await (const records of untilAborted(source.records(after, this.#sourceKey), this.#signal)) {
        for (const record of records) {
          if (this.#isStopped()) return
          if (after !== undefined && record.place.offset <= after.offset) continue
          isEmpty = false
          const wait = this.#take(record, index, stream)
          if (wait !== undefined) await wait
          const { behind } = this.#run
          if (behind !== undefined) await behind
          if (stream.unsettled >= this.#unsettledMax || stream.isFull) await this.#streamRoom(stream)
          if (!several) continue
          turn += 1
          // Whoever waits for nothing but a turn gets one.
          if (turn % STRIDE === 0) await undefined
        }
      }
      if (this.#isStopped()) return
      stream.end()
      if (isEmpty && after === undefined && source.itemCount === undefined) this.#noteEmpty(source.name)
      for (const why of source.incomplete?.() ?? []) this.#run.noteIncomplete(why)
    } catch (error) {
      // What was read before a file turned out to be broken is still written.
      if (!(error instanceof FormatError || error instanceof StorageError)) throw error
      this.#failure ??= error
    }
  }

  /** @returns a promise when there is something to wait for before the next */
  #take(record: SourceRecord, index: number, stream: SourceLedger): Promise<void> | undefined {
    this.#run.take()
    const sequence = stream.take(record.place)
    if ('error' in record) {
      const { error: message, raw, rawBytes, rawFormat } = record
      this.#reject(stream, sequence, { code: 'InvalidRecord', message, raw, rawBytes, rawFormat })
      return undefined
    }
    const { item } = record
    if (this.#made !== undefined) return this.#made.take({ stream, sequence, item }, item, index)
    try {
      const check = this.#run.account.keyCheckOf(item, this.#schema)
      return this.#engine.put(item, this, sequence, index, check) ? undefined : this.#run.room()
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      const message = error.message + keyAdvice(item, this.#schema)
      this.#reject(stream, sequence, { code: 'InvalidItem', message, item })
      return undefined
    }
  }

  /** All that was made of it has ended. */
  #end({ stream, sequence }: TakenRecord, ending: Ending, reject: JobReject | undefined): void {
    if (reject === undefined) this.#run.account.tally[ending] += 1
    else this.#run.reject(reject)
    stream.settle(sequence, ending, reject)
    this.#wakeFor(stream)
  }

  #reject(stream: SourceLedger, sequence: number, reject: Omit<JobReject, 'place'>): void {
    const told = { ...reject, place: `${stream.name}:${stream.lineOf(sequence)}` }
    this.#run.reject(told)
    stream.settle(sequence, 'rejected', told)
  }

  async #streamRoom(stream: SourceLedger): Promise<void> {
    while ((stream.unsettled >= this.#unsettledMax || stream.isFull) && !this.#signal.aborted) {
      this.#run.throwIfFailed()
      stream.room ??= deferred()
      await stream.room.promise
    }
  }

  #wakeAll(): void {
    for (const stream of this.#streams) stream.wake()
  }

  #wakeFor(stream: SourceLedger): void {
    if (stream.room !== undefined && stream.unsettled <= this.#unsettledMax / 2 && !stream.isFull) stream.wake()
  }

  onStored(entry: Entry): void {
    const stream = this.#streams[entry.lane]!
    const ending = this.#run.account.endingOf(entry.keyHash, entry.keyCheck)
    this.#run.account.tally[ending] += 1
    stream.settle(entry.origin as number, ending)
    this.#wakeFor(stream)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    const stream = this.#streams[entry.lane]!
    this.#reject(stream, entry.origin as number, { code, message, item: decodeItemText(entry.text) })
    this.#wakeFor(stream)
  }
}

/** A packed file is longer than it lies on the disk. */
function sizeOf({ name, sizeBytes, range }: SourceSpec): number | undefined {
  if (range !== undefined) return range.to - range.from
  return packingOf(name) !== undefined ? undefined : sizeBytes
}

/** Ends with the signal, also while the source has nothing to give: a pipe may be silent for hours. */
async function* untilAborted<Value>(source: AsyncIterable<Value>, signal: AbortSignal): AsyncGenerator<Value> {
  let stop: (() => void) | undefined
  const listener = (): void => stop?.()
  signal.addEventListener('abort', listener, { once: true })
  const iterator = source[Symbol.asyncIterator]()
  try {
    while (!signal.aborted) {
      // No race with one promise for all steps: that would keep what each of them gave until the end.
      const next = await new Promise<IteratorResult<Value> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined)
        iterator.next().then(resolve, reject)
      })
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', listener)
    // Not waited for: a source that is waiting itself answers when it goes on, if ever.
    iterator.return?.().catch(() => undefined)
  }
}

/** @internal */
export const LOAD_OPERATION: Operation = {
  name: 'load',
  reopen: (from) => {
    const { what, table, write } = from
    const sources = (what.sources ?? []).map(reopenSource)
    return load(sources, table, {
      ...write,
      transform: reopenTransform(from),
      applyChanges: sources.some(({ isChanges }) => isChanges === true),
      keepOld: what.keepOld,
      ifExists: what.ifExists,
    })
  },
  slices: {},
}
