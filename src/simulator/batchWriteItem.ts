import { applyWrite, checkItem, type Throttle, throttleError } from './applyWrite.ts'
import { type Attributes, readAttributes } from './attributes.ts'
import { type Call, tableOf } from './call.ts'
import { type PrimaryKey, readKey } from './primaryKey.ts'
import { invalid } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/** Writes of one request, and their bytes (API reference, BatchWriteItem). */
const WRITES_MAX = 25
const REQUEST_BYTES_MAX = 16 * 1024 * 1024

interface Write {
  readonly raw: unknown
  readonly table: SimulatedTable
  readonly key: PrimaryKey
  readonly after: Attributes | undefined
}

/** Each write on its own, and none before all are known to be sound. */
export function batchWriteItem(call: Call, requestBytes: number): object {
  const writes: Write[] = []
  const keys = new Set<string>()
  const wanted = Object.entries(call.body.RequestItems ?? {}) as [string, { [kind: string]: never }[]][]
  const count = wanted.reduce((sum, [, list]) => sum + list.length, 0)
  if (count === 0 || count > WRITES_MAX || wanted.some(([, list]) => list.length === 0)) {
    throw invalid(
      "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]",
    )
  }
  if (requestBytes > REQUEST_BYTES_MAX) throw invalid('the request is larger than 16 MB')
  for (const [name, list] of wanted) {
    const table = tableOf(call, name)
    for (const raw of list) {
      const put = raw['PutRequest'] as { Item: unknown } | undefined
      const removal = raw['DeleteRequest'] as { Key: unknown } | undefined
      if ((put === undefined) === (removal === undefined)) throw invalid('a write is a put or a delete')
      const given = put === undefined ? removal!.Key : put.Item
      const attributes = table.keepsItems ? readAttributes(given) : (given as Attributes)
      const key = readKey(attributes, table.key, put === undefined)
      if (put !== undefined) checkItem(table, attributes)
      if (keys.has(`${name} ${key.text}`)) throw invalid('Provided list of item keys contains duplicates')
      keys.add(`${name} ${key.text}`)
      writes.push({ raw, table, key, after: put === undefined ? undefined : attributes })
    }
  }
  return makeWrites(call, writes)
}

function makeWrites(call: Call, writes: readonly Write[]): object {
  const unprocessed: { [table: string]: unknown[] } = {}
  const throttles: Throttle[] = []
  let left = 0
  for (const { raw, table, key, after } of writes) {
    // An item that fails within the service comes back like one that was throttled.
    if (call.random() >= call.partFailureShare) {
      const throttle = applyWrite(call, table, key, after, after === undefined ? 'delete' : 'put')
      if (throttle === undefined) continue
      throttles.push(throttle)
    }
    const list = unprocessed[table.name] ?? []
    unprocessed[table.name] = list
    // The service promises no order.
    if (call.random() < 0.5) list.push(raw)
    else list.unshift(raw)
    left += 1
  }
  if (left === writes.length && throttles.length === left) throw throttleError(throttles)
  return { UnprocessedItems: unprocessed, ...consumed(call) }
}

/** `ConsumedCapacity` as batches give it, where it was asked for. */
export function consumed(call: Call): object {
  const list = call.consumed.describe(call.body.ReturnConsumedCapacity)
  return list === undefined ? {} : { ConsumedCapacity: list }
}
