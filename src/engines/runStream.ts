import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { KeySchema } from '../item/itemKey.ts'
import type { JobReject } from '../job/reject.ts'
import { checkTally, newTally } from '../job/tally.ts'
import { type Entry, type EntryOwner, entryEncoder, entryKeyText } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { deleteHash, type PublisherOptions } from '../publish/publisher.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { Aborted, unlessAborted } from '../runtime/unlessAborted.ts'

/** What an engine hands over: an item (of a delete, its key), or what stood in an item's place. */
export type StreamRecord = { readonly item: PlainItem } | { readonly error: string; readonly raw: string }

export interface StreamContext
  extends Pick<PublisherOptions, 'maxInFlight' | 'maxQueueSize' | 'maxQueueBytes' | 'patienceMs' | 'sharedWriteRate'> {
  /** Where the records go. */
  readonly table: Table
  /** Default `put`. */
  readonly operation?: 'put' | 'delete' | undefined
  /** Aborting stops it: nothing more is taken, what was taken is settled. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that this process is left, as a Lambda's `getRemainingTimeInMillis`. Nothing more is taken when a fifth of what is
   * left at the beginning is left, but 15 s at most. Default: no end.
   */
  readonly remainingMs?: (() => number) | undefined
  /** This process's share of what the table may be asked for. Default: as a publisher has it, as if it were the only one. */
  readonly writeUnitsPerSecond?: PublisherOptions['writeUnitsPerSecond'] | undefined
  /** What a reject calls the record, by its place in the stream from 0 on. Default: `record 1` and so on. */
  readonly place?: ((index: number) => string) | undefined
  /** Told of each record that can never be stored. Without it the first one fails the stream. */
  readonly onReject?: ((reject: JobReject) => void) | undefined
}

export interface StreamResult {
  /** The stream came to its end, and all of it is settled. */
  readonly done: boolean
  /** Where it stopped, all before it being settled; undefined when it is done. */
  readonly cursor?: { readonly records: number } | undefined
  readonly counters: StreamCounters
}

export interface StreamCounters {
  readonly read: number
  readonly written: number
  readonly rejected: number
  readonly writeUnits: number
  readonly requests: number
  readonly retried: number
}

const MARGIN_MS_MAX = 15_000
const MARGIN_SHARE = 0.2

/**
 * Writes what an engine pushes, at the speed of the table: a batch of records is asked for when there is room. Returns when
 * every record is acknowledged or rejected, and not before. What the iterable throws ends it at once, with what is not
 * acknowledged yet given up: such a stream was cut, and comes again.
 *
 * @throws {HeadraceError} as a publisher does; `REJECTED` without `onReject`
 */
export async function runStream(
  records: AsyncIterable<readonly StreamRecord[]>,
  context: StreamContext,
): Promise<StreamResult> {
  const { table, remainingMs, maxInFlight, maxQueueSize, maxQueueBytes, patienceMs } = context
  const { writeUnitsPerSecond, sharedWriteRate } = context
  const leftMs = remainingMs?.()
  const engine = await table.publishEngine(
    defined({ maxInFlight, maxQueueSize, maxQueueBytes, patienceMs, writeUnitsPerSecond, sharedWriteRate }),
  )
  const [{ clock }, { key }] = await Promise.all([table.database.open(), table.describe()])
  const run = new StreamRun(engine, key, context)
  const timer = leftMs === undefined ? undefined : clock.setTimer(() => run.stop(), stopAfterMs(leftMs))
  try {
    return await run.run(records)
  } finally {
    timer?.clear()
  }
}

/** How long a call may take records. */
function stopAfterMs(leftMs: number): number {
  return Math.max(0, leftMs - Math.min(MARGIN_MS_MAX, leftMs * MARGIN_SHARE))
}

function defined(options: { [Name in keyof PublisherOptions]: PublisherOptions[Name] | undefined }): PublisherOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

class StreamRun implements EntryOwner {
  readonly #engine: PublishEngine
  readonly #key: KeySchema
  readonly #context: StreamContext
  readonly #deleteEncoder = entryEncoder('delete')
  /** Aborted when nothing more shall be taken, whoever says so. */
  readonly #stop = new AbortController()
  #read = 0
  #written = 0
  #rejected = 0
  #failure: unknown

  constructor(engine: PublishEngine, key: KeySchema, context: StreamContext) {
    this.#engine = engine
    this.#key = key
    this.#context = context
  }

  /** Nothing more is taken. */
  stop(): void {
    this.#stop.abort()
  }

  async run(records: AsyncIterable<readonly StreamRecord[]>): Promise<StreamResult> {
    const { signal } = this.#context
    const stop = (): void => this.stop()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
    // A source that gives nothing must not hide that all further work is useless.
    this.#engine.onFailure = stop
    try {
      const done = await this.#takeAll(records[Symbol.asyncIterator]())
      if (this.#failure !== undefined) throw this.#failure
      await this.#engine.close()
      if (this.#failure !== undefined) throw this.#failure
      const counters = this.#counters
      const { read, written, rejected } = counters
      checkTally({ ...newTally(), read, written, rejected })
      return { done, ...(done ? {} : { cursor: { records: read } }), counters }
    } catch (error) {
      this.#engine.destroy()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** @returns whether the stream came to its end */
  async #takeAll(records: AsyncIterator<readonly StreamRecord[]>): Promise<boolean> {
    const { signal } = this.#stop
    let ended = false
    try {
      while (!signal.aborted) {
        const next = await unlessAborted(signal, records.next())
        if (next.done === true) {
          ended = true
          return true
        }
        for (const record of next.value) {
          if (this.#take(record)) continue
          // Not cut short: of a batch that was begun, all is taken, so that what was taken is what was read.
          await this.#engine.ready
        }
      }
    } catch (error) {
      if (!(error instanceof Aborted)) throw error
    } finally {
      // It may be waiting for what never comes, so nobody waits for it.
      if (!ended) records.return?.().then(undefined, () => undefined)
    }
    return false
  }

  /** @returns whether there is room for more */
  #take(record: StreamRecord): boolean {
    const index = this.#read
    this.#read += 1
    if ('error' in record) {
      this.#reject(index, 'InvalidRecord', record.error, { raw: record.raw })
      return true
    }
    const { item } = record
    try {
      if (this.#context.operation !== 'delete') return this.#engine.put(item, this, index)
      const text = this.#deleteEncoder.encode(item)
      const hash = deleteHash(item, this.#key)
      return this.#engine.write('delete', text, Buffer.byteLength(text), hash, 1, this, index)
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      this.#reject(index, 'InvalidItem', error.message, { item })
      return true
    }
  }

  #reject(index: number, code: string, message: string, what: Pick<JobReject, 'item' | 'raw'>): void {
    this.#rejected += 1
    const { onReject, place: placeOf = (at) => `record ${at + 1}` } = this.#context
    const place = placeOf(index)
    try {
      if (onReject === undefined) throw new HeadraceError('REJECTED', `${place}: ${message}`)
      onReject({ code, message, place, ...what })
    } catch (error) {
      // Nobody was told of the reject, so going on would be silence.
      this.#failure ??= error
      this.#stop.abort()
      this.#engine.destroy()
    }
  }

  get #counters(): StreamCounters {
    const { writeUnits, requests, retried } = this.#engine.stats
    return { read: this.#read, written: this.#written, rejected: this.#rejected, writeUnits, requests, retried }
  }

  onStored(): void {
    this.#written += 1
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#reject(entry.origin as number, code, message, { item: decodeItemText(entryKeyText(entry, this.#key)) })
  }
}
