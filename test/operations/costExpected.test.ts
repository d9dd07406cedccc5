import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteAll, type Job, load, type Summary, updateAll } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Attributes } from '../../src/simulator/attributes.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { type Started, start } from '../simulation/start.ts'

const ITEMS = 20_000

/** As at AWS, where units cost something. */
function startAtAws(): Promise<Started> {
  return start(
    {},
    {
      connection: (service, clock) => ({
        endpoint: 'https://dynamodb.us-east-1.amazonaws.com',
        region: 'us-east-1',
        credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
        transport: service,
        clock,
      }),
    },
  )
}

async function fill({ simulated, clock, table }: Started): Promise<void> {
  simulated.fill(
    Array.from(
      { length: ITEMS },
      (_, index) => ({ pk: { S: `k${index}` }, kind: { S: index % 4 === 0 ? 'rare' : 'usual' } }) as Attributes,
    ),
  )
  // It was looked at when it was empty.
  await clock.run(table.describe({ again: true }))
}

/** What was said of the job at each tenth of a second, and at its end. */
async function watch({ clock }: Started, job: Job, work: Promise<Summary>): Promise<Summary[]> {
  const seen: Summary[] = []
  let ended = false
  const look = (): void => {
    if (ended) return
    seen.push(job.progress)
    clock.setTimer(look, 100)
  }
  clock.setTimer(look, 100)
  const last = await clock.run(work)
  ended = true
  return [...seen, last]
}

/** What was said in the midst of it is what it came to. */
function assertForetold(seen: readonly Summary[], tolerance = 0.1): void {
  const last = seen.at(-1)!
  assert.equal(last.complete, true)
  assert.equal(last.costExpected, undefined, 'when it is done, what it has cost is what it costs')
  const told = seen.filter(({ costExpected }) => costExpected !== undefined)
  assert.ok(told.length > 5, `it was told ${told.length} times of ${seen.length}`)
  const late = told.slice(told.length >> 1)
  for (const { costExpected, cost } of late) {
    assert.ok(costExpected!.amount >= cost!.amount)
    const off = costExpected!.amount / last.cost!.amount - 1
    assert.ok(Math.abs(off) < tolerance, `${(off * 100).toFixed(1)} % off`)
  }
}

test('what an update comes to is told while it runs, by the items that are settled', async () => {
  const at = await startAtAws()
  await fill(at)
  const job = updateAll(at.table, () => ({ set: { seen: true } }), { writeUnitsPerSecond: 2_000 })
  assertForetold(await watch(at, job, job.run()))
})

test('with a filter it is told by the part of the items for which that holds; also when the job goes on', async () => {
  const at = await startAtAws()
  await fill(at)
  const disk = new SimulatedDisk(seededRandom(1), (ms) => sleep(at.clock, ms)).session().disk
  const options = { filter: "kind = 'rare'", writeUnitsPerSecond: 500 }
  const first = deleteAll(at.table, options)
  const stopped = (await watch(at, first, first.run({ directory: '/job', disk, limits: { durationMsMax: 4_000 } }))).at(
    -1,
  )!
  assert.equal(stopped.complete, false)
  const second = deleteAll(at.table, options)
  const seen = await watch(at, second, second.run({ directory: '/job', disk }))
  assertForetold(seen, 0.15)
  const last = seen.at(-1)!.cost!.amount
  assert.ok(Math.abs(stopped.costExpected!.amount / last - 1) < 0.15, `${stopped.costExpected!.amount} and ${last}`)
})

test('what a load comes to is told by the bytes of its files; nothing is told of packed ones', async () => {
  for (const packed of [false, true]) {
    const at = await startAtAws()
    const list = Array.from({ length: ITEMS }, (_, index) => ({
      item: { pk: `k${index}`, text: 'x'.repeat(50) },
      place: { file: 'in.jsonl', line: index + 1, offset: index * 80 },
    }))
    const name = packed ? 'in.jsonl.gz' : 'in.jsonl'
    const source = {
      name,
      describe: async () => ({ name, sizeBytes: ITEMS * 80 }),
      async *records() {
        yield list
      },
    }
    const disk = new SimulatedDisk(seededRandom(1), (ms) => sleep(at.clock, ms)).session().disk
    const job = load(source, at.table, { writeUnitsPerSecond: 2_000 })
    const seen = await watch(at, job, job.run({ directory: '/job', disk }))
    if (packed) assert.ok(seen.every(({ costExpected }) => costExpected === undefined))
    else assertForetold(seen)
  }
})

test('of a job that was planned it is what the plan says, also at its end', async () => {
  const at = await startAtAws()
  await fill(at)
  const job = updateAll(at.table, () => ({ set: { seen: true } }))
  const { cost } = await at.clock.run(job.plan())
  const summary = await at.clock.run(job.run())
  assert.equal(summary.costExpected!.amount, cost!.amount)
  assert.ok(Math.abs(summary.cost!.amount / cost!.amount - 1) < 0.05)
})
