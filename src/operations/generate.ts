import { checkWhole } from '../database/checkOption.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { ITEM_BYTES_MAX } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import type { JobWhat, TableSpec } from '../job/jobSpec.ts'
import { settledOf } from '../job/tally.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import { sleep } from '../runtime/clock.ts'
import { seededRandom } from '../runtime/random.ts'
import type { Job } from './job.ts'
import { JobRun, type OpenRun, type Work } from './jobRun.ts'
import type { Operation } from './operation.ts'
import { firstSource, SourceLedger } from './sourceLedger.ts'
import { compileTemplate, orderTemplate, padded } from './template.ts'
import type { WriteOptions } from './writeOptions.ts'

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
  return new JobRun('generate', table, new GenerateWork(options))
}

class GenerateWork implements Work, EntryOwner {
  readonly options: WriteOptions
  readonly #options: GenerateOptions
  #opened!: OpenRun
  #ledger!: SourceLedger

  constructor(options: GenerateOptions) {
    this.#options = options
    const { items, seed, template, itemBytes, ...writeOptions } = options
    this.options = writeOptions
  }

  what(table: TableSpec): JobWhat {
    const { items, seed = 1, template: given, itemBytes } = this.#options
    const template = given === undefined ? undefined : new ItemEncoder().encode(given)
    return { operation: 'generate', table, generated: { items, seed, template, itemBytes } }
  }

  async open(opened: OpenRun): Promise<void> {
    const { run, directory } = opened
    const { account } = run
    this.#opened = opened
    const ledger = new SourceLedger('item', firstSource(directory), account.passed, run.record)
    this.#ledger = ledger
    account.compareKeys()
    account.share = () => settledOf(account.passed) / this.#options.items
    run.keep(() => ({ kind: 'sources', sources: [ledger.position] }))
  }

  async run(): Promise<void> {
    const { run, schema, database, directory, signal, table } = this.#opened
    const { account } = run
    const { items, seed = 1, template = orderTemplate(schema), itemBytes } = this.#options
    const engine = await run.startEngine(table)
    const ledger = this.#ledger
    const before = firstSource(directory)?.after?.offset ?? -1
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
      if (index <= before) {
        unsent += 1
        continue
      }
      const { behind } = run
      if (behind !== undefined) await behind
      run.take()
      const sequence = ledger.take({ file: 'item', line: index, offset: index })
      try {
        if (engine.put(item, this, sequence, 0, account.keyCheckOf(item, schema))) continue
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
  }

  #reject(sequence: number, code: string, message: string, item: PlainItem): void {
    const reject = { code, message, place: `item ${this.#ledger.lineOf(sequence)}`, item }
    this.#opened.run.reject(reject)
    this.#ledger.settle(sequence, 'rejected', reject)
  }

  onStored(entry: Entry): void {
    const { account } = this.#opened.run
    const ending = account.endingOf(entry.keyHash, entry.keyCheck)
    account.tally[ending] += 1
    this.#ledger.settle(entry.origin as number, ending)
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#reject(entry.origin as number, code, message, decodeItemText(entry.text))
  }
}

/** @internal */
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
