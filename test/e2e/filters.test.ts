import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

// Filters that say something else than was meant, as the command meets them: said or refused before anything is written.

/** Runs a command on a table of its own with these items, and gives the ids that are left. */
async function runOn(
  items: readonly PlainItem[],
  command: (table: string) => readonly string[],
): Promise<CommandEnd & { readonly left: readonly string[] }> {
  using directory = scratchDirectory()
  const table = await newTable()
  const publisher = table.publisher()
  for (const item of items) publisher.put(item)
  await publisher.close()
  const end = await headrace(command(table.name), {
    directory: directory.path,
    environment: { AWS_ENDPOINT_URL: store.endpoint },
  })
  assert.doesNotMatch(end.stderr + end.stdout, /^\s+at .*:\d+:\d+/m)
  const left: string[] = []
  for await (const { id } of database.table(table.name).scan({ consistentRead: true })) left.push(id)
  return { ...end, left: left.sort() }
}

function deletes(where: string, ...more: readonly string[]): (table: string) => readonly string[] {
  return (table) => ['delete', table, '--where', where, '--yes', ...more]
}

const ACTIVE = [
  { id: 'a', active: true, state: 'keep', zipcode: 10001, address: { city: 'Oslo', lines: ['x'] } },
  { id: 'b', active: false, state: 'drop', zipcode: 10002, address: { city: 'Bergen', lines: ['y'] } },
  { id: 'c', active: true, state: 'keep', zipcode: 10003, address: { city: 'Oslo', lines: ['z'] } },
]

test('B1: constants in any case mean true, false and null', async () => {
  for (const where of ['active <> TRUE', 'not (active = True)', 'active = FALSE', 'active in (False)']) {
    const { code, left } = await runOn(ACTIVE, deletes(where))
    assert.equal(code, 0, where)
    assert.deepEqual(left, ['a', 'c'], where)
  }
  const nothing = [
    { id: 'a', gone: null },
    { id: 'b', gone: 'no' },
  ]
  assert.deepEqual((await runOn(nothing, deletes('gone = NULL'))).left, ['b'])
})

test('B2: a name on the value side that no item has is refused before anything is deleted', async () => {
  const wheres = [
    'state <> "keep"',
    'state <> keep',
    'not (state in ("keep"))',
    'not state in (keep, "drop")',
    'not (state = "keep")',
    '"keep" <> state',
    'not begins_with(state, keep)',
    'not contains(state, "keep")',
    'not state between keep and "keepz"',
    'size(state) <> keep',
    "id = 'a' and active = true or state <> keep",
  ]
  for (const where of wheres) {
    const { code, left, stderr } = await runOn(ACTIVE, deletes(where))
    assert.equal(code, 2, where)
    assert.deepEqual(left, ['a', 'b', 'c'], where)
    assert.match(
      stderr,
      /no item has an attribute keep.*write 'keep' in single quotes.*--allow-unknown-attributes/,
      where,
    )
  }
})

test('B2: names that items have are compared with each other', async () => {
  const items = [
    { id: 'a', was: 'x', is: 'x' },
    { id: 'b', was: 'x', is: 'y' },
  ]
  const { code, left } = await runOn(items, deletes('was <> "is"'))
  assert.equal(code, 0)
  assert.deepEqual(left, ['a'])
})

test('B2: the refusal can be lifted for attributes that are rare', async () => {
  const { code, left, stderr } = await runOn(ACTIVE, deletes('state <> rare', '--allow-unknown-attributes'))
  assert.equal(code, 0)
  assert.deepEqual(left, [])
  assert.match(stderr, /no item has an attribute rare/)
})

test('B2: an update is refused too, in threads, described and planned', async () => {
  for (const more of [[], ['--threads', '2'], ['--describe', 'job.json'], ['--dry-run']]) {
    const { code, stderr } = await runOn(ACTIVE, (table) => [
      'update',
      table,
      ...['--set', 'touched=true', '--where', 'state <> "keep"'],
      ...more,
    ])
    assert.equal(code, 2, more.join(' '))
    assert.match(stderr, /write 'keep' in single quotes/, more.join(' '))
  }
})

test('B2: a filter that matches everything or nothing is said before the job starts', async () => {
  const everything = await runOn(ACTIVE, deletes("state <> 'Keep'"))
  assert.equal(everything.code, 0)
  assert.deepEqual(everything.left, [])
  assert.match(everything.stderr, /the filter matches all 3 items of table/)
  const nothing = await runOn(ACTIVE, deletes("state = 'Keep'"))
  assert.equal(nothing.code, 0)
  assert.match(nothing.stderr, /the filter matches none of the 3 items of table/)
  const one = await runOn(ACTIVE.slice(0, 1), deletes("state = 'Keep'"))
  assert.match(one.stderr, /the filter does not match the only item of table/)
  const empty = await runOn([], deletes("state = 'Keep'"))
  assert.match(empty.stderr, /table things\d+ is empty/)
  const some = await runOn(ACTIVE, deletes("state = 'keep'"))
  assert.doesNotMatch(some.stderr, /the filter|no item/)
})

