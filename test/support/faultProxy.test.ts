import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { call } from './call.ts'
import { type FaultProxyOptions, startFaultProxy } from './faultProxy.ts'
import { type ScriptedServer, startScriptedServer } from './scriptedServer.ts'

/** A store that takes everything and answers each statement with its own text. */
function startStore(): Promise<ScriptedServer> {
  return startScriptedServer(({ operation, body }) => {
    if (operation === 'BatchWriteItem') return { body: { UnprocessedItems: {}, ConsumedCapacity: [] } }
    if (operation === 'BatchExecuteStatement') {
      return {
        body: { Responses: body.Statements.map(({ Statement }: { Statement: string }) => ({ Item: Statement })) },
      }
    }
    return { body: {} }
  })
}

function batch(first: number, count: number): { RequestItems: { bench: Put[] } } {
  const entries = Array.from({ length: count }, (_, index) => ({
    PutRequest: { Item: { pk: { N: String(first + index) } } },
  }))
  return { RequestItems: { bench: entries } }
}

type Put = { PutRequest: { Item: { pk: { N: string } } } }

const keysOf = (entries: Put[] = []): string[] => entries.map((entry) => entry.PutRequest.Item.pk.N)

async function through(options: Omit<FaultProxyOptions, 'target' | 'seed'>) {
  const store = await startStore()
  const proxy = await startFaultProxy({ target: store.endpoint, seed: 7, ...options })
  return {
    store,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await store.close()
    },
  }
}

test('without faults everything passes as it came', async () => {
  await using way = await through({})
  const answer = await call(way.proxy.endpoint, 'BatchWriteItem', batch(0, 3))
  assert.deepEqual(answer.body, { UnprocessedItems: {}, ConsumedCapacity: [] })
  assert.equal(answer.headers.get('x-amzn-requestid'), 'SCRIPTED1')
  assert.deepEqual(way.store.requests[0]?.body, batch(0, 3))
})

test('each entry is either stored or answered as unprocessed, never both, never neither', async () => {
  await using way = await through({ unprocessedShare: 0.3 })
  const keptBack: string[] = []
  for (let first = 0; first < 1_000; first += 25) {
    const answer = await call(way.proxy.endpoint, 'BatchWriteItem', batch(first, 25))
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('x-amz-crc32'), String(crc32(answer.bytes)))
    keptBack.push(...keysOf(answer.body.UnprocessedItems.bench))
  }
  const stored = way.store.requests.flatMap(({ body }) => keysOf(body.RequestItems.bench))
  const all = [...stored, ...keptBack].map(Number).sort((a, b) => a - b)
  assert.deepEqual(
    all,
    Array.from({ length: 1_000 }, (_, index) => index),
  )
  assert.equal(way.proxy.counts.unprocessed, keptBack.length)
  assert.ok(keptBack.length > 230 && keptBack.length < 370, `${keptBack.length} of 1,000 were kept back`)
})

