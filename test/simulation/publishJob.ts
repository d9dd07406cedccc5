import { HeadraceError, type PlainItem, type Publisher, type Reject } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { type Ask, applyAsk, type Model } from './ask.ts'
import { checkEnd, checkOrder, checkTable, checkWriteStats } from './checkers.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'

/** Producers put, delete and update, with pauses, and flush now and then. */
export async function runPublish(run: Run): Promise<void> {
  const { world, clock, simulated, table, failures } = run
  const model = startModel(run)
  const asks: Ask[] = []
  const rejects: Reject[] = []
  const startedAtMs = clock.now()
  const publisher = table.publisher({ ...world.options, onReject: (reject) => void rejects.push(reject) })
  const producers = 1 + Math.floor(run.random() * 3)
  let over = false
  const watch = watchStats(run, publisher, producers, () => over)
  let failure: unknown
  try {
    const work = Array.from({ length: producers }, (_, index) =>
      produce(run, publisher, Math.ceil(world.records / producers), asks, index === 0),
    )
    await Promise.all(work)
    await publisher.close()
  } catch (error) {
    failure = error
  } finally {
    over = true
    await watch
  }
  run.said.push(failure, publisher, publisher.stats, ...rejects.map(({ code, message }) => ({ code, message })))
  checkOrder(run, asks)
  if (world.hopeless !== undefined) {
    if (failure !== undefined) return checkHopeless(run, failure)
  } else if (failure !== undefined) throw failure
  const missing = new Map<string, number>()
  for (const ask of asks) {
    if (!applyAsk(model, ask) && ask.kind === 'update') missing.set(ask.key, (missing.get(ask.key) ?? 0) + 1)
  }
  if (simulated.status === 'ACTIVE' && run.service.tables.has('things')) checkTable(run, model, 'at the end')
  checkEnd(run, startedAtMs, world.records * PAUSE_MS * 0.1)
  const { stats } = publisher
  checkWriteStats(run, stats)
  failures.same('taken', stats.taken, asks.length)
  failures.same('stored and rejected', stats.stored + stats.rejected + stats.conflicted, asks.length)
  failures.same('rejects told', rejects.length, stats.rejected + stats.conflicted)
  checkRejects(run, asks, rejects, missing)
}

/** What the table holds before the job. */
export function startModel({ simulated, records, random, world }: Run): Model {
  const items: PlainItem[] = []
  for (let index = 0; index < world.keys; index += 1) {
    if (random() < 0.3) items.push(records.item(records.key(index), -1 - index))
  }
  simulated.fill(items.map(wireOf))
  return new Map(simulated.entries())
}

async function produce(run: Run, publisher: Publisher, count: number, asks: Ask[], flushes: boolean): Promise<void> {
  const { random, clock } = run
  for (let index = 0; index < count; index += 1) {
    const room = askFor(run, publisher, asks)
    if (!room) await publisher.ready
    if (random() < 0.02) await sleep(clock, random() * PAUSE_MS)
    if (flushes && random() < 0.01) await checkFlush(run, publisher, asks)
  }
}

const PAUSE_MS = 500

function askFor({ world, records, random }: Run, publisher: Publisher, asks: Ask[]): boolean {
  const key = records.someKey()
  const text = records.keyText(key)
  const die = random()
  const poison = world.indexes.length > 0 && random() < world.poisonShare
  const version = asks.length
  if (die < 0.65) {
    const item = records.item(key, version)
    // What the client cannot see: the index wants a text.
    const put = poison ? { ...item, group: 5 } : random() < world.invalidShare ? { ...item, sk: true, pk: true } : item
    const invalid = put !== item && !poison
    asks.push({ kind: 'put', key: text, attributes: wireOf(item), invalid, poison })
    return publisher.put(put)
  }
  if (die < 0.85) {
    asks.push({ kind: 'delete', key: text, attributes: {}, invalid: false, poison: false })
    return publisher.delete(key)
  }
  const set: { [name: string]: unknown } = { version, group: poison ? 5 : `g${version}` }
  if (random() < 0.3 && !poison) delete set['group']
  const name = world.names[version % world.names.length]!
  if (name !== 'seen') set[name] = `v${version}`
  asks.push({ kind: 'update', key: text, attributes: wireOf(set), invalid: false, poison })
  return publisher.update(key, { set: set as never })
}

/** When `flush` has resolved, all that was asked for before is in the table. */
async function checkFlush(run: Run, publisher: Publisher, asks: readonly Ask[]): Promise<void> {
  const count = asks.length
  await publisher.flush()
  const last = new Map<string, Ask>()
  for (const ask of asks.slice(0, count)) if (!ask.invalid && !ask.poison) last.set(ask.key, ask)
  for (const ask of asks.slice(count)) last.delete(ask.key)
  const items = new Map(run.simulated.entries())
  for (const { kind, key, attributes } of last.values()) {
    if (kind === 'delete') run.failures.holds(`flushed, but ${key} is still there`, !items.has(key))
    if (kind === 'put') {
      const version = JSON.stringify(items.get(key)?.['version'])
      run.failures.same(`flushed ${key}`, version, JSON.stringify(attributes['version']))
    }
  }
}

