import { resolve } from 'node:path'
import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { encodeItem } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import { writePlainJson } from '../item/writePlainJson.ts'
import { findSpec } from '../job/jobDirectory.ts'
import type { JobHow, JobWhat, TableSpec } from '../job/jobSpec.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import type { Ending } from '../job/settledPrefix.ts'
import type { Summary } from '../job/summary.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { RawPage } from '../scan/page.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import { shareOf } from '../throughput/rate.ts'
import { ChunkFile } from './chunkFile.ts'
import type { JobRates, PlannableJob, RunOptions } from './job.ts'
import { planTable } from './plan/planTable.ts'
import { TableReader } from './tableReader.ts'
import { isFault, Transformer, type TransformFault, type TransformSource } from './transform.ts'
import { moduleSpec } from './userModule.ts'
import { rateText, type WriteOptions, WriteRun } from './writeRun.ts'

/** `jsonl`: ordinary JSON, a set as a list, bytes as base64. `ddb-json`: `{"Item":{"id":{"S":"a"}}}`, which loses nothing. */
export type ExportFormat = 'jsonl' | 'ddb-json'

export interface ExportOptions
  extends Pick<WriteOptions, 'onReject' | 'patienceMs' | 'prices'>,
    Pick<
      ScanOptions,
      'segments' | 'concurrency' | 'filter' | 'select' | 'index' | 'readUnitsPerSecond' | 'consistentRead'
    > {
  /** Default `ddb-json`, which loads back as it was. */
  readonly format?: ExportFormat
  /** Makes of each item what is written. Default: the item as it is. */
  readonly transform?: TransformSource
  /** Take the place of a file of that name. Default false. */
  readonly overwrite?: boolean
}

/**
 * Writes the items of a table, or those for which a filter holds, into a file, one JSON object a line, in no order; with
 * gzip where its name ends in `.gz`. Until everything is in it, the file is called as it will be with `.part` behind it.
 *
 * A scan is no snapshot: what is written to the table meanwhile may be in the file or not.
 */
export function exportTable(table: Table, path: string, options: ExportOptions = {}): PlannableJob {
  return new ExportJob(table, path, options)
}

/** What was gathered is written at least so often, so that a job that is killed has less to do again. */
const HURRY_MS = 500

class ExportJob implements PlannableJob {
  readonly #table: Table
  readonly #path: string
  readonly #options: ExportOptions
  readonly #reader: TableReader
  readonly #run: WriteRun
  #transformer: Transformer | undefined
  #schema!: KeySchema
  #signal!: AbortSignal

  constructor(table: Table, path: string, options: ExportOptions) {
    if (path === '-' || path === '')
      throw new TypeError('an export needs a file; table.scan() gives items as they come')
    this.#table = table
    this.#path = resolve(path)
    this.#options = options
    const { onReject, patienceMs, prices } = options
    this.#reader = new TableReader(table, options)
    const writeOptions = {
      ...(onReject === undefined ? {} : { onReject }),
      ...(patienceMs === undefined ? {} : { patienceMs }),
      ...(prices === undefined ? {} : { prices }),
    }
    this.#run = new WriteRun('export', table, writeOptions, () => this.#reader.scanned)
  }

  get progress(): Summary {
    return this.#run.summary
  }

