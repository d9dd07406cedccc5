import type { Random } from '../runtime/random.ts'
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
  /** Share of the items of a batch that fail on their own, 0 to 1. */
  readonly partFailureShare: number
}

/** @throws {ServiceError} when there is no such table, or not yet, or no longer */
export function tableOf(call: Call, name: unknown): SimulatedTable {
  const table = call.tables.get(`${name}`)
  if (table === undefined || table.status !== 'ACTIVE') {
    throw new ServiceError('ResourceNotFoundException', 'Requested resource not found')
  }
  return table
}
