import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseSegments, segmentOrder } from '../../src/scan/segmentOrder.ts'

test('every segment comes exactly once, whatever their number', () => {
  for (let total = 1; total <= 200; total += 1) {
    assert.deepStrictEqual(
      segmentOrder(total).sort((one, other) => one - other),
      Array.from({ length: total }, (_, segment) => segment),
    )
  }
})

test('segments read at the same time lie far apart', () => {
  assert.deepStrictEqual(segmentOrder(8), [0, 4, 2, 6, 1, 5, 3, 7])
  for (let total = 2; total <= 200; total += 1) {
    const order = segmentOrder(total)
    // One after another: an eighth of the hash.
    for (let index = 1; index < total; index += 1) {
      const apart = Math.abs(order[index]! - order[index - 1]!)
      assert.ok(apart >= Math.floor(total / 8), `${total}: ${order.slice(index - 1, index + 1)}`)
    }
    // The first few at once: of as many as fit, no two in the same stretch of the hash.
    for (let together = 2; together <= total / 2; together *= 2) {
      const first = order.slice(0, together).sort((one, other) => one - other)
      for (let index = 1; index < together; index += 1) {
        assert.ok(
          first[index]! - first[index - 1]! >= Math.floor(total / together / 2),
          `${total} ${together}: ${first}`,
        )
      }
    }
  }
})

test('the number of segments follows size, items and concurrency, within the limits of the service', () => {
  // A table that the service has not looked at yet.
  assert.strictEqual(chooseSegments(0, 0, 16), 16)
  // A small one: a segment should hold some items.
  assert.strictEqual(chooseSegments(200_000, 1_500, 16), 2)
  assert.strictEqual(chooseSegments(100, 3, 16), 1)
  assert.strictEqual(chooseSegments(10 * 2 ** 30, 10_000_000, 16), 80)
  assert.strictEqual(chooseSegments(100 * 2 ** 40, 1e12, 16), 16_384)
  for (const [bytes, items, concurrency] of [
    [1, 0, 1],
    [1e15, 1, 1],
    [0, 1e9, 1_000],
  ] as const) {
    const segments = chooseSegments(bytes, items, concurrency)
    assert.ok(Number.isInteger(segments) && segments >= 1 && segments <= 1_000_000)
  }
})
