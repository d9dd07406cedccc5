import { checkWhole } from '../database/checkOption.ts'
import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyCheck } from '../item/keyHash.ts'
import type { Positions, Spent } from '../job/checkpoint.ts'
import { addCosts, type Cost, CostMeter } from '../job/costMeter.ts'
import { DistinctKeys } from '../job/distinctKeys.ts'
import { expectedCost, shareOfTable } from '../job/expectedCost.ts'
import { findCheckpoint, findSpec, JobDirectory } from '../job/jobDirectory.ts'
import type { JobHow, JobSpec, JobWhat, TableSpec } from '../job/jobSpec.ts'
import { JobState } from '../job/jobState.ts'
import { newMark } from '../job/newMark.ts'
import type { Plan } from '../job/plan.ts'
import type { PriceTable } from '../job/priceTable.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectsFile } from '../job/rejectsFile.ts'
import type { Summary } from '../job/summary.ts'
import { checkTally, type Endings, endingsOf, newTally, noEndings, settledOf, type Tally } from '../job/tally.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { PublisherOptions } from '../publish/publisher.ts'
import { startRun } from '../runtime/channels.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { Aborted, unlessAborted } from '../runtime/unlessAborted.ts'
import type { ScanEngine, ScanStats } from '../scan/scanEngine.ts'
import type { S3Options } from '../storage/s3.ts'
import { CAPACITY_NOT_REPORTED } from '../throughput/limiter.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import { CostLimit } from './costLimit.ts'
import { type DescribeOptions, DRAIN_MS, type JobLimits, type RunOptions } from './job.ts'
import type { FilterPreview } from './previewFilter.ts'
import { Stopper } from './stopper.ts'
import { tableSpec } from './tableSpec.ts'

/** What becomes of a record whose key the table already has. */
export type IfExists = 'overwrite' | 'skip' | 'reject'

export interface WriteOptions extends Omit<PublisherOptions, 'onReject'> {
  /** Told of each record that can never be written. Without it, and without a directory, the first one fails the job. */
  readonly onReject?: ((reject: JobReject) => void) | undefined
  /** What units cost, for `Summary.cost`. Default: AWS's list, as far as it is built in; see `readPriceFile`. */
  readonly prices?: PriceTable | undefined
}

/** @throws {TypeError} for what is none of the three, or makes no sense beside `keepOld` */
export function checkIfExists(ifExists: unknown, keepOld: boolean | undefined): void {
  if (ifExists === undefined || ifExists === 'overwrite') return
  if (ifExists !== 'skip' && ifExists !== 'reject')
    throw new TypeError(`ifExists must be 'overwrite', 'skip' or 'reject', not ${JSON.stringify(ifExists)}`)
  if (keepOld === true)
    throw new TypeError(`with ifExists '${ifExists}' nothing is overwritten: omit keepOld (--keep-old)`)
}

/** What a job's description says of it. */
export function ifExistsSpec(ifExists: IfExists | undefined): Pick<JobWhat, 'ifExists'> {
  return ifExists === undefined || ifExists === 'overwrite' ? {} : { ifExists }
}

/** Segments that a job reads at once, at most. */
const READING_MAX = 128
/** Where a job's rejects are, in its directory. */
const REJECTS = 'rejects.jsonl'

/** What every operation that writes has in common: an engine, the account, the rejects, its state, and how it ends. */
export class WriteRun {
  /** Of all runs of the job. */
  readonly tally: Tally = newTally()
  /** Of `tally`, what lies in front of the positions of the next checkpoint. */
  readonly passed: Endings = noEndings()
  readonly #operation: string
  readonly #table: Table
  readonly #options: WriteOptions
  readonly #scan: () => ScanEngine | undefined
  #clock: Clock | undefined
  #engine: PublishEngine | undefined
  #stopper!: Stopper
  #limits: JobLimits = {}
  #onWarning: RunOptions['onWarning']
  #saidNoCapacity = false
  #costLimit: CostLimit | undefined
  #directory: JobDirectory | undefined
  #state: JobState | undefined
  #rejects: RejectsFile | undefined
  /** Of earlier runs. */
  #before: Spent = { durationMs: 0, readUnits: 0, writeUnits: 0, unitsAtStake: 0, requests: 0, retried: 0 }
  /** Of the table that is read, and of the one that is written; none for emulators, which cost nothing. */
  #readCost: CostMeter | undefined
  #writeCost: CostMeter | undefined
  /** Asked for since the job was made. */
  #rate: Rate | undefined
  #isPaused = false
  #startedAt = 0
  #endedAt: number | undefined
  #complete = false
  #failure: HeadraceError | undefined
  /** The part of the work that is settled, from 0 to 1; undefined where nobody knows. See `Summary`. */
  share: (() => number | undefined) | undefined
  /** See `Summary`. */
  oldestSegment: (() => Summary['oldestSegment']) | undefined
  #tellEnd: ReturnType<typeof startRun> | undefined
  #plannedCost: Cost | undefined
  /** What a sample says of the job's filter, asked before a job starts that was not started before. */
  preview: ((signal: AbortSignal) => Promise<FilterPreview | undefined>) | undefined
  conflicts = 0
  /** What is written may be written again when the job goes on. Otherwise a stop waits for what would be left in gaps. */
  mayRepeat = true

