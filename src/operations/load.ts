import type { Table } from '../database/table.ts'
import { FormatError } from '../formats/formatError.ts'
import type { RecordPlace } from '../formats/record.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import type { Summary } from '../job/summary.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
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
      const { engine, schema } = await run.open()
      const encoder = new ItemEncoder()
      let failure: FormatError | StorageError | undefined
      try {
        for await (const records of this.#source.records()) {
          if (signal?.aborted === true) break
          for (const record of records) {
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
              const hash = keyHash(item, schema)
              const text = encoder.encode(item)
              const bytes = encoder.ascii ? text.length : Buffer.byteLength(text)
              const units = writeUnits(encoder.sizeBytes)
              if (!engine.write('put', text, bytes, hash, units, this, record.place)) await engine.ready
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
