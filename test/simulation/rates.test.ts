import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, deleteAll, generate, type PublisherOptions, undo, updateAll } from '../../src/index.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import type { TableOptions } from '../../src/simulator/simulatedTable.ts'
import { SimulatedDisk } from './simulatedDisk.ts'
import { putAll, type Started, start, writesBetween } from './start.ts'

/** As if at AWS: what a table is provisioned with counts there, and not on an emulator of one's own. */
const AT_AWS = {
  connection: () => ({
    endpoint: 'https://dynamodb.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  }),
}
const provisioned = (units: number): CapacityOptions => ({
  billing: 'provisioned',
  readUnitsPerSecond: units,
  writeUnitsPerSecond: units,
  burstSeconds: 0,
})
const BY_GROUP = { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } } } as const

function startAtAws(table: Partial<TableOptions>): Promise<Started> {
  return start({}, { ...AT_AWS, table })
}

/** Writes a second, from one second to another, of a publisher with these options that never runs dry. */
async function writesPerSecond(at: Started, options: PublisherOptions, from: number, to: number): Promise<number> {
  const publisher = at.table.publisher(options)
  const puts = putAll(publisher, 40_000, { group: 'all' }).catch(() => undefined)
  await at.clock.run(
    new Promise<void>((resolve) => {
      at.clock.setTimer(resolve, to * 1_000 - at.clock.now())
    }),
  )
  publisher.destroy()
  await at.clock.run(puts)
  return writesBetween(at.service, from * 1_000, to * 1_000) / (to - from)
}

const throttled = (at: Started): number =>
  at.service.log.counts.throttledRequests + at.service.log.counts.partlyThrottledRequests

function near(value: number, expected: number, least = 0.97): void {
  assert.ok(value <= expected * 1.02 && value >= expected * least, `${value} a second, not ${expected}`)
}

test('a provisioned table is used to 80 %, and nothing is throttled', async () => {
  const at = await startAtAws({ capacity: provisioned(1_000) })
  near(await writesPerSecond(at, {}, 5, 20), 800)
  assert.equal(throttled(at), 0)
})

test('so is an index that has less than its table', async () => {
  const at = await startAtAws({
    capacity: provisioned(1_000),
    indexes: [{ ...BY_GROUP, capacity: provisioned(500) }],
  })
  near(await writesPerSecond(at, {}, 5, 20), 400)
  assert.equal(throttled(at), 0)
})

test('another part of it may be asked for, or units', async () => {
  near(
    await writesPerSecond(await startAtAws({ capacity: provisioned(1_000) }), { writeUnitsPerSecond: '30%' }, 5, 20),
    300,
  )
  near(
    await writesPerSecond(await startAtAws({ capacity: provisioned(1_000) }), { writeUnitsPerSecond: 120 }, 5, 20),
    120,
  )
})

test('units that are asked for are of the table and its indexes together', async () => {
  const at = await startAtAws({
    capacity: provisioned(1_000),
    indexes: [{ ...BY_GROUP, capacity: provisioned(1_000) }],
  })
  near(await writesPerSecond(at, { writeUnitsPerSecond: 400 }, 5, 20), 200)
})

test('a table that is made larger or smaller meanwhile is followed within a minute', async () => {
  const at = await startAtAws({ capacity: provisioned(200) })
  at.clock.setTimer(() => at.service.updateTable('things', { writeUnitsPerSecond: 600 }), 10_000)
  near(await writesPerSecond(at, {}, 70, 80), 480)
})

test('on demand begins with what a table is ready for, and passes no maximum', async () => {
  const fresh = await startAtAws({ capacity: { billing: 'on demand' } })
  // Four partitions, of which none gets just its part.
  near(await writesPerSecond(fresh, {}, 2, 8), 4_000, 0.9)
  const bounded = await startAtAws({ capacity: { billing: 'on demand', writeUnitsPerSecondMax: 500 } })
  near(await writesPerSecond(bounded, { writeUnitsPerSecond: '100%' }, 5, 20), 500)
  assert.equal(bounded.service.log.counts.throttledRequests, 0)
})

