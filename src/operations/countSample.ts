import type { Table } from '../database/table.ts'
import { corrected, type Estimate } from '../job/estimate.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { CountOptions } from './count.ts'
import { expandSample, sampleTable } from './plan/sampleTable.ts'

export type CountSampleOptions = Pick<
  CountOptions,
  'filter' | 'index' | 'readUnitsPerSecond' | 'concurrency' | 'signal'
>

/** A count that was made by looking at a part. */
export interface CountSample {
  /** Items for which the filter holds; all where there is none. */
  readonly count: Estimate
  /** Items of the whole table. */
  readonly items: Estimate
  /** Items that were looked at. */
  readonly scannedCount: number
  /** Segments that were read, and that the table was cut into. */
  readonly segments: number
  readonly segmentsTotal: number
  /** At most 4,096. */
  readonly readUnits: number
}

/**
 * About how many items a table has, or match a filter, by reading some segments drawn at random; a small table is read
 * whole, and counted exactly.
 *
 * @throws {HeadraceError} when the table can not be read; `REFUSED` when its segments are too large for a sample
 */
export async function countSample(table: Table, options: CountSampleOptions = {}): Promise<CountSample> {
  const { filter, index } = options
  const description = await table.describe({ again: true, signal: options.signal })
  const told = description.indexes.find(({ name }) => name === index) ?? description
  const sample = await sampleTable(table, {
    ...options,
    toldItems: told.itemCount,
    toldBytes: told.sizeBytes,
    countOnly: true,
  })
  const items = expandSample(sample, ({ scannedCount }) => scannedCount)
  const count = expandSample(sample, (segment) => segment.count)
  if (items === undefined || count === undefined) {
    throw new HeadraceError(
      'REFUSED',
      `cannot sample ${table.name}: a single segment is larger than the sample. Count the whole table instead`,
      { place: { table: table.name } },
    )
  }
  const all = sample.whole ? items : corrected(told.itemCount, items)
  return {
    count: filter === undefined ? all : count,
    items: all,
    scannedCount: sample.segments.reduce((sum, { scannedCount }) => sum + scannedCount, 0),
    segments: sample.segments.length,
    segmentsTotal: sample.segmentsTotal,
    readUnits: sample.readUnits,
  }
}
