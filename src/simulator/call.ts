import type { Random } from '../runtime/random.ts'
import type { Consumption } from './consumption.ts'
import { ServiceError } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import type { PartiqlDialect } from './statement.ts'
import type { RequestRecord, WriteLog } from './writeLog.ts'

/** One request while it is served: what it may look at and change. */
export interface Call {
  // biome-ignore lint/suspicious/noExplicitAny: requests are of many shapes, and each operation reads its own
  readonly body: any
  readonly nowMs: number
  readonly tables: Map<string, SimulatedTable>
  readonly log: WriteLog
  readonly record: RequestRecord
  readonly random: Random
  readonly dialect: PartiqlDialect
  /** Share of the items of a batch that fail on their own, and that are throttled for no reason of capacity, 0 to 1. */
  readonly partFailureShare: number
  readonly partThrottleShare: number
  /** What it has used so far. */
  readonly consumed: Consumption
}

/** @throws {ServiceError} when there is no such table, or not yet, or no longer. One that is updated serves as ever. */
export function tableOf(call: Call, name: unknown): SimulatedTable {
  const table = call.tables.get(`${name}`)
  if (table === undefined || (table.status !== 'ACTIVE' && table.status !== 'UPDATING')) {
    throw new ServiceError('ResourceNotFoundException', 'Requested resource not found')
  }
  return table
}