test('a rate may be changed while it is kept', async () => {
  const at = await startAtAws({ capacity: provisioned(1_000) })
  const publisher = at.table.publisher({ writeUnitsPerSecond: 100 })
  at.clock.setTimer(() => publisher.setRate('50%'), 20_000)
  assert.throws(() => publisher.setRate('0%'), /writeUnitsPerSecond must be a number above 0/)
  const puts = putAll(publisher, 20_000).catch(() => undefined)
  await at.clock.run(new Promise<void>((resolve) => void at.clock.setTimer(resolve, 40_000 - at.clock.now())))
  publisher.destroy()
  await at.clock.run(puts)
  near(writesBetween(at.service, 5_000, 20_000) / 15, 100)
  near(writesBetween(at.service, 25_000, 40_000) / 15, 500)
})

test('reads keep their rate too, page by page and not in bursts; and a job may be told another', async () => {
  const at = await startAtAws({ capacity: provisioned(100) })
  await at.clock.run(generate(at.table, { items: 4_000, itemBytes: 900, writeUnitsPerSecond: 100_000 }).run())
  const startedAtMs = at.clock.now()
  const counted = await at.clock.run(count(at.table, {}))
  const seconds = (at.clock.now() - startedAtMs) / 1_000
  assert.equal(counted.count, 4_000)
  // 440 units at 80 a second, the first second of them at once.
  assert.ok(counted.stats.readUnits / seconds <= 100, `${seconds} s`)
  assert.equal(counted.stats.throttledRequests, 0)
  const pages = at.service.log.requests.filter(({ operation, readUnits }) => operation === 'Scan' && readUnits > 0)
  for (const { readUnits } of pages) assert.ok(readUnits <= 30, `a page of ${readUnits} units`)

  const job = updateAll(at.table, () => ({ set: { seen: true } }), { writeUnitsPerSecond: 10 })
  at.clock.setTimer(() => job.setRates({ writeUnitsPerSecond: '100%', readUnitsPerSecond: '100%' }), 5_000)
  const summary = await at.clock.run(job.run())
  assert.equal(summary.written, 4_000)
  assert.ok(summary.durationMs < 60_000, `${summary.durationMs} ms`)
  assert.throws(() => job.setRates({ readUnitsPerSecond: -1 }), TypeError)
})

/** 16,000 units at 800 a second, of which the first second's are there at once. */
const ALL_IN_20_S = 16_000 / 19

/** What a job wrote since then: nothing of it was throttled, and it kept the rate. */
function checkWrites(at: Started, fromMs: number): void {
  let units = 0
  for (const { sentAtMs, operation, writeUnits, throttledItems, error } of at.service.log.requests) {
    if (sentAtMs < fromMs || operation === 'Scan') continue
    assert.equal(error, '')
    assert.equal(throttledItems, 0)
    units += writeUnits
  }
  near((units / (at.clock.now() - fromMs)) * 1_000, ALL_IN_20_S)
}

test('what is deleted unread counts for what it weighs', async () => {
  const at = await startAtAws({ capacity: provisioned(1_000) })
  await at.clock.run(generate(at.table, { items: 800, itemBytes: 20_000, writeUnitsPerSecond: 1_000 }).run())
  const fromMs = at.clock.now() + 5_000
  await at.clock.run(new Promise<void>((resolve) => void at.clock.setTimer(resolve, 5_000)))
  const summary = await at.clock.run(deleteAll(at.table).run())
  assert.equal(summary.written, 800)
  checkWrites(at, fromMs)
})

test('so does what is put back', async () => {
  const at = await startAtAws({ capacity: provisioned(1_000) })
  await at.clock.run(generate(at.table, { items: 800, itemBytes: 20_000, writeUnitsPerSecond: 1_000 }).run())
  const { disk } = new SimulatedDisk(Math.random, async () => undefined).session()
  const directory = '/jobs/one'
  const job = updateAll(at.table, () => ({ set: { seen: true } }), { keepOld: true })
  assert.equal((await at.clock.run(job.run({ directory, disk }))).written, 800)
  const fromMs = at.clock.now() + 5_000
  await at.clock.run(new Promise<void>((resolve) => void at.clock.setTimer(resolve, 5_000)))
  const summary = await at.clock.run(undo(directory, { disk, database: at.database }).run())
  assert.equal(summary.written, 800)
  checkWrites(at, fromMs)
})
