import { Worker } from 'node:worker_threads'
import { checkWhole } from '../database/checkOption.ts'
import type { ConnectOptions, Database } from '../database/database.ts'
import { addCosts, type CostMeter } from '../job/costMeter.ts'
import { JobDirectory } from '../job/jobDirectory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import { JobState } from '../job/jobState.ts'
import type { PriceTable } from '../job/priceTable.ts'
import type { JobReject } from '../job/reject.ts'
import type { Summary } from '../job/summary.ts'
import { checkTally } from '../job/tally.ts'
import type { Job, JobRates, RunOptions } from '../operations/job.ts'
import { Stopper } from '../operations/stopper.ts'
import { costMeter } from '../operations/writeOptions.ts'
import { toldRun } from '../runtime/channels.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { defined } from '../runtime/defined.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { readRejects } from './readRejects.ts'
import { checkOperation } from './seedSlice.ts'
import { SlicedProgress } from './slicedProgress.ts'
import type { SliceThreadData, SliceThreadNews, SliceThreadOrder } from './sliceThread.ts'

export interface ThreadsOptions {
  /** Threads, 1 to 256. Each has its own connections, its part of the job's rates, and some 100 MB. */
  readonly threads: number
  /** Where the tables are: the threads connect in the same way, so it must have been told in plain values. Not closed. */
  readonly database: Database
  /** Where the target of a copy is. Default: `database`. Not closed. */
  readonly target?: Database | undefined
  readonly maxInFlight?: number | undefined
  readonly prices?: PriceTable | undefined
  /** Told of each reject, when it will not come again. */
  readonly onReject?: ((reject: JobReject) => void) | undefined
}

/** Of a table each thread does so many slices, one after another, so that none has much left when the others have nothing. */
const SLICES_PER_THREAD = 4
const REJECTS = 'rejects.jsonl'

/**
 * A job in several threads, for machines with more cores than one process of Node uses: each thread does slices of it, from reading to
 * writing. The directory is as of the same job without threads, and either goes on with it.
 *
 * @param job from `describe({ slices: threads * 4 })`, or a job's directory's
 * @throws {TypeError} for options out of range, or a database that can not be reached from another thread
 * @throws {HeadraceError} `CONFIGURATION` for a job that does not run in slices
 */
export function inThreads(job: JobSpec, options: ThreadsOptions): Job {
  checkWhole('threads', options.threads, 1, 256)
  checkOperation(job.what.operation)
  if (job.what.keepOld === true) {
    const message = 'keepOld (--keep-old) does not work with threads: omit it, or omit threads (--threads)'
    throw new HeadraceError('CONFIGURATION', message)
  }
  return new ThreadedJob(job, options)
}

interface Seat {
  readonly worker: Worker
  /** The slice that it is at. */
  slice: number | undefined
}

class ThreadedJob implements Job {
  readonly #job: JobSpec
  readonly #options: ThreadsOptions
  readonly #of: number
  readonly #seats: Seat[] = []
  readonly #left: number[] = []
  #sliced: SlicedProgress
  #stopper: Stopper | undefined
  #clock: Clock | undefined
  #startedAtMs = 0
  #endedAtMs: number | undefined
  #complete = false
  #rates: JobRates | undefined
  #failure: unknown
  #settled: Deferred<void> = deferred()
  #directory: JobDirectory | undefined
  #readCost: CostMeter | undefined
  #writeCost: CostMeter | undefined
  #onWarning: RunOptions['onWarning']

  constructor(job: JobSpec, options: ThreadsOptions) {
    this.#job = job
    this.#options = options
    const { segments, sources = [] } = job.what
    this.#of = Math.max(1, Math.min(segments ?? sources.length, options.threads * SLICES_PER_THREAD))
    this.#sliced = new SlicedProgress(job, this.#of, undefined)
  }

