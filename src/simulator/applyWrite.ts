import { type Attributes, isSame, itemSize } from './attributes.ts'
import type { Call } from './call.ts'
import type { Capacity, Shortage } from './capacity.ts'
import { hashOf } from './hashOf.ts'
import { type KeySchema, type PrimaryKey, partsOf } from './primaryKey.ts'
import { invalid, ServiceError, type ThrottleReason } from './serviceError.ts'
import type { SimulatedIndex, SimulatedTable } from './simulatedTable.ts'
import type { WriteRecord } from './writeLog.ts'

/** Bytes of an item (service quotas). */
const ITEM_BYTES_MAX = 409_600

/** What a write would take, and from whom. */
export interface Part {
  readonly capacity: Capacity
  readonly hash: number
  readonly units: number
  readonly index: SimulatedIndex | undefined
}

/** Why a write was not made. */
export interface Throttle {
  readonly reason: ThrottleReason
  readonly billing: 'provisioned' | 'on demand'
}

/** Makes a write, if table, partition and every index that must follow have units for it. Returns why not. */
export function applyWrite(
  call: Call,
  table: SimulatedTable,
  key: PrimaryKey,
  after: Attributes | undefined,
  kind: WriteRecord['kind'],
): Throttle | undefined {
  const before = table.get(key)
  const bytes = after === undefined ? 0 : itemSize(after)
  const units = writeUnits(Math.max(table.bytesOf(key), bytes))
  const parts: Part[] = [{ capacity: table.capacity, hash: key.hash, units, index: undefined }]
  for (const index of table.indexes) parts.push(...indexParts(index, table.key, before, after))
  const throttle = spend(call, table, parts)
  if (throttle !== undefined) return throttle
  table.set(key, after, bytes)
  const { record, nowMs } = call
  call.log.write({ atMs: nowMs, table: table.name, key: key.text, kind, requestId: record.id, before, after })
  return undefined
}

/**
 * What a condition that does not hold costs: as much as the item that is there, or the one that was to be made where that is
 * larger; one unit where there is neither.
 */
export function chargeFailedCondition(
  call: Call,
  table: SimulatedTable,
  key: PrimaryKey,
  made?: Attributes,
): Throttle | undefined {
  const units = writeUnits(Math.max(table.bytesOf(key), made === undefined ? 0 : itemSize(made)))
  return spend(call, table, [{ capacity: table.capacity, hash: key.hash, units, index: undefined }])
}

function spend(call: Call, table: SimulatedTable, parts: readonly Part[]): Throttle | undefined {
  if (call.partThrottleShare > 0 && call.random() < call.partThrottleShare) {
    call.record.throttledItems += 1
    const reason = { reason: 'TableWriteKeyRangeThroughputExceeded', resource: table.arn }
    return { reason, billing: table.capacity.billing }
  }
  for (const { capacity, hash, index } of parts) {
    const shortage = capacity.shortage('write', hash, call.nowMs)
    if (shortage === undefined) continue
    call.record.throttledItems += 1
    const reason = `${index === undefined ? 'Table' : 'Index'}Write${shortage}`
    return { reason: { reason, resource: index?.arn ?? table.arn }, billing: capacity.billing }
  }
  for (const { capacity, hash, units, index } of parts) {
    capacity.spend('write', hash, units, call.nowMs)
    call.consumed.add(table.name, index?.name, units)
    call.record.writeUnits += units
  }
  return undefined
}

/** The exception of a request of which nothing was done for want of units. */
export function throttleError(throttles: readonly Throttle[]): ServiceError {
  const first = throttles[0]!
  const reasons = new Map(throttles.map(({ reason }) => [`${reason.reason} ${reason.resource}`, reason]))
  const code = first.billing === 'provisioned' ? 'ProvisionedThroughputExceededException' : 'ThrottlingException'
  return new ServiceError(code, 'Throughput exceeds the current capacity of your table or index', 400, [
    ...reasons.values(),
  ])
}

/** As {@link throttleError}, of a read. */
export function readThrottle(table: SimulatedTable, shortage: Shortage): ServiceError {
  const reason = { reason: `TableRead${shortage}`, resource: table.arn }
  return throttleError([{ reason, billing: table.capacity.billing }])
}

/** @throws {ServiceError} for an item that is too large, or that an index cannot hold */
export function checkItem(table: SimulatedTable, item: Attributes, updating = false): void {
  checkSize(item, updating)
  checkIndexKeys(table, item)
}

/** @throws {ServiceError} for an item that is too large */
export function checkSize(item: Attributes, updating = false): void {
  if (itemSize(item) <= ITEM_BYTES_MAX) return
  throw invalid(`Item size ${updating ? 'to update ' : ''}has exceeded the maximum allowed size`)
}

/** @throws {ServiceError} for an attribute that is the key of an index and not of its type */
export function checkIndexKeys(table: SimulatedTable, item: Attributes): void {
  for (const { name, key } of table.indexes) {
    for (const part of partsOf(key)) {
      const value = item[part.name]
      if (value === undefined) continue
      const text = value[part.type]
      if (typeof text !== 'string' || text === '') {
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for Index Key ${part.name} Expected: ${part.type} IndexName: ${name}`,
        )
      }
    }
  }
}

/** Started KB, at least one. */
export function writeUnits(size: number): number {
  return Math.max(1, Math.ceil(size / 1_024))
}

/** What an index has to do (developer guide, "Write throughput considerations for global secondary indexes"). */
export function indexParts(
  index: SimulatedIndex,
  tableKey: KeySchema,
  before: Attributes | undefined,
  after: Attributes | undefined,
): Part[] {
  const old = project(index, tableKey, before)
  const fresh = project(index, tableKey, after)
  const { capacity } = index
  const part = (projected: Projected, units: number): Part => ({ capacity, hash: projected.hash, units, index })
  if (old === undefined) return fresh === undefined ? [] : [part(fresh, fresh.units)]
  if (fresh === undefined) return [part(old, old.units)]
  if (isSame(old.item, fresh.item)) return []
  if (old.keyText === fresh.keyText) return [part(fresh, Math.max(old.units, fresh.units))]
  return [part(old, old.units), part(fresh, fresh.units)]
}

interface Projected {
  readonly hash: number
  readonly keyText: string
  readonly item: Attributes
  readonly units: number
}

function project(index: SimulatedIndex, tableKey: KeySchema, item: Attributes | undefined): Projected | undefined {
  if (item === undefined) return undefined
  const indexNames = namesOf(index.key)
  if (indexNames.some((name) => item[name] === undefined)) return undefined
  const kept = new Set([...indexNames, ...namesOf(tableKey)])
  const projected =
    index.projection === 'ALL' ? item : Object.fromEntries(Object.entries(item).filter(([name]) => kept.has(name)))
  return {
    hash: hashOf(JSON.stringify(item[index.key.partition.name])),
    keyText: indexNames.map((name) => JSON.stringify(item[name])).join(),
    item: projected,
    units: writeUnits(itemSize(projected)),
  }
}

function namesOf(key: KeySchema): string[] {
  return partsOf(key).map(({ name }) => name)
}
