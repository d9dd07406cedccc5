import type { ScanOptions } from '../database/scan.ts'
import type { CsvOptions, FormatName } from '../formats/record.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { ConnectionSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { TableChange } from './tableChange.ts'
import type { Transform } from './transform.ts'
import { loadDefault } from './userModule.ts'
import type { IfExists, WriteOptions } from './writeOptions.ts'

/**
 * A job of one's own: where items come from, what is made of each, and where that goes.
 *
 * @typeParam In the type of the source's items. Default: {@link PlainItem}
 * @typeParam Out the type of the items of the sink's table. Default: {@link PlainItem}
 * @example
 * const job: JobDefinition<Order, OrderLine> = {
 *   source: { table: 'orders' },
 *   transform: (order) => order.lines.map((line) => ({ order: order.id, ...line })),
 *   sink: { table: 'order-lines' },
 * }
 */
export type JobDefinition<In extends object = PlainItem, Out extends object = PlainItem> =
  | ItemJob<In, Out>
  | ChangeJob<In, Out>

interface ItemJob<In extends object, Out extends object> {
  readonly source: JobSource<In>
  /** Makes of each item the items that are written: one, several (at most 1,000), or nothing. Default: the item as it is. */
  readonly transform?: Transform<In, Out> | undefined
  readonly sink: JobSink & { readonly write?: 'items' | undefined }
}

interface ChangeJob<In extends object, Out extends object> {
  readonly source: JobSource<In>
  /** Makes of each item what is done: one change, several (at most 1,000), or nothing. */
  readonly transform: (item: Readonly<In>) => Changed<Out> | Promise<Changed<Out>>
  readonly sink: JobSink & { readonly write: 'changes' }
}

type Changed<Out extends object> = TableChange<Out> | readonly TableChange<Out>[] | undefined | null

/**
 * Where a job's items come from: a table, files, or a function.
 *
 * @typeParam In the type of the items. Default: {@link PlainItem}
 * @example
 * const source: JobSource = { table: 'orders', filter: "country = 'NO'" }
 */
export type JobSource<In extends object = PlainItem> = TableSource | FilesSource | ItemsSource<In>

/** All items of a table, or those for which the filter holds. */
export interface TableSource
  extends Pick<ScanOptions, 'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'consistentRead'> {
  readonly table: string
  /** Where the table is. Default: where the job is run. */
  readonly connection?: ConnectionSpec | undefined
}

/** Every record of files, as `files()` reads them; paths are as seen from the working directory. */
export interface FilesSource {
  readonly files: string | readonly string[]
  readonly format?: FormatName | undefined
  readonly csv?: CsvOptions | undefined
}

/**
 * Whatever a module can get hold of.
 *
 * @typeParam In the type of the items. Default: {@link PlainItem}
 * @example
 * const source: ItemsSource<User> = { items: (settled) => readUsers({ offset: settled }), resumes: true }
 */
export interface ItemsSource<In extends object = PlainItem> {
  /** @param settled items that need not come again, as an earlier run has settled them; 0 unless `resumes` */
  readonly items: (settled: number) => Iterable<In> | AsyncIterable<In>
  /**
   * It gives the same items in the same order each time, and begins behind those that are settled. Otherwise a job can not
   * go on with it. Default false.
   */
  readonly resumes?: boolean | undefined
}

export interface JobSink
  extends Pick<WriteOptions, 'maxInFlight' | 'maxQueueSize' | 'patienceMs' | 'writeUnitsPerSecond'> {
  readonly table: string
  /** Where the table is. Default: where the job is run. */
  readonly connection?: ConnectionSpec | undefined
  /**
   * What the transform makes: `items`, each put whole in place of any of its key, or `changes`, which put, delete or update.
   * Default `items`.
   */
  readonly write?: 'items' | 'changes' | undefined
  /** Of items: what becomes of one whose key the table already has; see `LoadOptions`. Default `'overwrite'`. */
  readonly ifExists?: IfExists | undefined
}

const EXAMPLE =
  "export default defineJob({ source: { table: 'orders' }, transform: …, sink: { table: 'order-lines' } })"

/**
 * A job for `headrace run` and {@link openJob}: the default export of a module.
 *
 * @typeParam In the type of the source's items. Default: {@link PlainItem}, or the parameter of the transform
 * @typeParam Out the type of the items of the sink's table. Default: {@link PlainItem}
 * @returns the definition, checked
 * @throws {HeadraceError} `VISITOR` if the definition is not valid
 * @example
 * export default defineJob<Order, OrderLine>({
 *   source: { table: 'orders' },
 *   transform: (order) => order.lines.map((line) => ({ order: order.id, ...line })),
 *   sink: { table: 'order-lines' },
 * })
 */
export function defineJob<In extends object = PlainItem, Out extends object = PlainItem>(
  definition: JobDefinition<In, NoInfer<Out>>,
): JobDefinition<In, Out> {
  const fault = faultOf(definition)
  if (fault === undefined) return definition
  throw new HeadraceError('VISITOR', `the job definition is not valid: ${fault}. Example: ${EXAMPLE}`)
}

/**
 * The job that a module has as its default export.
 *
 * @internal
 * @throws {HeadraceError} `VISITOR` when there is no such module, or no job in it
 */
export async function loadDefinition(module: URL): Promise<JobDefinition> {
  return defineJob((await loadDefault(module, 'job')) as JobDefinition)
}

/** What is missing or wrong, as the end of a sentence; it comes from a module that nobody may have checked. */
function faultOf(definition: unknown): string | undefined {
  if (!isObject(definition)) return 'it is not an object'
  const { source, transform, sink } = definition
  if (!isObject(source)) return 'it has no source'
  const kinds = ['table', 'files', 'items'].filter((kind) => Object.hasOwn(source, kind))
  if (kinds.length !== 1) return 'its source must have exactly one of table, files and items'
  if (kinds[0] === 'table' && !isName(source['table'])) return 'source.table must be a table name'
  if (kinds[0] === 'items' && typeof source['items'] !== 'function') return 'source.items must be a function'
  if (!isObject(sink) || !isName(sink['table'])) return 'sink.table must be a table name'
  const { write = 'items' } = sink
  if (write !== 'items' && write !== 'changes') return `sink.write must be 'items' or 'changes', not ${String(write)}`
  if (transform !== undefined && typeof transform !== 'function') return 'transform must be a function'
  const { ifExists } = sink
  if (write === 'changes' && ifExists !== undefined && ifExists !== 'overwrite')
    return 'sink.ifExists applies to items, but the sink writes changes'
  if (write === 'changes' && transform === undefined) return 'the sink writes changes, which need a transform'
  return undefined
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
