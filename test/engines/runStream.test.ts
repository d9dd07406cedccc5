import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runStream, type StreamRecord } from '../../src/engines/runStream.ts'
import type { JobReject } from '../../src/job/reject.ts'
import { database, newTable } from '../support/store.ts'

test('everything that is pushed is written or rejected before it ends', async () => {
  const table = await newTable()
  const rejects: JobReject[] = []
  const records: StreamRecord[] = [
    { item: { id: 'a', n: 12345678901234567890n } },
    { error: 'no JSON', raw: '{"id' },
    { item: { n: 1 } },
    { item: { id: 'b', b: new Uint8Array([1, 2]) } },
    { item: { id: 'a', n: 2 } },
  ]
  const { done, cursor, counters } = await runStream(pushed([records, []]), {
    table,
    place: (index) => `row ${index}`,
    onReject: (reject) => rejects.push(reject),
  })
  assert.deepEqual([done, cursor], [true, undefined])
  assert.deepEqual([counters.read, counters.written, counters.rejected], [5, 3, 2])
  assert.ok(counters.writeUnits >= 2 && counters.requests >= 1)
  assert.deepEqual(
    rejects.map(({ code, place, raw, item }) => ({ code, place, raw, item })),
    [
      { code: 'InvalidRecord', place: 'row 1', raw: '{"id', item: undefined },
      { code: 'InvalidItem', place: 'row 2', raw: undefined, item: { n: 1 } },
    ],
  )
  assert.deepEqual(await table.get({ id: 'a' }), { id: 'a', n: 2 })
  assert.deepEqual(await table.get({ id: 'b' }), { id: 'b', b: new Uint8Array([1, 2]) })
})

test('keys are deleted', async () => {
  const table = await newTable()
  await runStream(pushed([[{ item: { id: 'a' } }, { item: { id: 'b' } }]]), { table })
  const { counters } = await runStream(pushed([[{ item: { id: 'a' } }]]), { table, operation: 'delete' })
  assert.deepEqual([counters.read, counters.written], [1, 1])
  assert.equal(await table.get({ id: 'a' }), undefined)
  assert.deepEqual(await table.get({ id: 'b' }), { id: 'b' })
})

test('a reject that nobody asked to be told of fails the stream, and names the record', async () => {
  const table = await newTable()
  const run = runStream(pushed([[{ item: { id: 'a' } }, { item: { no: 'key' } }]]), { table })
  await assert.rejects(run, { code: 'REJECTED', message: /^record 2: .*id/ })
})

test('what fails upstream is thrown as it is, at once, and nothing is said to be done', async () => {
  const table = await newTable()
  async function* failing(): AsyncGenerator<StreamRecord[]> {
    yield [{ item: { id: 'a' } }]
    throw new RangeError('upstream')
  }
  await assert.rejects(runStream(failing(), { table }), { name: 'RangeError', message: 'upstream' })
})

test('a table that is not there ends a stream whose source gives nothing', async () => {
  const never: AsyncIterable<StreamRecord[]> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  }
  await assert.rejects(runStream(never, { table: database.table('missing') }), { code: 'TABLE' })
})

test('a stream that is stopped, or runs out of time, says up to where all is settled', async () => {
  const table = await newTable()
  const stop = new AbortController()
  let given = 0
  async function* endless(stopAt: number): AsyncGenerator<StreamRecord[]> {
    for (;;) {
      if (given === stopAt) stop.abort()
      given += 1
      yield [{ item: { id: `item${given}` } }]
    }
  }
  const stopped = await runStream(endless(50), { table, signal: stop.signal })
  assert.equal(stopped.done, false)
  assert.deepEqual(stopped.cursor, { records: 50 })
  assert.equal(stopped.counters.written, 50)
  assert.ok(await table.get({ id: 'item50' }))
  const slow: AsyncIterable<StreamRecord[]> = {
    [Symbol.asyncIterator]() {
      let calls = 0
      return {
        next: () => (calls++ === 0 ? Promise.resolve({ value: [{ item: { id: 'slow' } }] }) : new Promise(() => 0)),
      }
    },
  }
  const late = await runStream(slow, { table, remainingMs: () => 300 })
  assert.deepEqual([late.done, late.cursor], [false, { records: 1 }])
  assert.ok(await table.get({ id: 'slow' }))
})

async function* pushed(batches: readonly (readonly StreamRecord[])[]): AsyncGenerator<readonly StreamRecord[]> {
  yield* batches
}
