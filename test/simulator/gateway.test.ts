import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { type LocalStore, startLocal } from '../../src/local/startLocal.ts'
import type { Fault } from '../../src/simulator/faults.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/simulator/gateway.ts'
import type { GatewayRecord } from '../../src/simulator/gatewayCall.ts'
import { type CallAnswer, call } from '../support/call.ts'

let store: LocalStore
let tables = 0

before(async () => {
  store = await startLocal({ kind: 'dynoxide' })
})

after(() => store.stop())

interface Way extends AsyncDisposable {
  readonly gateway: Gateway
  readonly table: string
  readonly records: GatewayRecord[]
  ask(operation: string, body: object, signal?: AbortSignal): Promise<CallAnswer>
}

/** A gateway and a fresh table behind it, with an index where that is asked for. */
async function through(options: Partial<GatewayOptions>, indexed = false): Promise<Way> {
  tables += 1
  const table = `things${tables}`
  const index = {
    IndexName: 'byKind',
    KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
    Projection: { ProjectionType: 'ALL' },
  }
  await call(store.endpoint, 'CreateTable', {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: ['pk', ...(indexed ? ['kind'] : [])].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    ...(indexed ? { GlobalSecondaryIndexes: [index] } : {}),
  })
  const records: GatewayRecord[] = []
  const gateway = await startGateway({
    upstream: store.endpoint,
    latency: { medianMs: 0, msPerMebibyte: 0 },
    onEvent: (record) => records.push(record),
    ...options,
  })
  return {
    gateway,
    table,
    records,
    ask: (operation, body, signal) => call(gateway.url, operation, body, signal),
    [Symbol.asyncDispose]: () => gateway.close(),
  }
}

const put = (pk: string, more: object = {}) => ({ PutRequest: { Item: { pk: { S: pk }, ...more } } })
const puts = (count: number, from = 0) => Array.from({ length: count }, (_, index) => put(`item${from + index}`))
const text = (bytes: number) => ({ text: { S: 'x'.repeat(bytes) } })

async function storedIn(table: string): Promise<number> {
  return (await call(store.endpoint, 'Scan', { TableName: table, Select: 'COUNT', ConsistentRead: true })).body.Count
}

const FIVE = { billing: 'provisioned', readUnitsPerSecond: 5, writeUnitsPerSecond: 5, burstSeconds: 0 } as const

test('what there are units for passes, with a checksum that is right, and is counted', async () => {
  await using way = await through({})
  const { table } = way
  const first = await way.ask('BatchWriteItem', { RequestItems: { [table]: [put('a', text(3_000)), put('b')] } })
  assert.deepEqual(first.body, { UnprocessedItems: {} })
  assert.equal(first.headers.get('x-amz-crc32'), `${crc32(first.bytes)}`)
  assert.equal(way.gateway.statistics().writeUnits, 4)
  // A put over a larger item costs as the larger; only the store knows that.
  await way.ask('PutItem', { TableName: table, Item: { pk: { S: 'a' } } })
  assert.equal(way.gateway.statistics().writeUnits, 7)
  const { body } = await way.ask('Scan', { TableName: table, ReturnConsumedCapacity: 'TOTAL', ConsistentRead: true })
  assert.equal(body.Count, 2)
  assert.deepEqual(body.ConsumedCapacity, { TableName: table, CapacityUnits: 1 })
  const { acknowledgedWrites, readUnits, requests, throttledItems, upstreamFailures } = way.gateway.statistics()
  assert.deepEqual([acknowledgedWrites, readUnits, requests, throttledItems, upstreamFailures], [3, 1, 3, 0, 0])
})

test('a table is described with the capacity that is kept to', async () => {
  await using way = await through({ capacity: { ...FIVE, indexes: { byKind: { writeUnitsPerSecond: 7 } } } }, true)
  const { Table: described } = (await way.ask('DescribeTable', { TableName: way.table })).body
  assert.equal(described.BillingModeSummary.BillingMode, 'PROVISIONED')
  assert.equal(described.ProvisionedThroughput.WriteCapacityUnits, 5)
  assert.equal(described.GlobalSecondaryIndexes[0].ProvisionedThroughput.WriteCapacityUnits, 7)
  assert.equal((await way.ask('DescribeTable', { TableName: 'nothing' })).status, 400)
})

