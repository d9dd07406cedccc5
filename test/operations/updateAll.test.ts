import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { NumberValue } from '../../src/item/number.ts'
import type { JobReject } from '../../src/job/reject.ts'
import type { Summary } from '../../src/job/summary.ts'
import { type UpdateOptions, updateAll } from '../../src/operations/updateAll.ts'
import type { Visitor } from '../../src/operations/visitor.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { startFaultProxy } from '../support/faultProxy.ts'
import { database, newTable, store } from '../support/store.ts'

async function filledTable(items: Iterable<PlainItem>): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(items)
  return table
}

const numbered = (count: number, more: (index: number) => object = () => ({})): PlainItem[] =>
  Array.from({ length: count }, (_, index) => ({ id: `item${index}`, index, ...more(index) }))

async function readAll(table: Table): Promise<Map<string, PlainItem>> {
  const items = new Map<string, PlainItem>()
  for await (const item of table.scan({ segments: 2, consistentRead: true })) items.set(item['id'], item)
  return items
}

async function update(
  table: Table,
  visitor: Visitor,
  options: UpdateOptions = {},
): Promise<Summary & { rejects: JobReject[] }> {
  const rejects: JobReject[] = []
  const summary = await updateAll(table, visitor, {
    segments: 4,
    onReject: (reject) => rejects.push(reject),
    ...options,
  }).run()
  assert.equal(summary.read, summary.written + summary.rejected + summary.filtered + summary.notReached)
  assert.equal(summary.rejected, rejects.length)
  return { ...summary, rejects }
}

const counts = ({ read, written, rejected, filtered, notReached }: Summary) => ({
  read,
  written,
  rejected,
  filtered,
  notReached,
})

test('another writer who changes and deletes the same items meanwhile loses nothing, and no deleted item comes back', async () => {
  const WRITERS = 8
  const count = 2_000
  const table = await filledTable(numbered(count, (index) => ({ base: index, untouched: 0 })))
  const derive = (base: number) => base * 2 + 1
  const { service } = await database.open()
  const random = seededRandom(11)
  const bases = new Map<string, number>(numbered(count).map(({ id, index }) => [id, index]))
  const untouched = new Map<string, number>()
  const deleted = new Set<string>()
  let running = true
  let writes = 0
  // Each writer has items of its own, so that what it wrote last is what must be there.
  const otherWriter = async (own: number) => {
    while (running) {
      const id = `item${Math.floor(random() * (count / WRITERS)) * WRITERS + own}`
      writes += 1
      if (deleted.has(id)) continue
      const Key = { id: { S: id } }
      const dice = random()
      if (dice < 0.1) {
        deleted.add(id)
        await service.call('DeleteItem', { TableName: table.name, Key })
      } else if (dice < 0.4) {
        const value = writes
        untouched.set(id, value)
        await service.call('UpdateItem', {
          TableName: table.name,
          Key,
          ConditionExpression: 'attribute_exists(id)',
          UpdateExpression: 'SET untouched = :v',
          ExpressionAttributeValues: { ':v': { N: `${value}` } },
        })
      } else {
        // As the application does it: the base and what is derived from it, once there is such a thing.
        const value = writes
        bases.set(id, value)
        await service.call('UpdateItem', {
          TableName: table.name,
          Key,
          ConditionExpression: 'attribute_exists(id)',
          UpdateExpression: 'SET #b = :v, derived = :d',
          ExpressionAttributeNames: { '#b': 'base' },
          ExpressionAttributeValues: { ':v': { N: `${value}` }, ':d': { N: `${derive(value)}` } },
        })
      }
    }
  }
  const others = Array.from({ length: WRITERS }, (_, own) => otherWriter(own))
  let asked = 0
  const summary = await update(
    table,
    async (item) => {
      asked += 1
      // Time for others to write between reading and writing.
      await new Promise((resolve) => setTimeout(resolve, random() * 10))
      return { set: { derived: derive(item['base'] as number) } }
    },
    { maxInFlight: 100 },
  )
  running = false
  await Promise.all(others)
  const items = await readAll(table)
  assert.equal(items.size, count - deleted.size)
  for (const [id, item] of items) {
    assert.ok(!deleted.has(id), `${id} was deleted and came back`)
    assert.equal(item['base'], bases.get(id), `${id}: base`)
    assert.equal(item['untouched'], untouched.get(id) ?? 0, `${id}: untouched`)
    assert.equal(item['derived'], derive(bases.get(id)!), `${id}: derived`)
  }
  assert.equal(summary.rejected, 0)
  assert.ok(writes > 100 && summary.conflicts > 10, `${writes} writes of the other, ${summary.conflicts} conflicts`)
  assert.ok(asked > summary.read)
})

