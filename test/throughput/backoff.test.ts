import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../src/throughput/backoff.ts'

const almostOne = () => 1 - 2 ** -53
const zero = () => 0

test('the bound doubles with each try, from 25 ms to 20 s', () => {
  const bounds = [1, 2, 3, 9, 10, 11, 100, 1e9].map((tries) => Math.round(backoffMs(tries, almostOne)))
  assert.deepStrictEqual(bounds, [25, 50, 100, 6_400, 12_800, 20_000, 20_000, 20_000])
})

test('the wait is anywhere below the bound', () => {
  assert.strictEqual(backoffMs(5, zero), 0)
  assert.strictEqual(
    backoffMs(5, () => 0.5),
    200,
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (tries, dice) => {
        const wait = backoffMs(tries, () => dice)
        assert.ok(wait >= 0 && wait <= 20_000)
      },
    ),
  )
})
