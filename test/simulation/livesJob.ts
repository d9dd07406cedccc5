import {
  deleteAll,
  type Edit,
  exportTable,
  HeadraceError,
  type Job,
  load,
  type PlainItem,
  type Summary,
  updateAll,
} from '../../src/index.ts'
import { decodeItem } from '../../src/item/decode.ts'
import { findCheckpoint } from '../../src/job/jobDirectory.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Attributes } from '../../src/simulator/attributes.ts'
import { applyAsk, type Model } from './ask.ts'
import { checkOrder, checkTable } from './checkers.ts'
import type { Client } from './client.ts'
import { LoadInput } from './loadInput.ts'
import { checkRejected } from './loadJob.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'
import { SimulatedDisk } from './simulatedDisk.ts'
import { makeWorld, type World } from './world.ts'

/** A job with a directory, in which its process or its machine goes down again and again. */
export interface Lives {
  readonly kind: 'load' | 'update' | 'delete' | 'export'
  /** Of an update: items are marked when they are done. */
  readonly once: boolean
  /** Of an update: it adds to what is there, so that doing it twice shows. */
  readonly adds: boolean
  /** Whether only the process goes down, after so long, and for how long. */
  readonly crashes: readonly { readonly machine: boolean; readonly afterMs: number; readonly downMs: number }[]
  /** In the first life the disk takes so many bytes; undefined for all. */
  readonly bytesMax: number | undefined
}

/** The world of a seed, without what would end the job for good. */
export function makeLives(seed: number): { readonly world: World; readonly lives: Lives } {
  const random = seededRandom(Math.imul(seed, 0xc2b2ae35) ^ 0x27220a95)
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const kind = pick('load', 'load', 'update', 'update', 'delete', 'export')
  const world = makeWorld(seed)
  const { patienceMs: _, ...options } = world.options
  const crashes = Array.from({ length: 1 + Math.floor(random() * 4) }, () => ({
    machine: random() < 0.6,
    afterMs: 10 ** (random() * 4),
    // What a client that is gone had sent is served within five seconds, and a put of it would come after a later one.
    downMs: (kind === 'load' ? 5_000 : 1) + random() * 3_000,
  }))
  return {
    world: {
      ...world,
      job: kind === 'load' ? 'load' : 'update',
      options,
      indexes: kind === 'load' ? world.indexes : [],
      hopeless: undefined,
      stopAtMs: undefined,
      crash: undefined,
      brokenFile: undefined,
      rejectsBytesMax: undefined,
      stuckVisits: false,
      besideEveryMs: 0,
    },
    lives: {
      kind,
      once: random() < 0.5,
      adds: random() < 0.5,
      crashes,
      bytesMax: random() < 0.2 ? Math.ceil(10 ** (2 + random() * 4)) : undefined,
    },
  }
}

const DIRECTORY = 'jobs/one'
const FILE = '/out/things.jsonl'
/** Lives that may fail one after another because of what the service does. */
const FAILURES_MAX = 40

