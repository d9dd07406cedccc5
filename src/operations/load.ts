import type { Table } from '../database/table.ts'
import { FormatError } from '../formats/formatError.ts'
import type { RecordPlace } from '../formats/record.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { Summary } from '../job/summary.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import { deferred } from '../runtime/deferred.ts'
import { StorageError } from '../storage/storageError.ts'
import type { RecordSource } from './file.ts'
import type { Job, RunOptions } from './job.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

/**
 * Writes every record of a source into a table, each whole, in place of any item of the same key. Of two records of one
 * key the later one stays.
 */
export function load(source: RecordSource, table: Table, options: WriteOptions = {}): Job {
  return new LoadJob(source, table, options)
}

class LoadJob implements Job, EntryOwner {
  readonly #source: RecordSource
  readonly #run: WriteRun

  constructor(source: RecordSource, table: Table, options: WriteOptions) {
    this.#source = source
    this.#run = new WriteRun('load', table, options)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  async run({ signal }: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    const { tally } = run
    try {
      const { engine } = await run.open()
      let failure: FormatError | StorageError | undefined
      try {
        for await (const records of untilAborted(this.#source.records(), signal)) {
          for (const record of records) {
            if (signal?.aborted === true) break
            tally.read += 1
            if ('error' in record) {
              run.reject({
                code: 'InvalidRecord',
                message: record.error,
                place: placeOf(record.place),
                raw: record.raw,
              })
              continue
            }
            const { item } = record
            try {
              if (!engine.put(item, this, record.place)) await run.room(signal)
            } catch (error) {
              if (!(error instanceof ItemError)) throw error
              run.reject({ code: 'InvalidItem', message: error.message, place: placeOf(record.place), item })
            }
          }
        }
      } catch (error) {
        // What was read before a file turned out to be broken is still written.
        if (!(error instanceof FormatError || error instanceof StorageError)) throw error
        failure = error
      }
      const summary = await run.finish(signal, () => Promise.resolve())
      if (failure !== undefined) throw failure
      return summary
    } catch (error) {
      run.abandon()
      throw error
    }
  }

  onStored(): void {
    this.#run.tally.written += 1
  }

  onRefused(entry: Entry, code: string, message: string): void {
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
