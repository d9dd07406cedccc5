import { formatUnits } from '../runtime/units.ts'
import type { CapacityOptions } from './capacity.ts'
import type { FaultPlan } from './faults.ts'
import type { Scenario, ScenarioEvent, ScenarioWorld } from './scenario.ts'
import type { ScenarioOrder } from './scenarioItems.ts'

const SHUFFLED: ScenarioOrder = { kind: 'shuffled' }

/** The worlds by which the controller is tuned and judged. */
export const SCENARIOS: readonly Scenario[] = [
  ...[100, 1_000, 10_000, 40_000].map(limitOf),
  limitOnDemand(),
  {
    name: 'all-throttled',
    title: 'All requests are throttled for one minute',
    capacity: provisioned(4_000),
    items: { order: SHUFFLED },
    durationMs: 110_000,
    events: trouble(20_000, 80_000, 'all requests throttled', { shares: { throttle: 1 } }),
    phases: [
      { name: 'before', fromMs: 10_000, toMs: 20_000 },
      { name: '10 s later', fromMs: 90_000, toMs: 110_000 },
    ],
  },
  ...[10, 60, 90].map(
    (percent): Scenario => ({
      name: `throttled-${percent}`,
      title: `${percent} % of all requests are throttled at random for one minute`,
      capacity: provisioned(4_000),
      items: { order: SHUFFLED },
      durationMs: 110_000,
      events: trouble(20_000, 80_000, `${percent} % throttled`, { shares: { throttle: percent / 100 } }),
      phases: [
        { name: 'meanwhile', fromMs: 30_000, toMs: 80_000 },
        { name: '10 s later', fromMs: 90_000, toMs: 110_000 },
      ],
    }),
  ),
  {
    name: 'failing',
    title: 'The service answers only HTTP 500 for two minutes',
    capacity: provisioned(4_000),
    items: { order: SHUFFLED },
    durationMs: 170_000,
    events: trouble(20_000, 140_000, 'only HTTP 500', { shares: { 'error before': 1 } }),
    phases: [
      { name: 'before', fromMs: 10_000, toMs: 20_000 },
      { name: '10 s later', fromMs: 150_000, toMs: 170_000 },
    ],
  },
  {
    name: 'hot-partition',
    title: 'Other clients use up 1 of 40 partitions',
    capacity: { ...provisioned(8_000), partitions: 40 },
    items: { order: SHUFFLED },
    durationMs: 60_000,
    events: [
      { atMs: 20_000, what: 'one partition used by other clients', act: (world) => occupy(world, 1_000, 17) },
      { atMs: 40_000, what: 'free again', act: (world) => occupy(world, 0) },
    ],
    phases: [
      { name: 'before', fromMs: 10_000, toMs: 20_000 },
      { name: 'meanwhile', fromMs: 22_000, toMs: 40_000 },
      { name: 'after', fromMs: 50_000, toMs: 60_000 },
    ],
  },
  {
    name: 'hot-key',
    title: '1 in 10 writes goes to a single partition key: its partition gets 14 % more than it allows',
    // In the order in which they come, 8,767 a second can be written; whoever sets the hot ones aside comes to 9,859.
    capacity: { ...provisioned(10_000), partitions: 64 },
    items: { order: { kind: 'hot key', share: 0.1 } },
    durationMs: 60_000,
    phases: [{ name: 'steady', fromMs: 15_000, toMs: 60_000 }],
  },
  ...orders(),
  {
    name: 'slow-index',
    title: 'An index has a fifth of the write capacity of its table',
    capacity: provisioned(5_000),
    indexes: [{ name: 'byGroup', key: { partition: { name: 'group', type: 'S' } }, capacity: provisioned(1_000) }],
    items: { order: SHUFFLED },
    durationMs: 60_000,
    phases: [{ name: 'steady', fromMs: 15_000, toMs: 60_000 }],
  },
]

