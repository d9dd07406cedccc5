import { checkWhole } from '../database/checkOption.ts'
import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import type { KeySchema } from '../item/itemKey.ts'
import type { Positions } from '../job/checkpoint.ts'
import { findCheckpoint, findSpec, JobDirectory } from '../job/jobDirectory.ts'
import type { JobHow, JobSpec, JobWhat, TableSpec } from '../job/jobSpec.ts'
import { JobState } from '../job/jobState.ts'
import { newMark } from '../job/newMark.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectsFile } from '../job/rejectsFile.ts'
import type { Summary } from '../job/summary.ts'
import { checkTally, settledOf } from '../job/tally.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { startRun } from '../runtime/channels.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { Aborted, unlessAborted } from '../runtime/unlessAborted.ts'
import type { S3Options } from '../storage/s3.ts'
import { CAPACITY_NOT_REPORTED } from '../throughput/limiter.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import {
  type DescribeOptions,
  DRAIN_MS,
  type FilteredJob,
  type Job,
  type JobRates,
  type PlannableJob,
  type RunOptions,
} from './job.ts'
import { JobAccount } from './jobAccount.ts'
import { type FilterPreview, withPreview } from './previewFilter.ts'
import { Stopper } from './stopper.ts'
import type { TableReader } from './tableReader.ts'
import { tableSpec } from './tableSpec.ts'
import { costMeter, howWritten, type WriteOptions } from './writeOptions.ts'

/** Where a job's rejects are, in its directory. */
const REJECTS = 'rejects.jsonl'

/** What one kind of job does, between the moves of its lifecycle. A {@link JobRun} calls each part at its time. */
export interface Work {
  /** How it writes, and whom it tells of rejects. */
  readonly options: WriteOptions
  /** What is read, where that is a table. Its rate and its pauses are the job's. */
  readonly reader?: TableReader
  /** How it works, for its description, beside how it writes. */
  readonly how?: JobHow
  /** What it does, for its description, given what an earlier run has described. */
  what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> | JobWhat
  /** What others shall do, where that is not all of {@link what}. */
  whatFor?(options: DescribeOptions): Promise<Work['what']>
  plan?(options?: PlanOptions): Promise<Plan>
  /** See {@link FilteredJob.preview}. */
  preview?(signal?: AbortSignal): Promise<FilterPreview | undefined>
  /** *opening*: checks what can be checked before the table is asked for. */
  prepare?(options: RunOptions): Promise<void>
  /** *opening*: makes ready. */
  open(opened: OpenRun): Promise<void>
  /** *running*: takes all that there is, until the signal. */
  run(): Promise<void>
  /** *draining*: resolves when all that was taken has ended. */
  settled?(): Promise<void>
  /** Why not all was taken. Told when all that was taken has ended. */
  readonly failure?: unknown
  /** What an error comes to, in the work's own words. Default: the error. */
  faultOf?(error: unknown): unknown
  /** When the job has ended by itself or was stopped, and others may work in its directory. */
  ended?(summary: Summary): Promise<void>
  /** Releases what it holds, however it has ended. */
  close?(): Promise<void> | void
}

/** What a work has when it opens. */
export interface OpenRun {
  readonly run: JobRun
  /** The table that the job is about. */
  readonly table: Table
  readonly schema: KeySchema
  readonly database: OpenDatabase
  readonly description: TableDescription
  readonly directory: JobDirectory | undefined
  /** Of the user, or of a limit that was reached. */
  readonly signal: AbortSignal
}

/** Where a job is in its life. */
type Phase = 'made' | 'opening' | 'running' | 'draining' | 'done' | 'stopped' | 'failed'

const MOVES: { readonly [From in Phase]: readonly Phase[] } = {
  made: ['opening'],
  opening: ['running', 'stopped', 'failed'],
  running: ['draining', 'stopped', 'failed'],
  draining: ['done', 'stopped', 'failed'],
  // Where its last words cannot be written.
  done: ['failed'],
  stopped: ['failed'],
  failed: ['failed'],
}

