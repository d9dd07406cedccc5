import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, type Database } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { type LocalStore, startLocal } from '../../src/local/startLocal.ts'
import { type DiffOptions, type DiffSummary, diff } from '../../src/operations/diff.ts'
import type { Difference } from '../../src/operations/difference.ts'
import { exportTable } from '../../src/operations/exportTable.ts'
import { file, type RecordSource } from '../../src/operations/file.ts'
import { createTable } from '../../src/operations/tables.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { scratchDirectory } from '../e2e/command.ts'
import { database, newTable, store } from '../support/store.ts'
import { PLANTED_PATHS, plantedItems } from './plantedItems.ts'

async function filledTable(items: Iterable<PlainItem>, where: Database = database): Promise<Table> {
  const table = await newTable(undefined, where)
  await using publisher = table.publisher()
  await publisher.publish(items)
  return table
}

/** What was found, by the kind of difference, with keys in order. */
async function found(
  left: Table,
  right: Table | RecordSource,
  options: DiffOptions = {},
): Promise<{ summary: DiffSummary; keys: { [kind: string]: string[] }; differences: Difference[] }> {
  const differences: Difference[] = []
  const summary = await diff(left, right, {
    pauseMs: 0,
    ...options,
    onDifference: (difference) => {
      differences.push(difference)
      return options.onDifference?.(difference)
    },
  })
  const keys: { [kind: string]: string[] } = { missing: [], extra: [], changed: [] }
  for (const { kind, key } of differences) keys[kind]!.push(key['id'])
  for (const list of Object.values(keys)) list.sort()
  const { missing, extra, changed, equal, compared } = summary
  assert.equal(differences.length, missing + extra + changed)
  assert.equal(compared, differences.length + equal)
  return { summary, keys, differences }
}

const numbered = (count: number, more: (index: number) => object = () => ({})): PlainItem[] =>
  Array.from({ length: count }, (_, index) => ({ id: `item${index}`, index, ...more(index) }))

test('planted differences are found exactly, and what they are', async () => {
  const count = 5_000
  const { left, right, expected } = plantedItems(count, 97)
  const [here, there] = [await filledTable(left()), await filledTable(right())]
  for (const segments of [undefined, 1, 7]) {
    const { summary, keys, differences } = await found(here, there, segments === undefined ? {} : { segments })
    assert.deepEqual(keys, expected)
    assert.equal(summary.complete, true)
    assert.equal(summary.equal, count - expected.missing.length - expected.changed.length)
    const paths = differences.flatMap((one) => (one.kind === 'changed' ? one.changes.map(({ path }) => path) : []))
    assert.equal(paths.length, expected.changed.length)
    assert.deepEqual([...new Set(paths)].sort(), PLANTED_PATHS)
  }
})

test('a table and itself elsewhere: no difference, and an empty one is all missing or all extra', async () => {
  const items = numbered(1_500)
  const [left, right] = [await filledTable(items), await filledTable(items)]
  const [empty, nothing] = [await filledTable([]), await filledTable([])]
  assert.equal((await found(left, right)).summary.equal, 1_500)
  assert.equal((await found(left, empty)).summary.missing, 1_500)
  assert.equal((await found(empty, left)).summary.extra, 1_500)
  assert.equal((await found(empty, nothing)).summary.compared, 0)
})

test('stores that put keys into segments, and items into an order, each in its own way', async () => {
  await using other = await stopping(await startLocal({ kind: 'dynalite' }))
  const elsewhere = connect({ endpoint: other.endpoint })
  try {
    const count = 3_000
    const { left, right, expected } = plantedItems(count, 41)
    const [here, there] = [await filledTable(left()), await filledTable(right(), elsewhere)]
    for (const segments of [1, 16]) {
      const { summary, keys } = await found(here, there, { segments })
      assert.deepEqual(keys, expected)
      assert.equal(summary.equal, count - expected.missing.length - expected.changed.length)
    }
  } finally {
    await elsewhere.close()
  }
})

async function stopping(local: LocalStore): Promise<LocalStore & AsyncDisposable> {
  return Object.assign(local, { [Symbol.asyncDispose]: () => local.stop() })
}

test('a table with a sort key and numbers as keys', async () => {
  const key = { partition: { name: 'p', type: 'N' }, sort: { name: 's', type: 'B' } } as const
  const sides: Table[] = []
  for (const value of ['a', 'b']) {
    const table = await newTable(key)
    await using publisher = table.publisher()
    for (let index = 0; index < 300; index += 1) {
      publisher.put({ p: index / 10, s: new Uint8Array([index % 7, 1]), value: index === 123 ? value : 'same' })
    }
    sides.push(table)
  }
  const differences: Difference[] = []
  await diff(sides[0]!, sides[1]!, { pauseMs: 0, onDifference: (one) => void differences.push(one) })
  assert.deepEqual(
    differences.map(({ kind, key: at }) => [kind, at]),
    [['changed', { p: 12.3, s: new Uint8Array([123 % 7, 1]) }]],
  )
})