test('a deletion asked for by the visitor spares an item that others changed meanwhile, until the visitor has seen that', async () => {
  const table = await filledTable(numbered(50, () => ({ keep: false })))
  const { service } = await database.open()
  const seen: boolean[] = []
  const summary = await update(table, async (item) => {
    if (item['id'] === 'item7') {
      seen.push(item['keep'])
      if (!item['keep']) {
        const set = { UpdateExpression: 'SET keep = :v', ExpressionAttributeValues: { ':v': { BOOL: true } } }
        await service.call('UpdateItem', { TableName: table.name, Key: { id: { S: 'item7' } }, ...set })
      }
    }
    return item['keep'] ? undefined : 'delete'
  })
  assert.deepEqual(seen, [false, true])
  assert.deepEqual([...(await readAll(table)).keys()], ['item7'])
  assert.deepEqual(counts(summary), { read: 50, written: 49, rejected: 0, filtered: 1, notReached: 0 })
  assert.equal(summary.conflicts, 1)
})

test('an item that others change every time is rejected as a conflict in the end', async () => {
  const table = await filledTable(numbered(3))
  const { service } = await database.open()
  let version = 1_000
  const summary = await update(table, async (item) => {
    if (item['id'] === 'item1') {
      version += 1
      const set = { UpdateExpression: 'SET #i = :v', ExpressionAttributeNames: { '#i': 'index' } }
      const values = { ExpressionAttributeValues: { ':v': { N: `${version}` } } }
      await service.call('UpdateItem', { TableName: table.name, Key: { id: { S: 'item1' } }, ...set, ...values })
    }
    return { set: { index: -1 } }
  })
  assert.deepEqual(counts(summary), { read: 3, written: 2, rejected: 1, filtered: 0, notReached: 0 })
  assert.deepEqual([summary.rejects[0]?.code, summary.rejects[0]?.place], ['Conflict', 'id="item1"'])
  assert.equal((await readAll(table)).get('item1')?.['index'], version)
})

