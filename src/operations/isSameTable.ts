import type { TableSpec } from '../job/jobSpec.ts'

/** Whether two names lead to one table. */
export function isSameTable(left: TableSpec, right: TableSpec): boolean {
  if (left.tableId !== undefined && right.tableId !== undefined) return left.tableId === right.tableId
  return left.arn === right.arn && left.connection.endpoint === right.connection.endpoint
}
