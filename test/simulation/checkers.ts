import { isSame } from '../../src/simulator/attributes.ts'
import type { WriteRecord } from '../../src/simulator/writeLog.ts'
import { type Ask, isOf, type Model } from './ask.ts'
import type { Run } from './run.ts'

// The checkers read the simulator's log and tables, and what the job said of itself; never the engine's inside.

/** The table holds this, and nothing else. */
export function checkTable({ simulated, failures }: Run, expected: Model, when: string): void {
  const left = new Map(expected)
  for (const [key, item] of simulated.entries()) {
    const wanted = left.get(key)
    left.delete(key)
    if (wanted === undefined) failures.add(`${when}: the table holds ${key}, which should not be there`)
    else if (!isSame(item, wanted)) {
      failures.add(`${when}: ${key} is ${show(item)}, not ${show(wanted)}`)
    }
  }
  for (const key of left.keys()) failures.add(`${when}: the table has lost ${key}`)
}

/** Nothing was written that was not asked for, and for each key in the order in which it was asked for. */
export function checkOrder(
  { service, failures }: Run,
  asks: readonly Ask[],
  writes: readonly WriteRecord[] = service.log.writes,
): void {
  const asked = new Map<string, Ask[]>()
  for (const ask of asks) {
    const list = asked.get(ask.key)
    if (list === undefined) asked.set(ask.key, [ask])
    else list.push(ask)
  }
  const reached = new Map<string, number>()
  for (const write of writes) {
    const list = asked.get(write.key) ?? []
    let index = reached.get(write.key) ?? 0
    while (index < list.length && !isOf(write, list[index]!)) index += 1
    if (index === list.length) failures.add(`written out of order, or never asked for: ${describe(write)}`)
    else reached.set(write.key, index)
  }
}

/** So many of the records are in the table, or a later one of their key is: more cannot be acknowledged. */
export function acknowledgedMost({ service }: Run, asks: readonly Ask[]): number {
  const written = new Map<string, WriteRecord[]>()
  for (const write of service.log.writes) {
    const list = written.get(write.key)
    if (list === undefined) written.set(write.key, [write])
    else list.push(write)
  }
  const stands = new Set<string>()
  let most = 0
  for (const ask of [...asks].reverse()) {
    if (written.get(ask.key)?.some((write) => isOf(write, ask)) === true) stands.add(ask.key)
    if (stands.has(ask.key)) most += 1
  }
  return most
}

/** Nothing is under way when a job says that it has ended, and it ended soon after the faults did. */
export function checkEnd(run: Run, startedAtMs: number, workMs: number): void {
  const { world, clock, service, failures } = run
  failures.same('requests under way at the end', service.requestsUnderWay, 0)
  const deadlineMs = Math.max(world.quietAtMs, startedAtMs) + endBoundMs(run, workMs)
  if (clock.now() > deadlineMs) {
    failures.add(`ended at ${Math.round(clock.now())} ms, more than ${Math.round(deadlineMs)} ms`)
  }
}

/**
 * Backoff may be at its longest, 20 s, when the faults stop, and a request may just have begun to stall. The rest is the
 * work, with room for throttles and what was tried in vain.
 */
function endBoundMs({ world, service, simulated }: Run, workMs: number): number {
  const units = { read: 0, write: 0 }
  for (const { readUnits, writeUnits } of service.log.requests) {
    units.read += readUnits
    units.write += writeUnits
  }
  const { capacity, indexes } = simulated
  const writeRates = [capacity, ...indexes.map((index) => index.capacity)].map((one) => one.rate('write'))
  const writeRate = Math.min(...writeRates, world.options.writeUnitsPerSecond ?? Number.POSITIVE_INFINITY, 1_000)
  const readRate = Math.min(capacity.rate('read'), 3_000)
  // With one in flight, or room for one, each waits out linger and latency.
  const { medianMs = 10, sigma = 0.5 } = world.latency
  const turnMs = (world.options.lingerMs ?? 5) + 2 * medianMs * Math.exp(sigma)
  return 60_000 + workMs + world.records * turnMs + 3_000 * (units.read / readRate + units.write / writeRate)
}

