import assert from 'node:assert/strict'
import { test } from 'node:test'
import orderLines from '../../examples/jobs/orderLines.ts'
import { connect, createTable, openJob, type PlainItem, startLocal } from '../../src/index.ts'

test('the job of order lines writes each line of the open orders, and none of the others', async () => {
  await using store = await startLocal({ kind: 'dynoxide' })
  await using database = connect({ endpoint: store.endpoint })
  await createTable(database, 'orders', { key: { partition: { name: 'id', type: 'S' } } })
  const key = { partition: { name: 'order', type: 'S' }, sort: { name: 'line', type: 'N' } } as const
  await createTable(database, 'order-lines', { key })
  await using publisher = database.table('orders').publisher()
  for (const [id, status, pieces] of [
    ['a', 'open', [3, 4]],
    ['b', 'shipped', [5]],
    ['c', 'open', []],
  ] as const) {
    publisher.put({ id, status, lines: pieces.map((count) => ({ article: `of ${id}`, pieces: count })) })
  }
  await publisher.flush()
  const job = await openJob(orderLines, { database })
  const { changes } = await job.plan()
  // Of one order something is written, as the job will count it.
  assert.equal(changes!.value, 1)
  const { read, written, filtered } = await job.run()
  assert.deepEqual([read, written, filtered], [2, 1, 1])
  const lines: PlainItem[] = []
  for await (const line of database.table('order-lines').scan({ segments: 1 })) lines.push(line)
  assert.deepEqual(lines, [
    { order: 'a', line: 1, article: 'of a', pieces: 3 },
    { order: 'a', line: 2, article: 'of a', pieces: 4 },
  ])
})
