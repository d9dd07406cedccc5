import './gzipAtOnce.ts'
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import type { Table } from '../../src/index.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { SimulatedTable } from '../../src/simulator/simulatedTable.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'
import { checkFuel, checkRequests, checkRetryAfter } from './checkers.ts'
import { CANARY, Client } from './client.ts'
import { Failures } from './failures.ts'
import { type Lives, makeLives, runLives } from './livesJob.ts'
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
  /** Who runs the job, first. */
  readonly client: Client
  /** Its table. */
  readonly table: Table
  /** Another client of the same service. */
  connect(): Client
  /** Where in time and in the log another client began the job again; undefined when none did. */
  again: { readonly atMs: number; readonly requests: number; readonly writes: number } | undefined
  /** All that the job said: errors, summaries, rejects, counts. */
  readonly said: unknown[]
  /** What happened, of that which only whoever met it can tell. */
  readonly met: Set<string>
  readonly records: Records
  readonly random: Random
  readonly failures: Failures
}

/** What seeds are of. */
export type Suite = 'worlds' | 'lives'

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

/** What happened to a client besides faults of requests, once in a run. */
export const TROUBLES = ['crash', 'host gone', 'broken file', 'full disk', 'session over', 'stuck visits'] as const

/** Besides these, of a job that lives several times. */
export const TROUBLES_OF_LIVES = ['machine down', 'stop', 'undo', 'changed since'] as const

function hasMet({ world, again, met, clock }: Run, trouble: (typeof TROUBLES)[number]): boolean {
  switch (trouble) {
    case 'crash':
      return again !== undefined
    case 'host gone':
      return world.faults.gone?.some(({ fromMs }) => clock.now() >= fromMs) === true
    case 'broken file':
      return world.brokenFile !== undefined
    case 'full disk':
      return met.has(trouble)
    case 'session over':
      return met.has(trouble)
    case 'stuck visits':
      return world.stuckVisits
  }
}

/** Virtual time that any job may take. Most take seconds. */
const VIRTUAL_MS_MAX = 6 * 3_600_000
const STEPS_MAX = 1_000_000

/**
 * Runs the job of a seed in the world of a seed, and judges it.
 *
 * @param suite `lives`: a job with a directory, whose process goes down again and again
 */
export async function runSeed(seed: number, suite: Suite = 'worlds'): Promise<Result> {
  const { world, lives } = suite === 'lives' ? makeLives(seed) : { world: makeWorld(seed), lives: undefined }
  const clock = new VirtualClock()
  const dice = (salt: number): Random => seededRandom(Math.imul(seed + 1, 0x85ebca6b) ^ salt)
  const { latency, dialect, aheadMs } = world
  const service = new SimulatedService({ clock, random: dice(1), latency, dialect, aheadMs })
  const simulated = service.addTable({
    name: 'things',
    key: world.key,
    capacity: world.capacity,
    indexes: world.indexes,
    losesPlaces: lives?.losesPlaces ?? false,
  })
  const failures = new Failures()
  const met = new Set<string>()
  let clients = 0
  const connect = (): Client => {
    clients += 1
    return new Client({ world, service, clock, random: dice(clients === 1 ? 2 : 3 + clients), number: clients, met })
  }
  const client = connect()
  const random = dice(3)
  const run: Run = {
    world,
    clock,
    service,
    simulated,
    client,
    table: client.table,
    connect,
    again: undefined,
    said: [client.database],
    met,
    records: new Records(world, random),
    random,
    failures,
  }
  try {
    await clock.run(play(run, lives), { virtualMsMax: VIRTUAL_MS_MAX, stepsMax: STEPS_MAX })
    await clock.run(client.database.close())
  } catch (error) {
    run.said.push(error)
    failures.add(`the job failed: ${error instanceof Error ? error.stack : error}`)
  }
  checkSecrets(run)
  const faults = new Map<string, number>()
  const count = (fault: string): void => void faults.set(fault, (faults.get(fault) ?? 0) + 1)
  for (const { fault } of service.log.requests) if (fault !== '') count(fault)
  for (const trouble of TROUBLES) if (hasMet(run, trouble)) count(trouble)
  for (const trouble of TROUBLES_OF_LIVES) if (met.has(trouble)) count(trouble)
  const digest = (): string => {
    const hash = createHash('sha256')
    for (const line of service.log.lines()) hash.update(line)
    return hash.digest('hex')
  }
  return { world, failures: failures.found, virtualMs: clock.now(), faults, service, digest }
}

async function play(run: Run, lives: Lives | undefined): Promise<void> {
  const { world, service, table, clock } = run
  // A table that cannot even be looked at is another story, told by tests of its own.
  await table.describe()
  service.setFaults(world.faults)
  scheduleChanges(run)
  if (world.hopeless !== undefined) clock.setTimer(() => endHope(run), world.hopeless.fromMs)
  if (lives !== undefined) return runLives(run, lives)
  const jobs = { publish: runPublish, load: runLoad, update: runUpdate, scan: runRead, count: runRead }
  await jobs[world.job](run)
  checkRequests(run)
  checkRetryAfter(run)
  checkFuel(run)
}

/** Nothing that was said, or that someone may print, has a secret in it. */
function checkSecrets({ said, failures }: Run): void {
  for (const one of said) {
    const text = inspect(one, { depth: 8, getters: false, maxStringLength: 10_000 })
    const at = text.indexOf(CANARY)
    if (at !== -1) failures.add(`a secret was told: ${text.slice(Math.max(0, at - 100), at + 50)}`)
  }
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