/** Runs the job until it is done, life after life, and judges what is there at the end. */
export async function runLives(run: Run, lives: Lives): Promise<void> {
  const { world, clock, service, simulated, records, failures, random } = run
  const input = new LoadInput(run)
  const items = Array.from({ length: world.keys }, (_, index) => records.item(records.key(index), index))
  if (lives.kind !== 'load') simulated.fill(items.map(wireOf))
  const start = new Map(simulated.entries())
  const disk = new SimulatedDisk(random, (ms) => sleep(clock, ms))
  disk.bytesLeft = lives.bytesMax ?? Number.POSITIVE_INFINITY
  const crashes = [...lives.crashes]
  /** Where the writes of each life begin in the log. */
  const beginnings: number[] = []
  let client: Client = run.client
  let summary: Summary | undefined
  for (let life = 0; summary === undefined; life += 1) {
    if (life > FAILURES_MAX + lives.crashes.length) {
      failures.add(`not done after ${life} lives`)
      return
    }
    if (life > 0) client = run.connect()
    beginnings.push(service.log.writes.length)
    const session = disk.session()
    const crash = crashes.shift()
    const crashed = Symbol('crashed')
    const work = live(run, client, lives, life, input, session.disk)
    const end = await (crash === undefined
      ? work
      : Promise.race([work, sleep(clock, crash.afterMs).then(() => crashed)]))
    disk.bytesLeft = Number.POSITIVE_INFINITY
    if (typeof end === 'symbol') {
      client.vanish()
      session.kill()
      if (crash!.machine) disk.crash()
      run.again = { atMs: clock.now(), requests: service.log.requests.length, writes: service.log.writes.length }
      checkCheckpoint(run, disk)
      await sleep(clock, crash!.downMs)
    } else if (end instanceof Error) {
      run.said.push(end)
      session.kill()
      if (!isExpected(end, lives, life)) throw end
      if (end instanceof HeadraceError && end.code === 'STATE') return checkNothingTwice(run, start)
      client.vanish()
      await sleep(clock, 10_000)
    } else {
      summary = end
    }
  }
  run.said.push(summary)
  const { read, written, rejected, filtered, notReached, complete } = summary
  failures.same('the tally', written + rejected + filtered + notReached, read)
  failures.same('not reached', notReached, 0)
  failures.same('complete', complete, true)
  const rejects = rejectsOf(disk)
  failures.same('rejects in the file', rejects.length, rejected)
  const { checkpoint } = findCheckpoint(DIRECTORY, disk.session().disk)
  failures.same('complete, in the checkpoint', checkpoint?.complete, true)
  if (lives.kind === 'load') {
    const { asks } = input
    for (const [index, from] of beginnings.entries()) {
      checkOrder(run, asks, service.log.writes.slice(from, beginnings[index + 1]))
    }
    const model: Model = new Map()
    for (const ask of asks) applyAsk(model, ask)
    checkTable(run, model, 'at the end')
    failures.same('read', read, asks.length)
    checkRejected(run, asks, rejects)
  } else if (lives.kind === 'delete') {
    checkTable(run, new Map(), 'at the end')
  } else if (lives.kind === 'export') {
    checkTable(run, start, 'at the end')
    checkFile(run, disk, start)
  } else {
    checkUpdated(run, lives, start, rejects)
    // What was deleted behind the last checkpoint is not there to be counted again.
    const deleted = [...start.values()].filter((item) => kindOf(item) === 3).length
    failures.holds(`read: ${read} of ${start.size}`, read <= start.size && read >= start.size - deleted)
  }
}

/** One life of the job; an error where it ended in one. */
function live(
  run: Run,
  client: Client,
  lives: Lives,
  life: number,
  input: LoadInput,
  disk: SimulatedSession,
): Promise<Summary | Error> {
  const { world } = run
  const job = makeJob(run, client, lives, input)
  run.said.push(job)
  const processes = {
    own: { host: 'here', pid: life, began: `${world.seed}` },
    isAlive: ({ pid }: { pid: number }) => pid === life,
  }
  return job.run({ directory: DIRECTORY, disk, processes }).catch((error: Error) => error)
}

type SimulatedSession = ReturnType<SimulatedDisk['session']>['disk']

function makeJob({ world }: Run, { table, clock }: Client, { kind, once, adds }: Lives, input: LoadInput): Job {
  const { segments, concurrency } = world
  const { onReject: _, ...options } = world.options
  const reading = { segments, concurrency, ...options }
  if (kind === 'load') return load(input.source(clock), table, options)
  if (kind === 'delete') return deleteAll(table, reading)
  if (kind === 'export') return exportTable(table, FILE, { segments, concurrency })
  return updateAll(table, (item) => visit(item, adds), { ...reading, once })
}

