import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { MemoryTable } from '../support/memoryTable.ts'
import { serviceError, startScriptedServer } from '../support/scriptedServer.ts'

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

/** A batch gets the units of 40 ms: here those of 16 MB, and some more. */
const ALLOWED_UNITS = 150_000

test('E10: the bytes that a batch has on the wire are capped at 16 MB, whatever its items count', async () => {
  const store = new MemoryTable()
  const bytes: number[] = []
  const everythingIsPut = deferred()
  const server = await startScriptedServer(async (request) => {
    if (request.operation === 'BatchWriteItem' && request.text.length > 1_000_000) {
      bytes.push(Buffer.byteLength(request.text))
      // Behind the first batch there is enough for a full one.
      await everythingIsPut.promise
    }
    return store.answer(request.operation, request.body)
  })
  const database = connect({ endpoint: server.endpoint })
  try {
    const options = { maxInFlight: 25, maxQueueSize: 100, writeUnitsPerSecond: 1_000_000 }
    const publisher = database.table(store.name).publisher(options)
    // Until it has found out that the store can take as much as that.
    let before = 0
    const isFast = (): boolean => publisher.stats.writeUnitsPerSecondAllowed >= ALLOWED_UNITS
    for (; before < 20_000 || (before < 200_000 && !isFast()); before += 1) {
      if (!publisher.put({ pk: `small ${before}`, text: 'x'.repeat(4_000) })) await publisher.ready
    }
    // Each character counts one byte of the item's 400 KB, and takes six in JSON.
    const text = '\u0001'.repeat(390_000)
    for (let index = 0; index < 30; index += 1) publisher.put({ pk: `${index}`, text })
    everythingIsPut.resolve()
    await publisher.close()
    assert.equal(store.items.size, before + 30)
    assert.ok(
      bytes.every((size) => size <= 16 * 1024 * 1024),
      `a request of ${Math.max(...bytes)} bytes`,
    )
    // A cap that is far lower would cost requests.
    assert.ok(Math.max(...bytes) > 12 * 1024 * 1024, `the largest request has ${Math.max(...bytes)} bytes`)
  } finally {
    await database.close()
    await server.close()
  }
})
