import { readThrottle } from './applyWrite.ts'
import { type Attributes, itemSize, readAttributes } from './attributes.ts'
import { type Call, tableOf } from './call.ts'
import { readCondition } from './condition.ts'
import { HASHES } from './hashOf.ts'
import { type PrimaryKey, readKey } from './primaryKey.ts'
import { invalid } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import { aliasesOf } from './singleWrites.ts'

/** Bytes looked at for one page (API reference, Scan). */
const PAGE_BYTES_MAX = 1024 * 1024
const SEGMENTS_MAX = 1_000_000

/** One page of one segment: an equal share of the hashes, whatever the partitions are. */
export function scan(call: Call): object {
  const { body, nowMs } = call
  const table = tableOf(call, body.TableName)
  if (body.IndexName !== undefined) throw invalid('the simulator does not scan indexes')
  const total: number = body.TotalSegments ?? 1
  const segment: number = body.Segment ?? 0
  if (!(total >= 1 && total <= SEGMENTS_MAX && segment >= 0 && segment < total)) {
    throw invalid('The Segment parameter is zero-based and must be less than parameter TotalSegments')
  }
  const limit: number = body.Limit ?? Number.POSITIVE_INFINITY
  if (!(limit >= 1)) throw invalid("1 validation error detected: Value at 'limit' failed to satisfy constraint")
  const from = (HASHES * segment) / total
  const to = (HASHES * (segment + 1)) / total
  const after = body.ExclusiveStartKey && readKey(readAttributes(body.ExclusiveStartKey), table.key, true)
  if (after !== undefined && !(after.hash >= from && after.hash < to)) {
    throw invalid(
      `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${total} Segment: ${segment}`,
    )
  }
  const filter = body.FilterExpression === undefined ? undefined : readCondition(body.FilterExpression, aliasesOf(call))
  const { capacity } = table
  const shortage = capacity.shortage('read', after?.hash ?? from, nowMs)
  if (shortage !== undefined) throw readThrottle(table, shortage)

  const items: Attributes[] = []
  const bytesOf = new Map<number, { hash: number; bytes: number }>()
  let matched = 0
  let looked = 0
  let bytes = 0
  let last: PrimaryKey | undefined
  let cut = false
  for (const { key, item, bytes: size } of table.range(from, to, after)) {
    const partition = capacity.partitions.indexOf(key.hash)
    const touched = bytesOf.get(partition) ?? { hash: key.hash, bytes: 0 }
    touched.bytes += size
    bytesOf.set(partition, touched)
    bytes += size
    looked += 1
    last = key
    if (filter === undefined || filter(item)) {
      matched += 1
      if (body.Select !== 'COUNT') items.push(project(call, item))
    }
    // A page that is cut here says so, even if nothing lies behind.
    cut = looked >= limit || bytes >= PAGE_BYTES_MAX
    if (cut) break
  }
  const units = readUnits(bytes, body.ConsistentRead === true)
  for (const { hash, bytes: part } of bytesOf.values()) capacity.spend('read', hash, (units * part) / bytes, nowMs)
  if (bytesOf.size === 0) capacity.spend('read', from, units, nowMs)
  call.record.readUnits += units
  call.consumed.add(table.name, undefined, units)
  return {
    ...(body.Select === 'COUNT' ? {} : { Items: items }),
    Count: matched,
    ScannedCount: looked,
    ...(cut ? { LastEvaluatedKey: last!.attributes } : {}),
    ...consumedOf(call),
  }
}

/** At most one item: only a query by the whole key is understood. */
export function query(call: Call): object {
  const { body } = call
  const table = tableOf(call, body.TableName)
  const aliases = aliasesOf(call)
  const wanted = `${body.KeyConditionExpression}`.split(' AND ').map((part) => {
    const match = /^(#\w+) = (:\w+)$/.exec(part)
    const name = match === null ? undefined : aliases.names[match[1]!]
    const value = match === null ? undefined : aliases.values[match[2]!]
    if (name === undefined || value === undefined) throw invalid('the simulator queries by the whole key alone')
    return [name, value] as const
  })
  const key = readKey(readAttributes(Object.fromEntries(wanted)), table.key, true)
  const item = readOne(call, table, key)
  const filter = body.FilterExpression === undefined ? undefined : readCondition(body.FilterExpression, aliases)
  const found = item !== undefined && (filter === undefined || filter(item)) ? [item] : []
  return { Items: found, Count: found.length, ScannedCount: item === undefined ? 0 : 1, ...consumedOf(call) }
}

export function getItem(call: Call): object {
  const table = tableOf(call, call.body.TableName)
  const item = readOne(call, table, readKey(readAttributes(call.body.Key), table.key, true))
  return { ...(item === undefined ? {} : { Item: item }), ...consumedOf(call) }
}

/** `ConsumedCapacity` of the one table, where it was asked for. */
function consumedOf(call: Call): { ConsumedCapacity?: object } {
  const [ConsumedCapacity] = call.consumed.describe(call.body.ReturnConsumedCapacity) ?? []
  return ConsumedCapacity === undefined ? {} : { ConsumedCapacity }
}

export function readOne(
  call: Call,
  table: SimulatedTable,
  key: PrimaryKey,
  consistent: boolean = call.body.ConsistentRead === true,
): Attributes | undefined {
  const shortage = table.capacity.shortage('read', key.hash, call.nowMs)
  if (shortage !== undefined) throw readThrottle(table, shortage)
  const item = table.get(key)
  const units = readUnits(item === undefined ? 0 : itemSize(item), consistent)
  table.capacity.spend('read', key.hash, units, call.nowMs)
  call.record.readUnits += units
  call.consumed.add(table.name, undefined, units)
  return item
}

/** Started 4 KB, at least one; half of that where an older state will do. */
function readUnits(bytes: number, consistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * (consistent ? 1 : 0.5)
}

function project(call: Call, item: Attributes): Attributes {
  const { ProjectionExpression: projection, ExpressionAttributeNames: names } = call.body
  if (projection === undefined) return item
  const wanted = new Set(`${projection}`.split(',').map((alias) => names?.[alias.trim()]))
  return Object.fromEntries(Object.entries(item).filter(([name]) => wanted.has(name)))
}
