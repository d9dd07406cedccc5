import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SliceEvent, sliceHandler } from '../../src/engines/sliceHandler.ts'
import { sqsHandler } from '../../src/engines/sqsHandler.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { database, newTable } from '../support/store.ts'

interface Line {
  readonly _aws: {
    readonly Timestamp: number
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[]
    }[]
  }
  readonly [name: string]: unknown
}

/** As CloudWatch asks of it: what is named is there, a number or a text. */
function checked(text: string): Line {
  assert.doesNotMatch(text, /\n/)
  const line: Line = JSON.parse(text)
  assert.ok(Math.abs(line._aws.Timestamp - Date.now()) < 60_000)
  for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    assert.equal(Namespace, 'Headrace')
    for (const name of Dimensions.flat()) assert.equal(typeof line[name], 'string')
    for (const { Name } of Metrics) assert.equal(typeof line[Name], 'number')
  }
  return line
}

test('a call that does a part of a slice says what it alone has done', async () => {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 40; index += 1) publisher.put({ id: `user-${index}` })
  await publisher.close()
  const job = await updateAll(table, { set: { tier: 1 } }).describe({ slices: 2 })
  const lines: Line[] = []
  const slice = sliceHandler({ database, onMetrics: (text) => lines.push(checked(text)) })
  const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: 'a' }
  for (const index of [0, 1]) {
    const event: SliceEvent = { job, index, of: 2 }
    const result = await slice(event, context)
    assert.equal(result.done, true)
    assert.equal(lines.at(-1)!['ItemsWritten'], result.counters.written)
  }
  assert.equal(lines.length, 2)
  assert.equal(
    lines.reduce((sum, line) => sum + (line['ItemsWritten'] as number), 0),
    40,
  )
  assert.equal(lines[0]!['Table'], table.name)
  assert.equal(lines[0]!['Operation'], 'update')
})

test('a batch of messages says how many there were, and how many failed', async () => {
  const table = await newTable()
  const lines: Line[] = []
  const handler = sqsHandler({ table, onMetrics: (text) => lines.push(checked(text)) })
  const eventSourceARN = 'arn:aws:sqs:us-east-1:000000000000:users'
  const message = (messageId: string, body: string) => ({ messageId, receiptHandle: messageId, body, eventSourceARN })
  const { batchItemFailures } = await handler({ Records: [message('1', '{"id":"a"}'), message('2', 'no JSON')] })
  await handler.close()
  assert.equal(batchItemFailures.length, 1)
  assert.deepEqual([lines[0]!['Messages'], lines[0]!['FailedMessages'], lines[0]!['Queue']], [2, 1, 'users'])
})
