import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import {
  copy,
  createTable,
  deleteAll,
  encodeItem,
  HeadraceError,
  load,
  type PlainItem,
  type SourceRecord,
  type Table,
  undo,
  updateAll,
} from '../../src/index.ts'
import { reversedLines } from '../../src/operations/reversedLines.ts'
import { systemDisk } from '../../src/storage/disk.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { database, newTable } from '../support/store.ts'

let directory: string

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-undo-'))
})

after(async () => {
  rmSync(directory, { recursive: true, force: true })
})

const ITEMS = 400

async function filledTable(): Promise<{ table: Table; job: string }> {
  const table = await newTable({ partition: { name: 'id', type: 'S' }, sort: { name: 'n', type: 'N' } })
  await using publisher = table.publisher()
  for (let index = 0; index < ITEMS; index += 1) {
    publisher.put({
      id: `item${index % 50}`,
      n: index,
      version: index,
      tags: new Set(['a', `t${index}`]),
      nested: { list: [1, { deep: 12345678901234567890123n }], none: null },
      'an odd "name"': Buffer.from([index & 255]),
      ...(index % 3 === 0 ? { maybe: true } : {}),
    })
  }
  return { table, job: join(directory, table.name) }
}

async function contentOf(table: Table): Promise<Map<string, string>> {
  const content = new Map<string, string>()
  for await (const item of table.scan({ segments: 1, consistentRead: true })) {
    content.set(`${item['id']} ${item['n']}`, JSON.stringify(JSON.parse(encodeItem(item)), sortNames))
  }
  return content
}