  /** Keys that were stored; undefined where no record can overwrite another of this job. */
  #keys: DistinctKeys | undefined
  /** Of an earlier run that ended while something was under way: what is found may be its work. */
  mayFindOwnWrites = false
  /** What is missing of the input. */
  readonly #incompleteInput: string[] = []
  /** Of items that were looked at once more, in this run. */
  #rereadUnits = 0
  /** Items of the table that is read, as the service tells it. */
  itemsTold = 0

  constructor(
    operation: string,
    table: Table,
    options: WriteOptions,
    scan: () => ScanEngine | undefined = () => undefined,
  ) {
    this.#operation = operation
    this.#table = table
    this.#options = options
    this.#scan = scan
  }

  /**
   * As {@link begin}, ready to write to the table.
   *
   * @param what the job does, given what it did in earlier runs
   * @throws {HeadraceError} when table, endpoint or credentials are not there, or the directory is another job's
   */
  async open(
    options: RunOptions,
    what: (table: TableSpec, earlier: JobWhat | undefined) => Promise<JobWhat> | JobWhat,
    how: JobHow = {},
  ): Promise<OpenRun & { readonly engine: PublishEngine }> {
    const run = await this.begin(options, what, how)
    return { ...run, engine: await this.startEngine(this.#table) }
  }

  /** See {@link PlannableJob.describe}. @param what as of {@link open} */
  async describe(
    { slices = 1, id }: DescribeOptions = {},
    what: (table: TableSpec, earlier: undefined) => Promise<JobWhat> | JobWhat,
    how: JobHow = {},
  ): Promise<JobSpec> {
    checkWhole('slices', slices, 1, 1_000_000)
    const table = this.#table
    const [description, database] = await Promise.all([table.describe(), table.database.open()])
    const { clock, random } = database
    const described = travelling(await what(tableSpec(description, table, database), undefined))
    return {
      version: 1,
      id: id ?? `${this.#operation}-${table.name}`,
      createdAt: new Date(clock.wallNow()).toISOString(),
      mark: newMark(random),
      what: described.segments === undefined ? described : { ...described, segments: cut(described.segments, slices) },
      how: this.#howAll(how),
    }
  }

  /** Without a way to write. */
  async begin(
    options: RunOptions,
    what: (table: TableSpec, earlier: JobWhat | undefined) => Promise<JobWhat> | JobWhat,
    how: JobHow = {},
  ): Promise<OpenRun> {
    this.#tellEnd = startRun({
      operation: this.#operation,
      table: this.#table.name,
      progress: () => this.summary,
    })
    this.#limits = options.limits ?? {}
    this.#onWarning = options.onWarning
    this.#stopper = new Stopper(options.signal, this.#limits)
    const { signal } = this.#stopper
    const database = await unlessAborted(signal, this.#table.database.open())
    this.#clock = database.clock
    this.#startedAt = database.clock.now()
    this.#stopper.start(database.clock)
    const description = await unlessAborted(signal, this.#table.describe())
    this.#readCost = costMeter(description, database, this.#options.prices)
    const preview = isStarted(options) ? undefined : await unlessAborted(signal, previewOf(this.preview?.(signal)))
    this.onReread(preview?.readUnits ?? 0)
    if (options.directory !== undefined) {
      const { directory: path, disk } = options
      const spec = tableSpec(description, this.#table, database)
      const earlier = findSpec(path, disk)?.what
      const { clock, random } = database
      const directoryOptions = { clock, random, disk, processes: options.processes }
      this.#directory = await JobDirectory.open(path, await what(spec, earlier), this.#howAll(how), directoryOptions)
      this.#goOn(this.#directory)
      const { warning } = this.#directory
      if (warning !== undefined) {
        this.warn(warning)
      }
    }
    for (const text of [...(preview?.unknownNames ?? []), ...(preview?.warnings ?? [])]) this.warn(text)
    return {
      schema: description.key,
      database,
      description,
      directory: this.#directory,
      signal: this.#stopper.signal,
    }
  }

  #howAll(how: JobHow): JobHow {
    const written = howWritten(this.#options)
    return { ...written, ...how, rates: { ...written.rates, ...how.rates } }
  }

  /** From now on entries can be written. */
  async startEngine(table: Table): Promise<PublishEngine> {
    const { onReject: _, prices, ...publisherOptions } = this.#options
    const opened = await unlessAborted(this.#stopper.signal, Promise.all([table.describe(), table.database.open()]))
    this.#writeCost = costMeter(...opened, prices)
    const rate = this.#rate ?? publisherOptions.writeUnitsPerSecond
    const { costMax } = this.#limits
    if (costMax !== undefined) this.#limitCost(costMax, await table.describe())
    this.#engine = await table.publishEngine({
      ...publisherOptions,
      writeUnitsPerSecond: rate,
    })
    if (this.#rate !== undefined && this.#rate !== rate) this.#engine.setRate(this.#rate)
    this.#engine.onNotice = this.warn
    this.#engine.setPaused(this.#isPaused)
    return this.#engine
  }

  /** A plan was made of this job: what it has cost is told beside what it was to cost. */
  planned(plan: Plan): Plan {
    this.#plannedCost = plan.cost
    return plan
  }

  /** For a job that only reads: what it may cost. */
  async startReading(): Promise<void> {
    const { costMax } = this.#limits
    if (costMax !== undefined) this.#limitCost(costMax, await this.#table.describe())
  }

  #limitCost(costMax: number, description: TableDescription): void {
    this.#costLimit = CostLimit.of(costMax, this.#readCost, this.#writeCost, description)
    if (this.#costLimit !== undefined) return
    throw new HeadraceError(
      'CONFIGURATION',
      `cannot enforce costMax (--max-cost) ${costMax}: no price known for table "${description.name}". ` +
        'Set prices (--price-file), or omit the limit',
    )
  }

  /** A record was read; the job is told to stop where another might cost too much. */
  take(): void {
    this.tally.read += 1
    const limit = this.#costLimit
    if (limit === undefined) return
    const engine = this.#engine
    const scan = this.#scan()
    const runWriteUnits = engine?.writeUnits ?? 0
    const soFar = {
      readUnits: this.#before.readUnits + this.#readUnits,
      writeUnits: this.#before.writeUnits + runWriteUnits,
      endedUnits: engine?.endedUnits ?? 0,
      unitsAtStake: this.#before.unitsAtStake + (engine?.unitsAtStake ?? 0),
      reading: scan === undefined ? 0 : Math.min(READING_MAX, scan.segments - scan.segmentsDone),
    }
    if (!limit.allows(soFar, runWriteUnits)) this.#stopper.stop('cost')
  }

  /** From now on records that overwrite earlier ones of this job are told from the others. */
  compareKeys(): void {
    this.#keys = new DistinctKeys()
  }

  /** What {@link endingOf} needs to know of an item's key; 0 where keys are not compared. @throws {ItemError} as `keyHash` */
  keyCheckOf(item: PlainItem, schema: KeySchema): number {
    return this.#keys === undefined ? 0 : keyCheck(item, schema)
  }

  /** How a record has ended of which an item with this key was stored. */
  endingOf(hash: number, check: number): 'written' | 'overwritten' {
    return this.#keys?.add(hash, check) === true ? 'overwritten' : 'written'
  }

  get #keysCompared(): Summary['keysCompared'] {
    if (this.#keys === undefined) return undefined
    if (this.#keys.isFull) return 'first'
    return (this.#directory?.checkpoint?.tally.read ?? 0) > 0 ? 'run' : 'all'
  }

  /** The input says of itself that there is more of it than was read. The job still ends, and not as if nothing were missing. */
  noteIncomplete(why: string): void {
    this.#incompleteInput.push(why)
    this.warn(`incomplete input: ${why}`)
  }

  /** An item was looked at once more. */
  readonly onReread = (readUnits: number): void => {
    this.#rereadUnits += readUnits
  }

  /** What to wait for before another record is taken; undefined for nothing. A stop ends the wait. */
  get behind(): Promise<void> | undefined {
    const late = this.#state?.late
    return late && this.untilStopped(late)
  }

  /** Resolves with that, or when the job is to stop. */
  async untilStopped(wait: Promise<void>): Promise<void> {
    const { signal } = this.#stopper
    if (signal.aborted) return
    const stopped = deferred()
    const listener = (): void => stopped.resolve()
    signal.addEventListener('abort', listener, { once: true })
    try {
      await Promise.race([wait, stopped.promise])
    } finally {
      signal.removeEventListener('abort', listener)
    }
  }

  /** From now on what is settled is written down, if there is where to. */
  keep(positions: () => Positions): void {
    // What a job has come to stays as it was written down.
    if (this.#directory === undefined || this.#isAlreadyDone) return
    this.#state = new JobState({
      directory: this.#directory,
      clock: this.#clock!,
      content: () => {
        // What the checkpoint speaks of has to be in the file.
        this.#rejects?.flush()
        const tally = { read: settledOf(this.passed), ...this.passed }
        const { durationMs, readUnits, writeUnits, requests, retried } = this.summary
        const unitsAtStake = this.#before.unitsAtStake + (this.#engine?.unitsAtStake ?? 0)
        const spent = { durationMs, readUnits, writeUnits, unitsAtStake, requests, retried }
        return { tally, positions: positions(), spent }
      },
      progress: () => this.summary,
      onFailure: (error) => this.fail(error),
      onLate: this.warn,
    })
  }

  /** Something is odd, and stops nothing. */
  readonly warn = (text: string): void => {
    // Reading and writing may both find it out.
    if (text === CAPACITY_NOT_REPORTED && this.#saidNoCapacity) return
    this.#saidNoCapacity ||= text === CAPACITY_NOT_REPORTED
    this.#directory?.note('warning', { message: text })
    this.#onWarning?.(text)
  }

  /** A reject in front of which everything is settled: it will not come again. */
  readonly record = (reject: JobReject): void => {
    this.#stopper.onPassedReject(this.passed)
    try {
      this.#rejects?.add(reject)
    } catch (error) {
      this.fail(error)
    }
  }

  /** An earlier run was the last: this one reads and writes nothing. */
  get #isAlreadyDone(): boolean {
    return this.#directory?.checkpoint?.complete === true
  }

  /** As the last run has told it, where it came to that. */
  #summaryOfDone(directory: JobDirectory): Summary {
    const { summary } = this
    directory.close()
    return directory.loadReport() ?? summary
  }

  #goOn(directory: JobDirectory): void {
    const { checkpoint } = directory
    this.#rejects = new RejectsFile(directory.pathOf(REJECTS), () => {
      const file = directory.file(REJECTS)
      // Closed with the directory.
      return { write: (text) => file.write(Buffer.from(text)), close: () => undefined }
    })
    // What lies behind the checkpoint goes, also if nothing is rejected any more.
    directory.cutBack(REJECTS)
    if (checkpoint === undefined) return
    this.mayFindOwnWrites = !checkpoint.clean
    const endings = endingsOf(checkpoint.tally)
    Object.assign(this.tally, checkpoint.tally, endings)
    Object.assign(this.passed, endings)
    this.#before = checkpoint.spent
  }

