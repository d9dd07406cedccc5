import {
  applyWrite,
  chargeFailedCondition,
  checkIndexKeys,
  checkItem,
  checkSize,
  type Throttle,
  throttleError,
} from './applyWrite.ts'
import { type Attributes, readAttributes, readValue } from './attributes.ts'
import { consumed } from './batchWriteItem.ts'
import { type Call, tableOf } from './call.ts'
import { type PrimaryKey, readKey } from './primaryKey.ts'
import { invalid, ServiceError } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import { changed, type ItemChange, readStatement } from './statement.ts'

const STATEMENTS_MAX = 25

/** A statement that was understood. */
interface Understood {
  readonly change: ItemChange
  readonly table: SimulatedTable
  readonly key: PrimaryKey
}

/** Inserts and conditional updates and deletes, each of one item, each with an end of its own. */
export function batchExecuteStatement(call: Call): object {
  if (call.dialect === 'none') throw new ServiceError('UnknownOperationException', '')
  const statements: { Statement: string; Parameters?: unknown[] }[] = call.body.Statements ?? []
  if (statements.length === 0 || statements.length > STATEMENTS_MAX) {
    throw invalid("1 validation error detected: Value at 'statements' failed to satisfy constraint")
  }
  // A malformed value fails the whole request; a set that is empty or has duplicates fails its statement alone.
  for (const { Parameters = [] } of statements) for (const parameter of Parameters) readValue(parameter, 1, false)
  const reads = statements.map(({ Statement, Parameters = [] }) => readOne(call, Statement, Parameters))
  const keys = reads.flatMap((read) => (read instanceof ServiceError ? [] : [read.table.name + read.key.text]))
  if (new Set(keys).size < keys.length) throw invalid('Provided list of item keys contains duplicates')
  const throttles: Throttle[] = []
  const responses = reads.map((read) => {
    if (read instanceof ServiceError) return failure(read.code.replace(/Exception$/, 'Error'), read.message)
    if (call.random() < call.partFailureShare) return failure('InternalServerError', 'Internal Server Error')
    const outcome = executeStatement(call, read)
    if (outcome instanceof ServiceError) return failure('ValidationError', outcome.message)
    const { holds, throttle } = outcome
    if (throttle === undefined) {
      if (holds) return { TableName: read.table.name }
      return read.change.inserts
        ? failure('DuplicateItem', 'Duplicate primary key exists in table')
        : failure('ConditionalCheckFailed', 'The conditional request failed')
    }
    throttles.push(throttle)
    const code = throttle.billing === 'provisioned' ? 'ProvisionedThroughputExceeded' : 'ThrottlingError'
    return failure(code, throttle.reason.reason)
  })
  // Statements that are all throttled come back one by one, or as one exception; which of the two is not documented.
  if (throttles.length === responses.length && call.random() < 0.5) throw throttleError(throttles)
  return { Responses: responses, ...consumed(call) }
}

/** The answer of one statement that failed. */
export function failure(code: string, message: string): object {
  return { Error: { Code: code === 'ResourceNotFoundError' ? 'ResourceNotFound' : code, Message: message } }
}

function readOne(call: Call, text: string, parameters: readonly unknown[]): Understood | ServiceError {
  try {
    for (const parameter of parameters) readValue(parameter)
    const change = readStatement(text, parameters, call.dialect)
    const table = tableOf(call, change.table)
    return { change, table, key: keyOf(change, table) }
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
}

/** The key that the WHERE pins, or of the item that is made. */
export function keyOf(change: ItemChange, table: SimulatedTable): PrimaryKey {
  if (change.inserts) return readKey(readAttributes(Object.fromEntries(change.sets)), table.key, false)
  const present = change.expected.filter(([, value]) => value !== undefined)
  const key = readKey(readAttributes(Object.fromEntries(present)), table.key, false)
  for (const name of [...change.sets.map(([set]) => set), ...change.removes]) {
    if (key.attributes[name] !== undefined) {
      throw invalid(`Cannot update attribute ${name}. This attribute is part of the key`)
    }
  }
  return key
}

/** To delete what is not there is no failure, whatever else is expected (developer guide, "PartiQL delete statements"). */
function executeStatement(call: Call, understood: Understood): ReturnType<typeof execute> {
  const { change, table, key } = understood
  if (change.inserts) return insert(call, table, key, Object.fromEntries(change.sets))
  if (!change.deletes || table.get(key) !== undefined) return execute(call, understood)
  return { holds: true, throttle: chargeFailedCondition(call, table, key) }
}

/**
 * Makes an item, if there is none of its key. Keys of indexes are checked first and the size last: the order of the
 * embedded store.
 */
export function insert(
  call: Call,
  table: SimulatedTable,
  key: PrimaryKey,
  item: Attributes,
): { holds: boolean; throttle: Throttle | undefined } | ServiceError {
  try {
    checkIndexKeys(table, item)
    if (table.get(key) !== undefined) return { holds: false, throttle: chargeFailedCondition(call, table, key, item) }
    checkSize(item)
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  return { holds: true, throttle: applyWrite(call, table, key, item, 'put') }
}

/** Makes a change if what it expects holds. */
export function execute(
  call: Call,
  { change, table, key }: Understood,
): { holds: boolean; throttle: Throttle | undefined } | ServiceError {
  const result = changed(change, table.get(key))
  if (result === undefined) return { holds: false, throttle: chargeFailedCondition(call, table, key) }
  try {
    if (result.after !== undefined) checkItem(table, result.after, true)
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  return { holds: true, throttle: applyWrite(call, table, key, result.after, change.deletes ? 'delete' : 'update') }
}
