import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { UnitBucket } from '../../src/throughput/unitBucket.ts'

test("a bucket begins full with a second's worth and refills at its rate", () => {
  const bucket = new UnitBucket(100, 0)
  assert.strictEqual(bucket.take(60, 0), 0)
  assert.strictEqual(bucket.take(40, 0), 0)
  assert.strictEqual(bucket.take(25, 0), 250)
  assert.strictEqual(Math.round(bucket.take(25, 249)), 1)
  assert.strictEqual(bucket.take(25, 250), 0)
  // Idle for an hour, it holds a second's worth and no more.
  assert.strictEqual(bucket.take(100, 3_600_000), 0)
  assert.strictEqual(bucket.take(1, 3_600_000), 10)
})

test('to be refused costs nothing', () => {
  const bucket = new UnitBucket(100, 0)
  bucket.take(100, 0)
  for (let asked = 0; asked < 100; asked += 1) assert.strictEqual(bucket.take(50, 0), 500)
  assert.strictEqual(bucket.take(50, 500), 0)
})

test('what a request took beyond its estimate is owed and waited off, and what it did not take comes back', () => {
  const bucket = new UnitBucket(100, 0)
  assert.strictEqual(bucket.take(100, 0), 0)
  bucket.settle(100, 250, 0)
  assert.strictEqual(bucket.take(10, 0), 1_600)
  assert.strictEqual(bucket.take(10, 1_599), 1)
  assert.strictEqual(bucket.take(10, 1_600), 0)
  bucket.settle(10, 4, 1_600)
  assert.strictEqual(bucket.take(6, 1_600), 0)
})

test('what comes back late to a bucket that was full meanwhile is lost', () => {
  const bucket = new UnitBucket(10, 0)
  assert.strictEqual(bucket.take(4, 0), 0)
  assert.strictEqual(bucket.take(10, 400), 0)
  bucket.settle(4, 0, 0)
  assert.strictEqual(bucket.take(1, 400), 100)
  assert.strictEqual(bucket.take(5, 900), 0)
  bucket.settle(5, 0, 900)
  assert.strictEqual(bucket.take(5, 900), 0, 'but nothing of it where it was not')
})

test("a request larger than a second's worth goes once the bucket is full, then is waited off", () => {
  const bucket = new UnitBucket(10, 0)
  assert.strictEqual(bucket.take(1, 0), 0)
  assert.strictEqual(bucket.take(40, 0), 100)
  assert.strictEqual(bucket.take(40, 100), 0)
  assert.strictEqual(bucket.take(1, 100), 3_100)
  assert.strictEqual(bucket.take(1, 3_200), 0)
})

test('a lower rate takes what is too much away, a higher one gives nothing at once', () => {
  const bucket = new UnitBucket(100, 0)
  bucket.setRate(10, 0)
  assert.strictEqual(bucket.unitsPerSecond, 10)
  assert.strictEqual(bucket.take(10, 0), 0)
  assert.strictEqual(bucket.take(10, 0), 1_000)
  bucket.setRate(1_000, 500)
  assert.strictEqual(bucket.take(5, 500), 0)
  assert.strictEqual(bucket.take(1_000, 500), 1_000)
})

test('without a limit everything goes, and when a limit comes, at once or later, nothing is owed and nothing saved', () => {
  for (const afterMs of [0, 1_000]) {
    const bucket = new UnitBucket(Number.POSITIVE_INFINITY, 0)
    for (let asked = 0; asked < 10; asked += 1) assert.strictEqual(bucket.take(1e9, 0), 0)
    bucket.settle(1, 1e9, 0)
    bucket.setRate(100, afterMs)
    assert.strictEqual(bucket.take(100, afterMs), 1_000)
    assert.strictEqual(bucket.take(100, afterMs + 1_000), 0)
    bucket.setRate(Number.POSITIVE_INFINITY, afterMs + 1_000)
    assert.strictEqual(bucket.take(1e9, afterMs + 1_000), 0)
  }
})

test("no one second sees more than two seconds' worth, and over time the rate is kept and reached", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.tuple(fc.double({ min: 0.5, max: 50, noNaN: true }), fc.double({ min: 0.5, max: 50, noNaN: true })), {
        minLength: 50,
        maxLength: 300,
      }),
      (rate, requests) => {
        const bucket = new UnitBucket(rate, 0)
        let now = 0
        let consumed = 0
        let owedMax = 0
        for (const [estimate, real] of requests) {
          for (let wait = bucket.take(estimate, now); wait > 0; wait = bucket.take(estimate, now)) now += wait
          bucket.settle(estimate, real, now)
          consumed += real
          owedMax = Math.max(owedMax, real, estimate)
        }
        // A second's worth at the start, and one request that may be in debt at the end.
        assert.ok(consumed <= (now / 1_000) * rate + rate + owedMax + 1e-6)
        // Each wait may be rounded up to a millisecond, and no more than is owed is ever waited for.
        assert.ok(now <= ((consumed + owedMax + rate) / rate) * 1_000 + requests.length * 2)
      },
    ),
  )
})