test('of a batch the items for which units are missing come back, and the whole of it when there are none at all', async () => {
  await using way = await through({ capacity: FIVE })
  const request = { RequestItems: { [way.table]: puts(25) }, ReturnConsumedCapacity: 'TOTAL' }
  const first = await way.ask('BatchWriteItem', request)
  assert.equal(first.body.UnprocessedItems[way.table].length, 20)
  assert.deepEqual(first.body.ConsumedCapacity, [{ TableName: way.table, CapacityUnits: 5 }])
  const stored = await storedIn(way.table)
  assert.equal(stored, 5)
  const { status, body } = await way.ask('BatchWriteItem', request)
  assert.equal(status, 400)
  assert.match(body.__type, /#ProvisionedThroughputExceededException$/)
  const [{ reason, resource }, ...more] = body.ThrottlingReasons
  assert.deepEqual([reason, more], ['TableWriteProvisionedThroughputExceeded', []])
  assert.match(resource, new RegExp(`/${way.table}$`))
  const { throttledItems, throttledRequests, acknowledgedWrites } = way.gateway.statistics()
  assert.deepEqual([throttledItems, throttledRequests, acknowledgedWrites], [20, 1, 5])
})

test('one partition that is used up throttles its own keys and no others', async () => {
  await using way = await through({ capacity: { billing: 'on demand', partitions: 2 } })
  const { table } = way
  const item = (pk: string) => ({ TableName: table, Item: { pk: { S: pk }, ...text(300_000) } })
  // A dozen at once are more than a partition has in any second that a slow machine may need for them.
  const answers = await Promise.all(Array.from({ length: 12 }, () => way.ask('PutItem', item('k0'))))
  const others = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7']
  const passed = await Promise.all(others.map(async (key) => (await way.ask('PutItem', item(key))).status === 200))
  assert(passed.includes(true), 'each other key is throttled, too')
  const refused = answers.find(({ status }) => status === 400)!.body
  assert.match(refused.__type, /#ThrottlingException$/)
  assert.equal(refused.throttlingReasons[0].reason, 'TableWriteKeyRangeThroughputExceeded')
})

test('statements are throttled one by one, each in its place', async () => {
  await using way = await through({ capacity: { ...FIVE, writeUnitsPerSecond: 30 } })
  const { table } = way
  await way.ask('BatchWriteItem', { RequestItems: { [table]: puts(25) } })
  const statements = Array.from({ length: 25 }, (_, index) => ({
    Statement: `UPDATE "${table}" SET "n"=? WHERE "pk"=? AND "n" IS MISSING`,
    Parameters: [{ N: `${index}` }, { S: `item${index}` }],
  }))
  const { body } = await way.ask('BatchExecuteStatement', { Statements: statements, ReturnConsumedCapacity: 'TOTAL' })
  const codes: (string | undefined)[] = body.Responses.map((one: { Error?: { Code: string } }) => one.Error?.Code)
  const made = codes.filter((code) => code === undefined).length
  assert.ok(made >= 5 && made < 25, `${made} were made`)
  assert.deepEqual([...new Set(codes)], [undefined, 'ProvisionedThroughputExceeded'])
  const changed = await call(store.endpoint, 'Scan', { TableName: table, FilterExpression: 'attribute_exists(n)' })
  const expected = codes.flatMap((code, index) => (code === undefined ? [`item${index}`] : []))
  assert.deepEqual(changed.body.Items.map((one: { pk: { S: string } }) => one.pk.S).sort(), expected.sort())
  assert.equal(way.gateway.statistics().acknowledgedWrites, 25 + made)
})

test('an index that is too slow throttles the writes of its table', async () => {
  const plenty = { billing: 'provisioned', writeUnitsPerSecond: 1_000, readUnitsPerSecond: 1_000 } as const
  const slow = { writeUnitsPerSecond: 3, burstSeconds: 0 }
  await using way = await through({ capacity: { ...plenty, indexes: { byKind: slow } } }, true)
  const kinds = Array.from({ length: 10 }, (_, index) => put(`item${index}`, { kind: { S: `k${index}` } }))
  const request = { RequestItems: { [way.table]: [...kinds, ...puts(10, 10)] }, ReturnConsumedCapacity: 'INDEXES' }
  const { body } = await way.ask('BatchWriteItem', request)
  assert.equal(body.UnprocessedItems[way.table].length, 7)
  assert.deepEqual(body.ConsumedCapacity[0].GlobalSecondaryIndexes, { byKind: { CapacityUnits: 3 } })
  const alone = await way.ask('BatchWriteItem', { RequestItems: { [way.table]: kinds.slice(5) } })
  assert.equal(alone.body.ThrottlingReasons[0].reason, 'IndexWriteProvisionedThroughputExceeded')
  assert.match(alone.body.ThrottlingReasons[0].resource, /\/index\/byKind$/)
})

test('an update that an index has no units for is throttled, and one that an index must follow is charged to it', async () => {
  const plenty = { billing: 'provisioned', writeUnitsPerSecond: 1_000, readUnitsPerSecond: 1_000 } as const
  const slow = { writeUnitsPerSecond: 4, burstSeconds: 0 }
  await using way = await through({ capacity: { ...plenty, indexes: { byKind: slow } } }, true)
  const { table } = way
  await call(store.endpoint, 'PutItem', { TableName: table, Item: { pk: { S: 'a' }, kind: { S: 'x' } } })
  const update = (kind: string) => ({
    TableName: table,
    Key: { pk: { S: 'a' } },
    UpdateExpression: 'SET kind = :k',
    ExpressionAttributeValues: { ':k': { S: kind } },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const answers = [await way.ask('UpdateItem', update('y')), await way.ask('UpdateItem', update('z'))]
  // One unit of the table, two of the index: the old place and the new one.
  assert.deepEqual(
    answers.map(({ body }) => body.ConsumedCapacity),
    [1, 2].map(() => ({ TableName: table, CapacityUnits: 3 })),
  )
  const refused = await way.ask('UpdateItem', update('u'))
  assert.equal(refused.body.ThrottlingReasons[0].reason, 'IndexWriteProvisionedThroughputExceeded')
})

test('a table that was dropped and made anew is learnt anew', async () => {
  await using way = await through({})
  const { table } = way
  assert.equal((await way.ask('PutItem', { TableName: table, Item: { pk: { S: 'a' } } })).status, 200)
  await way.ask('DeleteTable', { TableName: table })
  await way.ask('CreateTable', {
    TableName: table,
    BillingMode: 'PROVISIONED',
    ProvisionedThroughput: { ReadCapacityUnits: 3, WriteCapacityUnits: 4 },
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
  })
  const { Table: described } = (await way.ask('DescribeTable', { TableName: table })).body
  assert.equal(described.ProvisionedThroughput.WriteCapacityUnits, 4)
  const { body } = await way.ask('BatchWriteItem', {
    RequestItems: { [table]: [{ PutRequest: { Item: { id: { N: '7' } } } }] },
  })
  assert.deepEqual(body, { UnprocessedItems: {} })
  assert.equal(way.gateway.statistics().acknowledgedWrites, 2)
})

test('single requests are throttled whole, reads and writes apart', async () => {
  await using way = await through({ capacity: { ...FIVE, readUnitsPerSecond: 2, writeUnitsPerSecond: 3 } })
  const { table } = way
  const key = { TableName: table, Key: { pk: { S: 'a' } } }
  const requests: [operation: string, body: object][] = [
    ['PutItem', { TableName: table, Item: { pk: { S: 'a' } } }],
    ['UpdateItem', { ...key, UpdateExpression: 'SET n = :n', ExpressionAttributeValues: { ':n': { N: '1' } } }],
    ['DeleteItem', key],
    ['GetItem', { ...key, ConsistentRead: true }],
    [
      'Query',
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: 'a' } },
      },
    ],
    ['Scan', { TableName: table, ConsistentRead: true }],
  ]
  const statuses: number[] = []
  for (const [operation, body] of requests) statuses.push((await way.ask(operation, body)).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 400])
  for (const [operation, body] of requests) {
    const { status, body: answer } = await way.ask(operation, body)
    assert.equal(status, 400, operation)
    const reads = ['GetItem', 'Query', 'Scan'].includes(operation)
    assert.equal(
      answer.ThrottlingReasons[0].reason,
      `Table${reads ? 'Read' : 'Write'}ProvisionedThroughputExceeded`,
      operation,
    )
  }
})

