import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { SaxesParser } from 'saxes'
import {
  copy,
  deleteAll,
  type Edit,
  exportTable,
  generate,
  HeadraceError,
  type Job,
  load,
  type PlainItem,
  type Summary,
  undo,
  updateAll,
} from '../../src/index.ts'
import { decodeItem } from '../../src/item/decode.ts'
import { findCheckpoint } from '../../src/job/jobDirectory.ts'
import { settledOf } from '../../src/job/tally.ts'
import { copyAs } from '../../src/operations/copy.ts'
import type { TableChange } from '../../src/operations/tableChange.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { type Attributes, isSame } from '../../src/simulator/attributes.ts'
import type { SimulatedTable } from '../../src/simulator/simulatedTable.ts'
import { applyAsk, type Model } from './ask.ts'
import { checkOrder, checkTable } from './checkers.ts'
import type { Client } from './client.ts'
import { LoadInput } from './loadInput.ts'
import { checkRejected } from './loadJob.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'
import { SimulatedDisk } from './simulatedDisk.ts'
import { checkUndone, interfere } from './undoneTable.ts'
import { makeWorld, type World } from './world.ts'

/** A job with a directory, in which its process or its machine goes down again and again. */
export interface Lives {
  readonly kind: 'load' | 'generate' | 'update' | 'delete' | 'copy' | 'export'
  /** Of an update: items are marked when they are done. */
  readonly once: boolean
  /** Of an update: it adds to what is there, so that doing it twice shows. */
  readonly adds: boolean
  readonly crashes: readonly Crash[]
  /** Of an update or a deletion: it keeps what it changes, and is undone, through such crashes. */
  readonly undo: { readonly crashes: readonly Crash[]; readonly interferes: boolean } | undefined
  /** Of a load. */
  readonly sources: number
  /** Of an export. */
  readonly gzip: boolean
  readonly xml: boolean
  /** Also where it is XML: then not. Its columns are found when all is gathered. */
  readonly csv: boolean
  /** Of a copy: its transform returns promises. */
  readonly slow: boolean
  /** Of a copy: it is a job of one's own, whose transform makes changes. */
  readonly changes: boolean
  /** Of a load: some of what it writes takes the place of something, which is kept and put back. */
  readonly replaces: boolean
  /** See `TableOptions.losesPlaces`. */
  readonly losesPlaces: boolean
  /** In the first life the disk takes so many bytes; undefined for all. */
  readonly bytesMax: number | undefined
}

/** How a life of a job ends early. */
interface Crash {
  readonly what: 'process' | 'machine' | 'signal'
  readonly afterMs: number
  /** Until the next life begins. */
  readonly downMs: number
}

/** The world of a seed, without what would end the job for good. */
export function makeLives(seed: number): { readonly world: World; readonly lives: Lives } {
  const random = seededRandom(Math.imul(seed, 0xc2b2ae35) ^ 0x27220a95)
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const first = pick('load', 'load', 'update', 'update', 'delete', 'export')
  const world = makeWorld(seed)
  const { patienceMs: _, ...options } = world.options
  // Dice of their own: seeds that were found to tell something stay as they were.
  const more = seededRandom(Math.imul(seed, 0x165667b1) ^ 0x4cf5ad43)
  const die = more()
  const { partition, sort } = world.key
  // A template makes no bytes.
  const canGenerate = partition.type !== 'B' || sort !== undefined
  const kind = die < 0.15 ? 'copy' : die < 0.25 && canGenerate ? 'generate' : first
  const puts = kind === 'load' || kind === 'generate' || kind === 'copy'
  // What a client that is gone had sent is served within five seconds, and a put of it would come after a later one.
  const downMsMin = puts ? 5_000 : 1
  const crashes = Array.from({ length: 1 + Math.floor(random() * 4) }, (): Crash => {
    const machine = random() < 0.6
    const what = more() < 0.2 ? 'signal' : machine ? 'machine' : 'process'
    return { what, afterMs: 10 ** (random() * 4), downMs: downMsMin + random() * 3_000 }
  })
  const isUndone = more() < 0.5 && (kind === 'update' || kind === 'delete')
  const undoCrashes = Array.from({ length: Math.floor(more() * 4) }, (): Crash => {
    const what = more() < 0.3 ? 'signal' : more() < 0.6 ? 'machine' : 'process'
    return { what, afterMs: 10 ** (more() * 4), downMs: 1 + more() * 3_000 }
  })
  return {
    world: {
      ...world,
      job: kind === 'load' || kind === 'generate' ? 'load' : 'update',
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
      undo: isUndone ? { crashes: undoCrashes, interferes: more() < 0.5 } : undefined,
      sources: more() < 0.3 ? 2 + Math.floor(more() * 4) : 1,
      gzip: more() < 0.5,
      slow: more() < 0.3,
      losesPlaces: more() < 0.3,
      changes: more() < 0.5,
      xml: more() < 0.3,
      replaces: kind === 'load' && more() < 0.4,
      csv: more() < 0.5,
    },
  }
}

