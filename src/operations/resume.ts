import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { connect, type Database } from '../database/database.ts'
import type { ItemFormat } from '../formats/itemFormat.ts'
import type { CsvOptions, FormatName } from '../formats/record.ts'
import type { XmlMapping } from '../formats/xmlWriter.ts'
import { decodeItemText } from '../item/decode.ts'
import { loadSpec } from '../job/jobDirectory.ts'
import type { JobSpec, SourceSpec, XmlSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Disk } from '../storage/disk.ts'
import { isS3, readS3Address, S3, type S3Options } from '../storage/s3.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { copy } from './copy.ts'
import { csvOf, type ExportXmlOptions, exportTable } from './exportTable.ts'
import { file, type RecordSource, s3File } from './file.ts'
import { generate } from './generate.ts'
import type { Job, JobRates, RunOptions } from './job.ts'
import type { JobDefinition } from './jobDefinition.ts'
import { load } from './load.ts'
import { withItemCount } from './nativeFiles.ts'
import { openJob } from './openJob.ts'
import type { TransformSource } from './transform.ts'
import { undo } from './undo.ts'
import { deleteAll, updateAll } from './updateAll.ts'
import { readEdit, type VisitorSource } from './visitor.ts'
import type { WriteOptions } from './writeRun.ts'

export interface ResumeOptions extends Pick<WriteOptions, 'onReject' | 'maxInFlight' | 'prices'> {
  /** Where the tables are. Default: as the job reached them before, with the credentials of now. Not closed by the job. */
  readonly database?: Database | undefined
  /** Of an update whose visitor was a function: the same function. A module is loaded again. */
  // biome-ignore lint/suspicious/noExplicitAny: of a table of any type
  readonly visitor?: VisitorSource<any> | undefined
  /** As `visitor`, of a copy or an export. */
  // biome-ignore lint/suspicious/noExplicitAny: of tables of any type
  readonly transform?: TransformSource<any> | undefined
  /** As `visitor`, of an export to XML. */
  readonly xmlMapping?: XmlMapping | undefined
  /** Of a job of one's own that was no module: the same definition. */
  readonly definition?: JobDefinition | undefined
  /** Where the target of a copy is. Default: `database` where both were reached in one way, else as the job reached it. */
  readonly target?: Database | undefined
  /** Other rates than before. */
  readonly readUnitsPerSecond?: Rate | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
  /** What other processes spend of, too; see `sharedRate`. */
  readonly sharedReadRate?: SharedRate | undefined
  readonly sharedWriteRate?: SharedRate | undefined
  readonly disk?: Disk | undefined
}

/** A job that was begun, ready to go on where it was. */
export interface ResumedJob extends Job {
  readonly spec: JobSpec
}

/**
 * Goes on with a job from its directory: `(await resume('.headrace/update-users-1')).run()`. What is settled is not done
 * again; what was under way when it ended may be.
 *
 * @throws {HeadraceError} `STATE` when there is no job, or it can not be read; from `run()` also when what it reads or
 *   the visitor is not what it was
 */
export async function resume(directory: string, options: ResumeOptions = {}): Promise<ResumedJob> {
  const spec = loadSpec(directory, options.disk)
  const database = options.database ?? connect(spec.what.table.connection)
  const target = options.target ?? openTarget(spec, database)
  const job = await makeJob(spec, database, target, options)
  return {
    spec,
    get progress() {
      return job.progress
    },
    setRates: (rates) => job.setRates(rates),
    async run(runOptions: RunOptions = {}) {
      try {
        return await job.run({ disk: options.disk, ...runOptions, directory })
      } finally {
        if (options.database === undefined) await database.close()
        if (target !== options.target && target !== database) await target?.close()
      }
    },
  }
}

/** The two tables of a copy that were reached in one way are reached so again, whatever way that is by now. */
function openTarget({ what: { table, target } }: JobSpec, database: Database): Database | undefined {
  if (target === undefined) return undefined
  return isDeepStrictEqual(target.connection, table.connection) ? database : connect(target.connection)
}

