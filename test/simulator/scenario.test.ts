import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driveScenario } from '../../src/cli/driveScenario.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { hashOf } from '../../src/simulator/hashOf.ts'
import { runScenario, type Scenario } from '../../src/simulator/scenario.ts'
import { makeSources, type ScenarioItem, type ScenarioSource } from '../../src/simulator/scenarioItems.ts'
import { SCENARIOS } from '../../src/simulator/scenarios.ts'

function all(next: ScenarioSource): ScenarioItem[] {
  const items: ScenarioItem[] = []
  for (let item = next(); item !== undefined; item = next()) items.push(item)
  return items
}

const hashes = (items: readonly ScenarioItem[]) => items.map(({ pk }) => hashOf(`{"S":"${pk}"}`))
const isSorted = (list: readonly number[]) => list.every((value, index) => index === 0 || list[index - 1]! <= value)

test('segments are the ranges of one order of hashes, files have an order of their own each', () => {
  const segments = makeSources({ order: { kind: 'segments', items: 1_000, segments: 7 } }).map(all)
  assert.equal(segments.length, 7)
  assert.ok(isSorted(hashes(segments.flat())))
  assert.equal(new Set(segments.flat().map(({ pk }) => pk)).size, 1_000)
  const files = makeSources({ order: { kind: 'files', items: 1_000, files: 7 } }).map(all)
  for (const file of files) assert.ok(isSorted(hashes(file)) && file.length >= 140)
  assert.ok(!isSorted(hashes(files.flat())))
  assert.equal(new Set(files.flat().map(({ pk }) => pk)).size, 1_000)
})

test('a hot key has its share, and each item a key of its own', () => {
  const [next] = makeSources({ order: { kind: 'hot key', share: 0.125 } })
  const items = Array.from({ length: 800 }, () => next!()!)
  assert.equal(items.filter(({ pk }) => pk === 'hot').length, 100)
  assert.equal(new Set(items.map(({ pk, sk }) => `${pk} ${sk}`)).size, 800)
})

const SMALL: Scenario = {
  name: 'small',
  title: 'A small table that is made smaller',
  capacity: { billing: 'provisioned', writeUnitsPerSecond: 200, burstSeconds: 0 },
  indexes: [
    {
      name: 'byGroup',
      key: { partition: { name: 'group', type: 'S' } },
      capacity: { billing: 'provisioned', writeUnitsPerSecond: 150, burstSeconds: 0 },
    },
  ],
  items: { order: { kind: 'shuffled' } },
  durationMs: 20_000,
  events: [
    { atMs: 10_000, what: 'smaller', act: ({ table, clock }) => table.capacity.setRate('write', 50, clock.now()) },
  ],
  phases: [],
}

test('a series adds up to what was counted, step by step, and a seed is a run', async () => {
  const { series, counts, client, endedAtMs } = await runScenario(SMALL, driveScenario(), { stepMs: 500 })
  assert.equal(client.taken, client.stored)
  assert.equal(client.stored, counts.writes)
  assert.equal(series.used.length, 40)
  assert.deepEqual([series.offered[0], series.offered[19], series.offered[20]], [200, 200, 50])
  const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0) * 0.5
  // What was buffered when the time was over is written later.
  assert.ok(sum(series.items) < counts.writes && endedAtMs > 20_000)
  assert.ok(Math.abs(sum(series.used) - sum(series.items)) < 1e-6)
  assert.ok(sum(series.indexes[0]!.used) <= 150 * 21)
  assert.ok(sum(series.throttled) + sum(series.partlyThrottled) > 0)
  const again = await runScenario(SMALL, driveScenario(), { stepMs: 500 })
  assert.deepEqual(again.series, series)
})

test('a client that ends early ends the watching, and tells its own limit if it has one', async () => {
  const { series, endedAtMs } = await runScenario(SMALL, async (world) => {
    world.allowedPerSecond = () => 7
    await sleep(world.clock, 2_500)
    return { taken: 0, stored: 0, lost: 0 }
  })
  assert.deepEqual(series.allowed, [7, 7, 7])
  assert.equal(endedAtMs, 3_000)
})

test('every scenario has a name of its own, and phases within its time', () => {
  assert.equal(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length)
  for (const { phases, durationMs, events = [] } of SCENARIOS) {
    assert.ok(phases.length > 0)
    for (const { fromMs, toMs } of phases) assert.ok(fromMs < toMs && toMs <= durationMs)
    for (const { atMs } of events) assert.ok(atMs < durationMs)
  }
})
