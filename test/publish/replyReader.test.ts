import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Entry } from '../../src/publish/entry.ts'
import { ReplyReader } from '../../src/publish/replyReader.ts'
import type { SentBatch } from '../../src/publish/sentBatch.ts'

const schema = { partition: { name: 'pk', type: 'S' as const } }
const owner = { onStored: () => undefined, onRefused: () => undefined, onConflict: () => undefined }

function statements(count: number): SentBatch {
  const batch = Array.from({ length: count }, () => new Entry(owner, { outstanding: 0, onEmpty: undefined }))
  return { batch, way: 'fresh', operation: 'BatchExecuteStatement', bytes: 0, units: 0, asked: 0, dialect: 'clauses' }
}

function answer(responses: readonly object[], units: number): Buffer {
  return Buffer.from(JSON.stringify({ Responses: responses, ConsumedCapacity: [{ CapacityUnits: units }] }))
}

test('an answer to statements is read the same however often it comes, and only for as many as it speaks of', () => {
  const reader = new ReplyReader(schema)
  const stored = answer([{ TableName: 't' }, { TableName: 't' }], 2)
  for (let time = 0; time < 3; time += 1) {
    const { outcomes, consumed } = reader.read(statements(2), Buffer.from(stored))
    assert.strictEqual(outcomes, undefined)
    assert.strictEqual(consumed?.total, 2)
    assert.throws(() => reader.read(statements(3), Buffer.from(stored)), /2 responses to 3 statements/)
  }
  const refused = answer([{ TableName: 't' }, { Error: { Code: 'ConditionalCheckFailed' } }], 2)
  assert.strictEqual(reader.read(statements(2), refused).outcomes?.length, 2)
  assert.strictEqual(reader.read(statements(2), answer([{ TableName: 't' }, { TableName: 't' }], 7)).consumed?.total, 7)
})
