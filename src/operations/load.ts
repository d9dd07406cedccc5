import type { Table } from '../database/table.ts'
import { FormatError } from '../formats/formatError.ts'
import type { RecordPlace, SourceRecord } from '../formats/record.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { Plan } from '../job/plan.ts'
import type { Summary } from '../job/summary.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { segmentOrder } from '../scan/segmentOrder.ts'
import { StorageError } from '../storage/storageError.ts'
import type { RecordSource } from './file.ts'
import type { JobRates, PlannableJob, RunOptions } from './job.ts'
import { type LoadPlanOptions, planLoad } from './plan/planLoad.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

/**
 * Writes every record into a table, each whole, in place of any item of the same key. Of two records of one key in one
 * source the later one stays.
 *
 * Several sources are read side by side, a record of each in turn: files that a table was exported to hold a range of
 * hashes each, as partitions do, and one file after another would fall on one partition after another.
 */
export function load(
  source: RecordSource | readonly RecordSource[],
  table: Table,
  options: WriteOptions = {},
): PlannableJob<LoadPlanOptions> {
  return new LoadJob('records' in source ? [source] : source, table, options)
}

/** Sources that are open at the same time. */
const OPEN_MAX = 64
/** Records of one source before it is another's turn. */
const STRIDE = 4
/** However many sources are open, each may have so many writes under way: two batches. */
const UNSETTLED_MIN = 50

/** A source that is being read. */
interface Stream {
  readonly lane: number
  /** Writes under way. A source whose partition is hot waits for these, and the others go on. */
  unsettled: number
  room: Deferred<void> | undefined
}

class LoadJob implements PlannableJob<LoadPlanOptions>, EntryOwner {
  readonly #sources: readonly RecordSource[]
  readonly #run: WriteRun
  readonly plan: (options?: LoadPlanOptions) => Promise<Plan>
  readonly #streams = new Map<string, Stream>()
  readonly #unsettledMax: number
  #failure: unknown

  constructor(sources: readonly RecordSource[], table: Table, options: WriteOptions) {
    const names = new Set(sources.map(({ name }) => name))
    if (names.size < sources.length) throw new TypeError('two sources have one name; each is read once')
    this.#sources = sources
    this.#run = new WriteRun('load', table, options)
    this.plan = (planOptions) => planLoad(this.#sources, table, options, planOptions)
    const side = Math.min(OPEN_MAX, sources.length)
    // Half of the queue for all of them together, so that one that waits never keeps another out.
    this.#unsettledMax = Math.max(UNSETTLED_MIN, (options.maxQueueSize ?? 10_000) / Math.max(1, side) / 2)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  setRates({ writeUnitsPerSecond }: JobRates): void {
    if (writeUnitsPerSecond !== undefined) this.#run.setRate(writeUnitsPerSecond)
  }

  async run({ signal }: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    try {
      const { engine } = await run.open()
      engine.onFailure = () => this.#wakeAll()
      const wakeAll = (): void => this.#wakeAll()
      signal?.addEventListener('abort', wakeAll, { once: true })
      try {
        // Files lie in the order of their ranges, if any: those that are open together shall be far apart.
        const left = segmentOrder(this.#sources.length)
          .map((index) => this.#sources[index]!)
          .reverse()
        const readers = Array.from({ length: Math.min(OPEN_MAX, left.length) }, async () => {
          for (let source = left.pop(); source !== undefined; source = left.pop()) {
            if (signal?.aborted === true || this.#failure !== undefined) return
            await this.#readSource(source, engine, signal)
          }
        })
        await Promise.all(readers)
      } finally {
        signal?.removeEventListener('abort', wakeAll)
      }
      const summary = await run.finish(signal, () => Promise.resolve())
      if (this.#failure !== undefined) throw this.#failure
      return summary
    } catch (error) {
      run.abandon()
      throw error
    }
  }

  async #readSource(source: RecordSource, engine: PublishEngine, signal: AbortSignal | undefined): Promise<void> {
    const stream: Stream = { lane: this.#sources.indexOf(source), unsettled: 0, room: undefined }
    const several = this.#sources.length > 1
    if (several) this.#streams.set(source.name, stream)
    let turn = 0
    try {
      for await (const records of untilAborted(source.records(), signal)) {
        for (const record of records) {
          if (signal?.aborted === true || this.#failure !== undefined) return
          if (!this.#take(record, engine, stream.lane)) await this.#run.room(signal)
          if (!several) continue
          stream.unsettled += 1
          if (stream.unsettled >= this.#unsettledMax) await this.#streamRoom(stream, signal)
          turn += 1
          // Whoever waits for nothing but a turn gets one.
          if (turn % STRIDE === 0) await undefined
        }
      }
    } catch (error) {
      // What was read before a file turned out to be broken is still written.
      if (!(error instanceof FormatError || error instanceof StorageError)) throw error
      this.#failure ??= error
    }
  }

  /** @returns whether there is room for another */
  #take(record: SourceRecord, engine: PublishEngine, lane: number): boolean {
    const run = this.#run
    run.tally.read += 1
    if ('error' in record) {
      run.reject({ code: 'InvalidRecord', message: record.error, place: placeOf(record.place), raw: record.raw })
      this.#settle(record.place)
      return true
    }
    const { item } = record
    try {
      return engine.put(item, this, record.place, lane)
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      run.reject({ code: 'InvalidItem', message: error.message, place: placeOf(record.place), item })
      this.#settle(record.place)
      return true
    }
  }

  async #streamRoom(stream: Stream, signal: AbortSignal | undefined): Promise<void> {
    while (stream.unsettled >= this.#unsettledMax && signal?.aborted !== true) {
      this.#run.throwIfFailed()
      stream.room ??= deferred()
      await stream.room.promise
    }
  }

  #settle(place: RecordPlace): void {
    const stream = this.#streams.get(place.file)
    if (stream === undefined) return
    stream.unsettled -= 1
    if (stream.room === undefined || stream.unsettled > this.#unsettledMax / 2) return
    stream.room.resolve()
    stream.room = undefined
  }

  #wakeAll(): void {
    for (const stream of this.#streams.values()) {
      stream.room?.resolve()
      stream.room = undefined
    }
  }

  onStored(entry: Entry): void {
    this.#run.tally.written += 1
    if (this.#streams.size > 0) this.#settle(entry.origin as RecordPlace)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#settle(entry.origin as RecordPlace)
    this.#run.reject({ code, message, place: placeOf(entry.origin as RecordPlace), item: decodeItemText(entry.text) })
  }

  onConflict(entry: Entry, message: string): void {
    this.onRefused(entry, 'Conflict', message)
  }
}

function placeOf({ file, line }: RecordPlace): string {
  return `${file}:${line}`
}

/** Ends with the signal, also while the source has nothing to give: a pipe may be silent for hours. */
async function* untilAborted<Value>(
  source: AsyncIterable<Value>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value> {
  const stopped = deferred<undefined>()
  const listener = (): void => stopped.resolve(undefined)
  if (signal?.aborted === true) listener()
  signal?.addEventListener('abort', listener, { once: true })
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stopped.promise])
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    signal?.removeEventListener('abort', listener)
    // Not waited for: a source that is waiting itself answers when it goes on, if ever.
    iterator.return?.().catch(() => undefined)
  }
}
