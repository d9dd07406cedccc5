import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { connect, HeadraceError } from '../../src/index.ts'
import { S3 } from '../../src/storage/s3.ts'
import { closeServer, listen } from '../support/httpExchange.ts'
import { startScriptedServer } from '../support/scriptedServer.ts'

const TABLE = {
  TableName: 'things',
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
}

/** Reads all of a table whose every page ends with this. */
async function scanWith(nextOf: (page: number) => unknown, bound = 200): Promise<number> {
  let pages = 0
  await using server = await startScriptedServer(({ operation }) => {
    if (operation === 'DescribeTable') return { body: { Table: TABLE } }
    pages += 1
    const next = nextOf(pages)
    const more = next === undefined ? {} : { LastEvaluatedKey: next }
    const ConsumedCapacity = { TableName: 'things', CapacityUnits: 0.5 }
    return { body: { Items: [{ pk: { S: `k${pages}` } }], Count: 1, ScannedCount: 1, ConsumedCapacity, ...more } }
  })
  await using database = connect({ endpoint: server.endpoint })
  let items = 0
  for await (const _ of database.table('things').scan({ segments: 1 })) {
    items += 1
    assert.ok(items < bound, 'the scan does not end')
  }
  return items
}

const REFUSED = (shown: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HeadraceError)
  assert.equal(error.code, 'REFUSED')
  assert.equal(error.place.segment, 0)
  assert.match(error.message, /table things cannot continue in segment 0: the endpoint returned LastEvaluatedKey/)
  assert.match(error.message, shown)
  return true
}

// DynamoDB says by leaving the field out that there is no more, so a null is not taken for an end: what an endpoint
// means that writes one is not known, and a scan that ends too early loses items in silence.
for (const [name, value, shown] of [
  ['null', null, /null, which is not a key/],
  ['{}', {}, /\{\}, a key without attributes/],
  ['a list', [], /\[\], which is not a key/],
  ['a text', 'k1', /"k1", which is not a key/],
  ['a key of another type', { pk: { BOOL: true } }, /not of type S, N or B/],
] as const) {
  test(`C1: a cursor that is ${name} ends the scan with an error that names the segment`, async () => {
    await assert.rejects(
      scanWith(() => value),
      REFUSED(shown),
    )
  })
}

test('C1: a cursor that does not move ends the scan with an error', async () => {
  await assert.rejects(
    scanWith(() => ({ pk: { S: 'k1' } })),
    REFUSED(/\{"pk":\{"S":"k1"\}\}, a key that it already returned/),
  )
})

test('C1: cursors that go in a circle end the scan with an error', async () => {
  await assert.rejects(
    scanWith((page) => ({ pk: { S: `k${page % 5}` } })),
    REFUSED(/a key that it already returned/),
  )
})

test('C1: cursors that move are followed to the end', async () => {
  assert.equal(await scanWith((page) => (page < 150 ? { pk: { S: `k${page}` } } : undefined)), 150)
})

test('C1: a listing in S3 whose continuation token does not move is refused by name', async () => {
  for (const [tokens, message] of [
    [['a', 'a'], /the continuation token "a" again/],
    [['a', 'b', 'a', 'b', 'a', 'b'], /the continuation token "[ab]" again/],
    [[''], /returns no continuation token/],
    [[undefined], /returns no continuation token/],
  ] as const) {
    let asked = 0
    const server = createServer((_, answer) => {
      const token = tokens[asked]
      asked += 1
      const next = token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`
      answer.writeHead(200, { 'content-type': 'application/xml' })
      answer.end(`<ListBucketResult><IsTruncated>true</IsTruncated>${next}
        <Contents><Key>a</Key><Size>1</Size><ETag>"x"</ETag></Contents></ListBucketResult>`)
    })
    process.env['AWS_ENDPOINT_URL_S3'] = await listen(server)
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })
    const s3 = new S3()
    try {
      await assert.rejects(s3.list({ bucket: 'bucket', key: 'a' }), message)
    } finally {
      await s3.close()
      await closeServer(server)
    }
  }
})
