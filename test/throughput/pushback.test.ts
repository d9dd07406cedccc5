import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter, UNBOUNDED } from '../../src/throughput/limiter.ts'
import { type Answer, Pushback } from '../../src/throughput/pushback.ts'
import type { RateControl } from '../../src/throughput/rate.ts'

const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/things'

/** @param provenUnitsPerSecond `Infinity` as of a provisioned table */
function start(provenUnitsPerSecond = Number.POSITIVE_INFINITY): { rates: RateControl; pushback: Pushback } {
  const bounds = { unitsPerSecondMax: Number.POSITIVE_INFINITY, unitsPerSecond: 10_000 }
  const limiter = new Limiter(
    { askedUnitsPerSecond: Number.POSITIVE_INFINITY, table: bounds, indexes: new Map([['byGroup', UNBOUNDED]]) },
    0,
  )
  const rates: RateControl = {
    limiter,
    provenUnitsPerSecond,
    onChange: undefined,
    onNotice: undefined,
    setRate: () => undefined,
    setPaused: () => undefined,
    close: () => undefined,
  }
  return { rates, pushback: new Pushback(rates, 0) }
}

/** A hundred requests in a second, each half throttled. */
function throttle({ pushback }: ReturnType<typeof start>, fromMs: number, answer: Partial<Answer>): void {
  for (let now = fromMs + 10; now <= fromMs + 1_000; now += 10) {
    const usual: Answer = { way: 'fresh', storedUnits: 0, throttledUnits: 25, reasons: undefined, sentAtMs: now - 5 }
    pushback.onAnswer({ ...usual, ...answer }, now)
  }
}

test('a reason that names the table lowers its rate, and is counted', () => {
  const at = start()
  throttle(at, 0, { reasons: [{ reason: 'TableWriteProvisionedThroughputExceeded', resource: TABLE }] })
  assert.ok(at.rates.limiter.unitsPerSecond < 10_000)
  assert.deepEqual(at.pushback.reasons, { TableWriteProvisionedThroughputExceeded: 100 })
  assert.equal(at.pushback.isHot(1_000), false)
})

test('a reason that names an index is told with its name', () => {
  const at = start()
  const resource = `${TABLE}/index/byGroup`
  throttle(at, 0, { reasons: [{ reason: 'IndexWriteProvisionedThroughputExceeded', resource }] })
  assert.deepEqual(at.pushback.reasons, { 'IndexWriteProvisionedThroughputExceeded (byGroup)': 100 })
})

test('a key range slows what was set aside and nothing else', () => {
  const at = start()
  throttle(at, 0, { reasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded', resource: TABLE }] })
  assert.equal(at.rates.limiter.unitsPerSecond, 10_000)
  assert.equal(at.pushback.isHot(1_000), true)
  assert.equal(at.pushback.asideUnitsPerSecond(1_000), 1_000)
  throttle(at, 1_000, { way: 'aside', storedUnits: 5, throttledUnits: 20 })
  assert.ok(at.pushback.asideUnitsPerSecond(2_000) < 1_000)
  assert.equal(at.rates.limiter.unitsPerSecond, 10_000)
  assert.equal(at.pushback.isHot(5_000), false, 'not for ever')
  assert.equal(at.pushback.asideUnitsPerSecond(5_000), Number.POSITIVE_INFINITY)
})

test('on demand, where a table gives no more than it is known to give, a key range is one of all', () => {
  const at = start(1_000)
  const reasons = [{ reason: 'TableWriteKeyRangeThroughputExceeded', resource: TABLE }]
  for (let now = 10; now < 2_000; now += 10) {
    const throttledUnits = now > 1_000 ? 25 : 0
    at.rates.limiter.settle(100, throttledUnits, undefined, now - 5, now)
    if (throttledUnits === 0) continue
    at.pushback.onAnswer({ way: 'fresh', storedUnits: 75, throttledUnits, reasons, sentAtMs: now - 5 }, now)
  }
  assert.ok(at.rates.limiter.unitsPerSecond < 9_000)
})

test('a few requests that are throttled without a reason are no matter of capacity; many are', () => {
  const few = start()
  for (let now = 10; now <= 2_000; now += 10) {
    const bare = now % 100 === 0
    few.pushback.onAnswer(
      {
        way: 'fresh',
        storedUnits: bare ? 0 : 25,
        throttledUnits: bare ? 25 : 0,
        reasons: bare ? [] : undefined,
        sentAtMs: now - 5,
      },
      now,
    )
  }
  assert.equal(few.rates.limiter.unitsPerSecond, 10_000)
  const many = start()
  throttle(many, 0, { reasons: [] })
  assert.ok(many.rates.limiter.unitsPerSecond < 1_000)
})

test('throttles that a scout finds to be of a hot part are forgiven', () => {
  const at = start()
  const { pushback, rates } = at
  for (let now = 10; now <= 150; now += 10) {
    pushback.onAnswer({ way: 'fresh', storedUnits: 20, throttledUnits: 5, reasons: undefined, sentAtMs: now - 5 }, now)
  }
  assert.ok(rates.limiter.unitsPerSecond < 10_000)
  assert.equal(pushback.takesScout(150), true)
  assert.equal(pushback.takesScout(160), false, 'one at a time')
  pushback.onScoutSent(170)
  for (let now = 175; now < 200; now += 5) {
    pushback.onAnswer({ way: 'fresh', storedUnits: 24, throttledUnits: 1, reasons: undefined, sentAtMs: now - 3 }, now)
  }
  pushback.onAnswer({ way: 'scout', storedUnits: 2, throttledUnits: 23, reasons: undefined, sentAtMs: 170 }, 200)
  assert.equal(pushback.isHot(200), true)
  assert.equal(rates.limiter.unitsPerSecond, 10_000)
})
