import { type Edit, type JobReject, type PlainItem, type Summary, updateAll, type Visitor } from '../../src/index.ts'
import { settledOf } from '../../src/job/tally.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { type Attributes, isSame } from '../../src/simulator/attributes.ts'
import type { WriteRecord } from '../../src/simulator/writeLog.ts'
import { checkEnd, describe } from './checkers.ts'
import type { Client } from './client.ts'
import { checkHopeless } from './publishJob.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'
import { survive } from './survive.ts'
import type { World } from './world.ts'

/** Every item through a visitor, while an application writes to the same table. */
export async function runUpdate(run: Run): Promise<void> {
  const { world, clock, service, simulated, records, failures, random } = run
  const items = Array.from({ length: world.keys }, (_, index) => records.item(records.key(index), index))
  simulated.fill(items.map(wireOf))
  const start = new Map(simulated.entries())
  let rejects: JobReject[] = []
  const stop = new AbortController()
  if (world.stopAtMs !== undefined) clock.setTimer(() => stop.abort(), world.stopAtMs)
  const startedAtMs = clock.now()
  const slow = random() < 0.3
  let over = false
  const application = writeFromBeside(run, start, () => over)
  let failure: unknown
  let progress!: () => Summary
  const work = (client: Client): Promise<Summary> => {
    rejects = []
    const visitor = visitorOf(run, client, slow)
    const job = updateAll(client.table, visitor, {
      ...world.options,
      ...(world.stuckVisits ? { visitTimeoutMs: VISIT_MS } : {}),
      segments: world.segments,
      concurrency: world.concurrency,
      onReject: (reject) => void rejects.push(reject),
    })
    progress = () => job.progress
    run.said.push(job)
    return job.run({ signal: stop.signal }).catch((error: unknown) => {
      failure = error
      return job.progress
    })
  }
  const summary = await survive(run, work, () => {
    const { written } = progress()
    const made = service.log.writes.filter(({ requestId }) => requestId !== 'application').length
    const doubt = deletionsBeside(run)
    failures.holds(`${written} acknowledged at the crash, of ${made} that were made`, written <= made + doubt)
  })
  run.said.push(failure, summary, ...rejects.map(({ code, message, place }) => ({ code, message, place })))
  over = true
  const endedAtMs = clock.now()
  await application
  const { read, written, rejected, notReached } = summary
  failures.same('the tally', settledOf(summary) + notReached, read)
  failures.same('rejects told', rejects.length, rejected)
  const updates = checkEdits(run)
  if (world.hopeless !== undefined) {
    if (failure !== undefined) return checkHopeless(run, failure)
  } else if (failure !== undefined) throw failure
  if (stop.signal.aborted) {
    failures.holds('an update did not stop', endedAtMs <= world.stopAtMs! + 31_000)
    return
  }
  checkEnd(run, run.again?.atMs ?? startedAtMs, world.keys * 50 + (world.stuckVisits ? 20 * VISIT_MS : 0))
  failures.same('not reached', notReached, 0)
  checkApplied(run, start)
  // What others deleted after a try of ours whose end is not known counts as ours where deleting was asked for, and not
  // where it was not; and what the client before had under way when it vanished may be taken for our own.
  const own = updates.filter(({ requestId }) => Number(requestId.slice(1)) >= (run.again?.requests ?? 0))
  const late = service.log.writes.slice(run.again?.writes ?? 0).length - own.length
  // What was made although its answer was lost, and was then changed beside, is decided on and made again.
  const twice = own.length - new Set(own.map(({ key }) => key)).size
  const doubt = deletionsBeside(run) + twice + (run.again === undefined ? 0 : late)
  if (Math.abs(written - own.length) > doubt) failures.same('written', written, own.length)
  for (const { code, place } of rejects) {
    failures.holds(
      `${place} was rejected: ${code}`,
      code === 'VisitorFailed' || (code === 'Conflict' && world.besideEveryMs > 0),
    )
  }
}

/** In worlds where some visits never settle, the others must do so within this time. */
const VISIT_MS = 2_000

function deletionsBeside({ world, service }: Run): number {
  if (world.besideEveryMs === 0) return 0
  return service.log.writes.filter(({ requestId, after }) => requestId === 'application' && after === undefined).length
}

/** The attribute that says that an item was visited. */
function nameFor({ names }: World, version: number): string {
  return names[version % names.length]!
}

function isSeen(world: World, item: PlainItem): boolean {
  return item[nameFor(world, item['version'])] !== undefined
}

