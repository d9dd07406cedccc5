import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { createTable } from '../../src/operations/tables.ts'
import { database, newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

const COUNT = 500
const VISITOR = `
interface Item { id: string; index: number; act?: 'throw' | 'loop' | 'exit' }

export default function visit({ index, act }: Item): object {
  if (act === 'throw') throw new Error('thrown')
  if (act === 'exit') process.exit(0)
  while (act === 'loop');
  return { set: { double: index * 2 } }
}
`

before(async () => {
  await createTable(database, 'things', { key: { partition: { name: 'id', type: 'S' } } })
  await using publisher = database.table('things').publisher()
  const acts = new Map([
    [20, 'throw'],
    [200, 'loop'],
    [400, 'exit'],
  ])
  for (let index = 0; index < COUNT; index += 1) publisher.put({ id: `item${index}`, index, act: acts.get(index) })
})

test('a TypeScript visitor in threads: what it does to them costs an item each, and the rest is written', async () => {
  using directory = scratchDirectory()
  writeFileSync(join(directory.path, 'visit.ts'), VISITOR)
  const here = { directory: directory.path, environment: { AWS_ENDPOINT_URL: store.endpoint } }
  const end = await headrace(
    ['update', 'things', 'visit.ts', '--workers', '2', '--visit-timeout', '1', '--job', 'job'],
    here,
  )
  assert.equal(end.code, 3, end.stderr)
  assert.match(end.stderr, /written +497\n.*rejected +3\n/)
  const rejects = readFileSync(join(directory.path, 'job', 'rejects.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { code: string; message: string; place: string })
  assert.deepEqual(rejects.map(({ code, place, message }) => [place, code, message]).sort(), [
    ['id="item20"', 'VisitorFailed', 'the visitor failed: thrown'],
    ['id="item200"', 'VisitorFailed', 'the visitor failed: it did not return within 1 s, and its thread was stopped'],
    ['id="item400"', 'VisitorFailed', 'the visitor failed: it ended its thread with exit code 0'],
  ])
  for await (const { index, act, double } of database.table('things').scan({ segments: 1 })) {
    assert.equal(double, act === undefined ? index * 2 : undefined)
  }
  assert.deepEqual(readdirSync(directory.path).sort(), ['job', 'visit.ts'])
})

test('workers without a module, and workers that are none, are refused with a sentence', async () => {
  using directory = scratchDirectory()
  const here = { directory: directory.path, environment: { AWS_ENDPOINT_URL: store.endpoint } }
  const set = await headrace(['update', 'things', '--set', 'a=1', '--workers', '2'], here)
  assert.equal(set.code, 2, set.stderr)
  assert.match(set.stderr, /workers require a visitor module/)
  const none = await headrace(['update', 'things', 'visit.ts', '--workers', 'many'], here)
  assert.equal(none.code, 2)
  assert.match(none.stderr, /whole number/)
})

test('a module that imports headrace works where only the command line is installed', async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  publisher.put({ id: 'a' })
  await publisher.flush()
  for (const [name, type] of [
    ['exact.mjs', ''],
    ['exact.ts', ': object'],
  ] as const) {
    writeFileSync(
      join(directory.path, name),
      `import { NumberValue } from 'headrace'
       export default ()${type} => ({ set: { exact: new NumberValue('1.2345678901234567891') } })`,
    )
    for (const flags of [[], ['--workers', '1']]) {
      const here = { directory: directory.path, environment: { AWS_ENDPOINT_URL: store.endpoint } }
      const end = await headrace(['update', table.name, name, '--job', `job ${name} ${flags.length}`, ...flags], here)
      assert.equal(end.code, 0, end.stderr)
      for await (const { exact } of table.scan({ segments: 1 })) assert.equal(`${exact}`, '1.2345678901234567891')
      await headrace(['update', table.name, '--remove', 'exact', '--job', `undo ${name} ${flags.length}`], here)
    }
  }
})
