import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Allowance } from '../../src/simulator/allowance.ts'
import { Capacity, type CapacityOptions } from '../../src/simulator/capacity.ts'
import { HASHES } from '../../src/simulator/hashOf.ts'
import { batch, put, startService } from './ask.ts'

/** Units that go through in so many seconds when asked for all the time, by a hash in turn of a list. */
function drain(capacity: Capacity, seconds: number, hashes: readonly number[], startMs = 0): number {
  let units = 0
  for (let ms = startMs; ms < startMs + seconds * 1_000; ms += 1) {
    for (let turn = 0; turn < 20; turn += 1) {
      const hash = hashes[(ms + turn * 7) % hashes.length]!
      if (capacity.shortage('write', hash, ms) !== undefined) continue
      capacity.spend('write', hash, 1, ms)
      units += 1
    }
  }
  return units
}

const EVEN = Array.from({ length: 64 }, (_, index) => (HASHES * (index + 0.5)) / 64)

function capacityOf(options: CapacityOptions): Capacity {
  const quota = { read: new Allowance(40_000, 1, 1, 0), write: new Allowance(40_000, 1, 1, 0) }
  return new Capacity(options, quota, 0)
}

test('a provisioned table gives its rate, and first what it has saved', () => {
  const none = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 100, burstSeconds: 0 })
  assert.equal(Math.round(drain(none, 20, EVEN) / 100), 21)
  const some = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 100, burstSeconds: 10 })
  assert.equal(Math.round(drain(some, 20, EVEN) / 100), 31)
  assert.equal(some.shortage('write', 0, 19_999), 'ProvisionedThroughputExceeded')
})

test('a partition gives 1,000 units and no more, a table on demand four times that', () => {
  const one = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 5_000 })
  const units = drain(one, 10, [7])
  assert.ok(units >= 10_900 && units <= 11_100, `${units}`)
  assert.equal(one.shortage('write', 7, 9_999), 'KeyRangeThroughputExceeded')
  // The others are not held up by it.
  assert.equal(one.shortage('write', HASHES - 1, 10_000), undefined)
  const fresh = drain(capacityOf({ billing: 'on demand' }), 10, EVEN)
  assert.ok(fresh >= 43_000 && fresh <= 45_000, `${fresh}`)
})

test('a maximum on demand holds', () => {
  const capacity = capacityOf({ billing: 'on demand', writeUnitsPerSecondMax: 500 })
  assert.equal(Math.round(drain(capacity, 10, EVEN) / 100), 55)
  assert.equal(capacity.shortage('write', 0, 9_999), 'MaxOnDemandThroughputExceeded')
})

test('a table on demand and its indexes share 40,000 units a second', () => {
  const quota = { read: new Allowance(40_000, 1, 1, 0), write: new Allowance(40_000, 1, 1, 0) }
  const options: CapacityOptions = { billing: 'on demand', warmWriteUnitsPerSecond: 64_000 }
  const table = new Capacity(options, quota, 0)
  const index = new Capacity(options, quota, 0)
  assert.equal(table.offered('write'), 40_000)
  let units = 0
  for (let ms = 0; ms < 5_000; ms += 1) {
    for (let turn = 0; turn < 60; turn += 1) {
      const hash = EVEN[(ms + turn * 7) % EVEN.length]!
      if ([table, index].some((one) => one.shortage('write', hash, ms) !== undefined)) continue
      for (const one of [table, index]) one.spend('write', hash, 1, ms)
      units += 2
    }
  }
  assert.ok(units >= 238_000 && units <= 242_000, `${units}`)
  assert.equal(table.shortage('write', EVEN[0]!, 4_999), 'AccountLimitExceeded')
})

test('sustained heat splits a range, but not a single key', () => {
  const range = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 5_000, partitions: 1, splitAfterMs: 5_000 })
  drain(range, 8, EVEN)
  assert.equal(range.partitions.count, 2)
  const key = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 5_000, partitions: 1, splitAfterMs: 5_000 })
  drain(key, 8, [7])
  assert.equal(key.partitions.count, 1)
})

test('on demand grows to twice the peak of the half hour before', () => {
  const capacity = capacityOf({ billing: 'on demand', splitAfterMs: Number.POSITIVE_INFINITY })
  drain(capacity, 3, EVEN)
  const later = drain(capacity, 5, EVEN, 31 * 60_000)
  assert.equal(capacity.partitions.count, 16)
  assert.ok(later > 40_000, `${later}`)
})

