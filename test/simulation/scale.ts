// npm run scale -- --records 1000000: so many publishers, each a process of its own with its own connections and rates, write records
// of 200 bytes to one simulated table at the same time, as the partitions of a Spark job do. In virtual time; prints when the table took
// how much, what was throttled and what it would cost, and fails where a record was lost or written twice by an acknowledged request.
import { parseArgs } from 'node:util'
import { connect, type PublisherOptions, sharedRate } from '../../src/index.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { SimulatedService } from '../../src/simulator/simulatedService.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    // Two on each of a thousand hosts.
    publishers: { type: 'string', default: '2000' },
    // What the table is provisioned with, or ready for on demand: the quota of a table by default.
    units: { type: 'string', default: '40000' },
    billing: { type: 'string', default: 'provisioned' },
    // Each its share; all of it, shared by counters; or each by itself finds out what it gets.
    rate: { type: 'string', default: 'share' },
    // Milliseconds of CPU that each record takes before it is published: making it and its object.
    work: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
})
const records = Number(values.records)
const publishers = Number(values.publishers)
const units = Number(values.units)
const workMs = Number(values.work)
const seed = Number(values.seed)
const billing = values.billing === 'provisioned' ? 'provisioned' : 'on demand'
/** Tasks of a stage do not begin all at once. */
const START_MS = 10_000
/** Dollars for a million write units on demand, and for a unit provisioned for an hour, in us-east-1 (price list, 2026). */
const ON_DEMAND_DOLLARS = 0.625
const PROVISIONED_DOLLARS = 0.00065

const clock = new VirtualClock()
const service = new SimulatedService({ clock, random: seededRandom(seed), keepsLog: false })
service.addTable({
  name: 'records',
  key: { partition: { name: 'pk', type: 'S' } },
  keepsItems: false,
  capacity: {
    billing,
    burstSeconds: 0,
    ...(billing === 'provisioned'
      ? { writeUnitsPerSecond: units }
      : { warmWriteUnitsPerSecond: units, partitions: Math.ceil(units / 1_000) }),
  },
})
service.addTable({ name: 'control', key: { partition: { name: 'pk', type: 'S' } }, capacity: { billing: 'on demand' } })

const perPublisher = Math.floor(records / publishers)
const written = new Uint8Array(publishers * perPublisher)
const perSecond: number[] = []
const noteOnly = service.log.write.bind(service.log)
service.log.write = (record) => {
  noteOnly(record)
  if (record.table !== 'records') return
  const second = Math.floor(record.atMs / 1_000)
  while (perSecond.length <= second) perSecond.push(0)
  perSecond[second]! += 1
  const { N } = record.after!['number'] as unknown as { N: string }
  written[Number(N)]! += 1
}

/** One partition of the job: a process of its own. */
async function publish(index: number): Promise<number> {
  const random = seededRandom(seed * 1_000_003 + index)
  const database = connect({
    endpoint: 'https://dynamodb.us-east-1.amazonaws.com',
    region: 'us-east-1',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    transport: service,
    clock,
    random,
  })
  const rates: PublisherOptions =
    values.rate === 'share'
      ? { writeUnitsPerSecond: units / publishers }
      : values.rate === 'shared'
        ? {
            writeUnitsPerSecond: Number.POSITIVE_INFINITY,
            sharedWriteRate: sharedRate(database.table('control'), {
              name: 'records',
              unitsPerSecond: units,
              workersMax: publishers,
            }),
          }
        : {}
  await sleep(random() * START_MS)
  const publisher = database.table('records').publisher({ maxInFlight: 200, maxQueueSize: 1_000, ...rates })
  const text = 'x'.repeat(120)
  let owedMs = 0
  for (let count = 0; count < perPublisher; count += 1) {
    const number = index * perPublisher + count
    // As a CPU is busy: the publisher works beside it, in a process of its own.
    owedMs += workMs
    if (owedMs >= 100) {
      await sleep(owedMs)
      owedMs = 0
    }
    if (!publisher.put({ pk: `record-${number}`, number, text })) await publisher.ready
  }
  await publisher.close()
  // The simulated service is the connection of all of them, and stays open.
  return publisher.stats.retried
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, ms))
}

const ends: number[] = []
const began = process.hrtime.bigint()
const retried = await clock.run(
  Promise.all(
    Array.from({ length: publishers }, async (_, index) => {
      const again = await publish(index)
      ends.push(clock.now() / 1_000)
      return again
    }),
  ),
  { virtualMsMax: 30 * 24 * 3_600_000, stepsMax: Number.MAX_SAFE_INTEGER },
)
const tookSeconds = Number(process.hrtime.bigint() - began) / 1e9

const all = publishers * perPublisher
let missing = 0
let twice = 0
for (const times of written) {
  if (times === 0) missing += 1
  else if (times > 1) twice += 1
}
const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0)
const { requests, throttledRequests, partlyThrottledRequests } = service.log.counts
const lastSecond = ends.at(-1)!
// From when all have begun to when the first has ended.
const steady = perSecond.slice(START_MS / 1_000 + 5, Math.floor(ends[0]!))
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`
const units2 = (value: number): string => Math.round(value).toLocaleString('en')
console.log(
  `${all.toLocaleString('en')} records by ${publishers.toLocaleString('en')} publishers (--rate ${values.rate}), ${billing}, ${units.toLocaleString('en')} write units/s`,
)
console.log(
  `virtual time ${lastSecond.toFixed(0)} s; the first publisher ended after ${ends[0]!.toFixed(0)} s, half of them after ${ends[publishers >> 1]!.toFixed(0)} s`,
)
if (steady.length > 0)
  console.log(
    `while all wrote: ${units2(sum(steady) / steady.length)} units/s, ${percent(sum(steady) / steady.length / units)} of the rate; in a second ${units2(Math.min(...steady))} to ${units2(Math.max(...steady))}`,
  )
console.log(`over all: ${units2(all / lastSecond)} units/s; the busiest second ${units2(Math.max(...perSecond))}`)
console.log(
  `requests ${requests.toLocaleString('en')}, throttled ${percent((throttledRequests + partlyThrottledRequests) / requests)}; entries sent again ${sum(retried).toLocaleString('en')}`,
)
console.log(
  `cost: ${((all / 1e6) * ON_DEMAND_DOLLARS).toFixed(2)} dollars on demand; ${(units * Math.ceil(lastSecond / 3_600) * PROVISIONED_DOLLARS).toFixed(2)} provisioned for that time, by the hour`,
)
console.log(
  `missing ${missing}, written more than once ${twice}; ${tookSeconds.toFixed(0)} s on this machine, peak RSS ${Math.round(process.resourceUsage().maxRSS / 1_024)} MiB`,
)
if (missing > 0) process.exitCode = 1
