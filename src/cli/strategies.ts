import type { Database, PublisherOptions, ScanOptions } from '../index.ts'

/** One way to give every item of a table a new attribute: all of it is read, and each item written back. */
export interface Strategy {
  readonly scan: ScanOptions
  readonly publisher: PublisherOptions
  /** Nothing is read before what was read is stored. */
  readonly isOneByOne?: boolean | undefined
}

/** What such jobs are usually begun as. */
export const ONE_BY_ONE: Strategy = {
  scan: { segments: 1, concurrency: 1 },
  publisher: { maxInFlight: 1, lingerMs: 0 },
  isOneByOne: true,
}

/** One loop that reads, and hands 25 items at a time to the service. */
export const BATCH_WRITER: Strategy = {
  scan: { segments: 1, concurrency: 1 },
  publisher: { maxInFlight: 25 },
}

/** So many read, so many write, each a batch at a time, and a bounded queue is between them. */
export function producersAndConsumers(producers: number, consumers: number): Strategy {
  return {
    scan: { segments: producers, concurrency: producers },
    publisher: { maxInFlight: 25 * consumers, maxQueueSize: 100 * consumers },
  }
}

/** The part of one of several processes that share the table. */
export function partOf(
  producers: number,
  consumers: number,
  process: { readonly index: number; readonly of: number },
): Strategy {
  const segments = producers * process.of
  const onlySegments = Array.from({ length: producers }, (_, index) => index * process.of + process.index)
  const { publisher } = producersAndConsumers(producers, consumers)
  return { scan: { segments, onlySegments, concurrency: producers }, publisher }
}

/** Headrace as it is, with nothing said. */
export const DEFAULTS: Strategy = { scan: {}, publisher: {} }

/** @returns how many items were written back with `mark` as their attribute `strategy`, all of them unless the signal came */
export async function runStrategy(
  database: Database,
  tableName: string,
  mark: string,
  { scan, publisher: options, isOneByOne = false }: Strategy,
  signal?: AbortSignal,
): Promise<number> {
  const table = database.table(tableName)
  const publisher = table.publisher(options)
  let items = 0
  for await (const item of table.scan(scan)) {
    if (signal?.aborted === true) break
    items += 1
    if (!publisher.put({ ...item, strategy: mark })) await publisher.ready
    if (isOneByOne) await publisher.flush()
  }
  await publisher.close()
  return items
}
