import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanStats } from '../scan/scanEngine.ts'

export type CountOptions = Pick<
  ScanOptions,
  'segments' | 'concurrency' | 'filter' | 'index' | 'readUnitsPerSecond' | 'consistentRead'
> & {
  readonly signal?: AbortSignal | undefined
  /** Told after each page. */
  readonly onProgress?: ((counted: Count) => void) | undefined
}

export interface Count {
  /** Items for which the filter holds; all where there is none. */
  readonly count: number
  /** Items looked at. */
  readonly scannedCount: number
  readonly stats: ScanStats
}

/**
 * Counts by looking at every item: exact, at the price of a scan of the whole table.
 *
 * @throws {HeadraceError} when the table can not be read; the signal's reason when it aborts
 */
export async function count(table: Table, options: CountOptions = {}): Promise<Count> {
  const { signal, onProgress, ...scanOptions } = options
  const engine = await table.scanEngine({ ...scanOptions, countOnly: true })
  let found = 0
  let scanned = 0
  try {
    for (let page = await engine.next(); page !== undefined; page = await engine.next()) {
      found += page.count
      scanned += page.scannedCount
      onProgress?.({ count: found, scannedCount: scanned, stats: engine.stats })
      if (signal?.aborted === true)
        throw new HeadraceError('CLOSED', `stopped after ${counted(scanned, 'item')}, of which ${found} match`)
    }
    return { count: found, scannedCount: scanned, stats: engine.stats }
  } finally {
    engine.destroy()
  }
}
