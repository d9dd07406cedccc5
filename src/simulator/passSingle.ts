import { parseJson } from '../runtime/parseJson.ts'
import { throttleError, writeUnits } from './applyWrite.ts'
import { type Attributes, itemSize, readAttributes, readValue } from './attributes.ts'
import { type Charge, giveBack, settle, type ToldUnits, take } from './charge.ts'
import { chargesOfWrite } from './chargesOfWrite.ts'
import {
  askForUnits,
  errorReply,
  type GatewayCall,
  passUntouched,
  type Reply,
  showUnits,
  unlessUnsound,
} from './gatewayCall.ts'
import { HASHES, hashOf } from './hashOf.ts'
import { readKey } from './primaryKey.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/** One write of one item, or one read of an item or a page: all of it or nothing. */
export async function passSingle(call: GatewayCall): Promise<Reply> {
  const { record, operation } = call
  const table = await call.tableOf(call.body.TableName)
  const charges = table && unlessUnsound(() => weigh(call, table))
  if (table === undefined || charges === undefined) return passUntouched(call)
  const throttle = take(charges, call.now())
  if (throttle !== undefined) {
    record.throttledItems = 1
    return errorReply(throttleError([throttle]))
  }
  const reads = charges[0]!.kind === 'read'
  const asked = askForUnits(call.body, table.indexes.length > 0 && !reads)
  const answer = await call.forward(asked === call.body ? call.raw : Buffer.from(JSON.stringify(asked)))
  const { status, body } = answer
  if (status !== 200) {
    // A condition that does not hold costs as a write does; what is refused costs nothing.
    if (!/ConditionalCheckFailedException/.test(body.toString('latin1'))) giveBack(charges, call.now())
    return { ...answer, writes: 0 }
  }
  const parsed = parseJson(body.toString('utf8')) as { ConsumedCapacity?: ToldUnits }
  const told = parsed.ConsumedCapacity
  // A read of an index is charged to that index alone, and told as one number.
  const units = settle(charges, table, reads ? onlyTotal(charges, told) : told, call.now())
  if (reads) record.readUnits += units
  else record.writeUnits += units
  const writes = /^(?:Put|Update|Delete)Item$/.test(operation) ? 1 : 0
  if (asked === call.body) return { status, body, writes }
  return { status, body: Buffer.from(JSON.stringify(showUnits(call, parsed))), writes }
}

function onlyTotal([charge]: readonly Charge[], told: ToldUnits | undefined): ToldUnits | undefined {
  const units = told?.CapacityUnits
  if (told === undefined || units === undefined) return undefined
  const index = charge?.index
  return index === undefined
    ? { CapacityUnits: units }
    : { CapacityUnits: units, GlobalSecondaryIndexes: { [index]: { CapacityUnits: units } } }
}

/** @throws {ServiceError} for what the store will refuse */
function weigh({ operation, body }: GatewayCall, table: SimulatedTable): Charge[] {
  if (operation === 'PutItem') {
    const item = readAttributes(body.Item)
    return chargesOfWrite(table, readKey(item, table.key, false), item, writeUnits(itemSize(item)), true)
  }
  if (operation === 'UpdateItem' || operation === 'DeleteItem') {
    const key = readKey(readAttributes(body.Key), table.key, true)
    const values = Object.values(body.ExpressionAttributeValues ?? {}).map((raw) => readValue(raw))
    const known = { ...key.attributes, ...Object.fromEntries(values.map((value, index) => [`${index}`, value])) }
    return chargesOfWrite(
      table,
      key,
      key.attributes,
      operation === 'DeleteItem' ? 1 : writeUnits(itemSize(known)),
      false,
    )
  }
  const index = table.indexes.find(({ name }) => name === body.IndexName)
  const { capacity, arn, key } = index ?? table
  // Of a page only its least is known beforehand: who finds a unit may read, and the debt is waited off.
  const units = body.ConsistentRead === true ? 1 : 0.5
  const hash =
    operation === 'GetItem'
      ? readKey(readAttributes(body.Key), table.key, true).hash
      : operation === 'Query'
        ? hashOfQuery(body, key.partition.name)
        : hashOfSegment(body, table)
  return [{ capacity, index: index?.name, arn, kind: 'read', hash, units }]
}

/**
 * A page counts somewhere within its segment's share of the hashes. In the service a segment is read from one end to the
 * other; a store has hashes of its own, so only the segment is the same, and not the way through it.
 */
function hashOfSegment(body: { [name: string]: unknown }, table: SimulatedTable): number {
  const segments = Number(body['TotalSegments'] ?? 1)
  const start = body['ExclusiveStartKey'] as Attributes | undefined
  const place = start === undefined ? 0 : hashOf(JSON.stringify(start[table.key.partition.name])) / HASHES
  const hash = Math.floor((HASHES * (Number(body['Segment'] ?? 0) + place)) / segments)
  return hash >= 0 && hash < HASHES ? hash : 0
}

/** Of the value that the partition key must have; 0 where it is not written as `name = :value`. */
function hashOfQuery(body: { [name: string]: unknown }, partition: string): number {
  const names = (body['ExpressionAttributeNames'] ?? {}) as { [alias: string]: string }
  const values = (body['ExpressionAttributeValues'] ?? {}) as Attributes
  for (const [, name, alias] of `${body['KeyConditionExpression']}`.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    const value = values[alias!]
    if ((names[name!] ?? name) === partition && value !== undefined) return hashOf(JSON.stringify(readValue(value)))
  }
  return 0
}
