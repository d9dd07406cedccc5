import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import type { JobReject } from '../../src/job/reject.ts'
import type { Summary } from '../../src/job/summary.ts'
import { type UpdateOptions, updateAll } from '../../src/operations/updateAll.ts'
import { newTable } from '../support/store.ts'

const FAULTY = new URL('./faultyVisitor.js', import.meta.url)
const SLOW = new URL('./slowVisitor.js', import.meta.url)
const COUNT = 400

async function filledTable(count: number, more: (index: number) => object = () => ({})): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < count; index += 1) publisher.put({ id: `item${index}`, index, ...more(index) })
  return table
}

async function readAll(table: Table): Promise<Map<string, PlainItem>> {
  const items = new Map<string, PlainItem>()
  for await (const item of table.scan({ segments: 2, consistentRead: true })) items.set(item['id'], item)
  return items
}

async function update(
  table: Table,
  visitor: URL,
  options: UpdateOptions,
): Promise<{ summary: Summary; rejects: JobReject[]; items: Map<string, PlainItem> }> {
  const rejects: JobReject[] = []
  const summary = await updateAll(table, visitor, { onReject: (reject) => rejects.push(reject), ...options }).run()
  assert.equal(summary.read, summary.written + summary.rejected + summary.filtered + summary.notReached)
  return { summary, rejects, items: await readAll(table) }
}

/** Items that do something to their thread, and what becomes of them. */
const FAULTS: { readonly [act: string]: RegExp } = {
  throw: /^the visitor failed: no such thing$/,
  loop: /^the visitor failed: it did not return within 1 s, and its thread was stopped$/,
  exit: /^the visitor failed: it ended its thread with exit code 3$/,
  'async exit': /^the visitor failed: it ended its thread with exit code 4$/,
  fill: /^the visitor failed: it used more than 512 MiB of memory, and its thread was stopped$/,
  never: /^the visitor failed: its promise did not settle within 1 s$/,
  reject: /^the visitor failed: not today$/,
  stray: /^the visitor failed: it failed outside its promise: nobody listens$/,
}

for (const [act, message] of Object.entries(FAULTS)) {
  test(`a visitor that does "${act}" costs that item and no other`, async () => {
    const table = await filledTable(COUNT, (index) => (index === 77 || index === 300 ? { act } : {}))
    // To fill the memory takes a while.
    const visitTimeoutMs = act === 'fill' ? 30_000 : 1_000
    const { summary, rejects, items } = await update(table, FAULTY, { workers: 2, visitTimeoutMs })
    assert.deepEqual(rejects.map(({ code, place, item }) => [code, place, item?.['index']]).sort(), [
      ['VisitorFailed', 'id="item300"', 300],
      ['VisitorFailed', 'id="item77"', 77],
    ])
    for (const reject of rejects) assert.match(reject.message, message)
    assert.equal(summary.written, COUNT - 2)
    assert.equal(summary.complete, true)
    for (const { index, seen, double, big } of items.values()) {
      if (index === 77 || index === 300) assert.equal(seen, undefined)
      else assert.deepEqual([seen, double, big], [true, index * 2, 2n ** 100n])
    }
  })
}

test('a leak that grows from item to item costs threads, and no item', async () => {
  const table = await filledTable(60, () => ({ act: 'leak' }))
  const { summary, rejects } = await update(table, FAULTY, { workers: 1 })
  assert.deepEqual(rejects, [])
  assert.equal(summary.written, 60)
})

test('edits travel whole: promises, deletes, adds, nothing, and what is no edit', async () => {
  const acts = ['later', 'delete', 'nothing', 'add', 'junk', 'class']
  const table = await filledTable(60, (index) => ({ act: acts[index % acts.length] }))
  const { summary, rejects, items } = await update(table, FAULTY, { workers: 2 })
  assert.equal(summary.written, 30)
  assert.equal(summary.filtered, 10)
  assert.deepEqual([...new Set(rejects.map(({ code }) => code))], ['InvalidItem'])
  assert.match(rejects.map(({ message }) => message).join('\n'), /not N\b/)
  assert.equal(items.size, 50)
  assert.deepEqual(items.get('item0'), { id: 'item0', index: 0, act: 'later', seen: true })
  assert.deepEqual(items.get('item3'), { id: 'item3', index: 3, count: 1 })
})