test('where: an item counts for which it holds on one side or the other, and is told once', async () => {
  const left = await filledTable(numbered(600, (index) => ({ tier: index % 2 })))
  const right = await filledTable(numbered(600, (index) => ({ tier: index < 6 ? 1 : index % 2 })))
  const { summary, keys } = await found(left, right, { filter: 'tier = 1' })
  // Of those that are not 1 on the left, 0, 2 and 4 are on the right.
  assert.deepEqual(keys['changed'], ['item0', 'item2', 'item4'])
  assert.equal(summary.equal, 300)
  assert.equal(summary.compared, 303)
})

test('a table and a file: any order, duplicates, other spellings, gzip', async () => {
  using directory = scratchDirectory()
  const path = join(directory.path, 'copy.ddb.jsonl.gz')
  const items = numbered(2_000, (index) => ({ tags: new Set(['a', 'b', `t${index}`]), deep: { n: [index, '1'] } }))
  const table = await filledTable(items)
  await exportTable(table, path).run()
  assert.equal((await found(table, file(path))).summary.equal, 2_000)

  const plain = join(directory.path, 'other.jsonl')
  const lines = items.map(({ id, index }) => ({
    id: { S: id },
    index: { N: `${index}.0` },
    deep: { M: { n: { L: [{ N: `${index}` }, { S: '1' }] } } },
    tags: { SS: [`t${index}`, 'b', 'a'] },
  }))
  lines[10]!.deep.M.n.L[1] = { N: '1' }
  const records = [
    // Its second record is the one that counts.
    { ...lines[5], index: { N: '17' } },
    ...lines.slice(0, 1_990).reverse(),
    { ...lines[3], index: { N: '18' } },
    { id: { S: 'new' } },
    { id: { S: 'new' }, x: { S: 'last' } },
  ]
  writeFileSync(plain, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const { summary, keys, differences } = await found(table, file(plain))
  assert.deepEqual(
    keys['missing'],
    numbered(2_000)
      .slice(1_990)
      .map(({ id }) => id)
      .sort(),
  )
  assert.deepEqual(keys['extra'], ['new'])
  assert.deepEqual(keys['changed'], ['item10', 'item3'])
  assert.equal(summary.duplicates, 3)
  const changes = differences.flatMap((one) => (one.kind === 'changed' ? one.changes.map(({ path: at }) => at) : []))
  assert.deepEqual(changes.sort(), ['deep.n[1]', 'index'])
  assert.deepEqual(
    differences.filter(({ kind }) => kind === 'extra'),
    [{ kind: 'extra', key: { id: 'new' }, right: { id: 'new', x: 'last' } }],
  )
})

test('a file with a line that is no item says which', async () => {
  using directory = scratchDirectory()
  const table = await filledTable(numbered(3))
  for (const [line, message] of [
    ['{"id":', /bad\.jsonl:2: .*JSON/],
    ['{"name":"x"}', /bad\.jsonl:2: .*"id"/],
  ] as const) {
    const path = join(directory.path, 'bad.jsonl')
    writeFileSync(path, `{"id":"item0"}\n${line}\n`)
    await assert.rejects(diff(table, file(path)), { code: 'INPUT', message })
  }
  await assert.rejects(diff(table, file('-')), TypeError)
  await assert.rejects(diff(table, file('some.jsonl'), { fix: true }), TypeError)
})

test('what cannot be compared is refused with a sentence', async () => {
  const table = await filledTable([])
  await assert.rejects(diff(table, database.table(table.name)), { code: 'CONFIGURATION', message: /itself/ })
  const elsewhere = connect({ endpoint: store.endpoint })
  await assert.rejects(diff(table, elsewhere.table(table.name)), { code: 'CONFIGURATION', message: /itself/ })
  await elsewhere.close()
  await createTable(database, 'ordered', {
    key: { partition: { name: 'id', type: 'S' }, sort: { name: 'at', type: 'N' } },
  })
  await assert.rejects(diff(table, database.table('ordered')), { message: /id:S.*id:S,at:N/ })
  await assert.rejects(diff(table, database.table('nowhere')), { code: 'TABLE' })
  await assert.rejects(diff(table, table, { pauseMs: -1 }), TypeError)
})

test('fix writes what is missing or differs, takes no more than it must, and leaves what is extra', async () => {
  const { left, right, expected } = plantedItems(2_000, 13)
  const [here, there] = [await filledTable(left()), await filledTable(right())]
  const { summary } = await found(here, there, { fix: true })
  assert.equal(summary.fixed, expected.missing.length + expected.changed.length)
  assert.equal(summary.conflicts + summary.refused, 0)
  const again = await found(here, there)
  assert.deepEqual(again.keys, { missing: [], extra: expected.extra, changed: [] })
})

test('fix leaves alone what others have changed since it was compared', async () => {
  const [here, there] = [
    await filledTable(numbered(20, () => ({ value: 'left', same: 1 }))),
    await filledTable(numbered(15, () => ({ value: 'right', same: 1 }))),
  ]
  const rejects: string[] = []
  const { summary } = await found(here, there, {
    fix: true,
    onReject: ({ code }) => rejects.push(code),
    onDifference: async ({ key }) => {
      if (key['id'] !== 'item3' && key['id'] !== 'item17') return
      await using publisher = there.publisher()
      publisher.put({ id: key['id'], value: 'somebody' })
    },
  })
  assert.equal(summary.fixed, 18)
  assert.equal(summary.conflicts, 2)
  assert.deepEqual(rejects, ['Conflict', 'Conflict'])
  for (const id of ['item3', 'item17']) assert.equal((await there.get({ id }))?.['value'], 'somebody')
  assert.deepEqual(await there.get({ id: 'item4' }), { id: 'item4', index: 4, value: 'left', same: 1 })
})

test('verify: target changed by others meanwhile', async () => {
  // Both sides are written to all the time, the same to both; what stays different is told once, and that is the end of it.
  const count = 3_000
  const stays = (index: number): boolean => index % 500 === 0
  const [left, right] = [
    await filledTable(numbered(count, () => ({ version: 0 }))),
    await filledTable(numbered(count, (index) => ({ version: 0, ...(stays(index) ? { other: true } : {}) }))),
  ]
  const stop = new AbortController()
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let version = 1; !stop.signal.aborted; version += 1) {
      const index = (writer + version * 4 * 37) % count
      if (stays(index)) continue
      for (const table of [right, left]) {
        await using publisher = table.publisher({ lingerMs: 0 })
        publisher.put({ id: `item${index}`, index, version: version + writer * 1_000_000 })
      }
    }
  })
  // One item that somebody writes on the right alone, without end.
  const restless = (async () => {
    for (let version = 1; !stop.signal.aborted; version += 1) {
      await using publisher = right.publisher({ lingerMs: 0 })
      publisher.put({ id: 'item1', index: 1, restless: version })
    }
  })()
  const { summary, keys } = await found(left, right, { pauseMs: 300, segments: 8 })
  stop.abort()
  await Promise.all([...writers, restless])
  assert.equal(summary.complete, true)
  const expected = numbered(count).flatMap(({ id, index }) => (stays(index) ? [id] : []))
  assert.deepEqual(keys['missing'], [])
  assert.deepEqual(keys['extra'], [])
  assert.ok(expected.every((id) => keys['changed']!.includes(id)))
  // A write that is between its two sides at both looks is no more than chance.
  assert.ok(keys['changed']!.length <= expected.length + 3, keys['changed']!.join())
})

