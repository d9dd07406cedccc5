import { readAttributes } from './attributes.ts'
import { type Call, tableOf } from './call.ts'
import { readKey } from './primaryKey.ts'
import { readOne } from './reads.ts'
import { invalid, ServiceError } from './serviceError.ts'

/** API reference, BatchGetItem. */
const KEYS_MAX = 100

/** Items by their keys, of one table. What is throttled comes back as unprocessed, unless that is all of it. */
export function batchGetItem(call: Call): object {
  const requested = Object.entries(call.body.RequestItems ?? {}) as [
    string,
    { Keys?: object[]; ConsistentRead?: boolean },
  ][]
  const [one, ...more] = requested
  if (one === undefined || more.length > 0) throw invalid('the simulator gets items of one table at a time')
  const [name, { Keys: keys = [], ConsistentRead = false }] = one
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    throw invalid(`Too many items requested for the BatchGetItem call, or none: ${keys.length}`)
  }
  const table = tableOf(call, name)
  const distinct = new Set(keys.map((key) => readKey(readAttributes(key), table.key, true).text))
  if (distinct.size < keys.length) throw invalid('Provided list of item keys contains duplicates')
  const items: object[] = []
  const unprocessed: object[] = []
  let throttle: ServiceError | undefined
  for (const key of keys) {
    try {
      const item = readOne(call, table, readKey(readAttributes(key), table.key, true), ConsistentRead)
      if (item !== undefined) items.push(item)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      throttle = error
      unprocessed.push(key)
    }
  }
  if (throttle !== undefined && unprocessed.length === keys.length) throw throttle
  const consumed = call.consumed.describe(call.body.ReturnConsumedCapacity)
  return {
    Responses: { [name]: items },
    UnprocessedKeys: unprocessed.length === 0 ? {} : { [name]: { Keys: unprocessed, ConsistentRead } },
    ...(consumed === undefined ? {} : { ConsumedCapacity: consumed }),
  }
}
