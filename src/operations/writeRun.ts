import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { CostMeter } from '../job/costMeter.ts'
import type { PriceTable } from '../job/priceTable.ts'
import type { JobReject } from '../job/reject.ts'
import type { Summary } from '../job/summary.ts'
import { checkTally, newTally, type Tally } from '../job/tally.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { PublisherOptions } from '../publish/publisher.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanStats } from '../scan/scanEngine.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import { DRAIN_MS } from './job.ts'

export interface WriteOptions extends Omit<PublisherOptions, 'onReject'> {
  /** Told of each record that can never be written. Without it the first one fails the job. */
  readonly onReject?: (reject: JobReject) => void
  /** What units cost, for `Summary.cost`. Default: AWS's list, as far as it is built in; see `readPriceFile`. */
  readonly prices?: PriceTable
}

/** What every operation that writes has in common: an engine, the account, the rejects, and how it ends. */
export class WriteRun {
  readonly tally: Tally = newTally()
  readonly #operation: string
  readonly #table: Table
  readonly #options: WriteOptions
  readonly #scanStats: (() => { stats: ScanStats; segments: number } | undefined) | undefined
  #clock: Clock | undefined
  #engine: PublishEngine | undefined
  #cost: CostMeter | undefined
  /** Asked for since the job was made. */
  #rate: Rate | undefined
  #startedAt = 0
  #endedAt: number | undefined
  #complete = false
  conflicts = 0

  constructor(
    operation: string,
    table: Table,
    options: WriteOptions,
    scanStats?: () => { stats: ScanStats; segments: number } | undefined,
  ) {
    this.#operation = operation
    this.#table = table
    this.#options = options
    this.#scanStats = scanStats
  }

