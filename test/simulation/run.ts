import { createHash } from 'node:crypto'
import { connect, type Table } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { SimulatedTable } from '../../src/simulator/simulatedTable.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'
import { checkRequests } from './checkers.ts'
import { Failures } from './failures.ts'
import { runLoad } from './loadJob.ts'
import { runPublish } from './publishJob.ts'
import { runRead } from './readJob.ts'
import { Records } from './records.ts'
import { runUpdate } from './updateJob.ts'
import { makeWorld, type World } from './world.ts'

/** One world while its job runs. */
export interface Run {
  readonly world: World
  readonly clock: VirtualClock
  readonly service: SimulatedService
  readonly simulated: SimulatedTable
  readonly table: Table
  readonly records: Records
  readonly random: Random
  readonly failures: Failures
}

/** What came of a seed. */
export interface Result {
  readonly world: World
  readonly failures: readonly string[]
  readonly virtualMs: number
  readonly faults: ReadonlyMap<string, number>
  readonly service: SimulatedService
  /** The same for the same run. */
  readonly digest: () => string
}

/** Virtual time that any job may take. Most take seconds. */
const VIRTUAL_MS_MAX = 6 * 3_600_000
const STEPS_MAX = 1_000_000

/** Runs the job of a seed in the world of a seed, and judges it. */
export async function runSeed(seed: number): Promise<Result> {
  const world = makeWorld(seed)
  const clock = new VirtualClock()
  const dice = (salt: number): Random => seededRandom(Math.imul(seed + 1, 0x85ebca6b) ^ salt)
  const { latency, dialect, aheadMs } = world
  const service = new SimulatedService({ clock, random: dice(1), latency, dialect, aheadMs })
  const simulated = service.addTable({
    name: 'things',
    key: world.key,
    capacity: world.capacity,
    indexes: world.indexes,
  })
  const failures = new Failures()
  let tokens = 0
  const database = connect({
    endpoint: 'http://localhost:1',
    region: 'us-east-1',
    transport: service,
    clock,
    random: dice(2),
    credentials: async () => {
      await sleep(clock, 20)
      tokens += 1
      return { accessKeyId: 'simulated', secretAccessKey: 'simulated', sessionToken: `token ${tokens}` }
    },
  })
  const table = database.table('things')
  const random = dice(3)
  const run: Run = {
    world,
    clock,
    service,
    simulated,
    table,
    records: new Records(world, random),
    random,
    failures,
  }
  try {
    await clock.run(play(run), { virtualMsMax: VIRTUAL_MS_MAX, stepsMax: STEPS_MAX })
    await clock.run(database.close())
  } catch (error) {
    failures.add(`the job failed: ${error instanceof Error ? error.stack : error}`)
  }
  const faults = new Map<string, number>()
  for (const { fault } of service.log.requests) if (fault !== '') faults.set(fault, (faults.get(fault) ?? 0) + 1)
  const digest = (): string => {
    const hash = createHash('sha256')
    for (const line of service.log.lines()) hash.update(line)
    return hash.digest('hex')
  }
  return { world, failures: failures.found, virtualMs: clock.now(), faults, service, digest }
}

async function play(run: Run): Promise<void> {
  const { world, service, table, clock } = run
  // A table that can not even be looked at is another story, told by tests of its own.
  await table.describe()
  service.setFaults(world.faults)
  scheduleChanges(run)
  if (world.hopeless !== undefined) clock.setTimer(() => endHope(run), world.hopeless.fromMs)
  const jobs = { publish: runPublish, load: runLoad, update: runUpdate, scan: runRead, count: runRead }
  await jobs[world.job](run)
  checkRequests(run)
}

function scheduleChanges({ world, clock, service, simulated }: Run): void {
  const { tableChange, occupied } = world
  if (tableChange !== undefined) {
    const change = (): void => {
      if (service.tables.has('things')) service.updateTable('things', tableChange.changes)
    }
    clock.setTimer(change, tableChange.atMs)
  }
  if (occupied === undefined) return
  const occupy = (share: number): void => {
    for (const kind of ['read', 'write'] as const) {
      const offered = Math.min(simulated.capacity.rate(kind), 4_000)
      simulated.capacity.occupy(kind, offered * share, clock.now())
    }
  }
  clock.setTimer(() => occupy(occupied.share), occupied.fromMs)
  clock.setTimer(() => occupy(0), occupied.toMs)
}

function endHope({ world, service }: Run): void {
  const always = (fault: 'throttle' | 'error before') => ({ shares: { [fault]: 1 } })
  const { why } = world.hopeless!
  if (why === 'table gone') service.tables.delete('things')
  else service.setFaults(always(why === 'throttled' ? 'throttle' : 'error before'))
}