test('a signal ends it, with what was found by then', async () => {
  const [left, right] = [await filledTable(numbered(5_000)), await filledTable([])]
  const controller = new AbortController()
  const { summary } = await found(left, right, {
    signal: controller.signal,
    onDifference: () => controller.abort(),
  })
  assert.equal(summary.complete, false)
  assert.ok(summary.missing >= 1 && summary.missing < 5_000)
})

test('a signal ends it at once, also while it waits for leave to read', async () => {
  const [left, right] = [await filledTable(numbered(3_000)), await filledTable(numbered(10))]
  for (const readUnitsPerSecond of [1, 40]) {
    const startedAt = performance.now()
    const signal = AbortSignal.timeout(400)
    const { summary } = await found(left, right, { signal, readUnitsPerSecond })
    assert.equal(summary.complete, false)
    assert.ok(performance.now() - startedAt < 3_000)
  }
})

test('a service that lets nobody read by key ends it with a sentence, and not at the end of the tables', async () => {
  const right = await filledTable(numbered(5_000))
  const left = await filledTable([])
  const { service } = await database.open()
  const call = service.call.bind(service)
  const denied = new HeadraceError('DENIED', 'not authorized to perform dynamodb:BatchGetItem')
  service.call = (operation, ...rest) =>
    operation === 'BatchGetItem' ? Promise.reject(denied) : call(operation, ...rest)
  try {
    await assert.rejects(diff(left, right, { pauseMs: 0 }), denied)
  } finally {
    service.call = call
  }
})
