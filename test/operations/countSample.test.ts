import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countSample, encodeItem } from '../../src/index.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { readAttributes } from '../../src/simulator/attributes.ts'
import { type Started, start } from '../simulation/start.ts'

async function startWith(count: number, bytes: number): Promise<Started> {
  const at = await start({}, { table: { capacity: { billing: 'on demand' } } })
  const random = seededRandom(9)
  function* items() {
    for (let index = 0; index < count; index += 1) {
      const item = {
        pk: `k${index}`,
        state: random() < 0.2 ? 'open' : 'closed',
        body: 'x'.repeat(bytes * 2 * random()),
      }
      yield readAttributes(parseJson(encodeItem(item)))
    }
  }
  at.simulated.fill(items())
  return at
}

test('a small table is counted exactly, an empty one too', async () => {
  for (const count of [0, 1, 1_000]) {
    const at = await startWith(count, 400)
    const sampled = await at.clock.run(countSample(at.table))
    assert.deepEqual(sampled.count, { value: count, low: count, high: count })
    assert.equal(sampled.segments, sampled.segmentsTotal)
  }
})

test('of a large one the bounds hold the truth, with a filter too, and little is read', async () => {
  const at = await startWith(200_000, 400)
  const all = await at.clock.run(countSample(at.table))
  assert.ok(all.count.low <= 200_000 && all.count.high >= 200_000, `${all.count.low} to ${all.count.high}`)
  assert.ok((all.count.high - all.count.low) / 200_000 < 0.05)
  assert.ok(all.readUnits <= 4_096 && all.segments < all.segmentsTotal)
  const open = await at.clock.run(countSample(at.table, { filter: "state = 'open'" }))
  assert.ok(open.count.low <= 40_200 && open.count.high >= 39_800, `${open.count.low} to ${open.count.high}`)
  assert.ok(Math.abs(open.count.value / 40_000 - 1) < 0.05, `${open.count.value}`)
})

test('a signal ends it', async () => {
  const at = await startWith(1_000, 400)
  await assert.rejects(at.clock.run(countSample(at.table, { signal: AbortSignal.abort() })), /abort/i)
})
