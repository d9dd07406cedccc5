import { capacityBounds } from '../../database/capacityBounds.ts'
import type { TableCapacity, TableDescription } from '../../database/tableDescription.ts'
import type { PlanRate } from '../../job/plan.ts'
import { formatUnitRate } from '../../runtime/units.ts'
import { DEFAULT_RATE, type Rate, shareOf } from '../../throughput/rate.ts'

export interface RateQuestion {
  readonly description: TableDescription
  readonly direction: 'read' | 'write'
  /** As it was asked for; undefined for the default. */
  readonly rate: Rate | undefined
  /** An emulator on this machine, which has no capacity unless a part of it is asked for. */
  readonly loopback: boolean
  /** A secondary index that is read instead of the table. */
  readonly index?: string | undefined
  /** Units that the work takes, of the table and of each global index. */
  readonly tableUnits: number
  readonly indexUnits: ReadonlyMap<string, number>
}

interface Limit {
  readonly durationMs: number
  readonly why: string
}

/**
 * The rate at which a run would settle, by the rules that its limiter keeps: whichever of the table, an index and what was
 * asked for takes longest.
 */
export function planRate(question: RateQuestion): { rate: PlanRate; durationMs: number | undefined } {
  const { tableUnits } = question
  let slowest: Limit | undefined
  for (const limit of limitsOf(question)) {
    if (slowest === undefined || limit.durationMs > slowest.durationMs) slowest = limit
  }
  if (slowest === undefined) {
    const why = question.loopback ? 'an emulator is as fast as this machine' : 'no limit is known'
    return { rate: { unitsPerSecond: Number.POSITIVE_INFINITY, why }, durationMs: undefined }
  }
  const { durationMs, why } = slowest
  return { rate: { unitsPerSecond: durationMs === 0 ? 0 : (tableUnits / durationMs) * 1_000, why }, durationMs }
}

function limitsOf(question: RateQuestion): Limit[] {
  const { description, direction, rate, loopback, index, tableUnits, indexUnits } = question
  const limits: Limit[] = []
  const limit = (units: number, unitsPerSecond: number | undefined, why: string): void => {
    // Undefined where nothing is known of it.
    if (unitsPerSecond !== undefined && Number.isFinite(unitsPerSecond))
      limits.push({ durationMs: (units / unitsPerSecond) * 1_000, why })
  }
  if (typeof rate === 'number') {
    const all = [...indexUnits.values()].reduce((sum, units) => sum + units, tableUnits)
    const together = indexUnits.size > 0 ? `, ${figure(rate)} for the table and its indexes together` : ''
    limit(all, rate, `your rate limit${together}`)
  }
  if (rate === undefined && loopback) return limits
  const share = shareOf(`${direction}UnitsPerSecond`, rate ?? DEFAULT_RATE) ?? shareOf('default', DEFAULT_RATE)!
  const bounds = capacityBounds(description, direction, typeof rate === 'number' ? 1 : share, index)
  const read = index === undefined ? undefined : description.indexes.find(({ name }) => name === index)
  const part = typeof rate === 'number' || share === 1 ? '' : `${Math.round(share * 1_000) / 10} % of `
  const say = (capacity: TableCapacity, who: string): string => reason(capacity, who, direction, part, description)
  const owner = read === undefined ? 'the table' : `index ${read.name}`
  limit(tableUnits, bounds.table.unitsPerSecond, say(read ?? description, owner))
  for (const one of description.indexes) {
    const units = indexUnits.get(one.name) ?? 0
    const bound = bounds.indexes.get(one.name)
    if (units > 0 && bound !== undefined) limit(units, bound.unitsPerSecond, say(one, `index ${one.name}`))
  }
  return limits
}

function reason(
  capacity: TableCapacity,
  who: string,
  direction: 'read' | 'write',
  part: string,
  { billing }: TableDescription,
): string {
  const [units, most, warm] =
    direction === 'read'
      ? [capacity.readUnitsPerSecond, capacity.readUnitsPerSecondMax, capacity.warmReadUnitsPerSecond]
      : [capacity.writeUnitsPerSecond, capacity.writeUnitsPerSecondMax, capacity.warmWriteUnitsPerSecond]
  if (billing === 'provisioned') return `${part}the ${formatUnitRate(units, direction)} of ${who}`
  if (most !== undefined) return `${part}the on-demand maximum of ${formatUnitRate(most, direction)} of ${who}`
  const start = direction === 'read' ? 12_000 : 4_000
  return warm > start
    ? `the warm throughput of ${who}; faster if DynamoDB allows more`
    : `the initial on-demand throughput of ${who}; faster if DynamoDB allows more`
}

function figure(value: number): string {
  return value.toLocaleString('en-US')
}
