import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { MemoryTable } from '../support/memoryTable.ts'
import { serviceError, startScriptedServer } from '../support/scriptedServer.ts'

/** What the service takes in one request. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024

test('E10: a batch is cut where its text would be longer than a request may be, though its items are small', async () => {
  const store = new MemoryTable()
  const sizes: number[] = []
  const server = await startScriptedServer((request) => {
    if (request.operation === 'BatchWriteItem') sizes.push(Buffer.byteLength(JSON.stringify(request.body)))
    return store.answer(request.operation, request.body)
  })
  const database = connect({ endpoint: server.endpoint })
  try {
    const publisher = database.table(store.name).publisher({ writeUnitsPerSecond: 1_000_000, maxQueueBytes: 100_000_000, lingerMs: 1_000 })
    // One byte each for the service, and six on the wire.
    const text = '\u0001'.repeat(300_000)
    for (let index = 0; index < 12; index += 1) if (!publisher.put({ pk: `${index}`, text })) await publisher.ready
    await publisher.close()
    assert.equal(publisher.stats.stored, 12)
    assert.ok(Math.max(...sizes) > REQUEST_BYTES_MAX / 2, `batches of ${sizes}: too small to show anything`)
    for (const size of sizes) assert.ok(size <= REQUEST_BYTES_MAX, `a request of ${size} bytes`)
  } finally {
    await database.close()
    await server.close()
  }
})

test('E10: throttled entries rest for 50 to 75 ms, by chance', async () => {
  for (const share of [0, 0.5, 0.999]) {
    const store = new MemoryTable()
    let throttles = 1
    const server = await startScriptedServer((request) => {
      if (request.operation !== 'DescribeTable' && throttles-- > 0)
        return serviceError('ProvisionedThroughputExceededException')
      return store.answer(request.operation, request.body)
    })
    const waits: number[] = []
    const clock: Clock = {
      now: () => systemClock.now(),
      wallNow: () => systemClock.wallNow(),
      setTimer(callback, ms, ...rest) {
        waits.push(ms)
        return systemClock.setTimer(callback, ms, ...rest)
      },
    }
    const database = connect({ endpoint: server.endpoint, clock, random: () => share })
    try {
      const publisher = database.table(store.name).publisher()
      publisher.put({ pk: 'a' })
      await publisher.close()
      const rest = 50 * (1 + share / 2)
      assert.ok(waits.includes(rest), `no rest of ${rest} ms among ${waits}`)
    } finally {
      await database.close()
      await server.close()
    }
  }
})
