import { sleep } from '../runtime/clock.ts'
import { type Random, seededRandom } from '../runtime/random.ts'
import type { Attributes } from './attributes.ts'
import type { CapacityOptions } from './capacity.ts'
import type { FaultPlan } from './faults.ts'
import type { LatencyOptions } from './latency.ts'
import { makeSources, type ScenarioItemOptions, type ScenarioSource } from './scenarioItems.ts'
import { SimulatedService } from './simulatedService.ts'
import type { IndexOptions, SimulatedTable } from './simulatedTable.ts'
import { VirtualClock } from './virtualClock.ts'
import type { LogCounts } from './writeLog.ts'

/** A world in which a client writes to one table as fast as it may, and what befalls it. */
export interface Scenario {
  readonly name: string
  /** What is to be seen, in one line. */
  readonly title: string
  readonly capacity: CapacityOptions
  readonly indexes?: readonly IndexOptions[]
  readonly items: ScenarioItemOptions
  /** So many of the items are there from the start, and the table keeps what is written. Default 0, and it keeps nothing. */
  readonly itemsThere?: number
  readonly latency?: LatencyOptions
  readonly faults?: FaultPlan
  /** Virtual time for which it is watched. */
  readonly durationMs: number
  readonly events?: readonly ScenarioEvent[]
  /** Stretches in which the client should have found its rate. */
  readonly phases: readonly ScenarioPhase[]
}

export interface ScenarioEvent {
  readonly atMs: number
  /** A few words, for the plot. */
  readonly what: string
  readonly act: (world: ScenarioWorld) => void
}

export interface ScenarioPhase {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

/** What a client finds. */
export interface ScenarioWorld {
  readonly clock: VirtualClock
  /** Dice of the client's own. */
  readonly random: Random
  /** The wire, and the place for events to act on. */
  readonly service: SimulatedService
  readonly table: SimulatedTable
  readonly sources: readonly ScenarioSource[]
  /** Whether the time is over: then nothing new is to be taken. */
  isOver(): boolean
  /** A client that has a limit of its own tells it here when asked, in units a second. */
  allowedPerSecond: (() => number | undefined) | undefined
}

/** What a client says of itself when it is done. */
interface DriveResult {
  /** Items that it took from the sources. */
  readonly taken: number
  /** Items that it has acknowledgements for. */
  readonly stored: number
  /** Items that it gave up, telling its caller of an error or nothing at all. */
  readonly lost: number
}

/** A client: writes what the sources give until they end or the time is over, then comes to its own end. */
export type Drive = (world: ScenarioWorld) => Promise<DriveResult>

/** What happened in each step, all lists of one length. Units and items are those of the step, by the second. */
export interface ScenarioSeries {
  readonly stepMs: number
  /** Units a second that an evenly spread load could have had, at the start of the step. */
  readonly offered: number[]
  readonly used: number[]
  readonly items: number[]
  /** By the second: all requests, those throttled whole, those throttled in part, those that failed. */
  readonly requests: number[]
  readonly throttled: number[]
  readonly partlyThrottled: number[]
  /** Items throttled within batches, by the second. */
  readonly throttledItems: number[]
  readonly failed: number[]
  /** The most requests that were under way at once. */
  readonly inFlight: number[]
  /** What the client allowed itself; undefined where it has no such limit. */
  readonly allowed: (number | undefined)[]
  readonly indexes: readonly { readonly name: string; readonly offered: number[]; readonly used: number[] }[]
}

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly series: ScenarioSeries
  /** From the first request to the client's end. */
  readonly counts: LogCounts
  readonly client: DriveResult
  /** When the client came to its end. */
  readonly endedAtMs: number
}

/** A client that has heard that the time is over must come to its end within this. */
const ENDING_MS_MAX = 3_600_000

/**
 * Plays a scenario with a client in it, in virtual time.
 *
 * @param options.seed of all dice, default 1
 * @param options.stepMs of the series, default 1,000
 */