  /** @throws {HeadraceError} when table, endpoint or credentials are not there */
  async open(): Promise<{ engine: PublishEngine; schema: KeySchema; database: OpenDatabase }> {
    const database = await this.#table.database.open()
    this.#clock = database.clock
    this.#startedAt = database.clock.now()
    const description = await this.#table.describe()
    const { onReject: _, prices, ...options } = this.#options
    const { loopback, region } = database.connection
    // An emulator costs nothing.
    if (!loopback) this.#cost = new CostMeter(description, region, prices)
    const rate = this.#rate ?? options.writeUnitsPerSecond
    this.#engine = await this.#table.publishEngine({
      ...options,
      ...(rate === undefined ? {} : { writeUnitsPerSecond: rate }),
    })
    if (this.#rate !== undefined && this.#rate !== rate) this.#engine.setRate(this.#rate)
    return { engine: this.#engine, schema: description.key, database }
  }

  /** @throws {TypeError} for what is no rate */
  setRate(writeUnitsPerSecond: Rate): void {
    shareOf('writeUnitsPerSecond', writeUnitsPerSecond)
    this.#rate = writeUnitsPerSecond
    this.#engine?.setRate(writeUnitsPerSecond)
  }

  /** @throws {HeadraceError} `REJECTED` when nobody asked to be told */
  reject(reject: JobReject): void {
    // A visit that ends after its job was stopped: its item is counted as not reached already.
    if (this.#endedAt !== undefined) return
    this.tally.rejected += 1
    if (this.#options.onReject === undefined) {
      const error = new HeadraceError('REJECTED', `${reject.place}: ${reject.message}`, {
        place: { table: this.#table.name },
      })
      this.#engine?.destroy(error)
      return
    }
    try {
      this.#options.onReject(reject)
    } catch (error) {
      // Nobody was told of the reject, so going on would be silence.
      const message = error instanceof Error ? error.message : `${error}`
      this.#engine?.destroy(
        error instanceof HeadraceError ? error : new HeadraceError('REJECTED', message, { cause: error }),
      )
    }
  }

  /** @throws {HeadraceError} when nothing that is given to the engine can be written any more */
  throwIfFailed(): void {
    if (this.#engine?.failure !== undefined) throw this.#engine.failure
  }

  /** Resolves when there is room for another entry, or when the job is to stop. */
  async room(signal: AbortSignal | undefined): Promise<void> {
    const { ready } = this.#engine!
    if (signal === undefined) return ready
    if (signal.aborted) return
    const stopped = deferred()
    const listener = (): void => stopped.resolve()
    signal.addEventListener('abort', listener, { once: true })
    try {
      await Promise.race([ready, stopped.promise])
    } finally {
      // When it was the signal, nobody is left to hear of a failure; the end of the job does.
      ready.catch(() => undefined)
      signal.removeEventListener('abort', listener)
    }
  }

  /** Writes out what was taken; after an abort for a bounded time only. */
  async finish(signal: AbortSignal | undefined, settled: () => Promise<void>): Promise<Summary> {
    const engine = this.#engine!
    let timer: Timer | undefined
    let listener: (() => void) | undefined
    const stopped = new Promise<void>((resolve) => {
      listener = () => {
        timer = this.#clock!.setTimer(() => {
          engine.destroy(new HeadraceError('CLOSED', 'stopped before everything was settled'))
          resolve()
        }, DRAIN_MS)
      }
      if (signal?.aborted === true) listener()
      else signal?.addEventListener('abort', listener, { once: true })
    })
    const drained = settled().then(() => engine.close())
    try {
      await Promise.race([drained, stopped])
    } catch (error) {
      if (engine.failure !== error || engine.failure?.code !== 'CLOSED') throw error
    } finally {
      drained.catch(() => undefined)
      timer?.clear()
      if (listener !== undefined) signal?.removeEventListener('abort', listener)
      this.#endedAt = this.#clock!.now()
    }
    const { tally } = this
    if (signal?.aborted === true) tally.notReached = tally.read - tally.written - tally.rejected - tally.filtered
    checkTally(tally)
    this.#complete = signal?.aborted !== true
    return this.summary
  }

  /** Ends at once after a failure. */
  abandon(): void {
    this.#endedAt ??= this.#clock?.now()
    this.#complete = false
    this.#engine?.destroy()
    const { tally } = this
    tally.notReached = tally.read - tally.written - tally.rejected - tally.filtered
  }

  get summary(): Summary {
    const { tally } = this
    const stats = this.#engine?.stats
    const scan = this.#scanStats?.()
    const units = { readUnits: scan?.stats.readUnits ?? 0, writeUnits: stats?.writeUnits ?? 0 }
    const durationMs = this.#clock === undefined ? 0 : (this.#endedAt ?? this.#clock.now()) - this.#startedAt
    return {
      ...tally,
      operation: this.#operation,
      table: this.#table.name,
      complete: this.#complete,
      durationMs,
      itemsPerSecond: durationMs === 0 ? 0 : (tally.written / durationMs) * 1_000,
      buffered: stats?.buffered ?? 0,
      inFlight: stats?.inFlight ?? 0,
      retried: (stats?.retried ?? 0) + (scan?.stats.retried ?? 0),
      unprocessed: stats?.unprocessed ?? 0,
      throttledRequests: (stats?.throttledRequests ?? 0) + (scan?.stats.throttledRequests ?? 0),
      throttlingReasons: addCounts(stats?.throttlingReasons, scan?.stats.throttlingReasons),
      failedRequests: stats?.failedRequests ?? 0,
      requests: (stats?.requests ?? 0) + (scan?.stats.requests ?? 0),
      conflicts: this.conflicts,
      ...units,
      cost: this.#cost?.costOf(units),
      readUnitsPerSecondAllowed: scan?.stats.readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      writeUnitsPerSecondAllowed: stats?.writeUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      latencyMsP50: stats?.latencyMsP50 ?? 0,
      latencyMsP99: stats?.latencyMsP99 ?? 0,
      latencyMsMax: stats?.latencyMsMax ?? 0,
      segmentsDone: scan?.stats.segmentsDone,
      segments: scan?.segments,
    }
  }
}

function addCounts(
  left: Readonly<Record<string, number>> = {},
  right: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const sum = { ...left }
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