/** Nothing saved, so that what is provisioned is what there is. */
function provisioned(writeUnitsPerSecond: number): CapacityOptions {
  return { billing: 'provisioned', writeUnitsPerSecond, burstSeconds: 0, splitAfterMs: Number.POSITIVE_INFINITY }
}

/** From above what is left, from below, and after a change: an application takes half, leaves, and the table is made smaller. */
function limitOf(writeUnitsPerSecond: number): Scenario {
  const capacity = provisioned(writeUnitsPerSecond)
  return {
    name: `limit-${writeUnitsPerSecond}`,
    title: `A provisioned limit of ${formatUnits(writeUnitsPerSecond, 'write')}, approached from above, from below and after a change`,
    // Room for what is uneven by chance.
    capacity: { ...capacity, partitions: Math.ceil((writeUnitsPerSecond / 1_000) * 1.25) },
    items: { order: SHUFFLED },
    durationMs: 125_000,
    events: [
      { atMs: 0, what: 'other clients use half', act: (world) => occupy(world, writeUnitsPerSecond / 2) },
      { atMs: 40_000, what: 'other clients stop', act: (world) => occupy(world, 0) },
      {
        atMs: 85_000,
        what: 'table at 60 %',
        act: ({ table, clock }) => table.capacity.setRate('write', writeUnitsPerSecond * 0.6, clock.now()),
      },
    ],
    phases: [
      { name: 'from above', fromMs: 20_000, toMs: 40_000 },
      { name: 'from below', fromMs: 65_000, toMs: 85_000 },
      { name: 'after a change', fromMs: 105_000, toMs: 125_000 },
    ],
  }
}

/** Four partitions, eight, and a maximum. Growth is quicker than the service's, which takes half an hour. */
function limitOnDemand(): Scenario {
  return {
    name: 'limit-on-demand',
    title: 'On-demand table: 4,000 WCU/s at first, double after a while, then a maximum of 3,000',
    capacity: { billing: 'on demand', growthWindowMs: 40_000, splitAfterMs: Number.POSITIVE_INFINITY },
    items: { order: SHUFFLED },
    durationMs: 120_000,
    events: [
      {
        atMs: 80_000,
        what: 'maximum of 3,000',
        act: ({ table, clock }) => table.capacity.setRate('write', 3_000, clock.now()),
      },
    ],
    phases: [
      { name: 'at first', fromMs: 15_000, toMs: 40_000 },
      { name: 'grown', fromMs: 55_000, toMs: 80_000 },
      { name: 'maximum', fromMs: 95_000, toMs: 120_000 },
    ],
  }
}

/** The same items in three orders, to a table that needs all of its partitions. */
function orders(): Scenario[] {
  const items = 400_000
  const all: [string, string, ScenarioOrder][] = [
    ['order-shuffled', 'Items in random order: the baseline for the other orders', SHUFFLED],
    ['order-scan', 'Items in scan order, written back', { kind: 'segments', items, segments: 64 }],
    ['order-files', '200 files of an export, each with a range of hashes', { kind: 'segments', items, segments: 200 }],
    ['order-sweeps', '8 files, each with all hashes in scan order', { kind: 'files', items, files: 8 }],
  ]
  return all.map(([name, title, order]) => ({
    name,
    title,
    capacity: { ...provisioned(8_000), partitions: 10 },
    items: { order },
    durationMs: 60_000,
    phases: [{ name: 'steady', fromMs: 10_000, toMs: 45_000 }],
  }))
}

function occupy({ table, clock }: ScenarioWorld, unitsPerSecond: number, partition?: number): void {
  table.capacity.occupy('write', unitsPerSecond, clock.now(), partition)
}

function trouble(fromMs: number, toMs: number, what: string, faults: FaultPlan): ScenarioEvent[] {
  return [
    { atMs: fromMs, what, act: ({ service }) => service.setFaults(faults) },
    { atMs: toMs, what: 'over', act: ({ service }) => service.setFaults({}) },
  ]
}