export async function runScenario(
  scenario: Scenario,
  drive: Drive,
  { seed = 1, stepMs = 1_000 }: { seed?: number; stepMs?: number } = {},
): Promise<ScenarioResult> {
  const { capacity, indexes = [], items, itemsThere = 0, latency = {}, faults = {}, durationMs } = scenario
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const service = new SimulatedService({ clock, random, latency, faults, keepsLog: false })
  const partition = { name: 'pk', type: 'S' } as const
  const table = service.addTable({
    name: 'things',
    key: items.order.kind === 'hot key' ? { partition, sort: { name: 'sk', type: 'S' } } : { partition },
    capacity,
    indexes,
    keepsItems: itemsThere > 0,
  })
  table.fill(storedItems(items, itemsThere))
  const world: ScenarioWorld = {
    clock,
    random: seededRandom(seed ^ 0x5eed),
    service,
    table,
    sources: makeSources(items),
    isOver: () => clock.now() >= durationMs,
    allowedPerSecond: undefined,
  }
  for (const { atMs, act } of scenario.events ?? []) {
    if (atMs === 0) act(world)
    else clock.setTimer(() => act(world), atMs)
  }
  const series = emptySeries(table, stepMs)
  let ended = false
  const work = async (): Promise<DriveResult> => {
    const watching = watch(world, series, durationMs, () => ended)
    const client = await drive(world)
    ended = true
    await watching
    return client
  }
  const client = await clock.run(work(), {
    virtualMsMax: durationMs + ENDING_MS_MAX,
    stepsMax: Number.POSITIVE_INFINITY,
  })
  return { scenario, series, counts: service.log.counts, client, endedAtMs: clock.now() }
}

function* storedItems(options: ScenarioItemOptions, count: number): Generator<Attributes> {
  const sources = makeSources(options)
  for (let index = 0; index < count; index += 1) {
    const item = sources[index % sources.length]!()
    if (item === undefined) return
    yield Object.fromEntries(Object.entries(item).map(([name, text]) => [name, { S: text }]))
  }
}

function emptySeries(table: SimulatedTable, stepMs: number): ScenarioSeries {
  return {
    stepMs,
    offered: [],
    used: [],
    items: [],
    requests: [],
    throttled: [],
    partlyThrottled: [],
    throttledItems: [],
    failed: [],
    inFlight: [],
    allowed: [],
    indexes: table.indexes.map(({ name }) => ({ name, offered: [], used: [] })),
  }
}

async function watch(
  world: ScenarioWorld,
  series: ScenarioSeries,
  durationMs: number,
  isEnded: () => boolean,
): Promise<void> {
  const { clock, service, table } = world
  const seconds = series.stepMs / 1_000
  let counts = service.log.counts
  let used = table.capacity.used.write
  const indexUsed = table.indexes.map(({ capacity }) => capacity.used.write)
  for (let steps = 1; steps * series.stepMs <= durationMs && !isEnded(); steps += 1) {
    series.offered.push(table.capacity.offered('write'))
    for (const [position, { capacity }] of table.indexes.entries()) {
      series.indexes[position]!.offered.push(capacity.offered('write'))
    }
    await sleep(clock, steps * series.stepMs - clock.now())
    const now = service.log.counts
    series.used.push((table.capacity.used.write - used) / seconds)
    used = table.capacity.used.write
    for (const [position, { capacity }] of table.indexes.entries()) {
      series.indexes[position]!.used.push((capacity.used.write - indexUsed[position]!) / seconds)
      indexUsed[position] = capacity.used.write
    }
    series.items.push((now.writes - counts.writes) / seconds)
    series.requests.push((now.requests - counts.requests) / seconds)
    series.throttled.push((now.throttledRequests - counts.throttledRequests) / seconds)
    series.partlyThrottled.push((now.partlyThrottledRequests - counts.partlyThrottledRequests) / seconds)
    series.throttledItems.push((now.throttledItems - counts.throttledItems) / seconds)
    series.failed.push((now.failedRequests - counts.failedRequests) / seconds)
    series.inFlight.push(Math.max(service.log.takeUnderWayMax(), service.requestsUnderWay))
    series.allowed.push(world.allowedPerSecond?.())
    counts = now
  }
}
