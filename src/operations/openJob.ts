import { connect, type Database } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { ConnectionSpec } from '../job/jobSpec.ts'
import { defined } from '../runtime/defined.ts'
import type { Rate } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { copyAs } from './copy.ts'
import type { RecordSource } from './file.ts'
import { files } from './files.ts'
import { itemsSource } from './itemsSource.ts'
import type { PlannableJob } from './job.ts'
import { defineJob, type FilesSource, type ItemsSource, type JobDefinition, loadDefinition } from './jobDefinition.ts'
import type { JobIdentity } from './jobIdentity.ts'
import { loadAs } from './load.ts'
import { givenOrModule, type Operation } from './operation.ts'
import type { Transform } from './transform.ts'
import type { IfExists, WriteOptions } from './writeOptions.ts'

export interface OpenJobOptions
  extends Pick<
    WriteOptions,
    'onReject' | 'prices' | 'maxInFlight' | 'maxQueueSize' | 'patienceMs' | 'writeUnitsPerSecond' | 'sharedWriteRate'
  > {
  /** Where the tables are of which the job does not say it. Default: `connect()`. Not closed by the job. */
  readonly database?: Database | undefined
  /** Where they are whatever the job says: the table that is read, and the one that is written. Not closed by the job. */
  readonly source?: Database | undefined
  readonly sink?: Database | undefined
  readonly readUnitsPerSecond?: Rate | undefined
  readonly sharedReadRate?: SharedRate | undefined
  readonly concurrency?: number | undefined
  readonly segments?: number | undefined
  /** Of a job that writes items: what becomes of one whose key the table already has. Default: as the job says. */
  readonly ifExists?: IfExists | undefined
}

/** A job of one's own, ready to be planned or run. */
export interface OpenedJob extends PlannableJob {
  /** The table that is read, or the one that is written where no table is read. */
  readonly table: Table
  /** Releases what it has connected to by itself. `run` does so at its end. */
  close(): Promise<void>
}

/**
 * A job of one's own, from its module or as it is defined. Only a module can be gone on with by another process.
 *
 * Options take precedence over what the job says.
 *
 * @throws {HeadraceError} `VISITOR` where there is no such job; `INPUT` for files that are not there
 * @example
 * const job = await openJob(new URL('./order-lines.js', import.meta.url))
 * const summary = await job.run({ directory: '.headrace/order-lines' })
 */
export async function openJob<In extends object = PlainItem, Out extends object = PlainItem>(
  job: URL | JobDefinition<In, Out>,
  options: OpenJobOptions = {},
): Promise<OpenedJob> {
  const definition = job instanceof URL ? await loadDefinition(job) : defineJob(job as JobDefinition)
  const { source, sink } = definition
  const { database, source: sourceDatabase, sink: sinkDatabase, readUnitsPerSecond, sharedReadRate, ...given } = options
  const { segments, concurrency, ...write } = given
  const own: Database[] = []
  const reach = (connection: ConnectionSpec | undefined): Database => {
    if (connection === undefined && database !== undefined) return database
    const made = connect(connection)
    own.push(made)
    return made
  }
  const close = async (): Promise<void> => {
    await Promise.all(own.map((one) => one.close()))
  }
  const identity: JobIdentity = {
    operation: 'run',
    module: job instanceof URL ? job : undefined,
    makesChanges: sink.write === 'changes',
  }
  const { table: sinkName, connection: sinkConnection, write: _, ...sinkOptions } = sink
  if (sink.write === 'changes' && (write.ifExists ?? 'overwrite') !== 'overwrite')
    throw new TypeError('ifExists (--if-exists) applies to items, but this job writes changes')
  const target = (sinkDatabase ?? reach(sinkConnection)).table(sinkName)
  const transform = definition.transform as Transform | undefined
  const writing = { ...sinkOptions, ...defined(write), transform }
  if (!('table' in source)) {
    const made = loadAs(identity, await sourcesOf(source), target, writing)
    return opened(made, target, close)
  }
  const { table: name, connection, ...reading } = source
  const from = (sourceDatabase ?? reach(connection)).table(name)
  const copyOptions = {
    ...reading,
    ...defined({ segments, concurrency, readUnitsPerSecond, sharedReadRate }),
    ...writing,
  }
  return opened(copyAs(identity, from, target, copyOptions), from, close)
}

async function sourcesOf(source: FilesSource | ItemsSource): Promise<readonly RecordSource[]> {
  if ('items' in source) return [itemsSource(source)]
  const { files: paths, ...options } = source
  return files(typeof paths === 'string' ? [paths] : paths, options)
}

function opened(job: PlannableJob, table: Table, close: () => Promise<void>): OpenedJob {
  return {
    table,
    close,
    get progress() {
      return job.progress
    },
    plan: (options) => job.plan(options),
    describe: (options) => job.describe(options),
    setRates: (rates) => job.setRates(rates),
    async run(options) {
      try {
        return await job.run(options)
      } finally {
        await close()
      }
    },
  }
}

/** @internal */
export const RUN_OPERATION: Operation = {
  name: 'run',
  reopen: ({ what, database, target, write, read, options }) => {
    const { filter: _, consistentRead: __, ...reading } = read
    return openJob(givenOrModule('definition', what.visitor, options.definition), {
      ...write,
      ...reading,
      // Of files there is one table, and it is written.
      ...(target === undefined ? { sink: database } : { source: database, sink: target }),
      ifExists: what.ifExists,
    })
  },
  slices: {},
}