test('what a visitor returns', async (t) => {
  await t.test('sets, removes, adds and deletes; nothing else of the item is touched', async () => {
    const table = await filledTable(numbered(200, () => ({ old: 'x', visits: 5, tags: new Set(['a']) })))
    const summary = await update(table, ({ index }) =>
      index % 4 === 0
        ? 'delete'
        : index % 4 === 1
          ? {
              set: { tier: 'basic', gone: undefined },
              remove: ['old', 'never was'],
              add: { visits: 2, fresh: 1, tags: new Set(['b']) },
            }
          : index % 4 === 2
            ? null
            : undefined,
    )
    assert.deepEqual(counts(summary), { read: 200, written: 100, rejected: 0, filtered: 100, notReached: 0 })
    const items = await readAll(table)
    assert.equal(items.size, 150)
    for (const { id, index, ...rest } of items.values()) {
      assert.deepEqual(
        rest,
        index % 4 === 1
          ? { tier: 'basic', visits: 7, fresh: 1, tags: new Set(['a', 'b']) }
          : { old: 'x', visits: 5, tags: new Set(['a']) },
        id,
      )
    }
  })

  await t.test('edits that change nothing are filtered without a write', async () => {
    const table = await filledTable(numbered(100, () => ({ tier: 'basic', list: [1, { a: null }] })))
    const summary = await update(table, (item) => ({
      set: { tier: 'basic', list: [1, { a: null }], id: item['id'] },
      remove: ['never was'],
      add: { index: 0 },
    }))
    assert.deepEqual(counts(summary), { read: 100, written: 0, rejected: 0, filtered: 100, notReached: 0 })
    assert.equal(summary.writeUnits, 0)
    assert.equal(summary.latencyMsMax, 0, 'no write request was sent')
  })

  await t.test(
    'a visitor that throws, rejects, changes a key or returns nonsense rejects those items, and all others are written',
    async () => {
      const table = await filledTable(numbered(100))
      const nonsense: { [index: number]: (item: PlainItem) => unknown } = {
        1: () => {
          throw new Error('cannot decide')
        },
        2: () => Promise.reject(new Error('network down')),
        3: () => ({ set: { id: 'other' } }),
        4: () => ({ remove: ['id'] }),
        5: () => 'remove',
        6: () => true,
        7: () => [1],
        8: () => ({ sets: { a: 1 } }),
        9: () => ({ set: [1] }),
        10: () => ({ set: null }),
        11: () => ({ remove: 'a' }),
        12: () => ({ add: { id: 1 } }),
        13: () => ({ add: { index: 'x' } }),
        14: () => ({ set: { f: () => 1 } }),
        15: () => ({ set: { empty: new Set() } }),
        16: () => ({ set: { index: 1 }, remove: ['index'] }),
        17: () => ({ set: { big: 'x'.repeat(400 * 1024) } }),
        18: () => {
          throw undefined
        },
        19: () => Promise.resolve({ sets: 1 }),
      }
      const summary = await update(
        table,
        (item) => (nonsense[item['index']]?.(item) ?? { set: { done: true } }) as ReturnType<Visitor>,
      )
      const wrong = Object.keys(nonsense).length
      assert.deepEqual(counts(summary), {
        read: 100,
        written: 100 - wrong,
        rejected: wrong,
        filtered: 0,
        notReached: 0,
      })
      const reason = (index: number) => summary.rejects.find(({ place }) => place === `id="item${index}"`)
      for (let index = 1; index <= wrong; index += 1)
        assert.ok(reason(index), `item${index} is rejected with its place`)
      assert.match(reason(1)!.message, /cannot decide/)
      assert.match(reason(2)!.message, /network down/)
      assert.match(reason(3)!.message, /key/)
      assert.match(reason(8)!.message, /"sets"/)
      assert.equal(reason(1)!.code, 'VisitorFailed')
      assert.deepEqual(reason(1)!.item, { id: 'item1', index: 1 })
      const items = await readAll(table)
      assert.equal([...items.values()].filter(({ done }) => done).length, 100 - wrong)
      assert.equal(items.size, 100)
    },
  )

  await t.test('a promise of another kind is waited for', async () => {
    const table = await filledTable(numbered(20))
    class Thenable {
      // biome-ignore lint/suspicious/noThenProperty: query builders are such objects
      then(resolve: (edit: object) => void): void {
        setTimeout(() => resolve({ set: { done: true } }), 1)
      }
    }
    const summary = await update(table, () => new Thenable() as unknown as Promise<undefined>)
    assert.equal(summary.written, 20)
  })

  await t.test(
    'an item that the visitor spoils in its hands is written, conditioned and rejected as it was read',
    async () => {
      const table = await filledTable(numbered(30, () => ({ keep: 1 })))
      const summary = await update(table, (item) => {
        const spoilt = item as { [name: string]: unknown }
        const index = item['index']
        spoilt['id'] = 'other'
        delete spoilt['keep']
        spoilt['index'] = 'spoilt'
        spoilt['invented'] = true
        if (index % 3 === 0) throw new Error('no')
        return index % 3 === 1 ? 'delete' : { set: { done: true } }
      })
      assert.deepEqual(counts(summary), { read: 30, written: 20, rejected: 10, filtered: 0, notReached: 0 })
      for (const { place, item } of summary.rejects) {
        assert.match(place, /^id="item\d+"$/)
        assert.deepEqual(item, { id: item!['id'], index: item!['index'], keep: 1 })
        assert.equal(typeof item!['index'], 'number')
      }
      const items = await readAll(table)
      assert.equal(items.size, 20)
      for (const item of items.values()) assert.equal(item['keep'], 1)
    },
  )

  await t.test('any type of value can be replaced, on condition that it still is what it was', async () => {
    const values: { [name: string]: unknown } = {
      text: 'x',
      quotes: `'"\\ \u0000 é 😀`,
      empty: '',
      number: 1.5,
      large: new NumberValue('12345678901234567890123456789012345678'),
      yes: true,
      none: null,
      bytes: Buffer.from([0, 255]),
      list: [1, ['a'], { b: null }],
      map: { a: { b: [] } },
      texts: new Set(['b', 'a']),
      numbers: new Set([2, 1]),
      binaries: new Set([Buffer.from('b'), Buffer.from('a')]),
    }
    const names = Object.keys(values)
    const table = await filledTable(names.map((name) => ({ id: name, v: values[name] })))
    const summary = await update(table, () => ({ set: { v: 'new', w: 1 } }))
    assert.deepEqual(summary.rejects, [])
    assert.equal(summary.written, names.length)
    const emptied = await update(table, () => ({ remove: ['w'] }))
    assert.equal(emptied.written, names.length)
    const gone = await update(table, () => 'delete')
    assert.equal(gone.written, names.length)
  })
})

