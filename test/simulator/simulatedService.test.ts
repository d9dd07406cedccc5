import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { sleep } from '../../src/runtime/clock.ts'
import { batch, put, startService } from './ask.ts'

test('a batch is written, paid for by the KB, and logged with what was there before', async () => {
  const { service, ask } = startService()
  const first = await ask('BatchWriteItem', batch(put('a'), put('b', 3_000)))
  assert.deepEqual(first.body, { UnprocessedItems: {}, ConsumedCapacity: [{ TableName: 'things', CapacityUnits: 4 }] })
  assert.equal(first.answer!.crc32, crc32(first.answer!.body))
  // A put over a larger item pays for the larger; so does a delete. What is not there costs one unit.
  const second = await ask(
    'BatchWriteItem',
    batch(put('b'), { DeleteRequest: { Key: { pk: { S: 'a' } } } }, { DeleteRequest: { Key: { pk: { S: 'c' } } } }),
  )
  assert.equal(second.body.ConsumedCapacity[0].CapacityUnits, 5)
  assert.equal(service.tables.get('things')!.size, 1)
  assert.deepEqual(
    service.log.writes.map(({ kind, key, before }) => [kind, key, before === undefined]),
    [
      ['put', '{"S":"a"}', true],
      ['put', '{"S":"b"}', true],
      ['put', '{"S":"b"}', false],
      ['delete', '{"S":"a"}', false],
      ['delete', '{"S":"c"}', true],
    ],
  )
})

