import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BUILT_IN_PRICES,
  copy,
  type HeadraceError,
  type Job,
  type JobLimits,
  load,
  type PlainItem,
  resume,
  type Summary,
  updateAll,
} from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { type Attributes, readAttributes } from '../../src/simulator/attributes.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import type { FaultPlan } from '../../src/simulator/faults.ts'
import type { Disk } from '../../src/storage/disk.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { type Started, start } from '../simulation/start.ts'

const ON_DEMAND: CapacityOptions = { billing: 'on demand' }
const PRICES = BUILT_IN_PRICES.regions['us-east-1']!.classes['STANDARD']!

async function startWith(items: number, faults: FaultPlan, region = 'us-east-1'): Promise<Started & { disk: Disk }> {
  const random = seededRandom(3)
  const at = await start(faults, {
    table: {
      capacity: ON_DEMAND,
      indexes: [
        { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } }, capacity: ON_DEMAND },
        { name: 'byState', key: { partition: { name: 'state', type: 'S' } }, capacity: ON_DEMAND },
      ],
    },
    connection: (service, clock) => ({
      endpoint: `https://dynamodb.${region}.amazonaws.com`,
      region,
      credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
      transport: service,
      clock,
    }),
  })
  at.simulated.fill(
    Array.from({ length: items }, (_, index) =>
      readAttributes({
        pk: { S: `k${index}` },
        group: { S: `g${index % 7}` },
        state: { S: 'new' },
        text: { S: 'x'.repeat(10 ** (1 + random() * 2.5)) },
      }),
    ) as Attributes[],
  )
  const disk = new SimulatedDisk(seededRandom(4), (ms) => sleep(at.clock, ms)).session().disk
  return { ...at, disk }
}

/** What the service would bill for, by its own log: answers that were lost are billed, too. */
function billed({ service }: Started): number {
  let amount = 0
  for (const { readUnits, writeUnits } of service.log.requests) {
    amount += (readUnits * PRICES.onDemandReadsPerMillion + writeUnits * PRICES.onDemandWritesPerMillion) / 1e6
  }
  return amount
}

function run(at: Started & { disk: Disk }, job: Job, limits: JobLimits): Promise<Summary> {
  return at.clock.run(job.run({ directory: '/jobs/one', disk: at.disk, limits }))
}

const visit = (item: PlainItem) => ({ set: { state: 'seen', group: `${item['group']}s` } })

