import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter, UNBOUNDED } from '../../src/throughput/limiter.ts'

const bounds = (unitsPerSecond: number) => ({ unitsPerSecondMax: unitsPerSecond, unitsPerSecond })
const unasked = { askedUnitsPerSecond: Number.POSITIVE_INFINITY }

test('whichever is short decides: what was asked for, the table, or an index', () => {
  const limiter = new Limiter({ askedUnitsPerSecond: 500, table: bounds(300), indexes: new Map() }, 0)
  assert.equal(limiter.unitsPerSecond, 300)
  assert.equal(limiter.take(300, 0), 0)
  assert.ok(limiter.take(100, 0) > 300)
  limiter.setAsked(50, 0)
  assert.equal(limiter.unitsPerSecond, 50)
})

test('an index counts by what it was seen to take for each unit of the table', () => {
  const limiter = new Limiter({ ...unasked, table: bounds(1_000), indexes: new Map([['byGroup', bounds(100)]]) }, 0)
  assert.equal(limiter.unitsPerSecond, 100, 'as much as the table, until it is known better')
  for (let now = 0; now < 100_000; now += 1_000) {
    assert.equal(limiter.take(10, now), 0)
    limiter.settle(10, 0, { total: 15, table: 10, indexes: new Map([['byGroup', 5]]) }, now, now)
  }
  assert.equal(Math.round(limiter.unitsPerSecond), 200)
})

test('what is throttled was asked for: it is not given back', () => {
  const limiter = new Limiter({ ...unasked, table: bounds(100), indexes: new Map() }, 0)
  assert.equal(limiter.take(100, 0), 0)
  limiter.settle(100, 60, { total: 40, table: 40 }, 0, 0)
  assert.ok(limiter.take(1, 0) > 0)
})

test('but what the user asked for is what is consumed', () => {
  const limiter = new Limiter({ askedUnitsPerSecond: 100, table: UNBOUNDED, indexes: new Map() }, 0)
  assert.equal(limiter.take(100, 0), 0)
  limiter.settle(100, 60, { total: 40, table: 40 }, 0, 0)
  assert.equal(limiter.take(60, 0), 0)
  assert.ok(limiter.take(1, 0) > 0)
})

test('and what the indexes take is of it', () => {
  const limiter = new Limiter(
    { askedUnitsPerSecond: 100, table: UNBOUNDED, indexes: new Map([['byGroup', UNBOUNDED]]) },
    0,
  )
  assert.equal(limiter.take(50, 0), 0)
  assert.ok(limiter.take(1, 0) > 0)
  limiter.settle(50, 0, { total: 50, table: 50 }, 0, 0)
  assert.equal(limiter.take(50, 0), 0)
})

test('a throttle that names an index lowers that one alone', () => {
  const limiter = new Limiter({ ...unasked, table: bounds(1_000), indexes: new Map([['byGroup', UNBOUNDED]]) }, 0)
  for (let now = 10; now <= 1_000; now += 10) {
    limiter.settle(5, 0, { total: 10, table: 5, indexes: new Map([['byGroup', 5]]) }, now - 5, now)
    limiter.onThrottled('byGroup', 5, now - 5, now)
  }
  assert.ok(limiter.unitsPerSecond < 1_000)
  limiter.setBounds(bounds(2_000), new Map(), 1_000)
  assert.ok(limiter.unitsPerSecond < 1_000, 'it is the index')
})

test('nothing goes before the moment that the service asked for', () => {
  const limiter = new Limiter({ ...unasked, table: UNBOUNDED, indexes: new Map() }, 0)
  limiter.hold(500)
  assert.equal(limiter.take(1, 100), 400)
  assert.equal(limiter.take(1, 500), 0)
})

test('one large item is not waited off for minutes at a rate that has fallen to next to nothing', () => {
  const limiter = new Limiter({ ...unasked, table: bounds(1_000), indexes: new Map() }, 0)
  let now = 0
  while (limiter.unitsPerSecond > 3) {
    limiter.take(1, now)
    limiter.onThrottled(undefined, 1, now, now)
    now += 100
  }
  while (limiter.take(160, now) > 0) now += 100
  const waitMs = limiter.take(1, now)
  assert.ok(waitMs > 4_000 && waitMs <= 6_000, `waits ${waitMs} ms`)
})

test('but at a rate that is known, it is, however long that takes', () => {
  const limiter = new Limiter({ ...unasked, table: bounds(2), indexes: new Map() }, 0)
  assert.equal(limiter.take(160, 0), 0)
  assert.equal(Math.round(limiter.take(2, 0) / 1_000), 80)
})