  async plan(options?: PlanOptions): Promise<Plan> {
    const request = { ...this.#options, operation: 'export', table: this.#table, native: ['export'] } as const
    return this.#run.planned(await planTable(request, options))
  }

  setRates({ readUnitsPerSecond }: JobRates): void {
    if (readUnitsPerSecond === undefined) return
    shareOf('readUnitsPerSecond', readUnitsPerSecond)
    this.#reader.setRate(readUnitsPerSecond)
  }

  async run(options: RunOptions = {}): Promise<Summary> {
    const run = this.#run
    const reader = this.#reader
    const disk = options.disk ?? systemDisk
    const part = `${this.#path}.part`
    try {
      this.#checkTarget(disk, options.directory)
      const opened = await run.begin(options, (table, earlier) => this.#what(table, earlier), this.#how)
      const { schema, database, directory, signal } = opened
      this.#schema = schema
      this.#signal = signal
      this.#transformer = await Transformer.open(this.#options.transform, database.clock)
      const isDone = directory?.checkpoint?.complete === true
      const file = isDone ? undefined : (directory?.file(part) ?? disk.create(part))
      await run.startReading()
      await reader.open({ run, directory, signal, isStopped: () => this.#isStopped() })
      if (file !== undefined) {
        const chunks = new ChunkFile(file, { gzip: this.#path.endsWith('.gz') })
        let hurry = database.clock.setTimer(function again() {
          chunks.hurry()
          hurry = database.clock.setTimer(again, HURRY_MS)
        }, HURRY_MS)
        try {
          await this.#writeAll(chunks)
          await chunks.flush()
          await file.sync()
        } finally {
          hurry.clear()
          if (directory === undefined) file.close()
        }
      }
      const summary = await run.finish(() => Promise.resolve())
      // Last, and again if that is where the process died: what is called as it shall be is whole.
      if (summary.complete && disk.sizeOf(part) !== undefined) disk.rename(part, this.#path)
      return summary
    } catch (error) {
      reader.close()
      await run.abandon(error)
      throw fileError(part, error)
    } finally {
      reader.close()
      this.#transformer?.close()
    }
  }

  #checkTarget(disk: Disk, directory: string | undefined): void {
    if (this.#options.overwrite === true || disk.sizeOf(this.#path) === undefined) return
    // A job that was begun has asked already.
    if (directory !== undefined && findSpec(directory, disk) !== undefined) return
    const message = `there is a file ${this.#path} already; name another one, or say --overwrite`
    throw new HeadraceError('CONFIGURATION', message)
  }

  async #what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    const { transform, format = 'ddb-json' } = this.#options
    return {
      operation: 'export',
      table,
      file: this.#path,
      format,
      ...(transform === undefined ? {} : { visitor: transform instanceof URL ? moduleSpec(transform) : {} }),
      ...(await this.#reader.what(earlier)),
    }
  }

  get #how(): JobHow {
    const { concurrency, readUnitsPerSecond } = this.#options
    return {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(readUnitsPerSecond === undefined ? {} : { rates: { read: rateText(readUnitsPerSecond) } }),
    }
  }

  #isStopped(): boolean {
    this.#run.throwIfFailed()
    return this.#signal.aborted
  }

  async #writeAll(chunks: ChunkFile): Promise<void> {
    const { scan, ledger } = this.#reader
    const onAbort = (): void => scan.destroy()
    this.#signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!this.#isStopped()) {
        const page = await scan.nextRaw()
        if (page === undefined) return
        // Its next page is on its way while this one is written.
        scan.goOn(page.segment)
        const ledgerPage = ledger.open(page)
        const { text, endings, rejects } = await this.#textOf(page)
        const room = chunks.write(text, () => {
          for (const [index, ending] of endings.entries()) {
            const reject = rejects.get(index)
            if (reject !== undefined) this.#run.reject(reject)
            else this.#run.tally[ending] += 1
            ledger.settle(ledgerPage, index, ending, false, reject)
          }
        })
        for (let index = 0; index < endings.length; index += 1) this.#run.take()
        if (room !== undefined) await room
        const { behind } = this.#run
        if (behind !== undefined) await behind
      }
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
    }
  }

  async #textOf(page: RawPage): Promise<{ text: string; endings: Ending[]; rejects: Map<number, JobReject> }> {
    const endings: Ending[] = []
    const rejects = new Map<number, JobReject>()
    const write =
      this.#options.format === 'jsonl' ? writePlainJson : (item: PlainItem) => `{"Item":${encodeItem(item)}}`
    let text = ''
    const transformed = await this.#transformAll(page.items)
    for (const [index, made] of transformed.entries()) {
      const reject = (code: string, message: string): void => {
        const item = page.items[index]!
        rejects.set(index, { code, message, place: describeItemKey(item, this.#schema), item })
        endings.push('rejected')
      }
      if (isFault(made)) {
        reject('TransformFailed', made.fault)
        continue
      }
      try {
        let lines = ''
        for (const item of made) lines += `${write(item)}\n`
        text += lines
        endings.push(made.length === 0 ? 'filtered' : 'written')
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        reject('InvalidItem', error.message)
      }
    }
    return { text, endings, rejects }
  }

  #transformAll(
    items: readonly PlainItem[],
  ): readonly (readonly PlainItem[] | TransformFault)[] | Promise<readonly (readonly PlainItem[] | TransformFault)[]> {
    const transformer = this.#transformer
    if (transformer === undefined) return items.map((item) => [item])
    const made = items.map((item) => transformer.apply(item))
    return made.some((one) => one instanceof Promise)
      ? Promise.all(made)
      : (made as (readonly PlainItem[] | TransformFault)[])
  }
}

/** What the file system says, with what to do. */
function fileError(path: string, error: unknown): unknown {
  if (error instanceof HeadraceError || !(error instanceof Error) || !('code' in error)) return error
  const message = `${path} can not be written: ${error.message}. Name another file, or make room for this one`
  return new HeadraceError('CONFIGURATION', message, { cause: error })
}
