import type { ScanOptions } from '../../database/scan.ts'
import type { Table } from '../../database/table.ts'
import type { TableDescription } from '../../database/tableDescription.ts'
import type { PlainItem } from '../../item/attributeValue.ts'
import { corrected, type Estimate, exactly, scaled } from '../../job/estimate.ts'
import type { ItemSample, Plan, PlanOptions } from '../../job/plan.ts'
import { BUILT_IN_PRICES, type PriceTable } from '../../job/priceTable.ts'
import { counted } from '../../runtime/counted.ts'
import type { Rate } from '../../throughput/rate.ts'
import { chooseReading, type Reading } from '../chooseReading.ts'
import type { RawItem } from '../prepareChange.ts'
import { assemblePlan, checkPlanOptions } from './assemblePlan.ts'
import type { NativeWay } from './nativeServices.ts'
import { planRate } from './planRate.ts'
import { expandSample, READ_UNITS_MAX, sampleTable, type TableSample } from './sampleTable.ts'
import { VisitSample } from './visitSample.ts'
import { type SegmentSums, weighSample } from './weighSample.ts'
import { WriteCharge, type WrittenItem } from './writeCharge.ts'

/** Work that reads all of a table, and may write something for each item: an update, a delete, a copy, an export, a count. */
export interface TablePlanRequest
  extends Pick<ScanOptions, 'filter' | 'index' | 'segments' | 'concurrency' | 'consistentRead' | 'readUnitsPerSecond'> {
  readonly operation: string
  /** The table that is read. */
  readonly table: Table
  /**
   * So many segments are read side by side that what is written falls on all of the table that is written to, as `updateAll`
   * and `copy` do. Default false.
   */
  readonly spread?: boolean | undefined
  /** Undefined for work that only reads. */
  readonly writes?: PlannedWrites | undefined
  /** Native services that do the same work. */
  readonly native?: readonly NativeWay[] | undefined
  readonly prices?: PriceTable | undefined
}

export interface PlannedWrites {
  /** The table that is written to; the one that is read, or another. */
  readonly table: Table
  readonly writeUnitsPerSecond?: Rate | undefined
  /**
   * What is written for an item; undefined for nothing, a list for several. Nothing is really written. What it throws is a
   * reject.
   *
   * @param raw the item just as it came
   */
  readonly of: (item: PlainItem, raw: RawItem) => Written | Promise<Written>
  /** How long a promise of it may take. Default 60,000. */
  readonly visitTimeoutMs?: number | undefined
}

export type Written = WrittenItem | readonly WrittenItem[] | undefined

const SAMPLE_UNITS_MIN = 64
const SAMPLE_SECONDS_MAX = 30
const PAGE_BYTES = 1_048_576
/** Bytes that half a read unit is for: what is read eventually consistent is rounded up to so many. */
const ROUNDED_BYTES = 4_096
/** A page takes this part of a second's units at most (see `ScanEngine`). */
const PAGE_SECONDS = 0.1