test('an application beside us takes its units first, of the whole table or of one partition', () => {
  const table = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 1_000, burstSeconds: 2, partitions: 2 })
  table.occupy('write', 600, 0)
  // Of the 3,000 that are saved it takes what goes beyond its share.
  const beside = drain(table, 20, EVEN)
  assert.ok(beside >= 10_800 && beside <= 11_200, `${beside}`)
  assert.equal(table.offered('write'), 400)
  table.occupy('write', 0, 20_000)
  const alone = drain(table, 10, EVEN, 20_000)
  assert.ok(alone >= 9_900 && alone <= 10_100, `${alone}`)
  const one = capacityOf({ billing: 'on demand', splitAfterMs: Number.POSITIVE_INFINITY })
  one.occupy('write', 1_000, 0, 3)
  assert.equal(one.offered('write'), 3_000)
  drain(one, 2, [HASHES - 1])
  assert.equal(one.shortage('write', HASHES - 1, 2_000), 'KeyRangeThroughputExceeded')
  assert.equal(one.shortage('write', 0, 2_000), undefined)
})

test('nothing that others take runs up a debt', () => {
  const table = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 100, burstSeconds: 0 })
  table.occupy('write', 500, 0)
  assert.equal(table.shortage('write', 0, 60_000), 'ProvisionedThroughputExceeded')
  table.occupy('write', 0, 60_000)
  assert.equal(table.shortage('write', 0, 60_020), undefined)
})

test('warm throughput is partitions that are there from the start', () => {
  const cold = capacityOf({ billing: 'on demand' })
  const warm = capacityOf({ billing: 'on demand', warmWriteUnitsPerSecond: 20_000 })
  assert.deepEqual([cold.partitions.count, warm.partitions.count], [4, 20])
  assert.deepEqual([cold.offered('write'), warm.offered('write')], [4_000, 20_000])
  const provisioned = capacityOf({ billing: 'provisioned', writeUnitsPerSecond: 3_000, readUnitsPerSecond: 3_000 })
  assert.equal(provisioned.partitions.count, 4)
  provisioned.change({ warmWriteUnitsPerSecond: 6_500 }, 0)
  assert.equal(provisioned.partitions.count, 8)
})

test('the growth on demand can be as quick as a scenario wants it', () => {
  const quick = capacityOf({ billing: 'on demand', growthWindowMs: 5_000, splitAfterMs: Number.POSITIVE_INFINITY })
  drain(quick, 20, EVEN)
  assert.ok(quick.partitions.count >= 16, `${quick.partitions.count}`)
  const never = capacityOf({ billing: 'on demand', growthWindowMs: Number.POSITIVE_INFINITY })
  drain(never, 3, EVEN)
  drain(never, 3, EVEN, 3_600_000)
  assert.equal(never.partitions.count, 4)
})

test('a batch that is too much comes back in part, then whole as an exception that says why', async () => {
  const { ask } = startService({
    capacity: { billing: 'provisioned', writeUnitsPerSecond: 5, readUnitsPerSecond: 5, burstSeconds: 1 },
  })
  const puts = Array.from({ length: 25 }, (_, index) => put(`${index}`))
  const { body } = await ask('BatchWriteItem', batch(...puts))
  assert.equal(body.UnprocessedItems.things.length, 15)
  const again = await ask('BatchWriteItem', batch(...puts))
  assert.match(again.body.__type, /#ProvisionedThroughputExceededException$/)
  assert.deepEqual(again.body.ThrottlingReasons, [
    {
      reason: 'TableWriteProvisionedThroughputExceeded',
      resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/things',
    },
  ])
})

test('an index that cannot follow holds the table back, and is named', async () => {
  const { ask } = startService({
    indexes: [
      {
        name: 'byText',
        key: { partition: { name: 'text', type: 'S' } },
        capacity: { billing: 'on demand', writeUnitsPerSecondMax: 2 },
      },
    ],
  })
  const puts = Array.from({ length: 10 }, (_, index) => put(`${index}`))
  const { body } = await ask('BatchWriteItem', batch(...puts))
  assert.equal(body.UnprocessedItems.things.length, 8)
  assert.equal(body.ConsumedCapacity[0].CapacityUnits, 4)
  const again = await ask('BatchWriteItem', batch(put('x')))
  assert.match(again.body.__type, /#ThrottlingException$/)
  assert.deepEqual(again.body.throttlingReasons, [
    {
      reason: 'IndexWriteMaxOnDemandThroughputExceeded',
      resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/things/index/byText',
    },
  ])
})