const DIRECTORY = '/jobs/one'
const UNDO_DIRECTORY = '/jobs/undo'
const FILE = '/out/things'
/** Where a copy goes. */
const TARGET = 'copies'
/** Lives that may fail one after another because of what the service does. */
const FAILURES_MAX = 40
/** A job that is told to stop does so within ten seconds, and brings its last words to the disk. */
const STOP_MS_MAX = 11_000

/** Runs the job until it is done, life after life, and judges what is there at the end. */
export async function runLives(run: Run, lives: Lives): Promise<void> {
  const { world, service, simulated, records, failures, random, met } = run
  const input = new LoadInput(run)
  const items = Array.from({ length: world.keys }, (_, index) => records.item(records.key(index), index))
  if (lives.replaces)
    simulated.fill(items.filter((_, index) => index % 3 > 0).map((item) => ({ ...wireOf(item), kept: { N: '1' } })))
  else if (world.job !== 'load') simulated.fill(items.map(wireOf))
  const target = lives.kind === 'copy' ? addTarget(run) : undefined
  const start = new Map(simulated.entries())
  const disk = new SimulatedDisk(random, (ms) => sleep(run.clock, ms))
  const { kind, bytesMax, crashes } = lives
  const make = (client: Client): Job => makeJob(run, client, lives, input)
  const done = await runToEnd(run, { directory: DIRECTORY, disk, make, lives, crashes, bytesMax })
  if (done === undefined) return checkNothingTwice(run, start)
  const { summary, beginnings, rejects } = done
  const { read } = summary
  if (kind === 'load') {
    const { asks } = input
    for (const [index, from] of beginnings.entries()) {
      if (!lives.replaces) checkOrder(run, asks, service.log.writes.slice(from, beginnings[index + 1]))
    }
    const model: Model = new Map(start)
    for (const ask of asks) applyAsk(model, ask)
    checkTable(run, model, 'at the end')
    failures.same('read', read, asks.length)
    checkRejected(run, asks, rejects)
  } else if (kind === 'generate') {
    failures.same('read', read, world.records)
    checkGenerated(run)
  } else if (kind === 'delete') {
    checkTable(run, new Map(), 'at the end')
  } else if (kind === 'export') {
    checkTable(run, start, 'at the end')
    failures.same('read', read, start.size)
    checkFile(run, disk, start, lives)
  } else if (kind === 'copy') {
    checkTable(run, start, 'at the end')
    failures.same('read', read, start.size)
    checkCopied(run, lives, target!, start, rejects)
  } else {
    checkUpdated(run, lives, start, rejects)
    // What was deleted behind the last checkpoint is not there to be counted again.
    const deleted = [...start.values()].filter((item) => kindOf(item) === 3).length
    failures.holds(`read: ${read} of ${start.size}`, read <= start.size && read >= start.size - deleted)
  }
  if (lives.undo === undefined && !lives.replaces) return
  const { onReject: _, ...options } = world.options
  met.add('undo')
  // What a client that is gone had sent is served within five seconds, and a change of it may find what was put back.
  await sleep(run.clock, 5_000)
  const after = new Map(simulated.entries())
  if (lives.undo?.interferes === true) interfere(run, start, after)
  const between = new Map(simulated.entries())
  const undone = await runToEnd(run, {
    directory: UNDO_DIRECTORY,
    disk,
    make: ({ database }, session) => undo(DIRECTORY, { ...options, database, disk: session }),
    lives,
    crashes: lives.undo?.crashes ?? [],
    bytesMax: undefined,
  })
  if (undone !== undefined) checkUndone(run, { start, after, between }, undone.rejects)
}

