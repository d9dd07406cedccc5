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
      'table things has 500 write units a second now, and had 2,000 write units a second',
      'table things has write capacity on demand now, and had 500 write units a second',
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
