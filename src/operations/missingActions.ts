import type { Table } from '../database/table.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyPartsOf } from '../item/itemKey.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Random } from '../runtime/random.ts'
import { withSignal } from '../runtime/unlessAborted.ts'
import { type Action, VERB_ACTIONS } from './actions.ts'

/** Of each question; who looks for a reason does not want to wait long for it. */
const PATIENCE_MS = 5_000

/**
 * Which of the rights to a table that a verb needs the caller's identity lacks: each is asked for in a way that changes
 * nothing, of a key that nobody has, for a unit or so of capacity. What is answered in any other way than by a denial counts
 * as there.
 *
 * @param verb as of `policyFor`; none is missing for one that is not known
 * @param options.signal aborting ends the wait. Default: none
 * @throws the signal's reason when it aborts
 * @example
 * const missing = await missingActions('update', users)
 */
export async function missingActions(
  verb: string,
  table: Table,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Action[]> {
  const { signal } = options
  const told = await withSignal(signal, () => probeActions(VERB_ACTIONS[verb]?.table.needs ?? [], table, signal))
  return [...told].flatMap(([action, isDenied]) => (isDenied === true ? [action] : []))
}

/**
 * Whether the caller's identity is denied each of these rights to a table, found out as in {@link missingActions}.
 *
 * @returns by right; undefined where it cannot be asked for without changing something, or there was no answer
 */
export async function probeActions(
  actions: readonly Action[],
  table: Table,
  signal?: AbortSignal,
): Promise<Map<Action, boolean | undefined>> {
  const { service, random } = await table.database.open()
  const schema = await table.describe().then(
    ({ key }) => key,
    () => undefined,
  )
  const told = new Map<Action, boolean | undefined>()
  for (const action of new Set(actions)) {
    const probe = probeOf(action, table.name, schema, random)
    told.set(action, undefined)
    if (probe === undefined) continue
    try {
      const options = { patienceMs: PATIENCE_MS, signal }
      const answer = await service.call(probe.operation, probe.payload, options)
      told.set(action, isDeniedInside(answer))
    } catch (error) {
      if (signal?.aborted === true) throw error
      if (!(error instanceof HeadraceError)) throw error
      if (error.code === 'DENIED') told.set(action, true)
      // It was allowed, and refused for what it asks.
      else if (error.code === 'REFUSED') told.set(action, false)
    }
  }
  return told
}

interface Probe {
  readonly operation: Parameters<Awaited<ReturnType<Table['database']['open']>>['service']['call']>[0]
  readonly payload: object
}

function probeOf(action: Action, name: string, schema: KeySchema | undefined, random: Random): Probe | undefined {
  if (
    action === 'DescribeTable' ||
    action === 'DescribeTimeToLive' ||
    action === 'DescribeContinuousBackups' ||
    action === 'DescribeKinesisStreamingDestination'
  )
    return { operation: action, payload: { TableName: name } }
  if (action === 'Scan') return { operation: action, payload: { TableName: name, Limit: 1 } }
  if (schema === undefined) return undefined
  const key = Object.fromEntries(
    keyPartsOf(schema).map(({ name: part, type }) => [part, { [type]: nobodys(type, random) }]),
  )
  const [partition] = keyPartsOf(schema)
  const names = { '#p': partition!.name }
  switch (action) {
    case 'Query':
      return {
        operation: 'Query',
        payload: {
          TableName: name,
          Limit: 1,
          KeyConditionExpression: '#p = :p',
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ':p': key[partition!.name] },
        },
      }
    case 'BatchGetItem':
      return { operation: 'BatchGetItem', payload: { RequestItems: { [name]: { Keys: [key] } } } }
    case 'BatchWriteItem':
      // Deletes what is not there.
      return { operation: 'BatchWriteItem', payload: { RequestItems: { [name]: [{ DeleteRequest: { Key: key } }] } } }
    case 'PutItem':
      return {
        operation: action,
        // Replaces an item that nobody has.
        payload: {
          TableName: name,
          Item: key,
          ConditionExpression: 'attribute_exists(#p)',
          ExpressionAttributeNames: names,
        },
      }
    case 'UpdateItem':
    case 'DeleteItem':
      return {
        operation: action,
        payload: {
          TableName: name,
          Key: key,
          ConditionExpression: 'attribute_exists(#p)',
          ExpressionAttributeNames: names,
        },
      }
    case 'PartiQLUpdate':
    case 'PartiQLDelete': {
      const where = keyPartsOf(schema).map((part) => `"${part.name}" = ?`)
      const table = `"${name}"`
      const head = action === 'PartiQLUpdate' ? `UPDATE ${table} SET headrace_probe = 1` : `DELETE FROM ${table}`
      // An update makes nothing; a deletion has a condition that nothing fulfils.
      const condition = action === 'PartiQLUpdate' ? [] : ['headrace_probe = 1']
      const Statement = `${head} WHERE ${[...where, ...condition].join(' AND ')}`
      return {
        operation: 'BatchExecuteStatement',
        payload: { Statements: [{ Statement, Parameters: Object.values(key) }] },
      }
    }
    default:
      return undefined
  }
}

/** Of 128 bits of chance. */
function nobodys(type: 'S' | 'N' | 'B', random: Random): string {
  const digits = Array.from({ length: 3 }, () => `${Math.floor(random() * 1e12)}`.padStart(12, '0')).join('')
  if (type === 'N') return `1${digits}`
  const text = `headrace-probe-${digits}`
  return type === 'S' ? text : Buffer.from(text).toString('base64')
}

function isDeniedInside(answer: unknown): boolean {
  const responses = (answer as { Responses?: unknown } | undefined)?.Responses
  return (
    Array.isArray(responses) &&
    responses.some((one: { Error?: { Code?: string } }) => /^AccessDenied/.test(one?.Error?.Code ?? ''))
  )
}
