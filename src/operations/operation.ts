import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Database } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { XmlMapping } from '../formats/xmlWriter.ts'
import type { JobHow, JobWhat, VisitorSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Disk } from '../storage/disk.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import type { Job } from './job.ts'
import type { JobDefinition } from './jobDefinition.ts'
import type { ReadOptions } from './tableReader.ts'
import type { TransformSource } from './transform.ts'
import type { VisitorSource } from './visitor.ts'
import type { WriteOptions } from './writeOptions.ts'

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
  // biome-ignore lint/suspicious/noExplicitAny: of tables of any type
  readonly definition?: JobDefinition<any, any> | undefined
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

/**
 * What an operation is made again from: its description, and what a description cannot hold.
 *
 * @internal
 */
export interface Reopening {
  readonly what: JobWhat
  readonly how: JobHow
  readonly database: Database
  /** The table that the job is about. */
  readonly table: Table
  /** Where the target of a copy is; undefined where there is none. */
  readonly target: Database | undefined
  readonly options: ResumeOptions
  /** How it writes, from the description and the options. */
  readonly write: WriteOptions
  /** How it reads a table, the same. */
  readonly read: Omit<ReadOptions, 'select' | 'index' | 'patienceMs'>
}

/**
 * A kind of job: `load`, `update` and so on. One line of the registry.
 *
 * @internal
 */
export interface Operation {
  /** As descriptions and summaries have it. */
  readonly name: string
  /** Makes the job that a description says. */
  readonly reopen: (from: Reopening) => Job | Promise<Job>
  /** How it is divided into slices; undefined where it cannot be. */
  readonly slices?: SliceRules | undefined
}

/** @internal */
interface SliceRules {
  /**
   * Slices leave pieces that something has to join at the end, so they do not run one by one with a directory each.
   * Default false.
   */
  readonly leavesPieces?: boolean | undefined
}

/**
 * A rate of a job's file, which people may have edited.
 *
 * @internal
 * @throws {TypeError} for what is no rate
 */
export function rateOfSpec(direction: 'read' | 'write', rate: number | string | undefined): Rate | undefined {
  if (rate === undefined) return undefined
  if (rate === 'unlimited') return Number.POSITIVE_INFINITY
  shareOf(`rates.${direction}`, rate as Rate)
  return rate as Rate
}

/** What a description can name only where it is a module. */
type Named = 'visitor' | 'transform' | 'definition' | 'xmlMapping'

/**
 * A function or an object that the job's user has written: as it is given again, or the module that the description names.
 *
 * @internal
 * @throws {HeadraceError} `STATE` where it was no module and is not given
 */
export function givenOrModule<Given>(
  kind: Named,
  spec: VisitorSpec | undefined,
  given: Given | undefined,
): URL | Given {
  if (given !== undefined) return given
  if (spec?.module !== undefined) return pathToFileURL(resolve(spec.module))
  throw new HeadraceError(
    'STATE',
    `the job's ${kind} was ${kind === 'definition' ? 'an object' : 'a function'}, which cannot be stored in a file: pass it again, ` +
      `resume(directory, { ${kind} })`,
  )
}

/**
 * The transform of a job that need not have one.
 *
 * @internal
 */
export function reopenTransform({ what, options }: Reopening): TransformSource | undefined {
  if (what.visitor === undefined && options.transform === undefined) return undefined
  return givenOrModule('transform', what.visitor, options.transform)
}
