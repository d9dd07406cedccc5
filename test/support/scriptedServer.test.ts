import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { call } from './call.ts'
import { type ScriptedAnswer, serviceError, startScriptedServer, wrongChecksum } from './scriptedServer.ts'

test('answers as the script says, and remembers what it was asked', async () => {
  const answers: ScriptedAnswer[] = [
    { body: { UnprocessedItems: {} } },
    serviceError('ThrottlingException', 'slow down'),
    { body: '{"a":1}', headers: { 'x-amz-crc32': wrongChecksum('{"a":1}') } },
  ]
  await using server = await startScriptedServer(({ number }) => answers[number - 1]!)

  const first = await call(server.endpoint, 'BatchWriteItem', { RequestItems: {} })
  assert.equal(first.status, 200)
  assert.deepEqual(first.body, { UnprocessedItems: {} })
  assert.equal(first.headers.get('x-amz-crc32'), String(crc32(first.bytes)))

  const second = await call(server.endpoint, 'Scan', { TableName: 'cities' })
  assert.equal(second.status, 400)
  assert.equal(second.body.__type, 'com.amazonaws.dynamodb.v20120810#ThrottlingException')

  const third = await call(server.endpoint, 'Scan', {})
  assert.notEqual(third.headers.get('x-amz-crc32'), String(crc32(third.bytes)))

  assert.deepEqual(
    server.requests.map(({ number, operation, body }) => ({ number, operation, body })),
    [
      { number: 1, operation: 'BatchWriteItem', body: { RequestItems: {} } },
      { number: 2, operation: 'Scan', body: { TableName: 'cities' } },
      { number: 3, operation: 'Scan', body: {} },
    ],
  )
  assert.ok(server.connections >= 1)
})

test('resets, stalls and sends half', async () => {
  await using server = await startScriptedServer(({ operation }) => operation as 'reset' | 'stall' | 'half')
  await assert.rejects(call(server.endpoint, 'reset', {}))
  await assert.rejects(call(server.endpoint, 'half', {}))
  await assert.rejects(call(server.endpoint, 'stall', {}, AbortSignal.timeout(50)), { name: 'TimeoutError' })
})

test('a script that throws is a 500 with its message', async () => {
  await using server = await startScriptedServer(() => {
    throw new Error('no such scene')
  })
  const answer = await call(server.endpoint, 'Scan', {})
  assert.equal(answer.status, 500)
  assert.match(answer.body.message, /no such scene/)
})
