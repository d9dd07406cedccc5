import { checkWhole } from '../../database/checkOption.ts'
import type { Table } from '../../database/table.ts'
import type { TableDescription } from '../../database/tableDescription.ts'
import { keyNamesOf } from '../../item/itemKey.ts'
import { CostMeter } from '../../job/costMeter.ts'
import { type Estimate, exactly } from '../../job/estimate.ts'
import type { ItemSample, Plan, PlanCost, PlanOptions, PlanRate, PlanSample } from '../../job/plan.ts'
import type { PriceTable } from '../../job/priceTable.ts'
import type { Rate } from '../../throughput/rate.ts'
import { type NativeWay, nativeServices } from './nativeServices.ts'
import { planRate } from './planRate.ts'
import { planWarnings } from './planWarnings.ts'
import { askTableSafety } from './tableSafety.ts'

/** All that a plan is made of, whatever it was found out from. */
export interface PlanParts {
  readonly operation: string
  readonly region: string
  readonly loopback: boolean
  readonly prices: PriceTable
  readonly native: readonly NativeWay[]
  readonly items: Estimate
  readonly bytes: Estimate
  readonly changes: Estimate | undefined
  readonly reads?: PlannedReads | undefined
  readonly writes?: PlannedTableWrites | undefined
  readonly sample: PlanSample
  readonly samples: readonly ItemSample[]
  readonly unknown: readonly string[]
  /** What to think of besides what the table tells. */
  readonly warnings?: readonly string[] | undefined
}

interface PlannedReads {
  readonly table: Table
  readonly description: TableDescription
  readonly index: string | undefined
  readonly rate: Rate | undefined
  readonly units: Estimate
}

interface PlannedTableWrites {
  readonly table: Table
  readonly description: TableDescription
  readonly rate: Rate | undefined
  readonly tableUnits: Estimate
  /** In the order of the description's indexes. */
  readonly indexUnits: readonly Estimate[]
  /** Items that are there already may be changed or replaced. */
  readonly changesItems: boolean
  readonly deletesItems: boolean
  /** It is not there yet, so there is nothing to ask about it. */
  readonly isNew?: boolean | undefined
}

const SAMPLES = 3

/**
 * @returns how many items to show
 * @throws {TypeError} for samples out of range
 */
export function checkPlanOptions({ samples = SAMPLES }: PlanOptions): number {
  return checkWhole('samples', samples, 0, 100)
}

/** Puts rates, duration, price and warnings to what was found out. */
export async function assemblePlan(parts: PlanParts): Promise<Plan> {
  const { loopback, prices, region, reads, writes } = parts
  const table = writes?.table ?? reads!.table
  const about = reads?.description ?? writes!.description
  const needsSafety = writes === undefined ? parts.native.includes('export') : writes.isNew !== true
  const safety = needsSafety
    ? await askTableSafety(parts.native.includes('export') ? (reads?.table ?? table) : table, writes !== undefined)
    : { hasPointInTimeRecovery: undefined, kinesisStreams: undefined, unknown: [] }
  const read = reads && rateOf(reads, loopback)
  const write = writes && writeRateOf(writes, loopback)
  const durations = [read?.durationMs, write?.durationMs].filter((duration) => duration !== undefined)
  const writeUnits = sumOf(writes === undefined ? [] : [writes.tableUnits, ...writes.indexUnits])
  const warned = {
    description: writes?.description ?? about,
    safety,
    changesItems: writes?.changesItems ?? false,
    deletesItems: writes?.deletesItems ?? false,
    read: reads?.table === table ? read?.rate : undefined,
    write: write?.rate,
    readRate: reads?.rate,
    writeRate: writes?.rate,
  }
  return {
    operation: parts.operation,
    table: reads?.table.name ?? table.name,
    tableArn: about.arn,
    keyNames: keyNamesOf(about.key),
    region,
    emulator: loopback,
    items: parts.items,
    bytes: parts.bytes,
    changes: parts.changes,
    readUnits: reads?.units ?? exactly(0),
    writeUnits,
    indexWriteUnits: Object.fromEntries(
      (writes?.indexUnits ?? []).map((units, index) => [writes!.description.indexes[index]!.name, units.value]),
    ),
    read: read?.rate,
    write: write?.rate,
    durationMs: durations.length === 0 ? undefined : Math.max(...durations),
    cost: costOf(parts, writeUnits),
    native: nativeServices(parts.native, parts.bytes.value, region, prices, safety.hasPointInTimeRecovery),
    sample: parts.sample,
    samples: parts.samples,
    warnings: [...(parts.warnings ?? []), ...planWarnings(warned)],
    unknown: [...parts.unknown, ...safety.unknown],
  }
}

interface PlannedPace {
  readonly rate: PlanRate
  readonly durationMs: number | undefined
}

function rateOf({ description, index, rate, units }: PlannedReads, loopback: boolean): PlannedPace {
  const indexUnits = new Map<string, number>()
  return planRate({ description, direction: 'read', rate, loopback, index, tableUnits: units.value, indexUnits })
}

function writeRateOf(
  { description, rate, tableUnits, indexUnits }: PlannedTableWrites,
  loopback: boolean,
): PlannedPace {
  const named = new Map(indexUnits.map((units, index) => [description.indexes[index]!.name, units.value]))
  const question = { description, direction: 'write', rate, loopback, tableUnits: tableUnits.value } as const
  return planRate({ ...question, indexUnits: named })
}

/** What is read and what is written may be two tables, of two classes and billings. */
function costOf({ region, prices, reads, writes }: PlanParts, writeUnits: Estimate): PlanCost | undefined {
  const readMeter = reads && new CostMeter(reads.description, region, prices)
  const writeMeter = writes && new CostMeter(writes.description, region, prices)
  const at = (bound: keyof Estimate): { amount: number; cost: ReturnType<CostMeter['costOf']> } | undefined => {
    const read = readMeter?.costOf({ readUnits: reads!.units[bound], writeUnits: 0 })
    const write = writeMeter?.costOf({ readUnits: 0, writeUnits: writeUnits[bound] })
    if ((readMeter !== undefined && read === undefined) || (writeMeter !== undefined && write === undefined))
      return undefined
    // Where one of two tables is on demand, something is added to the bill.
    const cost = [write, read].find((one) => one?.billing === 'on demand') ?? write ?? read
    const charged = [read, write].filter((one) => one?.billing === cost?.billing)
    return { amount: charged.reduce((sum, one) => sum + one!.amount, 0), cost }
  }
  const value = at('value')
  if (value?.cost === undefined) return undefined
  return { ...value.cost, amount: value.amount, low: at('low')!.amount, high: at('high')!.amount }
}

/** The bounds of a sum, as if all of them were off in one direction: they mostly are. */
function sumOf(estimates: readonly Estimate[]): Estimate {
  const sum = (bound: keyof Estimate): number => estimates.reduce((total, one) => total + one[bound], 0)
  return { value: sum('value'), low: sum('low'), high: sum('high') }
}
