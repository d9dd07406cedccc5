import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { createTable } from '../../src/operations/tables.ts'
import { plantedItems } from '../operations/plantedItems.ts'
import { database, store } from '../support/store.ts'
import { type CommandOptions, headrace, scratchDirectory } from './command.ts'

const { left, right, expected } = plantedItems(20_000, 100)

before(async () => {
  await fill('left', left())
  await fill('right', right())
  await fill('few', [...left()].slice(0, 100))
})

async function fill(name: string, items: Iterable<PlainItem>): Promise<void> {
  await createTable(database, name, { key: { partition: { name: 'id', type: 'S' } } })
  await using publisher = database.table(name).publisher()
  await publisher.publish(items)
}

function here(directory: string, options: Omit<CommandOptions, 'directory'> = {}): CommandOptions {
  return { directory, ...options, environment: { AWS_ENDPOINT_URL: store.endpoint, ...options.environment } }
}

interface Line {
  kind: string
  key: { id: { S: string } }
  changes?: { path: string; left?: object; right?: object }[]
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

function keysOf(lines: readonly Line[]): { [kind: string]: string[] } {
  const keys: { [kind: string]: string[] } = { missing: [], extra: [], changed: [] }
  for (const { kind, key } of lines) keys[kind]!.push(key.id.S)
  for (const list of Object.values(keys)) list.sort()
  return keys
}

test('two tables: every difference is a line, the summary says how many, and the exit status is 7', async () => {
  using directory = scratchDirectory()
  const memory = join(directory.path, 'memory')
  const preload = new URL('../support/peakMemory.js', import.meta.url)
  const environment = { NODE_OPTIONS: `--import=${preload.href}`, PEAK_MEMORY_FILE: memory }
  const end = await headrace(['diff', 'left', 'right'], here(directory.path, { environment }))
  assert.equal(end.code, 7, end.stderr)
  const lines = linesOf(end.stdout)
  assert.deepEqual(keysOf(lines), expected)
  for (const { key, changes = [] } of lines.filter(({ kind }) => kind === 'changed')) {
    const index = Number(key.id.S.slice('item'.length))
    const age = { path: 'age', left: { N: `${index % 90}` }, right: { S: `${index % 90}` } }
    const price = { path: 'order.lines[0].price', left: { N: `${index}` }, right: { N: `${index + 0.001}` } }
    assert.deepEqual(changes, [changes[0]!.path === 'age' ? age : price])
  }
  assert.match(end.stderr, /compared +20,050\n.*equal +19,850\n.*missing +50 .*\n.*extra +50 .*\n.*changed +100\n/)
  assert.match(end.stderr, /consumed +[\d,]+ RCU/)
  assert.ok(Number(readFileSync(memory, 'utf8')) < 200, `${readFileSync(memory, 'utf8')} MiB`)
})

test('a table and its export: the same, and status 0; as JSON events too', async () => {
  using directory = scratchDirectory()
  const file = 'left.ddb.jsonl.gz'
  assert.equal((await headrace(['export', 'left', file, '--quiet'], here(directory.path))).code, 0)
  const end = await headrace(['diff', 'left', file, '--json'], here(directory.path))
  assert.equal(end.code, 0, end.stderr)
  assert.equal(end.stdout, '')
  const done = JSON.parse(end.stderr.trim().split('\n').at(-1)!)
  assert.deepEqual(
    [done.event, done.operation, done.compared, done.equal, done.complete],
    ['done', 'diff', 20_000, 20_000, true],
  )
  const other = await headrace(['diff', 'right', file, '--quiet'], here(directory.path))
  assert.equal(other.code, 7)
  assert.equal(other.stderr, '')
  assert.deepEqual(keysOf(linesOf(other.stdout)), {
    missing: expected.extra,
    extra: expected.missing,
    changed: expected.changed,
  })
})

test('--fix asks, makes the right side as the left but for what it has besides, and then there is nothing to fix', async () => {
  using directory = scratchDirectory()
  await fill(
    'broken',
    [...left()].slice(50, 120).map((item) => ({ ...item, age: -1 })),
  )
  const asked = await headrace(['diff', 'few', 'broken', '--fix'], here(directory.path))
  assert.equal(asked.code, 2)
  assert.match(
    asked.stderr,
    /This writes to .*broken.* what is missing in it or differs from few\. There is no terminal to ask: pass --yes/,
  )
  const fixed = await headrace(['diff', 'few', 'broken', '--fix', '--yes'], here(directory.path))
  assert.equal(fixed.code, 7, 'what is extra is still a difference')
  assert.match(fixed.stderr, /missing +50 .*\n.*extra +20 .*\n.*changed +50\n.*fixed +100\n/)
  const again = await headrace(['diff', 'few', 'broken'], here(directory.path))
  assert.equal(linesOf(again.stdout).length, 20)
})

test('a table and itself, tables that are not there, files that are not there: a sentence each', async () => {
  using directory = scratchDirectory()
  for (const [other, code, sentence] of [
    ['left', 2, /table left cannot be compared with itself/],
    ['nothing', 5, /nothing/],
    ['nothing.jsonl', 1, /nothing\.jsonl/],
  ] as const) {
    const end = await headrace(['diff', 'left', other], here(directory.path))
    assert.equal(end.code, code, end.stderr)
    assert.match(end.stderr, sentence)
    assert.doesNotMatch(end.stderr, /^\s+at /m)
  }
})

test('Ctrl-C ends it, with a summary of what was compared', async () => {
  using directory = scratchDirectory()
  const end = await headrace(
    ['diff', 'left', 'right', '--rate', '20'],
    here(directory.path, {
      onStart: (child) => {
        // A rate at which it would take a minute.
        setTimeout(() => child.kill('SIGINT'), 2_500)
      },
    }),
  )
  assert.equal(end.code, 130, end.stderr)
  assert.match(end.stderr, /stopping: /)
  assert.match(end.stderr, /diff left right: stopped early/)
})
