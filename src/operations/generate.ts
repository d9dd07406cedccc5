import { checkWhole } from '../database/checkOption.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { ITEM_BYTES_MAX } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { Summary } from '../job/summary.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import { seededRandom } from '../runtime/random.ts'
import type { Job, JobRates, RunOptions } from './job.ts'
import { compileTemplate, orderTemplate, padded } from './template.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

export interface GenerateOptions extends WriteOptions {
  /** How many, 1 to 1,000,000,000,000. */
  readonly items: number
  /** The same seed makes the same items. Default 1. */
  readonly seed?: number
  /** See `compileTemplate`. Default: orders of a shop, with the key the table wants. */
  readonly template?: PlainItem
  /** Pads each item to this size by the service's rules, 1 to 409,600. Default: no padding. */
  readonly itemBytes?: number
}

/** Fills a table with made items. */
export function generate(table: Table, options: GenerateOptions): Job {
  checkWhole('items', options.items, 1, 1e12)
  if (options.itemBytes !== undefined) checkWhole('itemBytes', options.itemBytes, 1, ITEM_BYTES_MAX)
  return new GenerateJob(table, options)
}

class GenerateJob implements Job, EntryOwner {
  readonly #options: GenerateOptions
  readonly #run: WriteRun

  constructor(table: Table, options: GenerateOptions) {
    this.#options = options
    const { items, seed, template, itemBytes, ...writeOptions } = options
    this.#run = new WriteRun('generate', table, writeOptions)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  setRates({ writeUnitsPerSecond }: JobRates): void {
    if (writeUnitsPerSecond !== undefined) this.#run.setRate(writeUnitsPerSecond)
  }

  async run({ signal }: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    const { tally } = run
    try {
      const { engine, schema } = await run.open()
      const { items, seed = 1, template = orderTemplate(schema), itemBytes } = this.#options
      const random = seededRandom(seed)
      const compiled = compileTemplate(template)
      const make = itemBytes === undefined ? compiled : padded(compiled, itemBytes)
      for (let index = 0; index < items; index += 1) {
        const item = make(index, random)
        tally.read += 1
        try {
          if (engine.put(item, this, index)) continue
        } catch (error) {
          if (!(error instanceof ItemError)) throw error
          run.reject({ code: 'InvalidItem', message: error.message, place: `item ${index}`, item })
        }
        if (signal?.aborted === true) break
        await run.room(signal)
      }
      return await run.finish(signal, () => Promise.resolve())
    } catch (error) {
      run.abandon()
      throw error
    }
  }

  onStored(): void {
    this.#run.tally.written += 1
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#run.reject({ code, message, place: `item ${entry.origin}`, item: decodeItemText(entry.text) })
  }

  onConflict(entry: Entry, message: string): void {
    this.onRefused(entry, 'Conflict', message)
  }
}