test('what is not sound is left to the store to refuse, and costs nothing', async () => {
  await using way = await through({ capacity: FIVE })
  const { table } = way
  for (const writes of [[put('')], [put('a'), put('a')], [{ PutRequest: { Item: { pk: { N: '1' } } } }], puts(26)]) {
    const { status, body } = await way.ask('BatchWriteItem', { RequestItems: { [table]: writes } })
    assert.equal(status, 400)
    assert.match(body.__type, /#ValidationException$/)
  }
  assert.equal(way.gateway.statistics().writeUnits, 0)
  assert.match(
    (await way.ask('PutItem', { TableName: 'nothing', Item: {} })).body.__type,
    /ResourceNotFound|Validation/,
  )
})

test('each fault does what it says, to the store and to the client', async () => {
  for (const [fault, made, seen] of [
    ['connect', 0, 'failed'],
    ['reset before', 0, 'failed'],
    ['reset after', 1, 'failed'],
    ['stall before', 0, 'failed'],
    ['stall after', 1, 'failed'],
    ['error before', 0, 500],
    ['error after', 1, 500],
    ['unavailable', 0, 503],
    ['throttle', 0, 400],
    ['expired token', 0, 400],
    ['wrong checksum', 1, 200],
    ['slow', 1, 200],
  ] as const) {
    await using way = await through({ faults: { shares: { [fault]: 1 } } })
    const request = { TableName: way.table, Item: { pk: { S: 'a' } } }
    const answer = await way.ask('PutItem', request, AbortSignal.timeout(300)).catch(() => undefined)
    assert.equal(answer?.status ?? 'failed', seen, fault)
    assert.equal(await storedIn(way.table), made, fault)
    assert.equal(way.gateway.statistics().faults[fault], 1, fault)
    assert.equal(way.gateway.statistics().acknowledgedWrites, fault === 'slow' ? 1 : 0, fault)
    if (answer === undefined) continue
    const damaged = answer.headers.get('x-amz-crc32') !== `${crc32(answer.bytes)}`
    assert.equal(damaged, fault === 'wrong checksum', fault)
  }
})

test('an answer that is cut ends early, or is a proxy page, and does not parse', async () => {
  for (const fault of ['cut body', 'proxy page'] satisfies Fault[]) {
    await using way = await through({ faults: { shares: { [fault]: 1 } } })
    for (let round = 0; round < 8; round += 1) await assert.rejects(way.ask('DescribeTable', { TableName: way.table }))
  }
})

test('connections are refused for a moment, and then taken again', async () => {
  await using way = await through({ faults: { shares: { connect: 1 } } })
  await assert.rejects(way.ask('ListTables', {}))
  const refused = await way.ask('ListTables', {}).catch((error) => error.cause.code)
  assert.equal(refused, 'ECONNREFUSED')
  way.gateway.setFaults({})
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal((await way.ask('ListTables', {})).status, 200)
})

test('some items of a batch fail on their own, and a seed repeats which', async () => {
  const run = async () => {
    await using way = await through({ faults: { partFailureShare: 0.3 }, seed: 5 })
    const { body } = await way.ask('BatchWriteItem', { RequestItems: { [way.table]: puts(25) } })
    const left = body.UnprocessedItems[way.table].map((one: ReturnType<typeof put>) => one.PutRequest.Item.pk.S)
    assert.equal(await storedIn(way.table), 25 - left.length)
    return left
  }
  const left = await run()
  assert.ok(left.length > 1 && left.length < 20, `${left.length}`)
  assert.deepEqual(await run(), left)
})

test('closing ends what stalls, and tells of it; a port that is taken is named', async () => {
  const way = await through({ faults: { shares: { 'stall before': 1 } } })
  const hanging = assert.rejects(way.ask('PutItem', { TableName: way.table, Item: { pk: { S: 'a' } } }))
  while (way.gateway.statistics().requests === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const { port } = way.gateway
  await assert.rejects(
    startGateway({ upstream: store.endpoint, port }),
    new RegExp(`Cannot open port ${port}: .*Choose another`),
  )
  await way.gateway.close()
  await way.gateway.close()
  await hanging
  assert.deepEqual(
    way.records.map(({ fault, answeredAtMs }) => [fault, answeredAtMs]),
    [['stall before', undefined]],
  )
})

test('what cannot be meant is refused', async () => {
  const upstream = store.endpoint
  await assert.rejects(startGateway({ upstream, port: 70_000 }), /whole number from 0/)
  await assert.rejects(startGateway({ upstream: 'localhost:8000' }), /an address such as http/)
  await assert.rejects(
    startGateway({ upstream, faults: { shares: { slow: 0.6, connect: 0.6 } } }),
    /but at most 1 is possible/,
  )
  await assert.rejects(startGateway({ upstream, faults: { shares: { slo: 0.6 } as object } }), /"slo" is not a fault/)
})

test('a store that is gone is an error of the service, and counted', async () => {
  await using gateway = await startGateway({ upstream: 'http://127.0.0.1:1' })
  const answer = await call(gateway.url, 'Scan', { TableName: 'things' })
  assert.equal(answer.status, 500)
  assert.equal(gateway.statistics().upstreamFailures, 1)
})
