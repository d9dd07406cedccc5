import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import { type Filter, readFilter } from '../expression/filter.ts'
import { keyNamesOf } from '../item/itemKey.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import type { JobHow, JobWhat } from '../job/jobSpec.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import { chooseReading } from './chooseReading.ts'
import type { JobRun } from './jobRun.ts'
import { type FilterPreview, previewFilter } from './previewFilter.ts'
import { SegmentLedger } from './segmentLedger.ts'
import { TableWalk } from './tableWalk.ts'
import type { VisitedItem } from './visitedItem.ts'
import { rateText } from './writeOptions.ts'

export type ReadOptions = Pick<
  ScanOptions,
  | 'segments'
  | 'concurrency'
  | 'filter'
  | 'readUnitsPerSecond'
  | 'sharedReadRate'
  | 'consistentRead'
  | 'select'
  | 'index'
  | 'patienceMs'
>

export interface ReaderStart {
  readonly run: JobRun
  readonly directory: JobDirectory | undefined
  readonly signal: AbortSignal
  /** Of which table what is written shall fall on all partitions; undefined for what goes elsewhere, in whole pages. */
  readonly spread?: TableDescription | undefined
  /** Only these attributes are wanted. */
  readonly select?: readonly string[] | undefined
  /** Entries that may wait. Default 10,000. */
  readonly queueSize?: number | undefined
  readonly isStopped: () => boolean
}

/** However many segments are read at once, each may have so many writes under way: two batches. */
const UNSETTLED_MIN = 50

/** Reads a table for a job that visits each item: from where an earlier run came to, and keeping account of where it is. */
export class TableReader {
  readonly #table: Table
  readonly #options: ReadOptions
  /** Read once, so that one that is not valid is refused before anything is done. */
  readonly filter: Filter | undefined
  #preview: Promise<FilterPreview> | undefined
  #rate: Rate | undefined
  #scan: ScanEngine | undefined
  #isPaused = false
  #signal!: AbortSignal
  #run!: JobRun
  walk!: TableWalk
  ledger!: SegmentLedger

  constructor(table: Table, options: ReadOptions) {
    this.#table = table
    this.#options = options
    this.filter = options.filter === undefined ? undefined : readFilter(options.filter)
  }

  /** What a sample says of the filter; asked once. Undefined where there is no filter. */
  async preview(signal?: AbortSignal): Promise<FilterPreview | undefined> {
    if (this.filter === undefined) return undefined
    const { index, patienceMs, readUnitsPerSecond } = this.#options
    const rate = this.#rate ?? readUnitsPerSecond
    this.#preview ??= previewFilter(this.#table, this.filter.source, {
      signal,
      index,
      patienceMs,
      readUnitsPerSecond: rate,
    })
    return await this.#preview
  }

  /** Undefined before it is open. */
  get scan(): ScanEngine | undefined {
    return this.#scan
  }

  /** @throws {TypeError} for what is no rate */
  setRate(rate: Rate): void {
    shareOf('readUnitsPerSecond', rate)
    this.#rate = rate
    this.#scan?.setRate(rate)
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused
    this.#scan?.setPaused(paused)
  }

  /** How it reads, for a job's description. */
  get how(): JobHow {
    const { concurrency, readUnitsPerSecond } = this.#options
    return {
      concurrency,
      ...(readUnitsPerSecond === undefined ? {} : { rates: { read: rateText(readUnitsPerSecond) } }),
    }
  }

  /** What a job's description says of reading. @param spread as of {@link ReaderStart} */
  async what(
    earlier: JobWhat | undefined,
    spread?: TableDescription,
  ): Promise<Partial<JobWhat> & { readonly segments: number }> {
    const { filter, consistentRead, select, index, segments } = this.#options
    return {
      filter,
      consistentRead,
      select,
      index,
      segments: segments ?? earlier?.segments ?? (await chooseReading(this.#table, this.#options, spread)).segments,
    }
  }

  async open({ run, directory, signal, spread, select, queueSize = 10_000, isStopped }: ReaderStart): Promise<void> {
    const { key, indexes, itemCount } = await this.#table.describe()
    run.account.itemsTold = indexes.find(({ name }) => name === this.#options.index)?.itemCount ?? itemCount
    const { connection } = await this.#table.database.open()
    const { loopback } = connection
    const asked = { ...this.#options, segments: directory?.spec.what.segments ?? this.#options.segments }
    const { segments, concurrency, pageBytesMax } = await chooseReading(this.#table, asked, spread)
    this.#signal = signal
    this.#run = run
    this.ledger = new SegmentLedger({
      segments,
      keyNames: keyNamesOf(key),
      from: directory?.checkpoint?.positions,
      // Emulators know no place behind an item that is gone.
      survivorsOnly: loopback,
      passed: run.account.passed,
      onReject: run.record,
      itemsTold: run.account.itemsTold,
    })
    this.#scan = await this.#table.scanEngine({
      ...this.#options,
      readUnitsPerSecond: this.#rate ?? this.#options.readUnitsPerSecond,
      select: select ?? this.#options.select,
      segments,
      concurrency,
      pageBytesMax,
      holdSegments: true,
      ramps: loopback,
      done: this.ledger.done,
      cursors: this.ledger.cursors,
    })
    this.walk = new TableWalk({
      scan: this.#scan,
      ledger: this.ledger,
      concurrency,
      // Half of the queue for all of them together, so that one that waits never keeps another out.
      unsettledMax: Math.max(UNSETTLED_MIN, queueSize / concurrency / 2),
      pageAhead: loopback,
      isStopped,
    })
    this.#scan.onNotice = run.warn
    this.#scan.setPaused(this.#isPaused)
    const { ledger } = this
    run.account.share = () => ledger.share
    run.account.oldestSegment = () => ledger.oldest
    run.keep(() => ledger.positions())
  }

  /** Visits every item, or all until the signal. @param visit as of {@link TableWalk.visitAll} */
  async visitAll(visit: (item: VisitedItem) => Promise<void> | undefined): Promise<void> {
    // A page may be long in coming; a signal does not wait for it.
    const onAbort = (): void => {
      this.close()
      this.walk.wake()
    }
    this.#signal.addEventListener('abort', onAbort, { once: true })
    try {
      if (!this.#signal.aborted) await this.walk.visitAll((item) => bothOf(visit(item), this.#run.behind))
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
      this.close()
    }
  }

  close(): void {
    this.#scan?.destroy()
  }
}

function bothOf(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Promise.all([one, other]).then(() => undefined)
}
