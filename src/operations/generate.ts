import { checkWhole } from '../database/checkOption.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { ITEM_BYTES_MAX } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import type { Summary } from '../job/summary.ts'
import { settledOf } from '../job/tally.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import { sleep } from '../runtime/clock.ts'
import { seededRandom } from '../runtime/random.ts'
import type { Job, JobRates, RunOptions } from './job.ts'
import type { Operation } from './operation.ts'
import { SourceLedger } from './sourceLedger.ts'
import { compileTemplate, orderTemplate, padded } from './template.ts'
import { type WriteOptions, WriteRun } from './writeRun.ts'

export interface GenerateOptions extends WriteOptions {
  /** How many, 1 to 1,000,000,000,000. */
  readonly items: number
  /** The same seed makes the same items. Default 1. */
  readonly seed?: number | undefined
  /** See `compileTemplate`. Default: orders of a shop, with the key the table wants. */
  readonly template?: PlainItem | undefined
  /** Pads each item to this size by the service's rules, 1 to 409,600. Default: no padding. */
  readonly itemBytes?: number | undefined
}

/** Of items that are nobody's to send, so many at once: then signals, limits and checkpoints have their turn. */
const UNSENT_AT_ONCE = 1_000

/** Fills a table with made items. */
export function generate(table: Table, options: GenerateOptions): Job {
  checkWhole('items', options.items, 1, 1e12)
  if (options.itemBytes !== undefined) checkWhole('itemBytes', options.itemBytes, 1, ITEM_BYTES_MAX)
  return new GenerateJob(table, options)
}

class GenerateJob implements Job, EntryOwner {
  readonly #options: GenerateOptions
  readonly #run: WriteRun
  #ledger!: SourceLedger

  constructor(table: Table, options: GenerateOptions) {
    this.#options = options
    const { items, seed, template, itemBytes, ...writeOptions } = options
    this.#run = new WriteRun('generate', table, writeOptions)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  setRates({ writeUnitsPerSecond, paused }: JobRates): void {
    if (writeUnitsPerSecond !== undefined) this.#run.setRate(writeUnitsPerSecond)
    if (paused !== undefined) this.#run.setPaused(paused)
  }

  async run(options: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    try {
      const { items, seed = 1, template: given, itemBytes } = this.#options
      const { engine, schema, database, directory, signal } = await run.open(options, (table) => ({
        operation: 'generate',
        table,
        generated: {
          items,
          seed,
          ...(given === undefined ? {} : { template: new ItemEncoder().encode(given) }),
          itemBytes,
        },
      }))
      const positions = directory?.checkpoint?.positions
      const from = positions?.kind === 'sources' ? positions.sources[0] : undefined
      const ledger = new SourceLedger('item', from, run.passed, run.record)
      this.#ledger = ledger
      run.compareKeys()
      run.share = () => settledOf(run.passed) / items
      run.keep(() => ({ kind: 'sources', sources: [ledger.position] }))
      const template = given ?? orderTemplate(schema)
      const random = seededRandom(seed)
      const compiled = compileTemplate(template)
      const make = itemBytes === undefined ? compiled : padded(compiled, itemBytes)
      let unsent = 0
      for (let index = 0; index < items && !signal.aborted; index += 1) {
        if (unsent === UNSENT_AT_ONCE) {
          await sleep(database.clock, 0)
          unsent = 0
        }
        const item = make(index, random)
        if (index <= (from?.after?.offset ?? -1)) {
          unsent += 1
          continue
        }
        const { behind } = run
        if (behind !== undefined) await behind
        run.take()
        const sequence = ledger.take({ file: 'item', line: index, offset: index })
        try {
          if (engine.put(item, this, sequence, 0, run.keyCheckOf(item, schema))) continue
        } catch (error) {
          if (!(error instanceof ItemError)) throw error
          this.#reject(sequence, 'InvalidItem', error.message, item)
          unsent += 1
        }
        await run.room()
        // One that is long in coming must not let the account of the others grow.
        if (ledger.isFull) await engine.flush()
      }
      if (!signal.aborted) ledger.end()
      return await run.finish(() => Promise.resolve())
    } catch (error) {
      return await run.abandon(error)
    }
  }

  #reject(sequence: number, code: string, message: string, item: PlainItem): void {
    const reject = { code, message, place: `item ${this.#ledger.lineOf(sequence)}`, item }
    this.#run.reject(reject)
    this.#ledger.settle(sequence, 'rejected', reject)
  }

  onStored(entry: Entry): void {
    const ending = this.#run.endingOf(entry.keyHash, entry.keyCheck)
    this.#run.tally[ending] += 1
    this.#ledger.settle(entry.origin as number, ending)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#reject(entry.origin as number, code, message, decodeItemText(entry.text))
  }
}

export const GENERATE_OPERATION: Operation = {
  name: 'generate',
  reopen: ({ what, table, write }) => {
    const { template, ...generated } = what.generated!
    return generate(table, {
      ...write,
      ...generated,
      template: template === undefined ? undefined : decodeItemText(template),
    })
  },
}