/** By the version that an item has had from the start. */
function visit(item: PlainItem, adds: boolean): Edit {
  const kind = item['version'] % 10
  if (kind === 1) return undefined
  if (kind === 2) throw new Error('not this one')
  if (kind === 3) return 'delete'
  return adds ? { add: { count: 1 } } : { set: { seen: `v${item['version']}` } }
}

function kindOf(item: Attributes): number {
  return Number(item['version']!['N']) % 10
}

function isExpected(error: Error, { once, adds, kind, bytesMax }: Lives, life: number): boolean {
  if (!(error instanceof HeadraceError)) return false
  if (['UNREACHABLE', 'NO_PROGRESS', 'CREDENTIALS'].includes(error.code)) return true
  if (error.code === 'CONFIGURATION' && /ENOSPC/.test(error.message)) return bytesMax !== undefined && life === 0
  return error.code === 'STATE' && /adds to attributes/.test(error.message) && kind === 'update' && adds && !once
}

/** There is one that can be used, or none at all, and it is not ahead of what was made. */
function checkCheckpoint({ failures, service }: Run, disk: SimulatedDisk): void {
  try {
    const { checkpoint } = findCheckpoint(DIRECTORY, disk.session().disk)
    if (checkpoint === undefined) return
    const { written } = checkpoint.tally
    failures.holds(
      `${written} written in the checkpoint, of ${service.log.writes.length}`,
      checkpoint.positions.kind === 'sources' ||
        written <= service.log.writes.length ||
        service.log.writes.length === 0,
    )
  } catch (error) {
    failures.add(`the checkpoint is lost: ${error}`)
  }
}

interface RejectLine {
  readonly code: string
  readonly message: string
  readonly place: string
}

function rejectsOf(disk: SimulatedDisk): RejectLine[] {
  const text = disk.read(`${DIRECTORY}/rejects.jsonl`)?.toString() ?? ''
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RejectLine)
}

function checkNothingTwice({ simulated, failures }: Run, start: ReadonlyMap<string, Attributes>): void {
  const now = new Map(simulated.entries())
  for (const key of start.keys()) {
    const count = Number(now.get(key)?.['count']?.['N'] ?? 0)
    failures.holds(`${key} was added to ${count} times`, count <= 1)
  }
}

function checkUpdated(
  { simulated, failures }: Run,
  { once, adds }: Lives,
  start: ReadonlyMap<string, Attributes>,
  rejects: readonly RejectLine[],
): void {
  const now = new Map(simulated.entries())
  let refused = 0
  for (const [key, item] of start) {
    const version = item['version']!['N']
    const kind = kindOf(item)
    if (kind === 2) refused += 1
    const after = now.get(key)
    failures.same(`${key} is there`, after !== undefined, kind !== 3)
    if (after === undefined) continue
    const changed = kind > 3 || kind === 0
    const count = Number(after['count']?.['N'] ?? 0)
    if (adds) failures.same(`times that ${key} was added to`, count, changed ? 1 : 0)
    else failures.same(`seen of ${key}`, after['seen']?.['S'], changed ? `v${version}` : undefined)
    failures.same(`${key} is marked`, after['headrace_once'] !== undefined, once && changed)
  }
  failures.same('rejects', rejects.length, refused)
  failures.same('rejects told twice', new Set(rejects.map(({ place }) => place)).size, rejects.length)
}

function checkFile({ failures, records }: Run, disk: SimulatedDisk, start: ReadonlyMap<string, Attributes>): void {
  const text = disk.read(FILE)?.toString() ?? ''
  const lines = text.split('\n').filter((line) => line !== '')
  const keys = new Set(lines.map((line) => records.keyText(decodeItem(JSON.parse(line).Item))))
  failures.same('lines of the file', lines.length, start.size)
  failures.same('keys in the file', keys.size, start.size)
  failures.holds('a part is left', disk.read(`${FILE}.part`) === undefined)
}
