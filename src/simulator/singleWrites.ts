import { applyWrite, checkItem, checkSize, type Throttle, throttleError } from './applyWrite.ts'
import { type Attributes, type AttributeValue, readAttributes, readValue } from './attributes.ts'
import { execute, insert } from './batchExecuteStatement.ts'
import { type Call, tableOf } from './call.ts'
import { type Aliases, readCondition } from './condition.ts'
import { addNumbers } from './decimal.ts'
import { type PrimaryKey, readKey } from './primaryKey.ts'
import { invalid, ServiceError } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import type { ItemChange } from './statement.ts'

/** What an expression's aliases stand for in this request. */
export function aliasesOf(call: Call): Aliases {
  const values: { [alias: string]: AttributeValue } = {}
  for (const [alias, raw] of Object.entries(call.body.ExpressionAttributeValues ?? {})) values[alias] = readValue(raw)
  return { names: call.body.ExpressionAttributeNames ?? {}, values }
}

/** `UpdateItem`, and `DeleteItem` of items that must exist. */
export function changeItem(call: Call, deletes: boolean): object {
  const { body } = call
  const table = tableOf(call, body.TableName)
  const aliases = aliasesOf(call)
  const key = readKey(readAttributes(body.Key), table.key, true)
  const { ConditionExpression: text } = body
  const condition = text === undefined ? () => true : readCondition(`${text}`, aliases)
  const {
    sets: constants,
    removes,
    adds,
  } = deletes || body.UpdateExpression === undefined
    ? { sets: [], removes: [], adds: [] }
    : readUpdate(`${body.UpdateExpression}`, aliases)
  const item = table.get(key)
  const sets = [...constants, ...adds.map(([name, value]) => added(name, item?.[name], value))]
  for (const name of [...sets.map(([set]) => set), ...removes]) {
    if (key.attributes[name] !== undefined) throw invalid(`Cannot update attribute ${name}. It is part of the key`)
  }
  const holds = condition(item ?? Object.create(null))
  if (holds && item === undefined) {
    if (deletes) throw invalid('the simulator knows only deletions of items that exist')
    const made = { ...key.attributes, ...Object.fromEntries(sets) }
    return answer(call, create(call, table, key, made), sets)
  }
  // Attributes that can not all hold make the change fail, and cost, as its condition does.
  const expected: ItemChange['expected'] = holds ? [] : [['', { NULL: true }]]
  const outcome = execute(call, {
    change: { deletes, inserts: false, table: table.name, sets, removes, expected },
    table,
    key,
  })
  if (outcome instanceof ServiceError) throw outcome
  if (outcome.throttle === undefined && !outcome.holds) {
    throw new ServiceError('ConditionalCheckFailedException', 'The conditional request failed')
  }
  return answer(call, outcome.throttle, sets)
}

/** `PutItem` of items that must not exist. */
export function putItem(call: Call): object {
  const { body } = call
  const table = tableOf(call, body.TableName)
  const item = readAttributes(body.Item)
  const key = readKey(item, table.key, false)
  // Unlike an INSERT, whose key is looked up first.
  checkSize(item)
  const holds = readCondition(`${body.ConditionExpression}`, aliasesOf(call))(table.get(key) ?? Object.create(null))
  if (holds !== (table.get(key) === undefined))
    throw invalid('the simulator knows PutItem only of items that must not exist')
  const outcome = insert(call, table, key, item)
  if (outcome instanceof ServiceError) throw outcome
  if (outcome.throttle === undefined && !outcome.holds)
    throw new ServiceError('ConditionalCheckFailedException', 'The conditional request failed')
  return answer(call, outcome.throttle, [])
}

/** An update whose condition holds for no item makes one (API reference, UpdateItem). */
function create(call: Call, table: SimulatedTable, key: PrimaryKey, item: Attributes): Throttle | undefined {
  checkItem(table, item, true)
  return applyWrite(call, table, key, item, 'update')
}

function answer(call: Call, throttle: Throttle | undefined, sets: ItemChange['sets']): object {
  if (throttle !== undefined) throw throttleError([throttle])
  const [ConsumedCapacity] = call.consumed.describe(call.body.ReturnConsumedCapacity) ?? []
  return {
    ...(ConsumedCapacity === undefined ? {} : { ConsumedCapacity }),
    ...(call.body.ReturnValues === 'UPDATED_NEW' ? { Attributes: Object.fromEntries(sets) } : {}),
  }
}

/** What an attribute becomes; one that is not there counts as 0. */
function added(name: string, was: AttributeValue | undefined, value: AttributeValue): [string, AttributeValue] {
  const { N: more } = value as { N?: string }
  const { N: before } = (was ?? { N: '0' }) as { N?: string }
  if (more === undefined || before === undefined)
    throw invalid('An operand in the update expression has an incorrect data type')
  return [name, { N: addNumbers(before, more) }]
}

const CLAUSES = /^(?:ADD (.+?))?(?: ?SET (.+?))?(?: ?REMOVE (.+))?$/

function readUpdate(
  expression: string,
  { names, values }: Aliases,
): Pick<ItemChange, 'sets' | 'removes'> & { readonly adds: readonly [string, AttributeValue][] } {
  const clauses = CLAUSES.exec(expression)
  if (clauses === null || expression === '') throw invalid(`Invalid UpdateExpression: ${expression}`)
  const nameOf = (alias: string): string => {
    const name = names[alias.trim()]
    if (name === undefined) throw invalid(`Invalid UpdateExpression: undefined name ${alias}`)
    return name
  }
  const valueFor = (alias: string): AttributeValue => {
    const value = values[alias.trim()]
    if (value === undefined) throw invalid(`Invalid UpdateExpression: undefined value ${alias}`)
    return value
  }
  const sets = (clauses[2]?.split(',') ?? []).map((part): [string, AttributeValue] => {
    const [alias, valueAlias = ''] = part.split('=')
    return [nameOf(alias!), valueFor(valueAlias)]
  })
  const adds = (clauses[1]?.split(',') ?? []).map((part): [string, AttributeValue] => {
    const [alias, valueAlias = ''] = part.trim().split(/ +/)
    return [nameOf(alias!), valueFor(valueAlias)]
  })
  return { sets, adds, removes: (clauses[3]?.split(',') ?? []).map(nameOf) }
}
