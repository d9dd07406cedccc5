import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { LambdaContext } from '../../src/engines/lambdaContext.ts'
import { RunStore } from '../../src/engines/runStore.ts'
import { sliceHandler } from '../../src/engines/sliceHandler.ts'
import type { SqsMessage } from '../../src/engines/sqsEvent.ts'
import { type SqsHandler, sqsHandler } from '../../src/engines/sqsHandler.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { startFaultProxy } from '../support/faultProxy.ts'
import { RECEIVES_MAX, type SqsServer, startSqsServer, type TestQueue } from '../support/sqsServer.ts'
import { database, newTable, store } from '../support/store.ts'

const CONSUMER = fileURLToPath(new URL('../../examples/sqsConsumer.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'headrace-queues-'))
let server: SqsServer
let client: SQSClient

before(async () => {
  server = await startSqsServer()
  client = new SQSClient({})
})
after(async () => {
  client.destroy()
  rmSync(folder, { recursive: true })
  await server[Symbol.asyncDispose]()
})

async function readAll(table: Table): Promise<PlainItem[]> {
  const items: PlainItem[] = []
  for await (const item of table.scan({ consistentRead: true })) items.push(item)
  return items
}

async function send(queue: TestQueue, bodies: readonly string[]): Promise<void> {
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies.slice(start, start + 10).map((MessageBody, index) => ({ Id: `${index}`, MessageBody }))
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
    assert.equal(Failed.length, 0)
  }
}

function messageOf(body: string, more: Partial<SqsMessage> = {}): SqsMessage {
  return { messageId: randomUUID(), receiptHandle: randomUUID(), body, ...more }
}

async function until(what: () => boolean, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!what()) {
    assert.ok(Date.now() < end, 'it comes to pass in time')
    await sleep(20)
  }
}

/** Deletes what the handler does not give back, as Lambda's event source does, until that is so. */
async function consume(queue: TestQueue, work: SqsHandler, count: number, isDone: () => boolean): Promise<void> {
  const consumers = Array.from({ length: count }, () =>
    Consumer.create({
      queueUrl: queue.url,
      batchSize: 10,
      waitTimeSeconds: 1,
      sqs: client,
      handleMessageBatch: async (messages) => {
        const Records = messages.map((one) =>
          messageOf(one.Body!, { messageId: one.MessageId!, receiptHandle: one.ReceiptHandle! }),
        )
        const { batchItemFailures } = await work({ Records })
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
        return messages.filter(({ MessageId }) => !failed.has(MessageId!))
      },
    }),
  )
  const errors: unknown[] = []
  for (const consumer of consumers) consumer.on('error', (error) => errors.push(error)).start()
  try {
    await until(isDone)
  } finally {
    await Promise.all(
      consumers.map(
        (consumer) =>
          new Promise((resolve) => {
            consumer.once('stopped', resolve as () => void)
            consumer.stop()
          }),
      ),
    )
    await work.close()
  }
  assert.deepEqual(errors, [])
}

/** Of an invocation that has so long. */
function contextOf(milliseconds: number): LambdaContext {
  const end = performance.now() + milliseconds
  return { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => end - performance.now() }
}

const isEmpty = ({ counts }: TestQueue): boolean => counts.ready + counts.inflight === 0
const idsOf = (items: readonly PlainItem[]): string[] => items.map(({ id }) => `${id}`).sort()

test('throttles, lost answers and poison: every record is written, and poison lies in the dead-letter queue', async () => {
  const table = await newTable()
  await using proxy = await startFaultProxy({
    target: store.endpoint,
    seed: 11,
    throttleShare: 0.05,
    resetAfterShare: 0.05,
    unprocessedShare: 0.05,
  })
  await using faulty = connect({ endpoint: proxy.endpoint })
  const queue = server.newQueue(2)
  const bodies = Array.from({ length: 200 }, (_, index) => `{"id":"r${index}"}\n{"id":"s${index}"}\n`)
  const poison = ['{"id":', '{"no":"key"}', '{"id":[1]}', '{"id":"half"}\n{"id":3}']
  await send(
    queue,
    [...bodies, ...poison].sort((one, other) => one.length - other.length),
  )
  const work = sqsHandler({ table: faulty.table(table.name), queueUrl: queue.url, visibilityTimeoutSeconds: 3 })
  await consume(queue, work, 2, () => queue.counts.dead === poison.length && isEmpty(queue))
  assert.deepEqual([...queue.dead].sort(), [...poison].sort())
  assert.deepEqual(
    idsOf(await readAll(table)),
    [...bodies.flatMap((_, index) => [`r${index}`, `s${index}`]), 'half'].sort(),
  )
})

