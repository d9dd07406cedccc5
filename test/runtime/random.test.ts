import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, systemRandom } from '../../src/runtime/random.ts'

const draw = (random: () => number, count: number) => Array.from({ length: count }, random)

test('a seed repeats, and another seed differs', () => {
  assert.deepStrictEqual(draw(seededRandom(7), 100), draw(seededRandom(7), 100))
  assert.notDeepStrictEqual(draw(seededRandom(7), 10), draw(seededRandom(8), 10))
  assert.notDeepStrictEqual(draw(seededRandom(0), 10), draw(seededRandom(1), 10))
})

test('every number is in [0, 1), and they are spread evenly', () => {
  for (const random of [seededRandom(1), seededRandom(0xffffffff), systemRandom]) {
    const tenths = new Array(10).fill(0)
    for (const value of draw(random, 100_000)) {
      assert.ok(value >= 0 && value < 1)
      tenths[Math.floor(value * 10)] += 1
    }
    // Ten standard deviations.
    for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 1_000)
  }
})