function visitorOf({ world, random }: Run, client: Client, slow: boolean): Visitor {
  return (item) => {
    if (world.stuckVisits && isStuck(item['version'])) return new Promise(() => undefined)
    // What is to be run again after a crash looks first whether it is done.
    const edit = (): Edit => (world.crash !== undefined && isSeen(world, item) ? undefined : visit(world, item))
    return slow ? sleep(client.clock, random() * 50).then(edit) : edit()
  }
}

function isStuck(version: number): boolean {
  return version % 50 === 7
}

/** By the version that an item has had from the start: leave, fail on, delete, or count up and say so. */
function visit(world: World, item: PlainItem): Edit {
  const { version } = item
  const kind = version % 10
  if (kind === 1) return undefined
  if (kind === 2) throw new Error('not this one')
  if (kind === 3) return 'delete'
  return { add: { count: 1 }, set: { [nameFor(world, version)]: `v${version}` }, remove: kind === 4 ? ['group'] : [] }
}

/** An application that changes, deletes and makes items, never by the way that is tested. */
async function writeFromBeside(run: Run, start: ReadonlyMap<string, Attributes>, isOver: () => boolean): Promise<void> {
  const { world, clock, service, records, random } = run
  const { besideEveryMs } = world
  if (besideEveryMs === 0) return
  for (let turn = 0; turn < 300 && !isOver(); turn += 1) {
    await sleep(clock, random() * 2 * besideEveryMs)
    if (isOver() || !service.tables.has('things')) return
    const plainKey = records.someKey()
    const key = wireOf(plainKey)
    // What was read before it was deleted and made again asks for the same edit.
    const { version } = start.get(records.keyText(plainKey))!
    const die = random()
    service.writeFromBeside('things', key, (item) => {
      if (die < 0.1) return undefined
      if (item === undefined) return die < 0.3 ? { ...key, version, made: { N: `${turn}` } } : undefined
      const count = Number(item['count']?.['N'] ?? 0)
      // Where an answer may be lost, nobody could tell this from an update of ours that was made.
      const changes = world.ambiguous ? {} : { count: { N: `${count + 1_000}` } }
      return { ...item, ...changes, beside: { N: `${turn}` } }
    })
  }
}

/** Each write of ours is an edit that the visitor asked for, of the item as it was just then, and touches nothing else. */
function checkEdits({ service, failures, world }: Run): WriteRecord[] {
  const updates = service.log.writes.filter(({ requestId }) => requestId !== 'application')
  for (const write of updates) {
    const { before, after } = write
    if (before === undefined) {
      failures.add(`an item was brought back: ${describe(write)}`)
      continue
    }
    const expected = edited(world, before)
    const asked = expected !== 'nothing' && isSame(after, expected)
    if (!asked) failures.add(`nobody asked for this: ${describe(write)}`)
  }
  return updates
}

function edited(world: World, item: Attributes): Attributes | undefined | 'nothing' {
  const version = Number(item['version']!['N'])
  const kind = version % 10
  if (kind === 1 || kind === 2 || (world.stuckVisits && isStuck(version))) return 'nothing'
  if (kind === 3) return undefined
  const count = Number(item['count']?.['N'] ?? 0) + 1
  const after = { ...item, count: { N: `${count}` }, [nameFor(world, version)]: { S: `v${version}` } }
  if (kind === 4) delete (after as { [name: string]: unknown })['group']
  return after
}

/** Every item that was there from first to last was changed once; none was changed twice. */
function checkApplied({ service, failures, simulated, world }: Run, start: ReadonlyMap<string, Attributes>): void {
  const times = new Map<string, number>()
  const fromBeside = new Map<string, number>()
  for (const { key, requestId, before } of service.log.writes) {
    if (requestId !== 'application') times.set(key, (times.get(key) ?? 0) + 1)
    else fromBeside.set(key, (fromBeside.get(key) ?? 0) + 1)
    // Made again by others, it is another item, and may be changed as well.
    if (before === undefined) times.delete(key)
  }
  const now = new Map(simulated.entries())
  for (const [key, item] of start) {
    const changes = fromBeside.get(key) ?? 0
    const wanted = edited(world, item) === 'nothing' ? 0 : 1
    const applied = times.get(key) ?? 0
    if (changes === 0) failures.same(`times that ${key} was changed`, applied, wanted)
    else failures.holds(`${key} was changed ${applied} times`, applied <= 1)
    // An item written by others each time, or deleted by them, may have been left.
    const lost = changes > 0 && changes < 8 && applied === 0 && wanted === 1 && now.has(key)
    const deleted = service.log.writes.some((write) => write.key === key && write.after === undefined)
    if (lost && !deleted) failures.add(`${key} was not changed`)
  }
}