test('a batch of which nothing passes is throttled or unprocessed as a whole', async () => {
  await using way = await through({ unprocessedShare: 1 })
  for (let number = 0; number < 20; number += 1) {
    const answer = await call(way.proxy.endpoint, 'BatchWriteItem', batch(0, 2))
    if (answer.status === 200) assert.deepEqual(answer.body.UnprocessedItems, batch(0, 2).RequestItems)
    else assert.match(answer.body.__type, /#ProvisionedThroughputExceededException$/)
  }
  assert.equal(way.store.requests.length, 0)
  assert.equal(way.proxy.counts.batchThrottled + way.proxy.counts.batchUnprocessed, 20)
  assert.ok(way.proxy.counts.batchThrottled > 0 && way.proxy.counts.batchUnprocessed > 0)
})

test('statements are answered in their order, whether they passed, were kept back or were lost', async () => {
  await using way = await through({ statementErrorShare: 0.3, statementLostShare: 0.2 })
  const names = Array.from({ length: 200 }, (_, index) => `statement ${index}`)
  let answered = 0
  for (let first = 0; first < names.length; first += 25) {
    const statements = names.slice(first, first + 25)
    const { body } = await call(way.proxy.endpoint, 'BatchExecuteStatement', {
      Statements: statements.map((name) => ({ Statement: name })),
    })
    assert.equal(body.Responses.length, 25)
    for (const [index, response] of body.Responses.entries()) {
      if (response.Error !== undefined) assert.match(response.Error.Code, /^(ThrottlingError|InternalServerError)$/)
      else {
        assert.equal(response.Item, statements[index])
        answered += 1
      }
    }
  }
  const { statementThrottled, statementFailed, statementLost } = way.proxy.counts
  const seen = way.store.requests.reduce((total, { body }) => total + body.Statements.length, 0)
  assert.ok(statementThrottled > 0 && statementFailed > 0 && statementLost > 0)
  assert.equal(seen, answered + statementLost)
  assert.equal(200, seen + statementThrottled + statementFailed)
})

test('resets, errors, stalls, halves and wrong checksums, before the store or after it', async (t) => {
  const cases: [keyof FaultProxyOptions, number, (endpoint: string) => Promise<unknown>][] = [
    ['resetBeforeShare', 0, (endpoint) => assert.rejects(call(endpoint, 'PutItem', {}))],
    ['resetAfterShare', 1, (endpoint) => assert.rejects(call(endpoint, 'PutItem', {}))],
    ['halfShare', 1, (endpoint) => assert.rejects(call(endpoint, 'BatchWriteItem', batch(0, 1)))],
    ['stallShare', 0, (endpoint) => assert.rejects(call(endpoint, 'PutItem', {}, AbortSignal.timeout(50)))],
    [
      'throttleShare',
      0,
      async (endpoint) => assert.match((await call(endpoint, 'PutItem', {})).body.__type, /#ThrottlingException$/),
    ],
    [
      'wrongChecksumShare',
      1,
      async (endpoint) => {
        const answer = await call(endpoint, 'PutItem', {})
        assert.notEqual(answer.headers.get('x-amz-crc32'), String(crc32(answer.bytes)))
      },
    ],
  ]
  for (const [share, requestsSeen, check] of cases) {
    await t.test(share, async () => {
      await using way = await through({ [share]: 1 })
      await check(way.proxy.endpoint)
      assert.equal(way.store.requests.length, requestsSeen)
    })
  }

  await t.test('errorShare', async () => {
    await using way = await through({ errorShare: 1 })
    for (let number = 0; number < 20; number += 1) {
      assert.equal((await call(way.proxy.endpoint, 'PutItem', {})).status, 500)
    }
    assert.equal(way.proxy.counts.errorBefore + way.proxy.counts.errorAfter, 20)
    assert.equal(way.store.requests.length, way.proxy.counts.errorAfter)
    assert.ok(way.proxy.counts.errorBefore > 0 && way.proxy.counts.errorAfter > 0)
  })
})

test('table management is left alone, and a seed repeats the faults', async () => {
  const run = async () => {
    await using way = await through({ errorShare: 0.5 })
    const statuses: number[] = []
    assert.equal((await call(way.proxy.endpoint, 'DescribeTable', {})).status, 200)
    for (let number = 0; number < 20; number += 1) {
      statuses.push((await call(way.proxy.endpoint, 'PutItem', {})).status)
    }
    return statuses
  }
  const statuses = await run()
  assert.deepEqual(await run(), statuses)
  assert.equal(new Set(statuses).size, 2)
})

test('shares that exclude each other and add up to more than 1 are refused', async () => {
  await assert.rejects(
    startFaultProxy({ target: 'http://127.0.0.1:1', seed: 1, stallShare: 0.6, errorShare: 0.6 }),
    TypeError,
  )
})