/**
 * The life of a job: the one class that opens and closes, keeps the account, the limits and the positions, and forwards
 * rates and pauses. What the job does is its {@link Work}.
 *
 * ```
 *   made ──> opening ──> running ──> draining ──> done
 *               │           │            ├──────> stopped   by a signal or a limit; it can be resumed
 *               └───────────┴────────────┴──────> failed
 * ```
 *
 * *opening*: directory, table and machines. *running*: records are taken. *draining*: those that were taken end; after a
 * stop for at most 10 s. A job that is stopped while it opens is *stopped*, too. Pausing is no phase: it holds the
 * machines in whatever phase they are. A job that has ended is *failed* all the same where its last words cannot be written.
 */
export class JobRun implements Job {
  readonly account: JobAccount
  readonly #operation: string
  readonly #table: Table
  protected readonly work: Work
  #phase: Phase = 'made'
  #clock: Clock | undefined
  #engine: PublishEngine | undefined
  #stopper: Stopper | undefined
  #options: RunOptions = {}
  #saidNoCapacity = false
  #directory: JobDirectory | undefined
  #keeper: JobState | undefined
  #rejects: RejectsFile | undefined
  /** Asked for since the job was made. */
  #rate: Rate | undefined
  #isPaused = false
  #startedAt = 0
  #endedAt: number | undefined
  #failure: HeadraceError | undefined
  #tellEnd: ReturnType<typeof startRun> | undefined
  /** What is written may be written again when the job goes on. Otherwise a stop waits for what would be left in gaps. */
  mayRepeat = true
  /** Of an earlier run that ended while something was under way: what is found may be its work. */
  mayFindOwnWrites = false