/** The store gives the names of maps in an order of its own. */
function sortNames(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** Sets, removes, adds, deletes, and leaves alone. */
function visit(item: PlainItem) {
  const kind = item['n'] % 5
  if (kind === 0) return 'delete' as const
  if (kind === 1) return undefined
  if (kind === 2) return { remove: ['tags', 'maybe'] }
  if (kind === 3)
    return { set: { nested: { other: 1 }, fresh: 'x', 'an odd "name"': 'changed' }, add: { version: 1_000 } }
  return { set: { maybe: false }, remove: ['nested'] }
}

test('what an update and a deletion have changed is put back exactly', async () => {
  const { table, job } = await filledTable()
  const start = await contentOf(table)
  const changed = await updateAll(table, visit, { keepOld: true }).run({ directory: job })
  assert.equal(changed.written, (ITEMS / 5) * 4)
  await deleteAll(table, { keepOld: true, filter: 'n > 100' }).run({ directory: `${job}-deleted` })
  assert.notDeepEqual(await contentOf(table), start)
  const first = await undo(`${job}-deleted`).run()
  const second = await undo(job).run()
  assert.deepEqual([first.rejected, second.rejected, second.written], [0, 0, changed.written])
  assert.deepEqual(await contentOf(table), start)
  // Once more: all is as it was already.
  const again = await undo(job).run()
  assert.deepEqual([again.written, again.filtered, again.rejected], [0, changed.written, 0])
  assert.deepEqual(await contentOf(table), start)
})

test('where others have written since, theirs stays and is listed; what the job did not touch is theirs anyway', async () => {
  const { table, job } = await filledTable()
  const start = await contentOf(table)
  await updateAll(table, visit, { keepOld: true }).run({ directory: job })
  const others = database.table(table.name).publisher()
  // Of an attribute that was changed; of another one; made anew; deleted.
  others.update({ id: 'item3', n: 3 }, { set: { fresh: 'theirs' } })
  others.update({ id: 'item4', n: 4 }, { set: { theirs: true } })
  others.put({ id: 'item5', n: 5, theirs: true })
  others.delete({ id: 'item7', n: 7 })
  await others.close()
  const before = await contentOf(table)
  const undoing = `${job}-undone`
  const summary = await undo(job).run({ directory: undoing })
  const rejects = readFileSync(join(undoing, 'rejects.jsonl'), 'utf8').trimEnd().split('\n')
  const told = rejects.map((line) => JSON.parse(line)).map(({ code, place, message }) => `${code} ${place}: ${message}`)
  assert.deepEqual(told.sort(), [
    'ChangedSince id="item3", n=3: another writer changed the item after the job; it was not restored',
    'ChangedSince id="item5", n=5: another writer created the item after the job; it was not restored',
    'ChangedSince id="item7", n=7: another writer deleted the item after the job; it was not restored',
  ])
  assert.equal(summary.rejected, 3)
  const now = await contentOf(table)
  for (const [key, text] of start) {
    if (['item3 3', 'item5 5', 'item7 7'].includes(key)) assert.equal(now.get(key), before.get(key))
    else if (key !== 'item4 4') assert.equal(now.get(key), text)
  }
  assert.match(now.get('item4 4')!, /"nested":.*"theirs":\{"BOOL":true\}/)
})

test('what a load and a copy have replaced is put back, and what they made goes', async () => {
  const { table, job } = await filledTable()
  const start = await contentOf(table)
  const before = await newTable({ partition: { name: 'id', type: 'S' }, sort: { name: 'n', type: 'N' } })
  await copy(table, before).run()
  const replaced = (item: PlainItem) => ({
    id: item['id'],
    n: item['n'],
    nested: { fresh: item['version'] },
    list: [1],
  })
  const records: SourceRecord[] = []
  const add = (item: PlainItem): void => {
    records.push({ item, place: { file: 'in', line: records.length + 1, offset: records.length * 10 } })
  }
  for (let n = 0; n < ITEMS; n += 2) add(replaced({ id: `item${n % 50}`, n, version: n }))
  for (let n = 0; n < 300; n += 1) add({ id: 'made', n, version: n })
  // The same again, and once more as something else.
  add({ id: 'made', n: 0, version: 0 })
  add({ id: 'item1', n: 1, version: 'first' })
  add({ id: 'item1', n: 1, version: 'second' })
  const source = {
    name: 'in',
    records: async function* () {
      yield records
    },
  }
  const loaded = await load(source, table, { keepOld: true }).run({ directory: job })
  assert.deepEqual([loaded.written, loaded.overwritten, loaded.rejected], [ITEMS / 2 + 301, 2, 0])
  const after = await contentOf(table)
  assert.equal(after.size, ITEMS + 300)
  const first = replaced({ id: 'item0', n: 0, version: 0 })
  assert.equal(after.get('item0 0'), JSON.stringify(JSON.parse(encodeItem(first)), sortNames))
  assert.match(after.get('item1 1')!, /second/)
  const transform = (item: PlainItem): PlainItem => ({ ...item, copied: true })
  const copied = await copy(before, table, { keepOld: true, transform }).run({ directory: `${job}-copied` })
  assert.equal(copied.written, ITEMS)
  const others = database.table(table.name).publisher()
  others.update({ id: 'made', n: 7 }, { set: { theirs: true } })
  others.put({ id: 'made', n: 8, version: 'theirs' })
  others.delete({ id: 'made', n: 9 })
  await others.close()
  const backOfCopy = await undo(`${job}-copied`).run()
  assert.deepEqual([backOfCopy.written, backOfCopy.rejected], [ITEMS, 0])
  const undoing = `${job}-undone`
  const back = await undo(job).run({ directory: undoing })
  const told = readFileSync(join(undoing, 'rejects.jsonl'), 'utf8').trimEnd().split('\n')
  const places = told.map((line) => JSON.parse(line).place)
  assert.deepEqual(places.sort(), ['id="made", n=7', 'id="made", n=8'])
  assert.equal(back.rejected, 2)
  const end = await contentOf(table)
  assert.deepEqual([...end.keys()].filter((key) => key.startsWith('made')).sort(), ['made 7', 'made 8'])
  for (const [key, text] of start) assert.equal(end.get(key), text, key)
  // Once more: all is as it was, or theirs; of what was changed twice nobody can tell.
  const again = await undo(job, { onReject: () => undefined }).run()
  assert.deepEqual([again.written, again.rejected], [0, 3])
  assert.deepEqual(await contentOf(table), end)
})

test('a job that kept nothing, and one that has nowhere to keep it, say so', async () => {
  const { table, job } = await filledTable()
  await updateAll(table, () => ({ set: { a: 1 } })).run({ directory: job })
  assert.throws(
    () => undo(job),
    (error) =>
      error instanceof HeadraceError && error.code === 'STATE' && /kept no old images.*--keep-old/.test(error.message),
  )
  await assert.rejects(
    updateAll(table, () => ({ set: { a: 2 } }), { keepOld: true }).run(),
    /keepOld requires a job directory/,
  )
  assert.throws(() => undo(join(directory, 'none')), /there is no job in/)
})

test('a table that was dropped and made anew is told from the one that was changed', async () => {
  const { table, job } = await filledTable()
  await updateAll(table, visit, { keepOld: true }).run({ directory: job })
  await createTable(database, table.name, {
    key: { partition: { name: 'id', type: 'S' }, sort: { name: 'n', type: 'N' } },
    replace: true,
  })
  await assert.rejects(undo(job).run(), /was dropped and created again since/)
})

test('lines are read from the last to the first, wherever the blocks are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 30 })), fc.boolean(), (texts, closed) => {
      const lines = texts.map((text) => text.replaceAll('\n', ' ')).filter((text) => text !== '')
      const bytes = Buffer.from(lines.join('\n') + (closed && lines.length > 0 ? '\n' : ''))
      const disk = new SimulatedDisk(Math.random, async () => undefined).session().disk
      const file = disk.append('a')
      file.write(bytes)
      for (const blockBytes of [1, 2, 3, 7, 64, undefined]) {
        const read = [...reversedLines(disk, 'a', bytes.length, blockBytes)]
        assert.deepEqual(
          read.map(({ text }) => text),
          [...lines].reverse(),
        )
        for (const { text, fromEnd } of read) {
          const at = bytes.length - fromEnd
          assert.equal(bytes.subarray(at, at + Buffer.byteLength(text)).toString(), text)
        }
      }
    }),
  )
  assert.equal([...reversedLines(systemDisk, join(directory, 'none'), 0)].length, 0)
})