for (const seed of [1, 2, 3, 4, 5]) {
  test(`--max-cost is never passed, indexes, lost answers and several runs counted, and most of it is used (seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const lost = random() < 0.7 ? 0.05 : 0
    const at = await startWith(30_000, { shares: { 'reset after': lost, 'error after': lost } })
    let costMax = 0.03 + random() * 0.05
    const job = updateAll(at.table, visit, { segments: 8, concurrency: 4, maxQueueSize: 500 })
    const first = await run(at, job, { costMax })
    assert.equal(first.stoppedBy, 'cost')
    assert.ok(billed(at) <= costMax, `${billed(at)} of ${costMax}`)
    assert.ok(billed(at) > costMax * 0.6, `${billed(at)} of ${costMax}`)
    assert.ok(first.cost!.amount <= costMax)
    costMax *= 1.5
    const again = await resume('/jobs/one', { database: at.database, visitor: visit, disk: at.disk })
    const second = await run(at, again, { costMax })
    assert.equal(second.stoppedBy, 'cost')
    assert.ok(second.written > first.written)
    assert.ok(billed(at) <= costMax, `${billed(at)} of ${costMax} in two runs`)
  })
}

test('a limit on what nobody knows the price of is refused before anything is changed', async () => {
  const at = await startWith(10, {}, 'eu-north-1')
  await assert.rejects(run(at, updateAll(at.table, visit), { costMax: 1 }), (error: HeadraceError) => {
    assert.equal(error.code, 'CONFIGURATION')
    assert.match(
      error.message,
      /cannot enforce costMax \(--max-cost\) .*: no price known for table "things".*--price-file/,
    )
    return true
  })
  assert.equal(at.service.log.writes.length, 0)
})

test('--max-errors and --max-duration stop within a second, and the job goes on to its end', async () => {
  const at = await startWith(20_000, {})
  const failing = (item: PlainItem) => {
    if (Number(item['pk'].slice(1)) % 10 === 0) throw new Error('not this one')
    return visit(item)
  }
  const begunMs = at.clock.now()
  const options = { segments: 8, writeUnitsPerSecond: 20_000 }
  const short = await run(at, updateAll(at.table, failing, options), { durationMsMax: 1_000 })
  assert.deepEqual([short.stoppedBy, short.complete], ['duration', false])
  assert.ok(at.clock.now() - begunMs < 3_000, `${at.clock.now() - begunMs} ms`)
  const goOn = async (limits: JobLimits) =>
    run(at, await resume('/jobs/one', { database: at.database, visitor: failing, disk: at.disk }), limits)
  const some = await goOn({ rejectsMax: short.rejected + 50 })
  assert.equal(some.stoppedBy, 'rejects')
  // Those in front of which something was not settled are not in the file yet, and come again.
  assert.ok(some.rejected < short.rejected + 400, `${some.rejected} rejected`)
  const share = await goOn({ rejectsMax: '9%' })
  assert.equal(share.stoppedBy, 'rejects')
  // Well above the share of all: by chance the first thousand may hold more of them.
  const all = await goOn({ rejectsMax: '15%' })
  assert.deepEqual([all.complete, all.read, all.rejected, all.written], [true, 20_000, 2_000, 18_000])
  const rejects = at.disk.read('/jobs/one/rejects.jsonl')!.toString().trimEnd().split('\n')
  assert.equal(new Set(rejects.map((line) => JSON.parse(line).place)).size, 2_000)
})

test('limits that are none are refused at once', async () => {
  const at = await startWith(1, {})
  for (const limits of [{ costMax: 0 }, { rejectsMax: -1 }, { rejectsMax: '120%' }, { durationMsMax: 0.5 }] as const) {
    await assert.rejects(run(at, load([], at.table), limits as JobLimits), TypeError)
  }
})

test('a job goes on with other prices, and a copy reaches its target as it reaches its source', async () => {
  const at = await startWith(20_000, {}, 'eu-north-1')
  at.service.addTable({ name: 'others', key: { partition: { name: 'pk', type: 'S' } }, capacity: ON_DEMAND })
  const prices = { ...BUILT_IN_PRICES, regions: { 'eu-north-1': BUILT_IN_PRICES.regions['us-east-1']! } }
  const first = await run(at, copy(at.table, at.database.table('others'), { prices }), { costMax: 0.003 })
  assert.equal(first.stoppedBy, 'cost')
  const again = await resume('/jobs/one', { database: at.database, prices, disk: at.disk })
  const second = await run(at, again, { costMax: 0.006 })
  assert.equal(second.stoppedBy, 'cost')
  assert.ok(second.written > first.written)
  const end = await run(at, await resume('/jobs/one', { database: at.database, disk: at.disk }), {})
  assert.equal(end.complete, true)
  assert.equal(end.written, 20_000)
})

test('what is read once more because others changed it is counted', async () => {
  const at = await startWith(2_000, {})
  let others = 0
  const job = updateAll(at.table, (item: PlainItem) => {
    // Somebody writes between reading and writing.
    if (others < 100 && item['state'] === 'new') {
      others += 1
      const { pk, group, text } = item
      at.simulated.fill([
        readAttributes({ pk: { S: pk }, group: { S: group }, text: { S: text }, state: { S: 'other' } }) as Attributes,
      ])
    }
    return visit(item)
  })
  const summary = await run(at, job, {})
  assert.equal(summary.conflicts, 100)
  let readUnits = 0
  for (const request of at.service.log.requests) readUnits += request.readUnits
  assert.ok(at.service.log.requests.some(({ operation, readUnits: units }) => operation === 'Query' && units > 0))
  assert.equal(summary.readUnits, readUnits)
})
