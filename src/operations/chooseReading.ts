import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'

/** How a job reads a table. */
export interface Reading {
  /** Parts that the table is cut into. */
  readonly segments: number
  /** Of these, how many are read at once. */
  readonly concurrency: number
  /** Undefined where pages may be as large as they come. */
  readonly pageBytesMax: number | undefined
}

/** Pages lie open side by side, and those of all segments together are no larger than this. */
const PAGES_BYTES_MAX = 4 * 1024 * 1024
const PAGE_BYTES_MIN = 32 * 1024
/** Segments read at once where nothing is to be spread. */
const CONCURRENCY = 16

/**
 * For a job and its plan alike.
 *
 * @param asked what the user wants
 * @param spread of which table what is written shall fall on all partitions; undefined for what goes elsewhere, in whole pages
 */
export async function chooseReading(
  table: Table,
  asked: { readonly segments?: number | undefined; readonly concurrency?: number | undefined },
  spread: TableDescription | undefined,
): Promise<Reading> {
  const most = asked.concurrency ?? (spread === undefined ? CONCURRENCY : concurrencyFor(spread))
  const segments = asked.segments ?? (await table.segmentsOf({ concurrency: most }))
  const concurrency = Math.min(segments, most)
  const { connection } = await table.database.open()
  // Emulators have no partitions to spread over.
  const isWhole = connection.loopback || spread === undefined
  return {
    segments,
    concurrency,
    pageBytesMax: isWhole ? undefined : Math.max(PAGE_BYTES_MIN, PAGES_BYTES_MAX / concurrency),
  }
}

/** Two segments for each partition. One takes 1,000 write units (developer guide, "Partitions and data distribution"). */
function concurrencyFor({ writeUnitsPerSecond, warmWriteUnitsPerSecond, billing }: TableDescription): number {
  const units = billing === 'provisioned' ? writeUnitsPerSecond : Math.max(16_000, warmWriteUnitsPerSecond)
  return Math.min(128, Math.max(16, 2 * Math.ceil(units / 1_000)))
}
