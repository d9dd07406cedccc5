import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../src/throughput/backoff.ts'

const almostOne = () => 1 - 2 ** -53
const zero = () => 0

test('the bound doubles with each try, from 25 ms, or 50 ms after a throttle, to 20 s', () => {
  const bounds = (throttled: boolean) =>
    [1, 2, 3, 9, 10, 11, 100, 1e9].map((tries) => Math.round(backoffMs(tries, throttled, almostOne)))
  assert.deepStrictEqual(bounds(false), [25, 50, 100, 6_400, 12_800, 20_000, 20_000, 20_000])
  assert.deepStrictEqual(bounds(true), [50, 100, 200, 12_800, 20_000, 20_000, 20_000, 20_000])
})

test('the wait is anywhere below the bound, and at least what the service asks for', () => {
  assert.strictEqual(backoffMs(5, false, zero), 0)
  assert.strictEqual(
    backoffMs(5, false, () => 0.5),
    200,
  )
  assert.strictEqual(backoffMs(1, false, almostOne, 300), 300)
  assert.strictEqual(backoffMs(1, false, zero, 60_000), 60_000)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.boolean(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 60_000 }),
      (tries, throttled, dice, retryAfterMs) => {
        const wait = backoffMs(tries, throttled, () => dice, retryAfterMs)
        assert.ok(wait >= retryAfterMs && wait <= Math.max(retryAfterMs, 20_000))
      },
    ),
  )
})