/** What the job says of its units and requests is what the log says. */
export function checkWriteStats(
  { service, failures, again, world }: Run,
  stats: { requests: number; writeUnits: number; throttledRequests: number; failedRequests: number },
): void {
  const requests = service.log.requests.slice(again?.requests ?? 0)
  const writes = requests.filter(({ operation }) => /^(?:Batch|Update|Delete)/.test(operation))
  const answered = writes.filter(({ answeredAtMs }) => answeredAtMs !== undefined)
  const stored = answered.filter(({ error }) => error === '')
  // What could not be signed was not sent.
  if (world.sessionOver === undefined) failures.same('requests', stats.requests, writes.length)
  else failures.holds(`${stats.requests} requests, ${writes.length} sent`, stats.requests >= writes.length)
  failures.same(
    'write units',
    stats.writeUnits,
    stored.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
  )
  failures.same('throttled requests', stats.throttledRequests, answered.filter(({ error }) => isThrottle(error)).length)
}

function isThrottle(error: string): boolean {
  return error === 'ThrottlingException' || error === 'ProvisionedThroughputExceededException'
}

/** Updates that were refused after a lost answer are looked at so many at a time. */
const READS_AGAIN_MAX = 16

/** No more requests at once than asked for, and where no unit was spent unseen, no more units in any time than allowed. */
export function checkRequests({ world, service, failures }: Run): void {
  const { maxInFlight = 1_000, writeUnitsPerSecond: rate } = world.options
  if (world.job === 'publish' || world.job === 'load') {
    const most = maxInFlight + (world.job === 'publish' ? READS_AGAIN_MAX : 0)
    failures.holds(`${service.log.inFlightMax} requests at once`, service.log.inFlightMax <= most)
  }
  if (rate === undefined || world.ambiguous || world.job === 'update') return
  // A bucket as the promise has it: a second's worth may be saved, and one request may overdraw it by what it is.
  let used = 0
  let atMs = 0
  let largest = 0
  for (const { sentAtMs, writeUnits } of service.log.requests) {
    used = Math.max(0, used - ((sentAtMs - atMs) / 1_000) * rate) + writeUnits
    atMs = sentAtMs
    largest = Math.max(largest, writeUnits)
  }
  failures.holds(`${used} units beyond ${rate} a second`, used <= rate + largest * 2)
}

/** Requests a second that may be throttled for want of units, reads and writes, and so many more to find a rate. */
const THROTTLES_PER_SECOND = 60
const THROTTLES_MORE = 300

/** A table that has too little is not asked again and again for what it has not. */
export function checkFuel({ world, clock, service, failures }: Run): void {
  // What is throttled at random, or for ever, says nothing of how much was asked for.
  if (world.hopeless !== undefined || world.faults.partThrottleShare !== undefined) return
  const { length } = service.log.requests.filter(
    ({ fault, error, throttledItems }) => fault === '' && (isThrottle(error) || throttledItems > 0),
  )
  const most = THROTTLES_MORE + THROTTLES_PER_SECOND * (clock.now() / 1_000)
  failures.holds(`${length} requests were throttled, more than ${Math.round(most)}`, length <= most)
}

/** A client waits so long for new credentials: what was let go before then is sent by then, whatever was said meanwhile. */
const CREDENTIALS_MS = 20

/** Whoever is told to wait sends nothing of the kind before that time is over. */
export function checkRetryAfter({ world, service, failures }: Run): void {
  const { retryAfterMs, untilMs = Number.POSITIVE_INFINITY } = world.faults
  if (retryAfterMs === undefined || world.hopeless !== undefined || world.crash !== undefined) return
  const renewed = service.log.requests.some(({ error }) => error === 'ExpiredTokenException')
  const goneMs = renewed ? CREDENTIALS_MS : 0
  for (const pattern of [/^(?:Batch|Update|Delete)/, /^Scan/]) {
    const requests = service.log.requests.filter(({ operation }) => pattern.test(operation))
    const told = requests.filter(
      ({ error, answeredAtMs, servedAtMs }) => isThrottle(error) && answeredAtMs !== undefined && servedAtMs! < untilMs,
    )
    for (const { id, answeredAtMs } of told) {
      const early = requests.find(
        ({ sentAtMs }) => sentAtMs > answeredAtMs! + goneMs && sentAtMs < answeredAtMs! + retryAfterMs - 0.001,
      )
      if (early === undefined) continue
      failures.add(`${early.id} was sent ${early.sentAtMs - answeredAtMs!} ms after ${id} asked for ${retryAfterMs}`)
      return
    }
  }
}

export function describe({ atMs, key, kind, requestId, before, after }: WriteRecord): string {
  return `${kind} of ${key} at ${atMs.toFixed(1)} ms by ${requestId}: ${show(before)} -> ${show(after)}`
}

function show(item: unknown): string {
  const text = JSON.stringify(item) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 157)}…` : text
}
