import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { LambdaContext } from '../../src/engines/lambdaContext.ts'
import type { SqsMessage } from '../../src/engines/sqsEvent.ts'
import { sqsHandler } from '../../src/engines/sqsHandler.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { S3 } from '../../src/storage/s3.ts'
import { startFaultProxy } from '../support/faultProxy.ts'
import { type SqsServer, startSqsServer } from '../support/sqsServer.ts'
import { newTable, store } from '../support/store.ts'

let server: SqsServer
let client: SQSClient

before(async () => {
  server = await startSqsServer()
  client = new SQSClient({})
})
after(async () => {
  client.destroy()
  await server[Symbol.asyncDispose]()
})

async function readAll(table: Table): Promise<PlainItem[]> {
  const items: PlainItem[] = []
  for await (const item of table.scan({ consistentRead: true })) items.push(item)
  return items
}

function messageOf(body: string, more: Partial<SqsMessage> = {}): SqsMessage {
  return { messageId: randomUUID(), receiptHandle: randomUUID(), body, ...more }
}

/** Of an invocation that has so long. */
function contextOf(milliseconds: number): LambdaContext {
  const end = performance.now() + milliseconds
  return { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => end - performance.now() }
}

const idsOf = (items: readonly PlainItem[]): string[] => items.map(({ id }) => `${id}`).sort()

test('records in any of our JSON are written, numbers exact; what is no record or has no key is given back', async () => {
  const table = await newTable()
  const warnings: string[] = []
  const work = sqsHandler({ table, onWarning: (text) => warnings.push(text) })
  const good = [
    '{"id":"plain","n":12345678901234567890.5}',
    '{"id":"line1"}\n{"id":"line2"}\n',
    '[{"id":"list1"},{"id":"list2"}]',
    '{"Item":{"id":{"S":"ddb"},"set":{"NS":["1","2"]}}}',
    '[]',
  ].map((body) => messageOf(body))
  const bad = ['{"id":', 'id,name\na,b', '{"name":"no key"}', '{"id":7}', '"text"', '{"id":"ok"}\n{"no":"key"}'].map(
    (body) => messageOf(body),
  )
  const { batchItemFailures } = await work({ Records: [...good, ...bad] })
  assert.deepEqual(batchItemFailures.map((one) => one.itemIdentifier).sort(), bad.map((one) => one.messageId).sort())
  const items = await readAll(table)
  assert.deepEqual(idsOf(items), ['ddb', 'line1', 'line2', 'list1', 'list2', 'ok', 'plain'])
  assert.equal(`${items.find(({ id }) => id === 'plain')!['n']}`, '12345678901234567890.5')
  assert.equal(warnings.length, bad.length)
  await work.close()
})

test('rejected records of a message that is done otherwise go to S3, an object for each call that had any', async () => {
  const table = await newTable()
  const work = sqsHandler({ table, rejects: 's3://headrace-test/rejects' })
  const context = contextOf(60_000)
  const poison = messageOf('{"no":"key"}')
  const { batchItemFailures } = await work(
    { Records: [messageOf('{"id":"a"}\n{"id":1}\nnonsense\n'), messageOf('{"id":"b"}'), poison] },
    context,
  )
  assert.deepEqual(batchItemFailures, [{ itemIdentifier: poison.messageId }])
  assert.deepEqual(idsOf(await readAll(table)), ['a', 'b'])
  const s3 = new S3()
  const text = (await s3.get({ bucket: 'headrace-test', key: `rejects/${context.awsRequestId}.jsonl` }))!.toString()
  const places = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { place: string }).place.split(':').at(-1))
  assert.deepEqual(places.sort(), ['2', '3'])
  await s3.close()
  await work.close()
  // Where that is not possible, nothing is lost: the message is not done.
  const denied = sqsHandler({ table, rejects: 's3://no-such-bucket/rejects' })
  const again = await denied({ Records: [messageOf('{"id":"a"}\n{"id":1}\n')] })
  assert.equal(again.batchItemFailures.length, 1)
  await denied.close()
})

test('where the time of an invocation is up, what is written is done and the rest is given back', async () => {
  const table = await newTable()
  await using proxy = await startFaultProxy({
    target: store.endpoint,
    seed: 5,
    stallShare: 1,
    operations: ['BatchWriteItem'],
  })
  await using stalled = connect({ endpoint: proxy.endpoint })
  const work = sqsHandler({ table: stalled.table(table.name) })
  const began = performance.now()
  const records = Array.from({ length: 30 }, (_, index) => messageOf(`{"id":"${index}"}`))
  const { batchItemFailures } = await work({ Records: records }, contextOf(1_000))
  assert.equal(batchItemFailures.length, 30)
  assert.ok(performance.now() - began < 1_000, 'before the invocation ends')
  await work.close()
})

test('of a queue that keeps order, none of a group is done behind one that failed', async () => {
  const table = await newTable()
  const work = sqsHandler({ table })
  const ordered = (body: string, group: string): SqsMessage =>
    messageOf(body, {
      eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:q.fifo',
      attributes: { MessageGroupId: group },
    })
  const records = [
    ordered('{"id":"a","v":1}', 'a'),
    ordered('{"id":"b","v":1}', 'b'),
    ordered('{"no":"key"}', 'a'),
    ordered('{"id":"a","v":2}', 'a'),
    ordered('{"id":"b","v":2}', 'b'),
  ]
  const { batchItemFailures } = await work({ Records: records })
  assert.deepEqual(
    batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort(),
    [records[2]!.messageId, records[3]!.messageId].sort(),
  )
  assert.deepEqual((await readAll(table)).map(({ id, v }) => `${id}${v}`).sort(), ['a1', 'b2'])
  await work.close()
})

test('a group that keeps order is sent on in order', async () => {
  const queue = server.newQueue(30, true)
  const handler = sqsHandler({
    queueUrl: queue.url,
    slice: async ({ index }) => ({
      index,
      done: false,
      counters: {
        read: 0,
        written: 0,
        overwritten: 0,
        skipped: 0,
        rejected: 0,
        filtered: 0,
        readUnits: 0,
        writeUnits: 0,
        requests: 0,
        retried: 0,
      },
    }),
  })
  await client.send(
    new SendMessageCommand({
      QueueUrl: queue.url,
      MessageBody: '{"headraceSlice":{"index":1}}',
      MessageGroupId: 'g',
      MessageDeduplicationId: 'd',
    }),
  )
  const { batchItemFailures } = await handler({
    Records: [messageOf('{"headraceSlice":{"index":1}}', { attributes: { MessageGroupId: 'g' } })],
  })
  assert.equal(batchItemFailures.length, 0)
  assert.equal(queue.counts.ready, 2)
  await handler.close()
})