test('a conflict is asked again in a thread', async () => {
  const table = await filledTable(200, () => ({ double: 0 }))
  const stop = new AbortController()
  const writer = (async () => {
    for (let round = 0; !stop.signal.aborted; round += 1) {
      await using publisher = table.publisher({ lingerMs: 0 })
      for (let index = 0; index < 20; index += 1) publisher.put({ id: `item${index}`, index, double: -round - 1 })
    }
  })()
  const { summary } = await update(table, FAULTY, { workers: 1 })
  stop.abort()
  await writer
  assert.equal(summary.written + summary.rejected, 200)
  assert.ok(summary.written >= 180)
})

test('what cannot travel, or is no module, is refused with a sentence', async () => {
  const table = await filledTable(5)
  const message = /workers require a visitor module/
  assert.throws(() => updateAll(table, () => undefined, { workers: 2 }), { name: 'TypeError', message })
  assert.throws(() => updateAll(table, { set: { a: 1 } }, { workers: 2 }), { name: 'TypeError', message })
  assert.throws(() => updateAll(table, FAULTY, { workers: 0 }), { name: 'TypeError', message: /workers must be/ })
  for (const name of ['./nothing.js', './itemsOfNobody.js']) {
    await assert.rejects(updateAll(table, new URL(name, import.meta.url), { workers: 2 }).run(), {
      code: 'VISITOR',
      message: /there is no visitor module/,
    })
  }
  await assert.rejects(updateAll(table, new URL('./plantedItems.js', import.meta.url), { workers: 1 }).run(), {
    code: 'VISITOR',
    message: /must have a function as its default export/,
  })
  const { summary } = await update(table, FAULTY, { workers: 'auto' })
  assert.equal(summary.written, 5)
})

test('auto goes to threads when visits take long, and stays when they do not', async () => {
  const count = 1_500
  const slow = await update(await filledTable(count), SLOW, { workers: 'auto' })
  const threads = [...slow.items.values()].map(({ thread }) => thread)
  const here = threads.filter((thread) => thread === 'main').length
  assert.ok(availableParallelism() === 1 ? here === count : here >= 500 && here < count, `${here} in this thread`)
  const fast = await update(await filledTable(count), FAULTY, { workers: 'auto' })
  assert.equal(fast.summary.written, count)
})

test('who asked for no threads is told when they would pay, once, and gets none', async () => {
  const count = 1_500
  for (const [visitor, expected] of [
    [SLOW, availableParallelism() === 1 ? 0 : 1],
    [FAULTY, 0],
    [() => ({ set: { digest: 'x', thread: 'main' } }), 0],
  ] as const) {
    const table = await filledTable(count)
    const told: string[] = []
    await updateAll(table, visitor, { onReject: () => undefined }).run({
      onWarning: (text) => {
        // The store of this test reports no capacity, which is told, too.
        if (!/consumed capacity/.test(text)) told.push(text)
      },
    })
    assert.equal(told.length, expected, told.join())
    for (const text of told)
      assert.match(text, /^each visit blocks the process for \d+ µs on average: .*--workers auto/)
    for (const { thread } of (await readAll(table)).values()) assert.ok(thread !== 'worker')
  }
})

test('as fast as there are cores: printed, since machines differ', async (t) => {
  const count = 3_000
  const perSecond: string[] = []
  for (const workers of [undefined, 1, availableParallelism()]) {
    const table = await filledTable(count)
    const { summary } = await update(table, SLOW, workers === undefined ? {} : { workers })
    assert.equal(summary.written, count)
    perSecond.push(`${workers ?? 'no'} workers: ${Math.round(summary.itemsPerSecond)} items/s`)
  }
  t.diagnostic(perSecond.join(', '))
})
