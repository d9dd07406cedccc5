import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import { runLeasedSlice } from '../../src/engines/leasedSlice.ts'
import type { Slice } from '../../src/engines/slice.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { database, newTable } from '../support/store.ts'

async function filledTable(count: number): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: count }, (_, index) => ({ id: `item${index}`, count: 0 })))
  return table
}

const newControl = (): Promise<Table> => newTable({ partition: { name: 'pk', type: 'S' } })

/** As a process on another machine has left it. */
async function leaveLease(control: Table, { job, index, of }: Slice, untilMs: number): Promise<void> {
  await using publisher = control.publisher()
  const owner = JSON.stringify({ host: 'elsewhere', pid: 1, began: '1', mark: 'other' })
  publisher.put({ pk: `slice#${job.id}#${job.mark}#${of}#${index}`, fence: 7, owner, until: untilMs })
  await publisher.flush()
}

test('a slice goes on where another process was when it was last heard of, and is done once', async () => {
  const [table, control] = [await filledTable(800), await newControl()]
  const job = await updateAll(table, { add: { count: 1 } }, { once: true }).describe({ slices: 2 })
  const slow = await updateAll(table, { add: { count: 1 } }, { once: true, writeUnitsPerSecond: 200 }).describe()
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 300)
  const slice: Slice = { job, index: 0, of: 2 }
  const begun = await runLeasedSlice({ ...slice, job: { ...job, how: slow.how } }, control, {
    database,
    signal: stop.signal,
  })
  assert.equal(begun.done, false)
  const first = await runLeasedSlice(slice, control, { database })
  assert.equal(first.done, true)
  assert.ok(first.counters.written > begun.counters.written)
  const again = await runLeasedSlice(slice, control, { database })
  assert.deepEqual(again.counters, first.counters)
  const second = await runLeasedSlice({ ...slice, index: 1 }, control, { database })
  assert.equal(first.counters.read + second.counters.read, 800)
  for await (const { count } of table.scan()) assert.equal(count, 1)
})

test('what another machine is heard of at is left to it, and of a silent one it is taken', async () => {
  const [table, control] = [await filledTable(50), await newControl()]
  const job = await updateAll(table, { set: { seen: true } }).describe()
  const slice: Slice = { job, index: 0, of: 1 }
  await leaveLease(control, slice, Date.now() + 3_600_000)
  const signal = AbortSignal.timeout(50)
  await assert.rejects(runLeasedSlice(slice, control, { database, signal }), { code: 'LOCKED' })
  await leaveLease(control, slice, Date.now() - 1)
  const result = await runLeasedSlice(slice, control, { database })
  assert.equal(result.counters.written, 50)
  const row = await control.get({ pk: `slice#${job.id}#${job.mark}#1#0` })
  assert.equal(row?.['fence'], 8)
})

test('a process of which the slice was taken meanwhile ends, and says so', async () => {
  const [table, control] = [await filledTable(300), await newControl()]
  const job = await updateAll(table, { set: { seen: true } }).describe()
  const slice: Slice = { job, index: 0, of: 1 }
  let visits = 0
  const ended = runLeasedSlice({ ...slice, job: { ...job, what: { ...job.what, visitor: {} } } }, control, {
    database,
    visitor: async () => {
      visits += 1
      // While it works, somebody who has not heard of it takes the slice.
      if (visits === 1) await leaveLease(control, slice, Date.now() + 3_600_000)
      return { set: { seen: true } }
    },
  })
  await assert.rejects(ended, { code: 'LOCKED', message: /another process took/ })
})
