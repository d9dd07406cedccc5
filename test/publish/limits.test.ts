import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
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
