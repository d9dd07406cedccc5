import { resolve } from 'node:path'
import type { Scanned, ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import { type CsvColumn, checkCsvOptions, readColumn } from '../formats/csvColumns.ts'
import { CsvWriter } from '../formats/csvWriter.ts'
import { loadIon } from '../formats/ion.ts'
import { csvConversion } from '../formats/itemConversion.ts'
import type { ItemFormat } from '../formats/itemFormat.ts'
import { type ItemWriter, openItemWriter } from '../formats/itemWriter.ts'
import { checkPacking, type Packing, packingOf, packNow } from '../formats/packing.ts'
import { parquetConversion } from '../formats/parquetConversion.ts'
import type { XmlMapping, XmlWriterOptions } from '../formats/xmlWriter.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, keyNamesOf } from '../item/itemKey.ts'
import type { JobHow, JobWhat, TableSpec, XmlSpec } from '../job/jobSpec.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { JobReject } from '../job/reject.ts'
import type { Summary } from '../job/summary.ts'
import type { Ending } from '../job/tally.ts'
import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { RawPage } from '../scan/page.ts'
import { type Disk, type DiskFile, systemDisk } from '../storage/disk.ts'
import { isS3, readS3Address, type S3Options } from '../storage/s3.ts'
import { ChunkFile } from './chunkFile.ts'
import { ConvertedTarget } from './convertedTarget.ts'
import { type ExportTarget, FileTarget, refuseExisting } from './exportTarget.ts'
import type { FilteredJob, RunOptions } from './job.ts'
import { FilteredRun, type OpenRun, type Work } from './jobRun.ts'
import { type NativeAbout, NativeTarget } from './nativeTarget.ts'
import { givenOrModule, type Operation, reopenTransform } from './operation.ts'
import { PieceTarget } from './pieceTarget.ts'
import { planTable } from './plan/planTable.ts'
import type { FilterPreview } from './previewFilter.ts'
import { S3Target } from './s3Target.ts'
import { TableReader } from './tableReader.ts'
import { isFault, Transformer, type TransformFault, type TransformSource, transformSpec } from './transform.ts'
import { loadFunction, moduleSpec } from './userModule.ts'
import type { WriteOptions } from './writeOptions.ts'

/** As {@link XmlWriterOptions}; the mapping may be a module that has it as its default export. */
export interface ExportXmlOptions extends Omit<XmlWriterOptions, 'mapping'> {
  readonly mapping?: XmlMapping | URL | undefined
}

/** How CSV is written. */
export interface ExportCsvOptions {
  /** One ASCII character. Default `,`, or a tab for a file called `.tsv`. */
  readonly delimiter?: string | undefined
  /** Put `'` in front of text that a spreadsheet would take for a formula; it stays there. Default false. */
  readonly safe?: boolean | undefined
  /**
   * Name the types of columns in the header, `price:N`, so that the file loads back as it was. Default false: plain names,
   * as other programs expect them.
   */
  readonly typedHeader?: boolean | undefined
}

/** Of an export in the layout of DynamoDB's own. */
export interface NativeExportOptions {
  /** A data file that is so long, packed, gets no more. At least 1. Default 104,857,600. */
  readonly fileBytes?: number | undefined
}

/**
 * How a table is exported.
 *
 * @typeParam In the type of the items as they are read. Default: {@link PlainItem}
 * @typeParam Name names that `select` may have. Default: any
 * @typeParam Index the type of `index`; `undefined` for an export of the table itself. Default: either
 * @example
 * const options: ExportOptions<User> = { format: 'csv', transform: ({ password, ...user }) => user }
 */
export interface ExportOptions<
  In extends object = PlainItem,
  Name extends string = string,
  Index extends string | undefined = string | undefined,
> extends Pick<WriteOptions, 'onReject' | 'patienceMs' | 'prices'>,
    Pick<
      ScanOptions<Name, Index>,
      | 'segments'
      | 'concurrency'
      | 'filter'
      | 'select'
      | 'index'
      | 'readUnitsPerSecond'
      | 'sharedReadRate'
      | 'consistentRead'
    > {
  /**
   * `native`: the layout of DynamoDB's own exports to S3, in a directory of that path: DynamoDB JSON in files in `data/`,
   * packed with gzip, and manifests when all of it is there. Default: by the ending of the file's name (`.xml`, `.ion`,
   * `.csv`, `.tsv`, `.parquet`), else `ddb-json`, which loads back as it was.
   */
  readonly format?: ItemFormat | 'native' | undefined
  /** How a `native` export is cut. */
  readonly native?: NativeExportOptions | undefined
  /** What the elements are called, or are. */
  readonly xml?: ExportXmlOptions | undefined
  /**
   * The columns of CSV, in their order, each with its type unless that is text: `['id', 'price:N']`. Or those of Parquet,
   * by name alone. Default: one for each attribute, found by looking at all items before the file is written.
   */
  readonly columns?: readonly string[] | undefined
  readonly csv?: ExportCsvOptions | undefined
  /** How an object in S3 is reached and kept. Default: with the profile of the table. */
  readonly s3?: S3Options | undefined
  /** Makes of each item what is written. Default: the item as it is. */
  readonly transform?: TransformSource<In, PlainItem> | undefined
  /** Take the place of a file of that name. Default false. */
  readonly overwrite?: boolean | undefined
}

/**
 * Writes the items of a table, or those for which a filter holds, into a file, one after another in no order; packed
 * where its name ends in `.gz` (gzip) or `.zst` (zstd, with Node 22.15 or newer). Until everything is in it, the file is called as it will be with `.part` behind it.
 *
 * A scan is no snapshot: what is written to the table meanwhile may be in the file or not.
 *
 * A transform is given items as {@link Table.scan} with the same `select` and `index` returns them.
 *
 * @throws {TypeError} for options out of range
 * @example
 * await exportTable(users, 'users.csv', { select: ['id', 'email'] }).run()
 */
export function exportTable<
  Item extends object,
  const Name extends keyof Item & string = never,
  const Index extends string | undefined = undefined,
>(table: Table<Item>, path: string, options: ExportOptions<Scanned<Item, Name, Index>, Name, Index> = {}): FilteredJob {
  return new FilteredRun('export', table, new ExportWork(table as Table<object>, path, options as ExportOptions))
}

/**
 * Bytes as they stand in the file, packed where that is.
 *
 * @internal
 */
export interface ExportEnds {
  readonly head: Uint8Array
  readonly tail: Uint8Array
}

/**
 * How a described export writes CSV. Descriptions of before there were plain headers say nothing of them: theirs are typed.
 *
 * @internal
 */
function csvOf({ format, csv }: { readonly format?: string | undefined; readonly csv?: JobWhat['csv'] | undefined }): {
  csv?: ExportCsvOptions
} {
  return format === 'csv' ? { csv: { typedHeader: true, ...csv } } : {}
}

/**
 * For an export that is made in slices: what of it is in no slice.
 *
 * @internal
 */
export function exportEnds(table: Table, { file, format, xml, columns, csv }: JobWhat): Promise<ExportEnds> {
  const { mapping: _, ...ends } = xml ?? {}
  const work = new ExportWork(table, file!, {
    ...(format === undefined ? {} : { format: format as ItemFormat }),
    columns,
    ...csvOf({ format, csv }),
    xml: ends,
  })
  return work.ends()
}

/** What was gathered is written at least so often, so that a job that is killed has less to do again. */
const HURRY_MS = 500
/** The service's import takes 50,000 objects at most, and likes them of one size. */
const NATIVE_FILE_BYTES = 100 * 1024 * 1024

class ExportWork implements Work {
  readonly options: WriteOptions
  readonly reader: TableReader
  readonly #table: Table
  readonly #path: string
  readonly #options: ExportOptions
  #transformer: Transformer | undefined
  #writer!: ItemWriter
  #opened!: OpenRun
  #target!: ExportTarget
  /** What is written to; undefined where an earlier run has written all of it. */
  #file: DiskFile | undefined
  /** Bytes that the file has. */
  #size = 0
  /** What was lost before there was anybody to tell. */
  readonly #losses: string[] = []
  #about: (() => NativeAbout) | undefined

  constructor(table: Table, path: string, options: ExportOptions) {
    if (path === '-' || path === '')
      throw new TypeError('an export requires a file: to receive items in your program, use table.scan()')
    this.#table = table
    this.#path = isS3(path) ? path : resolve(path)
    // Bad addresses are told of before anything is done.
    if (isS3(path)) readS3Address(path)
    this.#options = options
    this.#checkNative()
    this.#checkColumns()
    const { onReject, patienceMs, prices } = options
    this.options = { onReject, patienceMs, prices }
    this.reader = new TableReader(table, options)
  }

  get how(): JobHow {
    return this.reader.how
  }

  plan(options?: PlanOptions): Promise<Plan> {
    return planTable({ ...this.#options, operation: 'export', table: this.#table, native: ['export'] }, options)
  }

  preview(signal?: AbortSignal): Promise<FilterPreview | undefined> {
    return this.reader.preview(signal)
  }

  async prepare({ disk = systemDisk, directory }: RunOptions): Promise<void> {
    this.#target = this.#openTarget(disk)
    if (this.#options.overwrite !== true) await refuseExisting(this.#target, this.#path, disk, directory)
    checkPacking(this.#packing)
    this.#writer = await this.#openWriter()
  }

  async open(opened: OpenRun): Promise<void> {
    const { run, database, description, directory, signal } = opened
    this.#opened = opened
    for (const text of this.#losses.splice(0)) run.warn(text)
    const startTime = directory?.spec.createdAt ?? isoTime(database.clock)
    const { arn: tableArn, tableId } = description
    this.#about = () => ({ tableArn, tableId, startTime, endTime: isoTime(database.clock) })
    this.#transformer = await Transformer.open(this.#options.transform, database.clock)
    const isDone = directory?.checkpoint?.complete === true
    this.#file = isDone ? undefined : await this.#target.open(directory)
    await run.startReading()
    await this.reader.open({ run, directory, signal, isStopped: () => this.#isStopped() })
  }

  async run(): Promise<void> {
    const { database, directory } = this.#opened
    const [file, target] = [this.#file, this.#target]
    if (file === undefined) {
      this.#size = target.sizeOf(directory!)
      return
    }
    await this.#write(file, target, database.clock)
    this.#size = await this.#convert(file, target, database.clock)
  }

  /** Last, and again if that is where the process died: what is called as it shall be is whole. */
  async ended({ complete }: Summary): Promise<void> {
    if (complete) await this.#target.seal(this.#size, this.#packed(this.#writer.tail))
    else await this.#target.keep?.(this.#size)
  }

  faultOf(error: unknown): unknown {
    return fileError(this.#path, error)
  }

  async close(): Promise<void> {
    this.#transformer?.close()
    await this.#target?.close()
  }

  /** What stands in front of the first item, and behind the last. */
  async ends(): Promise<ExportEnds> {
    const { head, tail } = await this.#openWriter()
    return { head: this.#packed(head), tail: this.#packed(tail) }
  }

  #lose(text: string): void {
    if (this.#opened === undefined) this.#losses.push(text)
    else this.#opened.run.warn(text)
  }

  #packed(text: string): Uint8Array {
    const bytes = Buffer.from(text)
    return this.#packing !== undefined && bytes.length > 0 ? packNow(bytes, this.#packing) : bytes
  }

  async #write(file: DiskFile, target: ExportTarget, clock: Clock): Promise<void> {
    // What is converted is packed then.
    const packing = target instanceof ConvertedTarget ? undefined : this.#packing
    const chunks = new ChunkFile(file, { packing })
    if (file.size === 0 && this.#writer.head !== '' && target.isPiece !== true)
      void chunks.write(this.#writer.head, () => undefined)
    let hurry = clock.setTimer(function again() {
      chunks.hurry()
      hurry = clock.setTimer(again, HURRY_MS)
    }, HURRY_MS)
    try {
      await this.#writeAll(chunks, target)
      await chunks.flush()
      await file.sync()
    } finally {
      hurry.clear()
    }
  }

  /** Bytes of the file as it shall be, or of a part of it where it was stopped. */
  async #convert({ size }: DiskFile, target: ExportTarget, clock: Clock): Promise<number> {
    if (!(target instanceof ConvertedTarget) || this.#isStopped()) return size
    const { columns } = this.#options
    const options = { first: keyNamesOf(this.#opened.schema), onLoss: this.#opened.run.warn }
    const conversion =
      this.#format === 'parquet'
        ? parquetConversion({ ...options, columns })
        : csvConversion({ ...options, ...this.#csvForm })
    return target.convert(conversion, { packing: this.#packing, clock, isStopped: () => this.#isStopped() })
  }

  /** The file is made when all items are known. */
  get #isConverted(): boolean {
    return this.#format === 'parquet' || (this.#format === 'csv' && this.#options.columns === undefined)
  }

  get #csvForm(): Required<ExportCsvOptions> {
    const tabs = /\.tsv(?:\.(?:gz|zst))?$/i.test(this.#path)
    const { delimiter = tabs ? '\t' : ',', safe = false, typedHeader = false } = this.#options.csv ?? {}
    return { delimiter, safe, typedHeader }
  }

  /** What {@link csvOf} reads. */
  get #csvSpec(): Pick<JobWhat, 'csv'> {
    if (this.#format !== 'csv') return {}
    const { typedHeader = false, ...form } = this.#options.csv ?? {}
    if (!typedHeader) return { csv: { ...form, typedHeader } }
    return Object.keys(form).length === 0 ? {} : { csv: form }
  }

  /** @throws {TypeError} for columns that the format does not have */
  #checkColumns(): void {
    const { columns, csv } = this.#options
    if (csv !== undefined && this.#format !== 'csv')
      throw new TypeError(`csv: the file format is ${this.#format}, not csv`)
    if (csv?.delimiter !== undefined) checkCsvOptions({ delimiter: csv.delimiter })
    if (this.#format === 'parquet' && this.#packing !== undefined)
      throw new TypeError(`"${this.#path}": Parquet files are compressed inside: remove the ending after .parquet`)
    if (columns === undefined) return
    if (this.#format === 'csv') new CsvWriter({ columns: columns.map(csvColumn) })
    else if (this.#format !== 'parquet')
      throw new TypeError(`columns: only csv and parquet have columns, not ${this.#format}`)
    else if (columns.length === 0 || new Set(columns).size < columns.length)
      throw new TypeError('columns: list at least one column, and none twice')
  }

  get #packing(): Packing | undefined {
    return this.#options.format === 'native' ? 'gzip' : packingOf(this.#path)
  }

  #openTarget(disk: Disk): ExportTarget {
    const target = this.#openPlainTarget(disk)
    return this.#isConverted ? new ConvertedTarget(target, disk) : target
  }

  #openPlainTarget(disk: Disk): ExportTarget {
    const { s3, overwrite = false } = this.#options
    if (this.#options.format === 'native') {
      const { fileBytes = NATIVE_FILE_BYTES } = this.#options.native ?? {}
      return new NativeTarget(this.#path, { disk, fileBytes, about: () => this.#about!() })
    }
    if (!isS3(this.#path)) return new FileTarget(this.#path, disk)
    const { profile } = this.#table.database.options
    const reached = { ...s3, profile: s3?.profile ?? profile }
    // Of a slice, which leaves a cursor and nothing else: what it writes is beside the whole.
    if (disk.isFleeting === true) {
      return new PieceTarget(this.#path, reached, async () => (await this.#table.database.open()).random)
    }
    return new S3Target(this.#path, disk, { ...reached, overwrite })
  }

  /** @throws {TypeError} for what a native export can not be, or what only that can have */
  #checkNative(): void {
    const { format, native } = this.#options
    if (format !== 'native') {
      if (native !== undefined) throw new TypeError('native: only exports with the format "native" use this option')
      return
    }
    if (isS3(this.#path)) {
      throw new TypeError(
        'a native export is written to a local directory. To have it in S3, copy the finished directory ' +
          '(aws s3 cp --recursive)',
      )
    }
    const { fileBytes = NATIVE_FILE_BYTES } = native ?? {}
    if (!Number.isSafeInteger(fileBytes) || fileBytes < 1)
      throw new TypeError(`native.fileBytes must be a whole number of bytes, at least 1, not ${fileBytes}`)
  }

  get #format(): ItemFormat {
    if (this.#options.format === 'native') return 'ddb-json'
    const ending = /\.(xml|ion|csv|tsv|parquet)(?:\.(?:gz|zst))?$/i.exec(this.#path)?.[1]?.toLowerCase()
    return this.#options.format ?? (ending === 'tsv' ? 'csv' : ((ending as ItemFormat | undefined) ?? 'ddb-json'))
  }

  async #openWriter(): Promise<ItemWriter> {
    const { mapping, ...xml } = this.#options.xml ?? {}
    const example = 'export default (item) => ({ name: "item", attributes: {}, children: [] })'
    const map = mapping instanceof URL ? await loadFunction<XmlMapping>(mapping, 'XML mapping', example) : mapping
    const columns = this.#options.columns?.map(csvColumn)
    return openItemWriter(this.#format, {
      xml: { ...xml, mapping: map },
      ...(columns === undefined ? {} : { csv: { columns, ...this.#csvForm } }),
      ...(this.#format === 'ion' ? { ion: await loadIon() } : {}),
      onLoss: (text) => this.#lose(text),
    })
  }

  async what(table: TableSpec, earlier: JobWhat | undefined): Promise<JobWhat> {
    const { transform, xml, s3, columns, native } = this.#options
    return {
      operation: 'export',
      table,
      file: this.#path,
      format: this.#options.format === 'native' ? 'native' : this.#format,
      native,
      ...(xml === undefined ? {} : { xml: xmlSpec(xml) }),
      ...(s3 === undefined ? {} : { s3: { connection: s3 } }),
      columns,
      ...this.#csvSpec,
      ...transformSpec(transform),
      ...(await this.reader.what(earlier)),
    }
  }

  #isStopped(): boolean {
    this.#opened.run.throwIfFailed()
    return this.#opened.signal.aborted
  }

  async #writeAll(chunks: ChunkFile, target: ExportTarget): Promise<void> {
    const { ledger } = this.reader
    const scan = this.reader.scan!
    const onAbort = (): void => scan.destroy()
    this.#opened.signal.addEventListener('abort', onAbort, { once: true })
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
            if (reject !== undefined) this.#opened.run.reject(reject)
            else this.#opened.run.account.tally[ending] += 1
            ledger.settle(ledgerPage, index, ending, false, reject)
          }
        })
        for (let index = 0; index < endings.length; index += 1) this.#opened.run.take()
        if (room !== undefined) await room
        for (let full = target.room; full !== undefined && !this.#isStopped(); full = target.room)
          await this.#opened.run.untilStopped(full)
        const { behind } = this.#opened.run
        if (behind !== undefined) await behind
      }
    } finally {
      this.#opened.signal.removeEventListener('abort', onAbort)
    }
  }

  async #textOf(page: RawPage): Promise<{ text: string; endings: Ending[]; rejects: Map<number, JobReject> }> {
    const endings: Ending[] = []
    const rejects = new Map<number, JobReject>()
    const writer = this.#writer
    let text = ''
    const transformed = await this.#transformAll(page.items)
    for (const [index, made] of transformed.entries()) {
      const reject = (code: string, message: string): void => {
        const item = page.items[index]!
        rejects.set(index, { code, message, place: describeItemKey(item, this.#opened.schema), item })
        endings.push('rejected')
      }
      if (isFault(made)) {
        reject('TransformFailed', made.fault)
        continue
      }
      try {
        let lines = ''
        for (const item of made) lines += writer.write(item)
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

function csvColumn(text: string): CsvColumn {
  const { name, type = 'S' } = readColumn(text)
  return { name, type }
}

function xmlSpec({ mapping, ...options }: ExportXmlOptions): XmlSpec {
  return {
    ...options,
    ...(mapping === undefined ? {} : { mapping: mapping instanceof URL ? moduleSpec(mapping, 'XML mapping') : {} }),
  }
}

/** What the file system says, with what to do. */
function fileError(path: string, error: unknown): unknown {
  if (error instanceof HeadraceError || !(error instanceof Error) || !('code' in error)) return error
  const message = `cannot write ${path}: ${error.message}. Choose another file, or free some space`
  return new HeadraceError('CONFIGURATION', message, { cause: error })
}

function isoTime(clock: Clock): string {
  return new Date(clock.wallNow()).toISOString()
}

/** @internal */
export const EXPORT_OPERATION: Operation = {
  name: 'export',
  reopen: (from) => {
    const { what, how, table, read, options } = from
    const { onReject, prices } = options
    return exportTable(table, what.file!, {
      ...read,
      onReject,
      prices,
      patienceMs: how.patienceMs,
      select: what.select,
      index: what.index,
      format: what.format as ExportOptions['format'],
      native: what.native,
      xml: reopenXml(what.xml, options.xmlMapping),
      s3: what.s3?.connection as S3Options | undefined,
      columns: what.columns,
      ...csvOf(what),
      transform: reopenTransform(from),
      overwrite: true,
    })
  },
  slices: { leavesPieces: true },
}

function reopenXml(spec: XmlSpec | undefined, given: XmlMapping | undefined): ExportXmlOptions | undefined {
  if (spec?.mapping === undefined) return spec as ExportXmlOptions | undefined
  return { ...spec, mapping: givenOrModule('xmlMapping', spec.mapping, given) }
}
