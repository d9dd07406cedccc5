import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../src/runtime/clock.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import { batch, put, startService } from './ask.ts'

const BY_TEXT = { name: 'byText', key: { partition: { name: 'text', type: 'S' } } } as const
const puts = (count: number, from = 0) => Array.from({ length: count }, (_, index) => put(`${from + index}`))
const small = (writeUnitsPerSecond: number): CapacityOptions => ({
  billing: 'provisioned',
  writeUnitsPerSecond,
  readUnitsPerSecond: writeUnitsPerSecond,
  burstSeconds: 0,
})

test('INDEXES gives the units of the table and of each index that used any', async () => {
  const { service, ask } = startService({
    indexes: [
      { ...BY_TEXT, capacity: { billing: 'on demand' } },
      { name: 'byOther', key: { partition: { name: 'other', type: 'S' } }, capacity: { billing: 'on demand' } },
    ],
  })
  const parts = (own: number, index: number) => ({
    TableName: 'things',
    CapacityUnits: own + index,
    Table: { CapacityUnits: own },
    GlobalSecondaryIndexes: { byText: { CapacityUnits: index } },
  })
  const ReturnConsumedCapacity = 'INDEXES'
  const written = await ask('BatchWriteItem', { ...batch(put('a'), put('b')), ReturnConsumedCapacity })
  assert.deepEqual(written.body.ConsumedCapacity, [parts(2, 2)])
  const stated = await ask('BatchExecuteStatement', {
    Statements: [
      { Statement: 'UPDATE "things" SET "text"=? WHERE "pk"=?', Parameters: [{ S: 'new' }, { S: 'a' }] },
      { Statement: 'UPDATE "things" SET "text"=? WHERE "pk"=?', Parameters: [{ S: 'new' }, { S: 'gone' }] },
    ],
    ReturnConsumedCapacity,
  })
  // A changed index key is a delete and a put; a condition that fails costs the table alone.
  assert.deepEqual(stated.body.ConsumedCapacity, [parts(2, 2)])
  const updated = await ask('UpdateItem', {
    TableName: 'things',
    Key: { pk: { S: 'b' } },
    UpdateExpression: 'SET #n = :v',
    ConditionExpression: 'attribute_exists(#n)',
    ExpressionAttributeNames: { '#n': 'text' },
    ExpressionAttributeValues: { ':v': { S: 'other' } },
    ReturnConsumedCapacity,
  })
  assert.deepEqual(updated.body.ConsumedCapacity, parts(1, 2))
  const { body } = await ask('Scan', { TableName: 'things', ReturnConsumedCapacity })
  assert.deepEqual(body.ConsumedCapacity, {
    TableName: 'things',
    CapacityUnits: 0.5,
    Table: { CapacityUnits: 0.5 },
  })
  const { capacity, indexes } = service.tables.get('things')!
  assert.deepEqual([capacity.used, indexes[0]!.capacity.used.write], [{ read: 0.5, write: 5 }, 6])
})

test('a table is described with its indexes, its units, its maximum and its warm throughput', async () => {
  const { ask } = startService({
    capacity: { billing: 'on demand', writeUnitsPerSecondMax: 500, warmWriteUnitsPerSecond: 10_000 },
    indexes: [{ ...BY_TEXT, capacity: small(70) }],
  })
  const { body } = await ask('DescribeTable', { TableName: 'things' })
  const { OnDemandThroughput, WarmThroughput, GlobalSecondaryIndexes, AttributeDefinitions } = body.Table
  assert.deepEqual(OnDemandThroughput, { MaxReadRequestUnits: -1, MaxWriteRequestUnits: 500 })
  assert.deepEqual(WarmThroughput, { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 10_000, Status: 'ACTIVE' })
  assert.deepEqual(AttributeDefinitions, [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'text', AttributeType: 'S' },
  ])
  assert.deepEqual(GlobalSecondaryIndexes, [
    {
      IndexName: 'byText',
      IndexArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/things/index/byText',
      IndexStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'text', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
      ProvisionedThroughput: { ReadCapacityUnits: 70, WriteCapacityUnits: 70 },
      WarmThroughput: { ReadUnitsPerSecond: 70, WriteUnitsPerSecond: 70, Status: 'ACTIVE' },
    },
  ])
})