test('a batch is refused whole for anything in it that is wrong', async () => {
  const index = { name: 'byKind', key: { partition: { name: 'kind', type: 'N' } as const } }
  const { service, ask } = startService({ indexes: [{ ...index, capacity: { billing: 'on demand' } }] })
  const refused: [object, RegExp][] = [
    [batch(put('a'), put('a')), /contains duplicates/],
    [batch(...Array.from({ length: 26 }, (_, number) => put(`${number}`))), /less than or equal to 25/],
    [batch(), /greater than or equal to 1/],
    [batch(put('a'), { PutRequest: { Item: { sk: { S: 'x' } } } }), /does not match the schema/],
    [batch(put('a'), { PutRequest: { Item: { pk: { N: '1' } } } }), /does not match the schema/],
    [batch(put('a'), put('')), /empty string value/],
    [batch(put('a'), put('b', 409_600)), /exceeded the maximum allowed size/],
    [batch(put('a'), { PutRequest: { Item: { pk: { S: 'b' }, set: { SS: [] } } } }), /may not be empty/],
    [
      batch(put('a'), { PutRequest: { Item: { pk: { S: 'b' }, kind: { S: 'b' } } } }),
      /Type mismatch for Index Key kind/,
    ],
  ]
  for (const [body, message] of refused) {
    const { status, body: answer } = await ask('BatchWriteItem', body)
    assert.equal(status, 400)
    assert.equal(answer.__type, 'com.amazon.coral.validate#ValidationException')
    assert.match(answer.message, message)
  }
  const unknown = await ask('BatchWriteItem', { RequestItems: { nothing: [put('a')] } })
  assert.match(unknown.body.__type, /#ResourceNotFoundException$/)
  assert.equal(service.log.writes.length, 0)
})

test('an item of 409,600 bytes is taken', async () => {
  const { ask } = startService()
  const { body } = await ask('BatchWriteItem', batch(put('b', 409_600 - 'pk'.length - 1 - 'text'.length)))
  assert.equal(body.ConsumedCapacity[0].CapacityUnits, 400)
})

test('statements change what is as expected, and say of each how it ended', async () => {
  const { service, ask } = startService()
  service.tables.get('things')!.fill([
    { pk: { S: 'a' }, n: { N: '1' }, old: { S: 'x' } },
    { pk: { S: 'b' }, n: { N: '2' } },
  ])
  const statement = (Statement: string, ...Parameters: object[]) => ({ Statement, Parameters })
  const { body } = await ask('BatchExecuteStatement', {
    Statements: [
      statement(
        'UPDATE "things" SET "n"=? SET "m"=? REMOVE "old" WHERE "pk"=? AND "n"=? AND "m" IS MISSING',
        { N: '5' },
        { SS: ['x', 'y'] },
        { S: 'a' },
        { N: '1.0' },
      ),
      statement('UPDATE "things" SET "n"=? WHERE "pk"=? AND "n"=?', { N: '5' }, { S: 'b' }, { N: '3' }),
      statement('UPDATE "things" SET "n"=? WHERE "pk"=?', { N: '5' }, { S: 'c' }),
      statement('UPDATE "things" SET "n"=?, "m"=? WHERE "pk"=?', { N: '5' }, { N: '5' }, { S: 'd' }),
      statement('DELETE FROM "things" WHERE "pk"=?', { S: 'e' }),
    ],
  })
  assert.deepEqual(
    body.Responses.map((response: { Error?: { Code: string } }) => response.Error?.Code),
    [undefined, 'ConditionalCheckFailed', 'ConditionalCheckFailed', 'ValidationError', undefined],
  )
  assert.deepEqual({ ...service.log.writes[0]!.after }, { pk: { S: 'a' }, n: { N: '5' }, m: { SS: ['x', 'y'] } })
  assert.equal(service.log.writes.length, 1)
})

test('UpdateItem and DeleteItem know conditions through aliases', async () => {
  const { service, ask } = startService()
  service.tables.get('things')!.fill([{ pk: { S: 'a' }, 'odd name': { N: '1' } }])
  const body = {
    TableName: 'things',
    Key: { pk: { S: 'a' } },
    UpdateExpression: 'SET #n1 = :v0 REMOVE #n2',
    ConditionExpression: 'attribute_exists(#n0) AND #n1 = :v1 AND attribute_not_exists(#n3)',
    ExpressionAttributeNames: { '#n0': 'pk', '#n1': 'odd name', '#n2': 'gone', '#n3': 'missing' },
    ExpressionAttributeValues: { ':v0': { N: '2' }, ':v1': { N: '1' } },
    ReturnConsumedCapacity: 'TOTAL',
  }
  assert.equal((await ask('UpdateItem', body)).body.ConsumedCapacity.CapacityUnits, 1)
  assert.match((await ask('UpdateItem', body)).body.__type, /#ConditionalCheckFailedException$/)
  const { UpdateExpression: _, ...removal } = body
  removal.ExpressionAttributeValues = { ':v0': { N: '9' }, ':v1': { N: '2' } }
  assert.equal((await ask('DeleteItem', removal)).status, 200)
  assert.equal(service.tables.get('things')!.size, 0)
})

test('a scan gives every item once, in segments and pages that fit together, and counts what it reads', async () => {
  const { service, ask } = startService({
    key: { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } },
  })
  const items = Array.from({ length: 300 }, (_, index) => ({
    pk: { S: `p${index % 40}` },
    sk: { N: `${10 - index}` },
    text: { S: 'x'.repeat(10_000) },
  }))
  service.tables.get('things')!.fill(items)
  const seen = new Set<string>()
  let units = 0
  let pages = 0
  for (let segment = 0; segment < 3; segment += 1) {
    let start: object | undefined
    do {
      const { body } = await ask('Scan', {
        TableName: 'things',
        Segment: segment,
        TotalSegments: 3,
        ReturnConsumedCapacity: 'TOTAL',
        FilterExpression: 'attribute_exists(pk) AND (NOT sk = :v OR begins_with(pk, :p))',
        ExpressionAttributeValues: { ':v': { N: '10' }, ':p': { S: 'p' } },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      })
      for (const item of body.Items) seen.add(`${item.pk.S} ${item.sk.N}`)
      units += body.ConsumedCapacity.CapacityUnits
      start = body.LastEvaluatedKey
      pages += 1
    } while (start !== undefined)
  }
  assert.equal(seen.size, 300)
  assert.ok(pages >= 4, `${pages} pages`)
  assert.ok(units > 366 && units < 366 + pages, `${units} units`)
  const elsewhere = await ask('Scan', {
    TableName: 'things',
    Segment: 0,
    TotalSegments: 1_000_000,
    ExclusiveStartKey: { pk: { S: 'p1' }, sk: { N: '1' } },
  })
  assert.match(elsewhere.body.message, /correct Segment/)
})

test('the two ways of a write to be lost: before it is made, and after', async () => {
  for (const [fault, made, seen] of [
    ['reset before', 0, 'reset'],
    ['reset after', 1, 'reset'],
    ['stall before', 0, 'timeout'],
    ['stall after', 1, 'timeout'],
    ['connect', 0, 'connect'],
    ['error before', 0, 500],
    ['error after', 1, 500],
    ['unavailable', 0, 503],
    ['proxy page', 0, 502],
    ['throttle', 0, 400],
    ['expired token', 0, 400],
    ['cut body', 1, 200],
    ['wrong checksum', 1, 200],
    ['slow', 1, 200],
  ] as const) {
    const { service, ask, clock } = startService({}, { faults: { shares: { [fault]: 1 } } })
    const { status, failure, answer } = await ask('BatchWriteItem', batch(put('a')))
    assert.equal(status || failure, seen, fault)
    assert.equal(service.log.writes.length, made, fault)
    assert.equal(clock.now() >= 10_000, fault.startsWith('stall'), fault)
    const damaged = answer?.crc32 !== undefined && answer.crc32 !== crc32(answer.body)
    assert.equal(damaged, fault === 'wrong checksum', fault)
    assert.equal(service.log.requests[0]!.fault, fault)
  }
})

test('a host that is gone answers nothing that was sent to it or was on its way', async () => {
  for (const [sentAtMs, made, answered] of [
    [0, 1, true],
    [985, 1, false],
    [995, 0, false],
    [1_500, 0, false],
    [2_001, 1, true],
  ] as const) {
    const gone = [{ fromMs: 1_000, toMs: 2_000 }]
    const { service, ask, clock } = startService({}, { faults: { gone }, latency: { medianMs: 20, sigma: 0 } })
    await clock.run(sleep(clock, sentAtMs))
    const { status, failure } = await ask('BatchWriteItem', batch(put('a')))
    assert.equal(status || failure, answered ? 200 : 'timeout', `${sentAtMs}`)
    assert.equal(service.log.writes.length, made, `${sentAtMs}`)
    assert.equal(clock.now() >= sentAtMs + 10_000, !answered, `${sentAtMs}`)
  }
})

test('a signature of another day is refused, and so is whoever has none', async () => {
  const { ask } = startService({}, { aheadMs: 16 * 60_000 })
  const { body, answer } = await ask('DescribeTable', { TableName: 'things' })
  assert.match(body.__type, /#InvalidSignatureException$/)
  assert.match(body.message, /^Signature expired/)
  assert.equal(answer!.date, 'Thu, 01 Jan 2026 00:16:00 GMT')
})
