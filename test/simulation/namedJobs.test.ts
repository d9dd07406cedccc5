import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, updateAll } from '../../src/index.ts'
import { findCheckpoint } from '../../src/job/jobDirectory.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Attributes } from '../../src/simulator/attributes.ts'
import { SimulatedDisk } from './simulatedDisk.ts'
import { type Started, start } from './start.ts'

// Faults by their names, of jobs and their state.

const AT_AWS = {
  endpoint: 'https://dynamodb.us-east-1.amazonaws.com',
  region: 'us-east-1',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
}

function diskOf({ clock }: Started): SimulatedDisk {
  return new SimulatedDisk(seededRandom(1), (ms) => sleep(clock, ms))
}

function fill({ simulated }: Started, count: number): void {
  simulated.fill(
    Array.from({ length: count }, (_, index) => ({ pk: { S: `k${index}` }, kind: { S: 'usual' } }) as Attributes),
  )
}

function manyRecords(count: number) {
  const list = Array.from({ length: count }, (_, index) => ({
    item: { pk: `k${index}` },
    place: { file: 'made up', line: index + 1, offset: index * 10 },
  }))
  return {
    name: 'made up',
    async *records() {
      yield list
    },
  }
}

test('capacity lowered or table switched to provisioned mid-run: message once', async () => {
  const at = await start({}, { connection: (service, clock) => ({ ...AT_AWS, transport: service, clock }) })
  fill(at, 100_000)
  const told: string[] = []
  at.clock.setTimer(() => at.service.updateTable('things', { writeUnitsPerSecond: 500 }), 10_000)
  at.clock.setTimer(() => at.service.updateTable('things', { billing: 'on demand' }), 150_000)
  const job = updateAll(at.table, () => ({ set: { seen: true } }))
  const summary = await at.clock.run(job.run({ onWarning: (text) => told.push(text) }))
  assert.equal(summary.written, 100_000)
  assert.deepEqual(
    told.filter((text) => /write/.test(text)),
    [
      'table things now has provisioned write capacity of 500 WCU/s, and had provisioned write capacity of 2,000 WCU/s before',
      'table things now has on-demand write capacity, and had provisioned write capacity of 500 WCU/s before',
    ],
  )
})

test('empty pages with LastEvaluatedKey (filter matches nothing) for an hour: the checkpoint still advances', async () => {
  const at = await start({}, { connection: (service, clock) => ({ ...AT_AWS, transport: service, clock }) })
  fill(at, 5_000)
  const disk = diskOf(at)
  const session = disk.session().disk
  const job = updateAll(at.table, () => ({ set: { seen: true } }), {
    filter: "kind = 'other'",
    segments: 2,
    readUnitsPerSecond: 1,
  })
  const cursors: string[] = []
  const look = (): void => {
    const positions = findCheckpoint('/job', session).checkpoint?.positions
    if (positions?.kind === 'segments') cursors.push(JSON.stringify([positions.cursors, positions.done]))
    at.clock.setTimer(look, 2_000)
  }
  at.clock.setTimer(look, 2_000)
  const summary = await at.clock.run(job.run({ directory: '/job', disk: session }))
  assert.deepEqual([summary.read, summary.complete], [0, true])
  assert.ok(summary.durationMs > 10_000, `${summary.durationMs} ms`)
  assert.ok(new Set(cursors).size > cursors.length / 2, `${new Set(cursors).size} places in ${cursors.length} looks`)
})

test('state on a slow or remote store: the job waits for it, never runs more than ten seconds ahead, and loses nothing', async () => {
  const at = await start({}, { connection: (service, clock) => ({ ...AT_AWS, transport: service, clock }) })
  const jobs = {
    update: () => updateAll(at.table, () => ({ set: { seen: true } })),
    load: () => load(manyRecords(100_000), at.table),
  }
  for (const [operation, make] of Object.entries(jobs)) {
    if (operation === 'update') fill(at, 100_000)
    let slow = false
    // From ten seconds on, for forty, nothing that is written comes to be there.
    const disk = new SimulatedDisk(seededRandom(1), (ms) => sleep(at.clock, slow ? 40_000 : ms))
    const session = disk.session().disk
    at.clock.setTimer(() => (slow = true), 10_000)
    at.clock.setTimer(() => (slow = false), 12_000)
    const told: string[] = []
    const job = make()
    let ahead = 0
    let isRunning = true
    const look = (): void => {
      const settled = findCheckpoint('/job', session).checkpoint?.tally.read ?? 0
      ahead = Math.max(ahead, job.progress.read - settled)
      if (isRunning) at.clock.setTimer(look, 500)
    }
    at.clock.setTimer(look, 500)
    const summary = await at.clock.run(
      job.run({ directory: '/job', disk: session, onWarning: (text) => told.push(text) }),
    )
    isRunning = false
    assert.deepEqual([summary.read, summary.written, summary.complete], [100_000, 100_000, true], operation)
    assert.ok(
      told.length >= 1 && told.every((text) => /writing the job state to \/job takes longer than 10 s/.test(text)),
      told[0],
    )
    // Two thousand a second for ten seconds and a little, and what may be queued.
    assert.ok(ahead < 11 * 2_000 + 11_000, `${operation}: ${ahead} records ahead`)
    assert.ok(ahead > 5_000, `${operation}: the store was slow`)
  }
})

test('state on a store that is slow for ever: a stop ends the wait', async () => {
  const at = await start({}, { connection: (service, clock) => ({ ...AT_AWS, transport: service, clock }) })
  fill(at, 100_000)
  let slow = false
  const session = new SimulatedDisk(seededRandom(1), (ms) => sleep(at.clock, slow ? 60_000 : ms)).session().disk
  at.clock.setTimer(() => (slow = true), 5_000)
  const job = updateAll(at.table, () => ({ set: { seen: true } }))
  const limits = { durationMsMax: 20_000 }
  const summary = await at.clock.run(job.run({ directory: '/job', disk: session, limits }))
  assert.deepEqual([summary.complete, summary.stoppedBy], [false, 'duration'])
  const { tally } = findCheckpoint('/job', session).checkpoint!
  assert.deepEqual([tally.read, tally.written], [summary.written, summary.written])
})

test('a disk that is full: the job stops with a sentence, and goes on when there is room', async () => {
  const at = await start({})
  const disk = diskOf(at)
  const records = Array.from({ length: 2_000 }, (_, index) => ({
    item: index % 2 === 0 ? { pk: `k${index}` } : { no: 'key' },
    place: { file: 'made up', line: index + 1, offset: index * 10 },
  }))
  const source = {
    name: 'made up',
    async *records() {
      yield records
    },
  }
  disk.bytesLeft = 20_000
  const first = load(source, at.table).run({ directory: '/job', disk: disk.session().disk })
  await assert.rejects(at.clock.run(first), /job.*ENOSPC|ENOSPC.*job/)
  disk.bytesLeft = Number.POSITIVE_INFINITY
  const summary = await at.clock.run(load(source, at.table).run({ directory: '/job', disk: disk.session().disk }))
  assert.deepEqual([summary.read, summary.written, summary.rejected], [2_000, 1_000, 1_000])
  const rejects = disk.read('/job/rejects.jsonl')!.toString().trimEnd().split('\n')
  assert.equal(new Set(rejects.map((line) => JSON.parse(line).place)).size, 1_000)
  assert.equal(rejects.length, 1_000)
})