  get progress(): Summary {
    const now = this.#endedAtMs ?? this.#clock?.now() ?? 0
    return this.#sliced.summary({
      operation: this.#job.what.operation,
      table: this.#job.what.table.name,
      complete: this.#complete,
      stoppedBy: this.#stopper?.reason,
      runMs: this.#clock === undefined ? 0 : now - this.#startedAtMs,
      costOf: (readUnits, writeUnits) =>
        addCosts(
          this.#readCost?.costOf({ readUnits, writeUnits: 0 }),
          this.#writeCost?.costOf({ readUnits: 0, writeUnits }),
        ),
    })
  }

  setRates(rates: JobRates): void {
    const { threads } = this.#options
    const part = (rate: JobRates['readUnitsPerSecond']): typeof rate =>
      typeof rate === 'number' ? rate / threads : rate
    const { readUnitsPerSecond, writeUnitsPerSecond, paused } = rates
    this.#rates = {
      ...this.#rates,
      ...defined({
        readUnitsPerSecond: part(readUnitsPerSecond),
        writeUnitsPerSecond: part(writeUnitsPerSecond),
        paused,
      }),
    }
    for (const { worker } of this.#seats)
      worker.postMessage({ kind: 'rates', rates: this.#rates } satisfies SliceThreadOrder)
  }

  run(options: RunOptions = {}): Promise<Summary> {
    const { operation, table } = this.progress
    return toldRun({ operation, table, progress: () => this.progress }, () => this.#run(options))
  }

  async #run(options: RunOptions): Promise<Summary> {
    const { directory: path, signal, limits = {}, onWarning, disk, processes } = options
    if (path === undefined) throw new TypeError('a job in threads requires a directory: run({ directory })')
    if (limits.costMax !== undefined)
      throw new TypeError('costMax (--max-cost) does not work with threads: omit it, or omit threads (--threads)')
    this.#onWarning = onWarning
    const stopper = new Stopper(signal, limits)
    this.#stopper = stopper
    const { database, target = database, prices } = this.#options
    const opened = await database.open()
    const { clock, random } = opened
    this.#clock = clock
    this.#startedAtMs = clock.now()
    const { what, how } = this.#job
    this.#readCost = costMeter(await database.table(what.table.name).describe(), opened, prices)
    this.#writeCost =
      what.target === undefined
        ? this.#readCost
        : costMeter(await target.table(what.target.name).describe(), await target.open(), prices)
    const directory = await JobDirectory.open(path, what, how, { clock, random, disk, processes })
    this.#directory = directory
    if (directory.warning !== undefined) this.#warn(directory.warning)
    directory.cutBack(REJECTS)
    const { spec, checkpoint } = directory
    this.#sliced = new SlicedProgress(spec, this.#of, checkpoint)
    const state = new JobState({
      directory,
      clock,
      content: () => {
        const { tally, positions } = this.#sliced
        return { tally, positions, spent: this.#sliced.spent(clock.now() - this.#startedAtMs) }
      },
      progress: () => this.progress,
      onFailure: (error) => this.#fail(error),
      onLate: (text) => this.#warn(text),
    })
    const onStop = (): void => this.#stopAll()
    stopper.signal.addEventListener('abort', onStop, { once: true })
    try {
      stopper.start(clock)
      this.#begin(spec)
      await this.#settled.promise
      if (this.#failure !== undefined) throw this.#failure
      this.#endedAtMs = clock.now()
      this.#complete = this.#sliced.isDone
      const summary = this.progress
      checkTally(summary)
      await state.end(this.#complete, true, summary)
      return summary
    } catch (error) {
      this.#endedAtMs ??= clock.now()
      await state.abandon(error, this.progress)
      throw error
    } finally {
      stopper.release()
      stopper.signal.removeEventListener('abort', onStop)
      await Promise.all(this.#seats.map(({ worker }) => worker.terminate()))
    }
  }

  #begin(spec: JobSpec): void {
    for (let index = this.#of - 1; index >= 0; index -= 1)
      if (this.#sliced.beginningOf(spec, index) !== undefined) this.#left.push(index)
    const { threads, database, target = database, maxInFlight, prices } = this.#options
    const data: SliceThreadData = {
      source: plainOptions(database),
      target: spec.what.target === undefined ? undefined : plainOptions(target),
      workersMax: threads,
      maxInFlight: maxInFlight === undefined ? undefined : Math.max(1, Math.floor(maxInFlight / threads)),
      prices,
    }
    for (let count = Math.min(threads, this.#left.length); count > 0; count -= 1) {
      const worker = new Worker(new URL('./sliceThread.js', import.meta.url), { workerData: data })
      const seat: Seat = { worker, slice: undefined }
      this.#seats.push(seat)
      worker.on('message', (news: SliceThreadNews) => this.#onNews(spec, seat, news))
      worker.on('error', (error) => this.#fail(error))
      worker.on('exit', (code) => {
        if (seat.slice === undefined) return
        this.#fail(new HeadraceError('VISITOR', `a thread ended early with exit code ${code}`))
      })
      if (this.#rates !== undefined)
        worker.postMessage({ kind: 'rates', rates: this.#rates } satisfies SliceThreadOrder)
      this.#give(spec, seat)
    }
    this.#endIfIdle()
  }

  #give(spec: JobSpec, seat: Seat): void {
    seat.slice = undefined
    if (this.#stopper!.signal.aborted || this.#failure !== undefined) return
    const index = this.#left.pop()
    if (index === undefined) return
    seat.slice = index
    const cursor = this.#sliced.beginningOf(spec, index)!
    const slice = { job: spec, index, of: this.#of, cursor }
    seat.worker.postMessage({ kind: 'slice', slice } satisfies SliceThreadOrder)
  }

  #onNews(spec: JobSpec, seat: Seat, news: SliceThreadNews): void {
    switch (news.kind) {
      case 'warning':
        this.#warn(news.text)
        return
      case 'failed':
        seat.slice = undefined
        this.#fail(new HeadraceError(news.code ?? 'REFUSED', news.message))
        return
      case 'reached': {
        const { index, cursor, counters, rejects, progress, ended } = news
        this.#keepRejects(rejects)
        this.#sliced.reach(index, cursor, counters, progress, ended)
        if (rejects !== '') {
          const { rejected, read } = this.progress
          this.#stopper!.onReject(rejected, read)
          this.#stopper!.onPassedReject(this.#sliced.tally)
        }
        if (!ended) return
        this.#give(spec, seat)
        this.#endIfIdle()
      }
    }
  }

  #keepRejects(lines: string): void {
    if (lines === '') return
    try {
      this.#directory!.file(REJECTS).write(Buffer.from(lines))
      const { onReject } = this.#options
      if (onReject !== undefined) for (const reject of readRejects(lines)) onReject(reject)
    } catch (error) {
      this.#fail(error)
    }
  }

  #endIfIdle(): void {
    if (this.#seats.every(({ slice }) => slice === undefined)) this.#settled.resolve()
  }

  #stopAll(): void {
    for (const { worker } of this.#seats) worker.postMessage({ kind: 'stop' } satisfies SliceThreadOrder)
    this.#endIfIdle()
  }

  #warn(text: string): void {
    this.#directory?.note('warning', { message: text })
    this.#onWarning?.(text)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#settled.resolve()
  }
}

/** @throws {TypeError} for what does not go from one thread to another */
function plainOptions({ options }: Database): ConnectOptions {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'function' && !['clock', 'random', 'transport'].includes(name)) continue
    throw new TypeError(`threads open their own connections and cannot use the ${name} of this database`)
  }
  return options
}