/** Of the last checkpoint that can be used; 0 where there is none. */
function sequenceOf(disk: SimulatedDisk, directory: string): number {
  try {
    return findCheckpoint(directory, disk.session().disk).checkpoint?.sequence ?? 0
  } catch {
    return 0
  }
}

interface Work {
  readonly directory: string
  readonly disk: SimulatedDisk
  readonly make: (client: Client, session: Session) => Job
  readonly lives: Lives
  readonly crashes: readonly Crash[]
  /** As of {@link Lives}. */
  readonly bytesMax: number | undefined
}

type Session = ReturnType<SimulatedDisk['session']>['disk']

interface Done {
  readonly summary: Summary
  /** Where the writes of each life begin in the log. */
  readonly beginnings: readonly number[]
  readonly rejects: readonly RejectLine[]
}

/** Life after life; undefined when it must not, or does not, come to an end. */
async function runToEnd(run: Run, work: Work): Promise<Done | undefined> {
  const { clock, service, failures, met } = run
  const { directory, disk, make, lives, bytesMax } = work
  disk.bytesLeft = bytesMax ?? Number.POSITIVE_INFINITY
  const crashes = [...work.crashes]
  const beginnings: number[] = []
  let client: Client = directory === DIRECTORY ? run.client : run.connect()
  let summary: Summary | undefined
  for (let life = 0; summary === undefined; life += 1) {
    if (life > FAILURES_MAX + work.crashes.length) {
      failures.add(`not done after ${life} lives`)
      return undefined
    }
    if (life > 0) client = run.connect()
    beginnings.push(service.log.writes.length)
    const session = disk.session()
    const crash = crashes.shift()
    const due = Symbol('due')
    const stop = new AbortController()
    const job = make(client, session.disk)
    run.said.push(job)
    const living = live(run, job, directory, life, session.disk, stop.signal)
    let end = await (crash === undefined ? living : Promise.race([living, sleep(clock, crash.afterMs).then(() => due)]))
    disk.bytesLeft = Number.POSITIVE_INFINITY
    if (typeof end === 'symbol' && crash!.what === 'signal') {
      met.add('stop')
      const stoppedAtMs = clock.now()
      stop.abort()
      end = await living
      failures.holds('it did not stop', clock.now() <= stoppedAtMs + STOP_MS_MAX)
    }
    if (typeof end === 'symbol') {
      client.vanish()
      session.kill()
      const before = sequenceOf(disk, directory)
      if (crash!.what === 'machine') {
        met.add('machine down')
        disk.crash()
      }
      run.again = { atMs: clock.now(), requests: service.log.requests.length, writes: service.log.writes.length }
      checkCheckpoint(run, disk, directory)
      // What was done since is done again, so that must not be more than what one checkpoint is behind.
      const sequence = sequenceOf(disk, directory)
      failures.holds(`checkpoint ${sequence} is left of ${before}`, sequence >= before - 1)
      await sleep(clock, crash!.downMs)
    } else if (end instanceof Error) {
      run.said.push(end)
      session.kill()
      if (/ENOSPC/.test(end.message)) met.add('full disk')
      if (!isExpected(end, lives, life, bytesMax)) throw end
      if (end instanceof HeadraceError && end.code === 'STATE') return undefined
      client.vanish()
      await sleep(clock, 10_000)
    } else if (end.complete) {
      summary = end
    } else {
      run.said.push(end)
      failures.same('stopped by', end.stoppedBy, 'signal')
      checkTally(run, end)
      client.vanish()
      await sleep(clock, crash!.downMs)
    }
  }
  run.said.push(summary)
  checkTally(run, summary)
  failures.same('not reached', summary.notReached, 0)
  const rejects = rejectsOf(disk, directory)
  failures.same('rejects in the file', rejects.length, summary.rejected)
  const { checkpoint } = findCheckpoint(directory, disk.session().disk)
  failures.same('complete, in the checkpoint', checkpoint?.complete, true)
  return { summary, beginnings, rejects }
}

function checkTally({ failures }: Run, summary: Summary): void {
  failures.same('the tally', settledOf(summary) + summary.notReached, summary.read)
}