test('without onReject the first reject fails the job', async () => {
  const table = await filledTable(numbered(20))
  const job = updateAll(table, () => {
    throw new Error('no')
  })
  await assert.rejects(
    job.run(),
    (error: Error) => error instanceof HeadraceError && error.code === 'REJECTED' && /no/.test(error.message),
  )
  const { read, written, rejected, filtered, notReached } = job.progress
  assert.equal(read, written + rejected + filtered + notReached)
})

test('with a filter only its items are asked about, also after a conflict', async () => {
  const table = await filledTable(numbered(100, (index) => ({ kind: index % 2 === 0 ? 'even' : 'odd' })))
  const { service } = await database.open()
  const summary = await update(
    table,
    async (item) => {
      assert.equal(item['kind'], 'even')
      if (item['id'] === 'item8') {
        const set = { UpdateExpression: 'SET kind = :v', ExpressionAttributeValues: { ':v': { S: 'other' } } }
        await service.call('UpdateItem', { TableName: table.name, Key: { id: { S: 'item8' } }, ...set })
      }
      return { set: { kind: 'done' } }
    },
    { filter: "kind = 'even'" },
  )
  assert.deepEqual(counts(summary), { read: 50, written: 49, rejected: 0, filtered: 1, notReached: 0 })
})

test('answers that are lost are neither counted twice nor taken for conflicts of others', async (t) => {
  for (const filter of [undefined, 'attribute_not_exists(done)']) {
    await t.test(filter === undefined ? 'of all items' : 'where the change itself makes the filter fail', async () => {
      const table = await filledTable(numbered(1_000))
      await using proxy = await startFaultProxy({
        target: store.endpoint,
        seed: 5,
        statementLostShare: 0.1,
        statementErrorShare: 0.1,
        resetAfterShare: 0.05,
      })
      await using faulty = connect({ endpoint: proxy.endpoint })
      const summary = await update(
        faulty.table(table.name),
        ({ index }) => (index % 10 === 0 ? 'delete' : { set: { done: true }, add: { index: 1_000_000 } }),
        { maxInFlight: 100, ...(filter === undefined ? {} : { filter }) },
      )
      assert.ok(proxy.counts.statementLost > 20)
      assert.deepEqual(summary.rejects, [])
      assert.deepEqual(counts(summary), { read: 1_000, written: 1_000, rejected: 0, filtered: 0, notReached: 0 })
      assert.ok(summary.retried > 0)
      const items = await readAll(table)
      assert.equal(items.size, 900)
      for (const item of items.values()) assert.equal(item['id'], `item${item['index'] - 1_000_000}`)
    })
  }
})

test('a signal stops the job: what was taken is written, and the account still adds up', async () => {
  const table = await filledTable(numbered(3_000))
  const stop = new AbortController()
  let asked = 0
  const summary = await updateAll(
    table,
    () => {
      asked += 1
      if (asked === 500) stop.abort()
      return { set: { done: true } }
    },
    { segments: 8, maxInFlight: 50, maxQueueSize: 100 },
  ).run({ signal: stop.signal })
  assert.equal(summary.complete, false)
  assert.equal(summary.read, 500)
  assert.equal(summary.read, summary.written + summary.rejected + summary.filtered + summary.notReached)
  assert.equal([...(await readAll(table)).values()].filter((item) => 'done' in item).length, summary.written)
})

test('a batch with changes that read the same in all dialects of PartiQL proves none of them', async () => {
  const table = await filledTable(numbered(60, () => ({ a: 1, b: 2, c: 3 })))
  // The first ones say SET and REMOVE once each, which every endpoint understands.
  const summary = await update(table, ({ index }) =>
    index % 2 === 0 ? { set: { d: 1 }, remove: ['a'] } : { remove: ['a', 'b', 'c'] },
  )
  assert.deepEqual([summary.written, summary.rejected], [60, 0])
})
