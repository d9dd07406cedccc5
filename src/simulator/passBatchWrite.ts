import { type Throttle, throttleError, writeUnits } from './applyWrite.ts'
import { itemSize, readAttributes } from './attributes.ts'
import { type ToldUnits, take } from './charge.ts'
import { chargesOfWrite } from './chargesOfWrite.ts'
import {
  errorReply,
  type GatewayCall,
  jsonReply,
  passUntouched,
  type Reply,
  showUnits,
  unlessUnsound,
} from './gatewayCall.ts'
import { type Charged, passPart } from './passPart.ts'
import { readKey } from './primaryKey.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/** Writes of one request (API reference, BatchWriteItem). */
const WRITES_MAX = 25

interface Write extends Charged {
  readonly raw: WriteRequest
  /** Table and primary key. */
  readonly place: string
}

interface WriteRequest {
  PutRequest?: { Item: unknown }
  DeleteRequest?: { Key: unknown }
}

type Lists = { [table: string]: WriteRequest[] }

interface Answer {
  UnprocessedItems?: Lists
  ConsumedCapacity?: ToldUnits[]
}

/** Passes on what table, partitions and indexes have units for; the rest comes back as unprocessed. */
export async function passBatchWrite(call: GatewayCall): Promise<Reply> {
  const writes = await readWrites(call)
  if (writes === undefined) return passUntouched(call)
  const kept: Lists = {}
  const passed: Lists = {}
  const made: Write[] = []
  const throttles: Throttle[] = []
  for (const write of writes) {
    const { raw, table, charges } = write
    // An item that fails within the service comes back like one that was throttled.
    const failed = call.random() < call.partFailureShare
    const throttle = failed ? undefined : take(charges, call.now())
    if (throttle !== undefined) throttles.push(throttle)
    if (!failed && throttle === undefined) made.push(write)
    const lists = failed || throttle !== undefined ? kept : passed
    const list = lists[table.name] ?? []
    lists[table.name] = list
    // The service promises no order of what it gives back.
    if (lists === passed || call.random() < 0.5) list.push(raw)
    else list.unshift(raw)
  }
  const { record } = call
  record.throttledItems = throttles.length
  if (throttles.length === writes.length) return errorReply(throttleError(throttles))
  if (made.length === 0) return jsonReply({ UnprocessedItems: kept }, 0)

  const part = made.length === writes.length ? undefined : { RequestItems: passed }
  const passedOn = await passPart<Answer>(call, made, part)
  if (!('answer' in passedOn)) return passedOn
  const { answer, untouched } = passedOn
  const left = Object.values(answer.UnprocessedItems ?? {}).reduce((sum, list) => sum + list.length, 0)
  if (untouched !== undefined) return { ...untouched, writes: made.length - left }
  for (const [name, list] of Object.entries(answer.UnprocessedItems ?? {}))
    kept[name] = [...(kept[name] ?? []), ...list]
  return jsonReply({ ...showUnits(call, answer), UnprocessedItems: kept }, made.length - left)
}

/** Undefined where any of it is for the store to refuse. */
async function readWrites(call: GatewayCall): Promise<Write[] | undefined> {
  const writes: Write[] = []
  for (const [name, list] of Object.entries((call.body.RequestItems ?? {}) as Lists)) {
    const table = await call.tableOf(name)
    const read = table && unlessUnsound(() => list.map((raw) => readWrite(table, raw)))
    if (read === undefined) return undefined
    writes.push(...read)
  }
  const places = new Set(writes.map(({ place }) => place))
  return writes.length === 0 || writes.length > WRITES_MAX || places.size < writes.length ? undefined : writes
}

function readWrite(table: SimulatedTable, raw: WriteRequest): Write {
  const puts = raw.PutRequest !== undefined
  const attributes = readAttributes(puts ? raw.PutRequest!.Item : raw.DeleteRequest!.Key)
  const key = readKey(attributes, table.key, !puts)
  const charges = chargesOfWrite(table, key, attributes, writeUnits(itemSize(attributes)), puts)
  return { raw, place: `${table.name} ${key.text}`, table, charges }
}