test('a table that is updated serves as before, then by its new rates, billing and indexes', async () => {
  const { clock, service, ask } = startService({
    capacity: small(10),
    indexes: [{ ...BY_TEXT, capacity: small(1_000) }],
  })
  const { capacity, indexes } = service.tables.get('things')!
  service.updateTable('things', { writeUnitsPerSecond: 20 }, { byText: { writeUnitsPerSecond: 5 } })
  const meanwhile = await ask('BatchWriteItem', batch(...puts(10)))
  assert.deepEqual(meanwhile.body.UnprocessedItems, {})
  assert.equal((await ask('DescribeTable', { TableName: 'things' })).body.Table.TableStatus, 'UPDATING')
  await clock.run(sleep(clock, 10_000))
  assert.equal((await ask('DescribeTable', { TableName: 'things' })).body.Table.TableStatus, 'ACTIVE')
  assert.deepEqual([capacity.offered('write'), indexes[0]!.capacity.offered('write')], [20, 5])
  assert.equal((await ask('BatchWriteItem', batch(...puts(25, 100)))).body.UnprocessedItems.things.length, 20)
  service.updateTable('things', { billing: 'on demand' }, { byText: { billing: 'on demand' } })
  await clock.run(sleep(clock, 10_000))
  assert.equal(capacity.offered('write'), 4_000)
  assert.deepEqual((await ask('BatchWriteItem', batch(...puts(25)))).body.UnprocessedItems, {})
  service.updateTable('things', { billing: 'provisioned', writeUnitsPerSecond: 15 })
  await clock.run(sleep(clock, 10_000))
  // One second's worth, and nothing that was saved while nothing was provisioned. Partitions stay.
  assert.equal((await ask('BatchWriteItem', batch(...puts(25)))).body.UnprocessedItems.things.length, 10)
  assert.equal(capacity.partitions.count, 4)
})

test('a table that is deleted serves nothing from then on, and is gone a little later', async () => {
  const { clock, service, ask } = startService()
  service.deleteTable('things')
  assert.match((await ask('BatchWriteItem', batch(put('a')))).body.__type, /#ResourceNotFoundException$/)
  assert.equal((await ask('DescribeTable', { TableName: 'things' })).body.Table.TableStatus, 'DELETING')
  await clock.run(sleep(clock, 5_000))
  assert.match((await ask('DescribeTable', { TableName: 'things' })).body.__type, /#ResourceNotFoundException$/)
})

test('throttles and 503 carry what the service asks to wait, where it asks', async () => {
  for (const fault of ['throttle', 'unavailable', 'error before'] as const) {
    const { ask } = startService({}, { faults: { shares: { [fault]: 1 }, retryAfterMs: 1_500 } })
    const { answer } = await ask('BatchWriteItem', batch(put('a')))
    assert.equal(answer!.retryAfterMs, fault === 'error before' ? undefined : 1_500, fault)
  }
})

test('items are throttled at random in part, and all of them as an exception that says why', async () => {
  const { service, ask } = startService({}, { faults: { partThrottleShare: 0.5 } })
  const { body } = await ask('BatchWriteItem', batch(...puts(25)))
  const left = body.UnprocessedItems.things.length
  assert.ok(left > 5 && left < 20, `${left}`)
  service.setFaults({ partThrottleShare: 1 })
  const { ThrottlingReasons } = (await ask('BatchWriteItem', batch(...puts(25)))).body
  assert.equal(ThrottlingReasons[0].reason, 'TableWriteKeyRangeThroughputExceeded')
  const { requests, throttledRequests, partlyThrottledRequests, writes } = service.log.counts
  assert.deepEqual([requests, throttledRequests, partlyThrottledRequests, writes], [2, 1, 1, 25 - left])
})

test('a log that keeps nothing still counts', async () => {
  const { service, ask } = startService({}, { keepsLog: false, faults: { shares: { 'reset after': 1 } } })
  await ask('BatchWriteItem', batch(...puts(25)))
  assert.deepEqual(service.log.counts, {
    requests: 1,
    writes: 25,
    throttledRequests: 0,
    partlyThrottledRequests: 0,
    throttledItems: 0,
    failedRequests: 1,
  })
  assert.equal(service.log.writes.length + service.log.requests.length, 0)
})