test('a message that takes longer than its queue waits is kept, and comes to nobody else', async () => {
  const table = await newTable()
  const queue = server.newQueue(2)
  await send(queue, ['{"headraceSlice":{"job":{},"index":0,"of":1}}'])
  let calls = 0
  const work = sqsHandler({
    table,
    queueUrl: queue.url,
    visibilityTimeoutSeconds: 3,
    slice: async ({ index }) => {
      calls += 1
      await sleep(4_500)
      return {
        index,
        done: true,
        counters: {
          read: 0,
          written: 0,
          rejected: 0,
          overwritten: 0,
          skipped: 0,
          filtered: 0,
          readUnits: 0,
          writeUnits: 0,
          requests: 0,
          retried: 0,
        },
      }
    },
  })
  await consume(queue, work, 2, () => calls > 0 && isEmpty(queue))
  assert.equal(calls, 1)
})

test('slices by a queue: each hands itself on with its cursor, and counts once, also where a message came twice', async () => {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: 400 }, (_, index) => ({ id: `item${index}`, count: 0 })))
  await publisher.flush()
  const path = join(folder, 'slow.mjs')
  writeFileSync(path, 'export default () => new Promise((r) => setTimeout(r, 15, { add: { count: 1 } }))\n')
  const visitor = pathToFileURL(path)
  // Twenty units a slice at ten a second: also on a quick machine none ends within its first call.
  const options = { once: true, segments: 160, concurrency: 1, readUnitsPerSecond: 40 } as const
  const job = await updateAll(table, visitor, options).describe({ slices: 4 })
  const queue = server.newQueue(3)
  const work = sliceHandler({ database, store: 's3://headrace-test/queued' })
  let calls = 0
  const handler = sqsHandler({
    queueUrl: queue.url,
    // Each call has a little more time than the one before it.
    slice: (event) => {
      calls += 1
      return work(event, contextOf(120 + calls * 20))
    },
  })
  const slices = [0, 1, 2, 3, 1].map((index) => JSON.stringify({ headraceSlice: { job, index, of: 4, run: 'r1' } }))
  await send(queue, slices)
  await consume(queue, handler, 1, () => isEmpty(queue))
  await using results = new RunStore('s3://headrace-test/queued/r1', job, 4)
  const done = await results.results()
  assert.deepEqual(
    done.map(({ index }) => index),
    [0, 1, 2, 3],
  )
  assert.equal(
    done.reduce((sum, { counters }) => sum + counters.read, 0),
    400,
  )
  for (const { count } of await readAll(table)) assert.equal(count, 1)
  assert.ok(calls > 5, `${calls} calls`)
  assert.equal(queue.counts.dead, 0)
})

test('a consumer in a container that is killed with -9 again and again: every record is written, poison is given up', async () => {
  const table = await newTable()
  const queue = server.newQueue(2)
  const bodies = Array.from({ length: 300 }, (_, index) => `{"id":"k${index}","text":"${'x'.repeat(500)}"}`)
  await send(queue, [...bodies.slice(0, 150), '{"no":"key"}', ...bodies.slice(150)])
  const start = (): ChildProcess =>
    spawn(process.execPath, [CONSUMER], {
      env: {
        ...process.env,
        ...server.environment,
        HEADRACE_QUEUE_URL: queue.url,
        HEADRACE_TABLE: table.name,
        AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
      },
      stdio: 'ignore',
    })
  let kills = 0
  let child = start()
  try {
    const end = Date.now() + 40_000
    while (queue.counts.ready + queue.counts.inflight > 0) {
      assert.ok(Date.now() < end, 'it comes to an end')
      if (kills < RECEIVES_MAX - 1 && queue.counts.inflight > 0) {
        child.kill('SIGKILL')
        kills += 1
        child = start()
      }
      await sleep(50)
    }
  } finally {
    child.kill('SIGKILL')
  }
  assert.equal(kills, RECEIVES_MAX - 1)
  assert.deepEqual(queue.dead, ['{"no":"key"}'])
  assert.deepEqual(idsOf(await readAll(table)), bodies.map((_, index) => `k${index}`).sort())
})
