import { batchExecuteStatement } from './batchExecuteStatement.ts'
import { batchGetItem } from './batchGetItem.ts'
import { batchWriteItem } from './batchWriteItem.ts'
import type { Call } from './call.ts'
import { createTable, deleteTable, describeTable, listTables } from './controlPlane.ts'
import { getItem, query, scan } from './reads.ts'
import { ServiceError } from './serviceError.ts'
import { changeItem, putItem } from './singleWrites.ts'

/**
 * Does what a request asks for.
 *
 * @param later runs what it is given when a table has been made or is gone
 * @returns the answer's body
 * @throws {ServiceError} for the answer that is an error
 */
export function operate(call: Call, requestBytes: number, later: (then: () => void) => void): object {
  switch (call.record.operation) {
    case 'BatchWriteItem':
      return batchWriteItem(call, requestBytes)
    case 'BatchExecuteStatement':
      return batchExecuteStatement(call)
    case 'PutItem':
      return putItem(call)
    case 'UpdateItem':
      return changeItem(call, false)
    case 'DeleteItem':
      return changeItem(call, true)
    case 'Scan':
      return scan(call)
    case 'Query':
      return query(call)
    case 'BatchGetItem':
      return batchGetItem(call)
    case 'GetItem':
      return getItem(call)
    case 'DescribeTable':
      return describeTable(call)
    case 'ListTables':
      return listTables(call)
    case 'CreateTable':
      return createTable(call, later)
    case 'DeleteTable':
      return deleteTable(call, later)
    default:
      throw new ServiceError('UnknownOperationException', '')
  }
}