/** One life of the job; an error where it ended in one. */
function live(
  { world }: Run,
  job: Job,
  directory: string,
  life: number,
  disk: Session,
  signal: AbortSignal,
): Promise<Summary | Error> {
  const processes = {
    own: { host: 'here', pid: life, began: `${world.seed}` },
    isAlive: ({ pid }: { pid: number }) => pid === life,
  }
  return job.run({ directory, disk, processes, signal }).catch((error: Error) => error)
}

function makeJob(run: Run, { table, database, clock }: Client, lives: Lives, input: LoadInput): Job {
  const { world, random } = run
  const { kind, once, adds, sources, slow, changes } = lives
  const { segments, concurrency } = world
  const { onReject: _, ...options } = world.options
  const keepOld = lives.undo !== undefined
  const reading = { segments, concurrency, ...options }
  switch (kind) {
    case 'load':
      return load(input.sources(clock, sources), table, { ...options, keepOld: lives.replaces })
    case 'generate':
      return generate(table, { ...options, items: world.records, template: templateOf(world) })
    case 'delete':
      return deleteAll(table, { ...reading, keepOld })
    case 'export':
      return exportTable(table, pathOf(lives), { segments, concurrency })
    case 'copy': {
      const made = (item: PlainItem) => (changes ? changesOf(transform(item, world), world) : transform(item, world))
      const later = (item: PlainItem) => sleep(clock, random() * 50).then(() => made(item))
      const copyOptions = { ...reading, transform: slow ? later : made }
      const target = database.table(TARGET)
      if (changes) return copyAs({ operation: 'run', makesChanges: true }, table, target, copyOptions)
      return copy(table, target, copyOptions)
    }
    case 'update':
      return updateAll(table, (item) => visit(item, adds), { ...reading, once, keepOld })
  }
}

/** By the version that an item has had from the start. */
function visit(item: PlainItem, adds: boolean): Edit {
  const kind = item['version'] % 10
  if (kind === 1) return undefined
  if (kind === 2) throw new Error('not this one')
  if (kind === 3) return 'delete'
  return adds ? { add: { count: 1 } } : { set: { seen: `v${item['version']}` } }
}

/** By the version: nothing, an error, one more with a key of its own, one without a key, or the item as it is. */
function transform(item: PlainItem, { key }: World): PlainItem | readonly PlainItem[] | undefined {
  const kind = item['version'] % 10
  const { name, type } = key.partition
  if (kind === 1) return undefined
  if (kind === 2) throw new Error('not this one')
  if (kind === 4) return [item, { version: item['version'] }]
  if (kind !== 3) return item
  const other =
    type === 'N' ? item[name] + 1_000_000 : type === 'B' ? Buffer.from([...item[name], 43]) : `${item[name]}+`
  return [{ ...item, [name]: other }, item]
}

/** Each is put, and then updated on condition that it was not, so that order and lost answers show. */
function changesOf(made: ReturnType<typeof transform>, { key }: World): readonly PlainItem[] {
  const items = made === undefined ? [] : Array.isArray(made) ? (made as PlainItem[]) : [made as PlainItem]
  const names = [key.partition, key.sort].flatMap((part) => (part === undefined ? [] : [part.name]))
  return items.flatMap((item): TableChange[] => {
    const update = Object.fromEntries(names.map((name) => [name, item[name]]))
    return [{ put: item }, { update, set: { seen: true }, expect: { seen: undefined } }]
  }) as unknown as readonly PlainItem[]
}

function kindOf(item: Attributes): number {
  return Number(item['version']!['N']) % 10
}

function templateOf({ key: { partition, sort } }: World): PlainItem {
  const made = (type: string): unknown => (type === 'N' ? '{{index}}' : 'item-{{index}}')
  const key =
    partition.type === 'B'
      ? { [partition.name]: Buffer.from('all'), [sort!.name]: made(sort!.type) }
      : {
          [partition.name]: made(partition.type),
          ...(sort === undefined ? {} : { [sort.name]: sort.type === 'N' ? 7 : 's' }),
        }
  return { ...key, version: '{{index}}', text: '{{hex 8}}' }
}

function addTarget({ service, world: { key, capacity } }: Run): SimulatedTable {
  return service.addTable({ name: TARGET, key, capacity })
}