  /** @throws {TypeError} for what is no rate */
  setRate(writeUnitsPerSecond: Rate): void {
    shareOf('writeUnitsPerSecond', writeUnitsPerSecond)
    this.#rate = writeUnitsPerSecond
    this.#engine?.setRate(writeUnitsPerSecond)
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused
    this.#engine?.setPaused(paused)
  }

  /** A record can never be written: counts it, and tells whoever asked to be told. */
  reject(reject: JobReject): void {
    // A visit that ends after its job was stopped: its item is counted as not reached already.
    if (this.#endedAt !== undefined) return
    this.tally.rejected += 1
    this.#stopper.onReject(this.tally.rejected, this.tally.read)
    const { onReject } = this.#options
    if (onReject === undefined) {
      if (this.#directory !== undefined) return
      const place = { table: this.#table.name }
      this.fail(new HeadraceError('REJECTED', `${reject.place}: ${reject.message}`, { place }))
      return
    }
    try {
      onReject(reject)
    } catch (error) {
      // Nobody was told of the reject, so going on would be silence.
      this.fail(error)
    }
  }

  /** Nothing more is done; whoever asks next hears why. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : `${error}`
    const failure = error instanceof HeadraceError ? error : new HeadraceError('REJECTED', message, { cause: error })
    this.#failure ??= failure
    this.#engine?.destroy(failure)
  }

  /** @throws {HeadraceError} when nothing that is given to the engine can be written any more */
  throwIfFailed(): void {
    const failure = this.#failure ?? this.#engine?.failure
    if (failure !== undefined) throw failure
  }

  /** Resolves when there is room for another entry, or when the job is to stop. */
  async room(): Promise<void> {
    const { ready } = this.#engine!
    // When it was the signal, nobody is left to hear of a failure; the end of the job does.
    ready.catch(() => undefined)
    await this.untilStopped(ready)
  }

  /**
   * Writes out what was taken; after an abort for a bounded time only.
   *
   * @param failure of the source: told when all that came from it is written
   */
  async finish(settled: () => Promise<void>, failure?: unknown): Promise<Summary> {
    const engine = this.#engine
    const { signal } = this.#stopper
    let timer: Timer | undefined
    let listener: (() => void) | undefined
    let clean = true
    const stopped = new Promise<void>((resolve) => {
      const giveUp = (): void => {
        clean = (engine?.doubtful ?? 0) === 0
        engine?.destroy(new HeadraceError('CLOSED', 'stopped before everything was settled'))
        resolve()
      }
      listener = () => {
        timer = this.#clock!.setTimer(giveUp, DRAIN_MS)
        // What was not sent comes again when the job goes on; who keeps nothing has it written.
        if (this.#state !== undefined && this.mayRepeat) void engine?.halt().then(giveUp)
      }
      if (signal.aborted === true) listener()
      else signal.addEventListener('abort', listener, { once: true })
    })
    const drained = settled().then(() => engine?.close())
    try {
      await Promise.race([drained, stopped])
    } catch (error) {
      if (engine === undefined || engine.failure !== error || engine.failure?.code !== 'CLOSED') throw error
    } finally {
      drained.catch(() => undefined)
      timer?.clear()
      if (listener !== undefined) signal.removeEventListener('abort', listener)
      this.#endedAt = this.#clock!.now()
    }
    const isStopped = signal.aborted
    if (failure !== undefined) throw failure
    // What is written behind a gap comes again.
    clean &&= storedOf(this.tally) === storedOf(this.passed)
    if (isStopped) this.#stopBeforeEnd()
    checkTally(this.tally)
    this.#complete = !isStopped
    const summary = this.#isAlreadyDone ? this.#summaryOfDone(this.#directory!) : this.summary
    this.#stopper.release()
    await this.#state?.end(this.#complete, clean, summary)
    this.#tellEnd?.(summary)
    return summary
  }

  /**
   * Ends at once.
   *
   * @returns where it was stopped while it waited for its table
   * @throws what is given, for any other reason
   */
  async abandon(error: unknown): Promise<Summary> {
    this.#endedAt ??= this.#clock?.now()
    this.#complete = false
    this.#engine?.destroy()
    this.#stopper?.release()
    this.#stopBeforeEnd()
    if (this.#state !== undefined) await this.#state.abandon(error, this.summary)
    else this.#directory?.close()
    const isStopped = error instanceof Aborted
    this.#tellEnd?.(isStopped ? this.summary : undefined, isStopped ? undefined : error)
    if (isStopped) return this.summary
    throw error
  }

  #expect(cost: Cost, scan: ScanStats | undefined): Cost | undefined {
    if (this.#plannedCost !== undefined) {
      const { amount, currency, asOf, billing } = this.#plannedCost
      return { amount, currency, asOf, billing }
    }
    if (this.#complete) return undefined
    const settled = settledOf(this.tally)
    const share = scan === undefined ? this.share?.() : shareOfTable(settled, { itemsTold: this.itemsTold, ...scan })
    return expectedCost(cost, settled, share)
  }

  #stopBeforeEnd(): void {
    const { tally, passed } = this
    // What is settled behind a gap will come again.
    if (this.#state !== undefined) Object.assign(tally, passed)
    tally.notReached = tally.read - settledOf(tally)
  }

  /** Of this run: of the scan, of items that were looked at once more, and of conflicts. */
  get #readUnits(): number {
    return this.#rereadUnits + (this.#scan()?.readUnits ?? 0) + (this.#engine?.readUnits ?? 0)
  }

  get summary(): Summary {
    const { tally } = this
    const stats = this.#engine?.stats
    const segments = this.#scan()?.segments
    const scan = this.#scan()?.stats
    const before = this.#before
    const readUnits = before.readUnits + this.#readUnits
    const writeUnits = before.writeUnits + (stats?.writeUnits ?? 0)
    const runMs = this.#clock === undefined ? 0 : (this.#endedAt ?? this.#clock.now()) - this.#startedAt
    const durationMs = before.durationMs + runMs
    const cost = addCosts(
      this.#readCost?.costOf({ readUnits, writeUnits: 0 }),
      this.#writeCost?.costOf({ readUnits: 0, writeUnits }),
    )
    return {
      ...tally,
      operation: this.#operation,
      table: this.#table.name,
      complete: this.#complete,
      stoppedBy: this.#stopper?.reason,
      durationMs,
      itemsPerSecond: durationMs === 0 ? 0 : (tally.written / durationMs) * 1_000,
      buffered: stats?.buffered ?? 0,
      inFlight: stats?.inFlight ?? 0,
      retried: before.retried + (stats?.retried ?? 0) + (scan?.retried ?? 0),
      unprocessed: stats?.unprocessed ?? 0,
      throttledRequests: (stats?.throttledRequests ?? 0) + (scan?.throttledRequests ?? 0),
      throttlingReasons: addCounts(stats?.throttlingReasons, scan?.throttlingReasons),
      failedRequests: stats?.failedRequests ?? 0,
      requests: before.requests + (stats?.requests ?? 0) + (scan?.requests ?? 0),
      conflicts: this.conflicts,
      readUnits,
      writeUnits,
      cost,
      costExpected: cost && this.#expect(cost, scan),
      readUnitsPerSecondAllowed: scan?.readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      writeUnitsPerSecondAllowed: stats?.writeUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      latencyMsP50: stats?.latencyMsP50 ?? 0,
      latencyMsP99: stats?.latencyMsP99 ?? 0,
      latencyMsMax: stats?.latencyMsMax ?? 0,
      segmentsDone: scan?.segmentsDone,
      segments,
      share: this.#complete ? 1 : this.share?.(),
      oldestSegment: this.oldestSegment?.(),
      keysCompared: this.#keysCompared,
      incompleteInput: [...this.#incompleteInput],
    }
  }
}

function storedOf({ written, overwritten }: Endings): number {
  return written + overwritten
}

/** What a job that writes has when it begins. */
export interface OpenRun {
  readonly schema: KeySchema
  readonly database: OpenDatabase
  readonly description: TableDescription
  readonly directory: JobDirectory | undefined
  /** Of the user, or of a limit that was reached. */
  readonly signal: AbortSignal
}

/** Whether an earlier run has left a checkpoint. */
function isStarted({ directory, disk }: RunOptions): boolean {
  if (directory === undefined || findSpec(directory, disk) === undefined) return false
  return findCheckpoint(directory, disk).checkpoint !== undefined
}

async function previewOf(preview: Promise<FilterPreview | undefined> | undefined): Promise<FilterPreview | undefined> {
  return await preview
}

function howWritten({ maxInFlight, maxQueueSize, patienceMs, writeUnitsPerSecond }: WriteOptions): JobHow {
  return {
    maxInFlight,
    maxQueueSize,
    patienceMs,
    ...(writeUnitsPerSecond === undefined ? {} : { rates: { write: rateText(writeUnitsPerSecond) } }),
  }
}

/** Each slice gets as many segments as any other. */
function cut(segments: number, slices: number): number {
  return Math.ceil(segments / slices) * slices
}

/** Without what only this machine knows. */
function travelling(what: JobWhat): JobWhat {
  const { profile: _, ...connection } = what.table.connection
  const here = { ...what, table: { ...what.table, connection }, ...travellingS3(what) }
  if (what.target === undefined) return here
  const { profile: __, ...there } = what.target.connection
  return { ...here, target: { ...what.target, connection: there } }
}

function travellingS3({ s3 }: JobWhat): Pick<JobWhat, 's3'> {
  if (s3 === undefined) return {}
  const { profile: _, ...connection } = s3.connection as S3Options
  return { s3: { connection } }
}

/** JSON has no word for it. */
export function rateText(rate: Rate): number | string {
  return rate === Number.POSITIVE_INFINITY ? 'unlimited' : rate
}

/** @returns undefined for emulators, and where the price is not known */
export function costMeter(
  description: TableDescription,
  { connection }: OpenDatabase,
  prices: PriceTable | undefined,
): CostMeter | undefined {
  return connection.loopback ? undefined : new CostMeter(description, connection.region, prices)
}

function addCounts(
  left: Readonly<Record<string, number>> = {},
  right: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const sum = { ...left }
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