  /** @param table that the job is about: the one that is read, where one is */
  constructor(operation: string, table: Table, work: Work) {
    this.#operation = operation
    this.#table = table
    this.work = work
    this.account = new JobAccount(() => ({ scan: work.reader?.scan, engine: this.#engine }))
  }

  get progress(): Summary {
    return this.account.summary({
      operation: this.#operation,
      table: this.#table.name,
      complete: this.#phase === 'done',
      stoppedBy: this.#stopper?.reason,
      runMs: this.#runMs,
    })
  }

  setRates({ readUnitsPerSecond, writeUnitsPerSecond, paused }: JobRates): void {
    const { reader } = this.work
    if (readUnitsPerSecond !== undefined) reader?.setRate(readUnitsPerSecond)
    if (writeUnitsPerSecond !== undefined) {
      shareOf('writeUnitsPerSecond', writeUnitsPerSecond)
      this.#rate = writeUnitsPerSecond
      this.#engine?.setRate(writeUnitsPerSecond)
    }
    if (paused === undefined) return
    reader?.setPaused(paused)
    this.#isPaused = paused
    this.#engine?.setPaused(paused)
  }

  async run(options: RunOptions = {}): Promise<Summary> {
    const { work } = this
    // Not within: what closes the work would close it for the first run.
    if (this.#phase !== 'made') throw new TypeError('a job runs once: make another, or resume this one')
    this.#move('opening')
    try {
      const summary = await this.#live(options)
      await work.ended?.(summary)
      return summary
    } catch (error) {
      throw work.faultOf?.(error) ?? error
    } finally {
      await work.close?.()
    }
  }

  async #live(options: RunOptions): Promise<Summary> {
    const { work } = this
    try {
      await work.prepare?.(options)
      await work.open(await this.#begin(options))
      this.#move('running')
      await work.run()
      this.#move('draining')
      return await this.#drain()
    } catch (error) {
      work.reader?.close()
      return await this.#abandon(work.faultOf?.(error) ?? error)
    } finally {
      work.reader?.close()
    }
  }

  #move(to: Phase): void {
    if (!MOVES[this.#phase].includes(to)) throw new Error(`a job cannot go from ${this.#phase} to ${to}`)
    this.#phase = to
  }

  /** See {@link PlannableJob.describe}. */
  protected async describeWork(options: DescribeOptions = {}): Promise<JobSpec> {
    const { slices = 1, id } = options
    checkWhole('slices', slices, 1, 1_000_000)
    const { work } = this
    const table = this.#table
    const what = (await work.whatFor?.(options)) ?? work.what.bind(work)
    const [description, database] = await Promise.all([table.describe(), table.database.open()])
    const { clock, random } = database
    const described = travelling(await what(tableSpec(description, table, database), undefined))
    return {
      version: 1,
      id: id ?? `${this.#operation}-${table.name}`,
      createdAt: new Date(clock.wallNow()).toISOString(),
      mark: newMark(random),
      what: described.segments === undefined ? described : { ...described, segments: cut(described.segments, slices) },
      how: this.#how,
    }
  }

  async #begin(options: RunOptions): Promise<OpenRun> {
    const { work, account } = this
    this.#tellEnd = startRun({
      operation: this.#operation,
      table: this.#table.name,
      progress: () => this.progress,
    })
    this.#options = options
    const stopper = new Stopper(options.signal, options.limits)
    this.#stopper = stopper
    const { signal } = stopper
    const database = await unlessAborted(signal, this.#table.database.open())
    this.#clock = database.clock
    this.#startedAt = database.clock.now()
    stopper.start(database.clock)
    const description = await unlessAborted(signal, this.#table.describe())
    account.readCost = costMeter(description, database, work.options.prices)
    const preview = isStarted(options) ? undefined : await unlessAborted(signal, previewOf(work.preview?.(signal)))
    account.onReread(preview?.readUnits ?? 0)
    if (options.directory !== undefined) {
      const { directory: path, disk, processes } = options
      const spec = tableSpec(description, this.#table, database)
      const what = await work.what(spec, findSpec(path, disk)?.what)
      const { clock, random } = database
      this.#directory = await JobDirectory.open(path, what, this.#how, { clock, random, disk, processes })
      this.#goOn(this.#directory)
      const { warning } = this.#directory
      if (warning !== undefined) this.warn(warning)
    }
    for (const text of [...(preview?.unknownNames ?? []), ...(preview?.warnings ?? [])]) this.warn(text)
    return {
      run: this,
      table: this.#table,
      schema: description.key,
      database,
      description,
      directory: this.#directory,
      signal,
    }
  }

  get #how(): JobHow {
    const written = howWritten(this.work.options)
    const { how } = this.work
    return { ...written, ...how, rates: { ...written.rates, ...how?.rates } }
  }

  get #runMs(): number {
    return this.#clock === undefined ? 0 : (this.#endedAt ?? this.#clock.now()) - this.#startedAt
  }

  /** From now on entries can be written to this table. */
  async startEngine(table: Table): Promise<PublishEngine> {
    const { onReject: _, prices, ...publisherOptions } = this.work.options
    const { signal } = this.#stopper!
    const opened = await unlessAborted(signal, Promise.all([table.describe(), table.database.open()]))
    this.account.writeCost = costMeter(...opened, prices)
    this.#limitCost(opened[0])
    const rate = this.#rate ?? publisherOptions.writeUnitsPerSecond
    const engine = await table.publishEngine({ ...publisherOptions, writeUnitsPerSecond: rate })
    this.#engine = engine
    if (this.#rate !== undefined && this.#rate !== rate) engine.setRate(this.#rate)
    engine.onNotice = this.warn
    engine.setPaused(this.#isPaused)
    return engine
  }

  /** For a job that only reads: what it may cost. */
  async startReading(): Promise<void> {
    this.#limitCost(await this.#table.describe())
  }

  #limitCost(description: TableDescription): void {
    const { costMax } = this.#options.limits ?? {}
    if (costMax !== undefined) this.account.limitCost(costMax, description)
  }

  /** A record was read; the job is told to stop where another might cost too much. */
  take(): void {
    if (!this.account.take()) this.#stopper!.stop('cost')
  }

  /** The input says of itself that there is more of it than was read. The job still ends, and not as if nothing were missing. */
  noteIncomplete(why: string): void {
    this.account.noteIncomplete(why)
    this.warn(`incomplete input: ${why}`)
  }

  /** What to wait for before another record is taken; undefined for nothing. A stop ends the wait. */
  get behind(): Promise<void> | undefined {
    const late = this.#keeper?.late
    return late && this.untilStopped(late)
  }

  /** Resolves with that, or when the job is to stop. */
  async untilStopped(wait: Promise<void>): Promise<void> {
    const { signal } = this.#stopper!
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
    const { account } = this
    this.#keeper = new JobState({
      directory: this.#directory,
      clock: this.#clock!,
      content: () => {
        // What the checkpoint speaks of has to be in the file.
        this.#rejects?.flush()
        const tally = { read: settledOf(account.passed), ...account.passed }
        return { tally, positions: positions(), spent: account.spent(this.#runMs) }
      },
      progress: () => this.progress,
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
    this.#options.onWarning?.(text)
  }

  /** A reject in front of which everything is settled: it will not come again. */
  readonly record = (reject: JobReject): void => {
    this.#stopper!.onPassedReject(this.account.passed)
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
    this.account.goOn(checkpoint.tally, checkpoint.spent)
  }

  /** A record can never be written: counts it, and tells whoever asked to be told. */
  reject(reject: JobReject): void {
    // A visit that ends after its job was stopped: its item is counted as not reached already.
    if (this.#endedAt !== undefined) return
    const { tally } = this.account
    tally.rejected += 1
    this.#stopper!.onReject(tally.rejected, tally.read)
    const { onReject } = this.work.options
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

  /** Writes out what was taken; after an abort for a bounded time only. */
  async #drain(): Promise<Summary> {
    const engine = this.#engine
    const { signal } = this.#stopper!
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
        if (this.#keeper !== undefined && this.mayRepeat) void engine?.halt().then(giveUp)
      }
      if (signal.aborted === true) listener()
      else signal.addEventListener('abort', listener, { once: true })
    })
    const drained = Promise.resolve(this.work.settled?.()).then(() => engine?.close())
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
    if (this.work.failure !== undefined) throw this.work.failure
    // What is written behind a gap comes again.
    clean &&= this.account.hasNoGaps
    if (isStopped) this.account.stop(this.#keeper !== undefined)
    checkTally(this.account.tally)
    this.#move(isStopped ? 'stopped' : 'done')
    const summary = this.#isAlreadyDone ? this.#summaryOfDone(this.#directory!) : this.progress
    this.#stopper!.release()
    await this.#keeper?.end(!isStopped, clean, summary)
    this.#tellEnd?.(summary)
    return summary
  }

  /** As the last run has told it, where it came to that. */
  #summaryOfDone(directory: JobDirectory): Summary {
    directory.close()
    return directory.loadReport() ?? this.progress
  }

  /**
   * Ends at once.
   *
   * @returns where it was stopped while it waited for its table
   * @throws what is given, for any other reason
   */
  async #abandon(error: unknown): Promise<Summary> {
    const isStopped = error instanceof Aborted
    this.#move(isStopped ? 'stopped' : 'failed')
    this.#endedAt ??= this.#clock?.now()
    this.#engine?.destroy()
    this.#stopper?.release()
    this.account.stop(this.#keeper !== undefined)
    if (this.#keeper !== undefined) await this.#keeper.abandon(error, this.progress)
    else this.#directory?.close()
    this.#tellEnd?.(isStopped ? this.progress : undefined, isStopped ? undefined : error)
    if (isStopped) return this.progress
    throw error
  }
}

/** Of a work that can say what it would do. */
export class PlannedRun<Options extends PlanOptions = PlanOptions> extends JobRun implements PlannableJob<Options> {
  async plan(options?: Options): Promise<Plan> {
    const { work, account } = this
    const preview = await work.preview?.(options?.signal)
    const plan = withPreview(await work.plan!(options), preview)
    account.planned(plan.cost)
    return plan
  }

  describe(options?: DescribeOptions): Promise<JobSpec> {
    return this.describeWork(options)
  }
}

/** Of a work that reads a table and may have a filter. */
export class FilteredRun extends PlannedRun implements FilteredJob {
  preview(signal?: AbortSignal): Promise<FilterPreview | undefined> {
    return this.work.preview!(signal)
  }
}

/** Whether an earlier run has left a checkpoint. */
function isStarted({ directory, disk }: RunOptions): boolean {
  if (directory === undefined || findSpec(directory, disk) === undefined) return false
  return findCheckpoint(directory, disk).checkpoint !== undefined
}

async function previewOf(preview: Promise<FilterPreview | undefined> | undefined): Promise<FilterPreview | undefined> {
  return await preview
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