/** While some part of the table is hot, so many times the queue's size may wait for that, besides what waits for the rest. */
const ASIDE_QUEUE_FACTOR = 10

/** At every moment the counts add up, and no more waits than may. */
async function watchStats(
  { clock, world, failures, random, service }: Run,
  publisher: Publisher,
  producers: number,
  isOver: () => boolean,
): Promise<void> {
  const { maxQueueSize = 10_000, maxInFlight = 1_000, maxQueueBytes = 64 * 1_048_576 } = world.options
  // With the names of its attributes, a statement's text, and what stands for a batch.
  const entryBytesMax = world.itemBytesMax + 1_500
  const everyMs = 5 + random() * 400
  while (!isOver()) {
    const { taken, stored, rejected, conflicted, buffered, bufferedBytes, inFlight } = publisher.stats
    if (world.hopeless === undefined) {
      failures.same('counts at one moment', stored + rejected + conflicted + buffered + inFlight, taken)
    }
    failures.holds(`${inFlight} in flight`, inFlight <= maxInFlight)
    // What comes back from the service is let in again, whatever the bound.
    const { throttledRequests, partlyThrottledRequests } = service.log.counts
    // An item of BatchWriteItem that fails within the service comes back like one that was throttled.
    const hot = throttledRequests + partlyThrottledRequests > 0 || (world.faults.partFailureShare ?? 0) > 0
    const size = hot ? maxQueueSize * (1 + ASIDE_QUEUE_FACTOR) : maxQueueSize
    failures.holds(`${buffered} buffered`, buffered <= size + maxInFlight + producers)
    const bytesMax = maxQueueBytes + (maxInFlight + producers) * entryBytesMax
    failures.holds(`${bufferedBytes} bytes buffered, of ${bytesMax}`, bufferedBytes <= bytesMax)
    await sleep(clock, everyMs)
  }
}

/** Each reject is of something that cannot be stored, and each that cannot was told of, unless a later one took its place. */
function checkRejects(
  { records, failures }: Run,
  asks: readonly Ask[],
  rejects: readonly Reject[],
  missing: ReadonlyMap<string, number>,
): void {
  failures.same(
    'invalid items told of',
    rejects.filter(({ code }) => code === 'InvalidItem').length,
    asks.filter(({ invalid }) => invalid).length,
  )
  const told = new Map<string, number>()
  for (const { code, kind, item } of rejects) {
    if (code === 'InvalidItem') continue
    const key = `${kind} ${records.keyText(item!)}`
    told.set(key, (told.get(key) ?? 0) + 1)
  }
  for (const [key, count] of missing) failures.same(`rejected updates of ${key}`, told.get(`update ${key}`) ?? 0, count)
  const poisoned = asks.filter(({ poison, kind }) => poison && kind === 'put')
  const possible = new Map<string, number>()
  for (const { key } of poisoned) possible.set(`put ${key}`, (possible.get(`put ${key}`) ?? 0) + 1)
  for (const [key, count] of told) {
    if (key.startsWith('update')) continue
    failures.holds(`${count} rejects of ${key}`, count <= (possible.get(key) ?? 0))
  }
  const last = new Map(asks.map((ask) => [ask.key, ask]))
  for (const ask of last.values()) {
    if (ask.poison && ask.kind === 'put') {
      failures.holds(`nobody was told of ${ask.key}`, (told.get(`put ${ask.key}`) ?? 0) > 0)
    }
  }
}

/** It gave up, for the right reason, and in time. */
export function checkHopeless({ world, clock, failures }: Run, failure: unknown): void {
  const { fromMs, why } = world.hopeless!
  const code = failure instanceof HeadraceError ? failure.code : `${failure}`
  // Whoever has to look at an item again may be the first to lose patience.
  const right =
    // One who looks at an item again may be worn out by throttles just before the table goes.
    why === 'table gone' && world.quietAtMs < fromMs
      ? world.job === 'update'
        ? ['TABLE', 'UNREACHABLE']
        : ['TABLE']
      : why === 'table gone'
        ? ['TABLE', 'NO_PROGRESS', ...(world.job === 'update' ? ['UNREACHABLE'] : [])]
        : world.job === 'load'
          ? ['NO_PROGRESS']
          : ['NO_PROGRESS', 'UNREACHABLE']
  failures.holds(`gave up because of ${code}, not ${right[0]}`, right.includes(code))
  const { patienceMs = 600_000 } = world.options
  // Backoff is 20 s at most, an answer comes within 10 s; and time begins when something was stored last.
  const boundMs = Math.max(fromMs, 0) + (why === 'table gone' ? 0 : patienceMs) + 60_000
  failures.holds(`gave up only at ${Math.round(clock.now())} ms`, clock.now() <= boundMs)
}