async function makeJob(
  { what, how }: JobSpec,
  database: Database,
  target: Database | undefined,
  options: ResumeOptions,
): Promise<Job> {
  const table = database.table(what.table.name)
  const writeRate = options.writeUnitsPerSecond ?? how.rates?.write
  const readRate = options.readUnitsPerSecond ?? how.rates?.read
  const maxInFlight = options.maxInFlight ?? how.maxInFlight
  const write: WriteOptions = {
    maxInFlight,
    maxQueueSize: how.maxQueueSize,
    patienceMs: how.patienceMs,
    ...(writeRate === undefined ? {} : { writeUnitsPerSecond: readRateOf('write', writeRate) }),
    onReject: options.onReject,
    prices: options.prices,
    sharedWriteRate: options.sharedWriteRate,
  }
  const read = {
    sharedReadRate: options.sharedReadRate,
    filter: what.filter,
    segments: what.segments,
    consistentRead: what.consistentRead,
    concurrency: how.concurrency,
    ...(readRate === undefined ? {} : { readUnitsPerSecond: readRateOf('read', readRate) }),
  }
  switch (what.operation) {
    case 'load':
      return load((what.sources ?? []).map(openSource), table, {
        ...write,
        ...transformOf(what.visitor, options.transform),
        ...(what.sources?.some(({ changes }) => changes === true) ? { applyChanges: true } : {}),
        keepOld: what.keepOld,
        ifExists: what.ifExists,
      })
    case 'run': {
      // Of files there is one table, and it is written.
      const tables = target === undefined ? { sink: database } : { source: database, sink: target }
      const { filter: _, consistentRead: __, ...reading } = read
      return openJob(definitionOf(what.visitor, options.definition), {
        ...write,
        ...reading,
        ...tables,
        ifExists: what.ifExists,
      })
    }
    case 'generate': {
      const { items, seed, template, itemBytes } = what.generated!
      return generate(table, {
        ...write,
        items,
        seed,
        ...(template === undefined ? {} : { template: decodeItemText(template) }),
        itemBytes,
      })
    }
    case 'update':
      return updateAll(table, visitorOf(what.visitor, options.visitor), {
        ...write,
        ...read,
        visitTimeoutMs: how.visitTimeoutMs,
        workers: how.workers,
        once: what.once,
        keepOld: what.keepOld,
      })
    case 'delete':
      return deleteAll(table, { ...write, ...read, keepOld: what.keepOld })
    case 'undo':
      return undo(what.undoes!, { ...write, database, disk: options.disk })
    case 'copy':
      return copy(table, target!.table(what.target!.name), {
        ...write,
        ...read,
        keepOld: what.keepOld,
        ifExists: what.ifExists,
        ...transformOf(what.visitor, options.transform),
      })
    case 'export':
      return exportTable(table, what.file!, {
        ...read,
        onReject: options.onReject,
        prices: options.prices,
        patienceMs: how.patienceMs,
        select: what.select,
        index: what.index,
        ...(what.format === undefined ? {} : { format: what.format as ItemFormat | 'native' }),
        native: what.native,
        ...xmlOf(what.xml, options.xmlMapping),
        ...(what.s3 === undefined ? {} : { s3: what.s3.connection as S3Options }),
        columns: what.columns,
        ...csvOf(what),
        ...transformOf(what.visitor, options.transform),
        overwrite: true,
      })
    default:
      throw new HeadraceError('STATE', `this Headrace cannot run "${what.operation}" jobs: use a newer Headrace`)
  }
}

/**
 * The rates that a job's file has at the moment.
 *
 * @throws {HeadraceError} `STATE` when it can not be read
 * @throws {TypeError} for what is no rate
 */
export function readRates(directory: string): JobRates {
  const { read, write } = loadSpec(directory).how.rates ?? {}
  return {
    ...(read === undefined ? {} : { readUnitsPerSecond: readRateOf('read', read) }),
    ...(write === undefined ? {} : { writeUnitsPerSecond: readRateOf('write', write) }),
  }
}

/** A rate of a job's file, which people may have edited. */
export function readRateOf(direction: 'read' | 'write', rate: number | string): Rate {
  if (rate === 'unlimited') return Number.POSITIVE_INFINITY
  shareOf(`rates.${direction}`, rate as Rate)
  return rate as Rate
}

/** Nothing is read from it: a job does not go on with standard input. */
const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    // Ends at once.
  },
}

function openSource({ range, ...spec }: SourceSpec): RecordSource {
  if (range === undefined) return openWhole(spec)
  const { from, to } = range
  const whole = openWhole({ ...spec, name: spec.name.slice(0, -`#${from}-${to}`.length) })
  if (whole.part !== undefined) return whole.part(from, to)
  throw new HeadraceError('STATE', `${whole.name} cannot be read in parts, but the job expects it`)
}

function openWhole({ name, format, csv, changes, connection, itemCount, phase }: SourceSpec): RecordSource {
  const options = {
    ...(name === '-' ? { stdin: NOTHING } : {}),
    ...(format === undefined ? {} : { format: format as FormatName }),
    ...(csv === undefined ? {} : { csv: csv as CsvOptions }),
    changes,
  }
  const source = isS3(name)
    ? s3File(new S3(connection as S3Options | undefined), readS3Address(name), undefined, options)
    : file(name, options)
  const inPhase = phase === undefined ? source : { ...source, phase }
  return itemCount === undefined ? inPhase : withItemCount(inPhase, itemCount)
}

function transformOf(
  spec: JobSpec['what']['visitor'],
  given: TransformSource | undefined,
): { transform?: TransformSource } {
  if (given !== undefined) return { transform: given }
  if (spec?.module !== undefined) return { transform: pathToFileURL(resolve(spec.module)) }
  if (spec === undefined) return {}
  throw functionError('transform')
}

function xmlOf(spec: XmlSpec | undefined, given: XmlMapping | undefined): { xml?: ExportXmlOptions } {
  if (spec === undefined) return {}
  const { mapping, ...xml } = spec
  if (mapping === undefined) return { xml }
  const module = mapping.module === undefined ? undefined : pathToFileURL(resolve(mapping.module))
  const map = given ?? module
  if (map === undefined) throw functionError('xmlMapping')
  return { xml: { ...xml, mapping: map } }
}

function definitionOf(spec: JobSpec['what']['visitor'], given: JobDefinition | undefined): URL | JobDefinition {
  if (given !== undefined) return given
  if (spec?.module !== undefined) return pathToFileURL(resolve(spec.module))
  throw functionError('definition')
}

function visitorOf(spec: JobSpec['what']['visitor'], given: VisitorSource | undefined): VisitorSource {
  if (given !== undefined) return given
  if (spec?.module !== undefined) return pathToFileURL(resolve(spec.module))
  if (spec?.edit !== undefined) return readEdit(spec.edit)
  throw functionError('visitor')
}

function functionError(kind: string): HeadraceError {
  return new HeadraceError(
    'STATE',
    `the job's ${kind} was ${kind === 'definition' ? 'an object' : 'a function'}, which cannot be stored in a file: pass it again, ` +
      `resume(directory, { ${kind} })`,
  )
}