function isExpected(error: Error, { once, adds, kind }: Lives, life: number, bytesMax: number | undefined): boolean {
  if (!(error instanceof HeadraceError)) return false
  if (['UNREACHABLE', 'NO_PROGRESS', 'CREDENTIALS'].includes(error.code)) return true
  if (error.code === 'CONFIGURATION' && /ENOSPC/.test(error.message)) return bytesMax !== undefined && life === 0
  return error.code === 'STATE' && /uses "add"/.test(error.message) && kind === 'update' && adds && !once
}

/** There is one that can be used, or none at all, and it is not ahead of what was made. */
function checkCheckpoint({ failures, service }: Run, disk: SimulatedDisk, directory: string): void {
  try {
    const { checkpoint } = findCheckpoint(directory, disk.session().disk)
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

export interface RejectLine {
  readonly code: string
  readonly message: string
  readonly place: string
  /** In DynamoDB JSON. */
  readonly item?: { readonly [name: string]: unknown }
}

function rejectsOf(disk: SimulatedDisk, directory: string): RejectLine[] {
  const text = disk.read(`${directory}/rejects.jsonl`)?.toString() ?? ''
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

/** So many items, each the same as often as it was made. */
function checkGenerated({ simulated, failures, service, world }: Run): void {
  failures.same('items', simulated.size, world.records)
  const versions = new Set([...simulated.entries()].map(([, item]) => item['version']?.['N']))
  failures.same('versions', versions.size, world.records)
  const made = new Map<string, Attributes>()
  for (const { key, after } of service.log.writes) {
    const before = made.get(key)
    if (before !== undefined && !isSame(before, after)) failures.add(`${key} was made otherwise the second time`)
    made.set(key, after!)
  }
}

function checkCopied(
  run: Run,
  { changes }: Lives,
  target: SimulatedTable,
  start: ReadonlyMap<string, Attributes>,
  rejects: readonly RejectLine[],
): void {
  const { failures, records, world } = run
  const model: Model = new Map()
  const refused: string[] = []
  const seen = changes ? { seen: { BOOL: true } } : {}
  for (const [key, item] of start) {
    const kind = kindOf(item)
    if (kind === 2 || kind === 4) refused.push(key)
    if (kind === 1 || kind === 2) continue
    model.set(key, { ...item, ...seen })
    if (kind !== 3) continue
    for (const one of transform(decodeItem(item), world) as PlainItem[])
      model.set(records.keyText(one), { ...wireOf(one), ...seen })
  }
  checkTable({ ...run, simulated: target }, model, 'in the target')
  failures.same('rejects', rejects.length, refused.length)
  failures.same('rejects told twice', new Set(rejects.map(({ place }) => place)).size, rejects.length)
}

function pathOf({ gzip, xml, csv }: Lives): string {
  return `${FILE}${xml ? '.xml' : csv ? '.csv' : '.jsonl'}${gzip ? '.gz' : ''}`
}

function checkFile(
  { failures, records }: Run,
  disk: SimulatedDisk,
  start: ReadonlyMap<string, Attributes>,
  lives: Lives,
): void {
  const path = pathOf(lives)
  const bytes = disk.read(path) ?? Buffer.alloc(0)
  // Nothing packed is nothing at all.
  const text = (lives.gzip && bytes.length > 0 ? gunzipSync(bytes) : bytes).toString()
  failures.holds('a part is left', disk.read(`${path}.part`) === undefined)
  const isCsv = lives.csv && !lives.xml
  if (isCsv) failures.holds('what was gathered is left', disk.read(`${DIRECTORY}/items.jsonl`) === undefined)
  const lines = isCsv ? csvRecords(text) : text.split('\n').filter((line) => line !== '')
  if (lives.xml) {
    checkXml(text, failures)
    // Declaration and root are lines of their own.
    lines.splice(0, 2)
    lines.pop()
  }
  const keys = lives.xml || isCsv ? lines : lines.map((line) => records.keyText(decodeItem(JSON.parse(line).Item)))
  failures.same('lines of the file', lines.length, start.size)
  failures.same('keys in the file', new Set(keys).size, start.size)
}

/** Without the header. */
function csvRecords(text: string): string[] {
  return (parse(text) as string[][]).slice(1).map((cells) => JSON.stringify(cells))
}

function checkXml(document: string, failures: Run['failures']): void {
  const parser = new SaxesParser()
  parser.on('error', ({ message }) => failures.add(`the file is no XML: ${message}`))
  parser.write(document).close()
}
