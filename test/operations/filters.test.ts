import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { newTable } from '../support/store.ts'

async function fill(table: Table, items: readonly PlainItem[]): Promise<void> {
  const publisher = table.publisher()
  for (const item of items) publisher.put(item)
  await publisher.close()
}

test('B4: a conflict over an item whose filter names the key is decided here, and the job goes on', async () => {
  const table = await newTable()
  await fill(
    table,
    Array.from({ length: 20 }, (_, index) => ({ id: `USER#${index}`, n: 0, state: 'open' })),
  )
  await fill(table, [{ id: 'ORDER#1', n: 0, state: 'open' }])
  const changed = new Set<unknown>()
  const visitor = async ({ id, n }: PlainItem) => {
    // Others change some of the items between reading and writing, three of them so that the filter holds no more.
    const number = Number(`${id}`.slice(5))
    if (number < 10 && !changed.has(id)) {
      changed.add(id)
      await fill(table, [{ id, n: 100, state: number < 3 ? 'closed' : 'open' }])
    }
    return { set: { n: n + 1 } }
  }
  const summary = await updateAll(table, visitor, { filter: "begins_with(id, 'USER#') and state = 'open'" }).run()
  assert.equal(summary.complete, true)
  assert.equal(summary.conflicts, 10)
  assert.equal(summary.written, 17)
  assert.equal(summary.filtered, 3)
  const numbers: { [id: string]: unknown } = {}
  for await (const item of table.scan({ consistentRead: true })) numbers[item['id']] = item['n']
  assert.equal(numbers['USER#0'], 100)
  assert.equal(numbers['USER#5'], 101)
  assert.equal(numbers['USER#15'], 1)
  assert.equal(numbers['ORDER#1'], 0)
})