/** @throws {HeadraceError} when the table can not be described or read; {TypeError} for samples out of range */
export async function planTable(request: TablePlanRequest, options: PlanOptions = {}): Promise<Plan> {
  const samplesWanted = checkPlanOptions(options)
  const { table, operation, filter, index, writes, readUnitsPerSecond } = request
  const { connection, clock } = await table.database.open()
  // As it is now: a table is often filled a minute before.
  const description = await table.describe({ again: true })
  const target = writes === undefined || writes.table === table ? description : await writes.table.describe()
  const told = description.indexes.find(({ name }) => name === index) ?? description
  const sample = await sampleTable(table, {
    filter,
    index,
    readUnitsPerSecond,
    readUnitsMax: sampleUnits(request, description, connection.loopback),
    toldItems: told.itemCount,
    toldBytes: told.sizeBytes,
    signal: options.signal,
  })
  const charge = new WriteCharge(target)
  const visits = writes && new VisitSample(writes, charge, clock, target.indexes.length + 1, options.signal)
  const sums = await weighSample(sample, filter !== undefined, charge, visits)

  const bySample = (of: (segment: SegmentSums) => number, toldTotal: number): Estimate => {
    const expanded = expandSample(sample, (segment) => of(sums.segments.get(segment)!))
    if (expanded === undefined) return { value: toldTotal, low: 0, high: Number.POSITIVE_INFINITY }
    return sample.whole ? expanded : corrected(toldTotal, expanded)
  }
  const items = bySample((segment) => segment.items, told.itemCount)
  const bytes = bySample((segment) => segment.bytes, told.sizeBytes)
  /** Of something that was summed over the visited items, by how it grows with items and with their bytes. */
  const visited = (quantity: number): Estimate => {
    const expanded = expandSample(sample, (segment) => sums.segments.get(segment)!.visited[quantity] ?? 0)
    if (sample.whole && visits?.stopped !== true) return expanded ?? exactly(0)
    const value = sums.fits[quantity]!.sumOver(items.value, bytes.value)
    if (expanded === undefined || visits?.stopped === true) return { value, low: 0, high: Number.POSITIVE_INFINITY }
    return { value, low: Math.min(value, expanded.low), high: Math.max(value, expanded.high) }
  }

  const readFactor = (request.consistentRead === true ? 2 : 1) / 2 / ROUNDED_BYTES
  const reading = await chooseReading(table, request, request.spread === true ? target : undefined)
  const overhead = pagesOverhead(request, reading, bytes.value, description.billing, connection.loopback)
  const readUnits = scaled(bytes, readFactor)
  const readMore = overhead * ROUNDED_BYTES * readFactor
  const rowsOfUnits = target.indexes.map((_, position) => visited(2 + position))
  const tableUnits = writes === undefined ? exactly(0) : visited(1)
  const region = connection.region
  return assemblePlan({
    operation,
    region,
    loopback: connection.loopback,
    prices: request.prices ?? BUILT_IN_PRICES,
    native: request.native ?? [],
    items,
    bytes,
    changes: writes === undefined ? undefined : visited(0),
    reads: {
      table,
      description,
      index,
      rate: readUnitsPerSecond,
      units: {
        value: readUnits.value + readMore,
        low: readUnits.low + readMore,
        high: readUnits.high + readMore,
      },
    },
    writes:
      writes === undefined
        ? undefined
        : {
            table: writes.table,
            description: target,
            rate: writes.writeUnitsPerSecond,
            tableUnits,
            indexUnits: rowsOfUnits,
            changesItems: writes.table === table,
            deletesItems: (visits?.deletes ?? 0) > 0,
          },
    sample: {
      items: sums.items,
      readUnits: sample.readUnits,
      whole: sample.whole,
      words: wordsOf(sample, sums.items),
    },
    samples: pickSamples(visits?.samples ?? [], samplesWanted),
    unknown: [
      ...(visits?.remarks ?? []),
      ...(sample.segments.length === 0 && !sample.whole
        ? ['The number of items: DynamoDB’s own count can be up to six hours old.']
        : []),
    ],
  })
}

/** No more than a table gives in half a minute: nobody waits longer for a plan. */
function sampleUnits(
  { readUnitsPerSecond: rate, index }: TablePlanRequest,
  description: TableDescription,
  loopback: boolean,
): number {
  const question = { description, direction: 'read', rate, loopback, index, tableUnits: 1 } as const
  const { unitsPerSecond } = planRate({ ...question, indexUnits: new Map() }).rate
  return Math.min(READ_UNITS_MAX, Math.max(SAMPLE_UNITS_MIN, SAMPLE_SECONDS_MAX * unitsPerSecond))
}

/** Half a step of rounding for each page, in such steps; a segment without items takes one too. */
function pagesOverhead(
  { readUnitsPerSecond: rate }: TablePlanRequest,
  { segments, pageBytesMax = PAGE_BYTES }: Reading,
  bytes: number,
  billing: 'on demand' | 'provisioned',
  loopback: boolean,
): number {
  let pageBytes = Math.min(PAGE_BYTES, pageBytesMax)
  // Small rates make small pages. What a provisioned table gives by default is near enough to be left out.
  if (typeof rate === 'number' && !(loopback && billing === 'on demand')) {
    pageBytes = Math.min(pageBytes, Math.max(ROUNDED_BYTES, rate * PAGE_SECONDS * 2 * ROUNDED_BYTES))
  }
  return (segments + bytes / pageBytes) / 2
}

function wordsOf(sample: TableSample, items: number): string {
  if (sample.whole) return items === 1 ? 'read its only item' : `read all ${counted(items, 'item')}`
  const segments = sample.segments.length + sample.partial.length
  return `read ${counted(items, 'item')} in ${segments} of ${counted(sample.segmentsTotal, 'segment')}`
}

/** From all over the table, not the first of one segment. */
function pickSamples(samples: readonly ItemSample[], wanted: number): ItemSample[] {
  const count = Math.min(wanted, samples.length)
  return Array.from({ length: count }, (_, index) => samples[Math.floor((index * samples.length) / count)]!)
}