test('B3: a misspelt attribute and a value of another type are named', async () => {
  const rows: readonly (readonly [where: string, said: RegExp])[] = [
    [
      "zipcode = '10001'",
      /zipcode is a number in all items, but is compared with a string; for a number write 10001 without quotes/,
    ],
    ['zipCode = 10001', /no item has an attribute zipCode; did you mean zipcode\?/],
    ["adress.city = 'Oslo'", /no item has an attribute adress\.city; did you mean address\.city\?/],
    ["address.City = 'Oslo'", /no item has an attribute address\.City; did you mean address\.city\?/],
    ["address.lines[3] = 'x'", /no item has an attribute address\.lines\[3\]/],
    ["address.city[0] = 'x'", /no item has an attribute address\.city\[0\]/],
    [
      'state > 3',
      /state is a string in all items, but is compared with a number; for a string write '3' in single quotes/,
    ],
    ["active = 'true'", /active is a boolean in all items, but is compared with a string; write true without quotes/],
    ["begins_with(zipcode, '1')", /zipcode is a number in all items, for which begins_with is never true/],
    ['size(zipcode) > 1', /zipcode is a number in all items, which has no size/],
    ['attribute_exists(zip_code)', /no item has an attribute zip_code; did you mean zipcode\?/],
  ]
  for (const [where, said] of rows) {
    const { code, stderr, left } = await runOn(ACTIVE, deletes(where))
    assert.equal(code, 0, where)
    assert.match(stderr, said, where)
    assert.match(stderr, /matches none of the 3 items/, where)
    assert.equal(left.length, 3, where)
  }
})

test('B3: verbs that only read say it as a warning', async () => {
  for (const verb of [['count'], ['scan'], ['export', 'out.jsonl']]) {
    const [name, ...more] = verb as [string, ...string[]]
    const { code, stderr } = await runOn(ACTIVE, (table) => [name, table, ...more, '--where', 'zipCode = 10001'])
    assert.equal(code, 0, name)
    assert.match(stderr, /did you mean zipcode\?/, name)
    const other = await runOn(ACTIVE, (table) => [name, table, ...more, '--where', 'state <> "keep"'])
    assert.equal(other.code, 0, name)
    assert.match(other.stderr, /write 'keep' in single quotes/, name)
    assert.match(other.stderr, /matches all 3 items/, name)
  }
})

test('B10: values that are equal already are not written again', async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  const publisher = table.publisher()
  publisher.put({ id: 'a' })
  await publisher.close()
  const sets = ['m={"b":1,"a":2}', 'l=[{"y":1.0,"x":[{"d":1,"c":2}]}]', 'n=1.50', 's="é"'].flatMap((set) => [
    '--set',
    set,
  ])
  const run = () =>
    headrace(['update', table.name, ...sets, '--json'], {
      directory: directory.path,
      environment: { AWS_ENDPOINT_URL: store.endpoint },
    })
  const done = (end: CommandEnd) => JSON.parse(end.stdout.trim().split('\n').at(-1)!)
  assert.equal(done(await run()).written, 1)
  const again = done(await run())
  assert.equal(again.written, 0)
  assert.equal(again.filtered, 1)
})

test('D7: an expression that cannot be parsed ends with 2, whatever the verb', async () => {
  const bad = 'state <> and'
  const verbs: readonly ((table: string) => readonly string[])[] = [
    (table) => ['delete', table, '--where', bad],
    (table) => ['delete', table, '--where', bad, '--yes'],
    (table) => ['delete', table, '--where', '', '--yes'],
    (table) => ['update', table, '--set', 'a=1', '--where', bad],
    (table) => ['update', table, '--set', 'a=1', '--where', bad, '--dry-run'],
    (table) => ['update', table, '--set', 'a=1', '--where', bad, '--describe', 'job.json'],
    (table) => ['update', table, '--set', 'a=1', '--where', bad, '--threads', '2'],
    (table) => ['copy', table, 'other', '--where', bad],
    (table) => ['export', table, 'out.jsonl', '--where', bad],
    (table) => ['count', table, '--where', bad],
    (table) => ['count', table, '--where', bad, '--sample'],
    (table) => ['scan', table, '--where', bad],
    (table) => ['scan', table, '--where', bad, '--limit', '1'],
    (table) => ['diff', table, 'other', '--where', bad],
  ]
  for (const verb of verbs) {
    const { code, stderr, left } = await runOn(ACTIVE, verb)
    assert.equal(code, 2, `${verb('t').join(' ')}: ${stderr}`)
    assert.match(stderr, /the expression (?:is empty|is not valid at character \d+)/)
    assert.equal(left.length, 3)
  }
})

test('D7: a wrong value of an option ends with 2, in a sentence', async () => {
  const rows: readonly (readonly [command: (table: string) => readonly string[], said: RegExp])[] = [
    [(table) => ['scan', table, '--select', ''], /select requires attribute names/],
    [(table) => ['scan', table, '--select', 'id,,x'], /select requires attribute names/],
    [(table) => ['export', table, 'out.jsonl', '--select', 'id,id'], /select lists the attribute id twice/],
    [(table) => ['scan', table, '--index', 'nosuch'], /has no index nosuch: it has no indexes/],
    [(table) => ['count', table, '--index', 'nosuch', '--where', 'a = 1'], /has no index nosuch/],
    [(table) => ['count', table, '--endpoint-url', 'ftp://x'], /not a valid address/],
    [(table) => ['count', table, '--region', 'no region!'], /not a valid name/],
    [(table) => ['copy', table, table], /can ?not be copied to itself/],
    [(table) => ['diff', table, table], /can ?not be compared with itself/],
    [
      (table) => ['generate', table, '--items', '1', '--template', '@nosuch.json'],
      /--template cannot be read from nosuch/,
    ],
    [(table) => ['generate', table, '--items', '1', '--template', '{"id":"a","":1}'], /--template is not an item/],
    [(table) => ['generate', table, '--items', '1', '--template', '{"id":"\\ud800"}'], /--template is not an item/],
    [(table) => ['generate', table, '--items', '1', '--template', '{"id":"{{bogus}}"}'], /\{\{bogus\}\}/],
  ]
  for (const [command, said] of rows) {
    const { code, stderr } = await runOn(ACTIVE, command)
    assert.equal(code, 2, `${command('t').join(' ')}: ${stderr}`)
    assert.match(stderr, said)
  }
})
