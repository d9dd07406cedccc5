import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InFlightWindow } from '../../src/throughput/inFlightWindow.ts'

test('all that was asked for is allowed until the service pushes back', () => {
  const window = new InFlightWindow(1_000, 25)
  assert.strictEqual(window.limit, 1_000)
  window.onStored(25)
  assert.strictEqual(window.limit, 1_000)
})

test('it is cut at most once a latency', () => {
  const window = new InFlightWindow(1_000, 25)
  window.onThrottled(100, 20)
  assert.strictEqual(window.limit, 700)
  // Sent before the cut.
  window.onThrottled(101, 20)
  window.onThrottled(119, 20)
  assert.strictEqual(window.limit, 700)
  window.onThrottled(120, 20)
  assert.strictEqual(Math.round(window.limit), 490)
})

test('it never goes below one batch', () => {
  const window = new InFlightWindow(1_000, 25)
  for (let now = 0; now < 100; now += 1) window.onThrottled(now, 1)
  assert.strictEqual(window.limit, 25)
  assert.strictEqual(new InFlightWindow(10, 25).limit, 25)
})

test('it grows back by one batch for each window that is stored, up to what was asked for', () => {
  const window = new InFlightWindow(1_000, 25)
  for (let now = 0; now < 100; now += 1) window.onThrottled(now, 1)
  let limitBefore = window.limit
  for (let round = 0; round < 10; round += 1) {
    for (let stored = 0; stored < limitBefore; stored += 25) window.onStored(25)
    const grown = window.limit - limitBefore
    assert.ok(grown > 12 && grown <= 50, `${grown}`)
    limitBefore = window.limit
  }
  for (let round = 0; round < 10_000; round += 1) window.onStored(25)
  assert.strictEqual(window.limit, 1_000)
})

test('whatever happens, the limit stays between one batch and what was asked for', () => {
  const event = fc.oneof(
    fc.record({ stored: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ afterMs: fc.integer({ min: 0, max: 100 }), latencyMs: fc.integer({ min: 0, max: 100 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 25, max: 5_000 }), fc.array(event), (max, events) => {
      const window = new InFlightWindow(max, 25)
      let now = 0
      for (const happened of events) {
        if ('stored' in happened) {
          window.onStored(happened.stored)
        } else {
          now += happened.afterMs
          window.onThrottled(now, happened.latencyMs)
        }
        assert.ok(window.limit >= 25 && window.limit <= max)
      }
    }),
  )
})
