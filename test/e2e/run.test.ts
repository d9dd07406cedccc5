import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, createTable, type Database, type PlainItem } from '../../src/index.ts'
import { type LocalStore, startLocal } from '../../src/local/startLocal.ts'
import { headrace, scratchDirectory } from './command.ts'

const ORDERS = 1_200

let store: LocalStore
let database: Database

before(async () => {
  store = await startLocal({ kind: 'dynoxide' })
  database = connect({ endpoint: store.endpoint })
  await newTable('orders')
  await using publisher = database.table('orders').publisher()
  for (let number = 0; number < ORDERS; number += 1) {
    const lines = Array.from({ length: number % 3 }, (_, line) => ({ article: `a${line}`, pieces: number }))
    publisher.put({ id: `o${number}`, number, lines })
  }
})

after(async () => {
  await database.close()
  await store.stop()
})

async function newTable(name: string): Promise<void> {
  await createTable(database, name, { key: { partition: { name: 'id', type: 'S' } } })
}

async function itemsOf(table: string): Promise<Map<string, PlainItem>> {
  const items = new Map<string, PlainItem>()
  for await (const item of database.table(table).scan({ segments: 1 })) items.set(item['id'] as string, item)
  return items
}

/** A directory with such a module, and commands that run in it. */
function moduleDirectory(module: string, files: { readonly [name: string]: string } = {}) {
  const directory = scratchDirectory()
  writeFileSync(join(directory.path, 'job.mjs'), module)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text)
  const environment = { AWS_ENDPOINT_URL: store.endpoint }
  return {
    path: directory.path,
    run: (...args: string[]) => headrace(args, { directory: directory.path, environment }),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

function done(stdout: string): { [name: string]: unknown } {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
}

test('a table through a fan-out: several of one, none of some, rejects of others, and every item is accounted for', async () => {
  await newTable('lines')
  const module = `export default {
    source: { table: 'orders', filter: 'number < 900' },
    transform: ({ id, number, lines }) => {
      if (number % 100 === 7) throw new Error('a seven')
      if (number === 5) return [{ id: 'whole' }, { no: 'key' }]
      return lines.map((line, index) => ({ id: id + '/' + index, ...line }))
    },
    sink: { table: 'lines' },
  }`
  using directory = moduleDirectory(module)
  const { code, stdout, stderr } = await directory.run('run', 'job.mjs', '--job', 'job', '--json')
  assert.equal(code, 3, stderr)
  const { read, written, rejected, filtered } = done(stdout)
  // Of each three numbers one has no lines; number 5 and the sevens are rejects.
  const sevens = Array.from({ length: 9 }, (_, hundred) => hundred * 100 + 7)
  const none = 300 - sevens.filter((number) => number % 3 === 0).length
  assert.deepEqual([read, rejected, filtered, written], [900, 10, none, 900 - 10 - none])
  const expected = new Set(['whole'])
  for (let number = 0; number < 900; number += 1) {
    if (number % 100 === 7 || number === 5) continue
    for (let line = 0; line < number % 3; line += 1) expected.add(`o${number}/${line}`)
  }
  assert.deepEqual(new Set((await itemsOf('lines')).keys()), expected)
  const rejects = readFileSync(join(directory.path, 'job', 'rejects.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  assert.deepEqual(new Set(rejects.map((line) => JSON.parse(line).code)), new Set(['TransformFailed', 'InvalidItem']))
})

test('run --dry-run counts all that is made, and writes nothing', async () => {
  await newTable('planned')
  const module = `export default {
    source: { table: 'orders' },
    transform: async ({ id, lines }) => lines.map((line, index) => ({ id: id + '/' + index, ...line })),
    sink: { table: 'planned' },
  }`
  using directory = moduleDirectory(module)
  const { code, stdout, stderr } = await directory.run('run', 'job.mjs', '--dry-run')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^run orders: dry run, nothing was written\n {2}items +1,200, /)
  // Of 800 orders a line or more, as the job will count them; what is made of them is what it writes.
  assert.match(stdout, /\n {2}written +800\n/)
  assert.match(stdout, /\n {2}writes +1,200 WCU/)
  assert.equal((await itemsOf('planned')).size, 0)
})

test('files through a transform: run and load do the same, and the plan of both counts what is made', async () => {
  const input = Array.from({ length: 400 }, (_, n) => JSON.stringify({ id: `r${n}`, n })).join('\n')
  const transform = `({ id, n }) => n % 4 === 0 ? undefined : n === 1 ? Promise.resolve([{ id, n }, { id: 'more' }]) : { id, n: -n }`
  const job = `export default { source: { files: 'in.jsonl' }, transform: ${transform}, sink: { table: 'by-run' } }`
  using directory = moduleDirectory(job, { 'in.jsonl': input, 'transform.mjs': `export default ${transform}` })
  await newTable('by-run')
  await newTable('by-load')
  for (const command of [
    ['run', 'job.mjs'],
    ['load', 'by-load', 'in.jsonl', '--transform', 'transform.mjs'],
  ]) {
    const plan = await directory.run(...command, '--dry-run')
    assert.match(plan.stdout, /\n {2}(?:items|records) +400, .*\n {2}written +301\n/, plan.stderr)
    const { code, stdout, stderr } = await directory.run(...command, '--json')
    assert.equal(code, 0, stderr)
    const { read, written, filtered } = done(stdout)
    assert.deepEqual([read, written, filtered], [400, 300, 100])
  }
  const [byRun, byLoad] = [await itemsOf('by-run'), await itemsOf('by-load')]
  assert.equal(byRun.size, 301)
  assert.deepEqual(byRun.get('r2'), { id: 'r2', n: -2 })
  assert.deepEqual(byLoad, byRun)
})

test('a reject of a load with a transform is the record as it was read, and loads when the transform is put right', async () => {
  await newTable('mended')
  using directory = moduleDirectory('', {
    'in.jsonl': '{"id":"a","n":1}\n{"id":"b","n":0}\n{"id":"c","n":2}\n',
    'transform.mjs': `export default ({ id, n }) => ({ id: n === 0 ? '' : id, half: n / 2 })`,
    'better.mjs': 'export default ({ id, n }) => ({ id, half: n / 2 })',
  })
  const first = await directory.run('load', 'mended', 'in.jsonl', '--transform', 'transform.mjs', '--job', 'job')
  assert.equal(first.code, 3, first.stderr)
  const reject = JSON.parse(readFileSync(join(directory.path, 'job', 'rejects.jsonl'), 'utf8'))
  assert.deepEqual([reject.place, reject.item], ['in.jsonl:2', { id: { S: 'b' }, n: { N: '0' } }])
  const second = await directory.run(
    'load',
    'mended',
    'job/rejects.jsonl',
    '--from-rejects',
    '--transform',
    'better.mjs',
  )
  assert.equal(second.code, 0, second.stderr)
  assert.deepEqual([...(await itemsOf('mended')).keys()].sort(), ['a', 'b', 'c'])
})

test('changes: a put, a delete and an update each do what they say; one that is done already is done', async () => {
  await newTable('changed')
  await using publisher = database.table('changed').publisher()
  for (let n = 0; n < 40; n += 1) publisher.put({ id: `o${n}`, state: n < 20 ? 'old' : 'odd' })
  await publisher.flush()
  const module = `export default {
    source: { table: 'orders', filter: 'number < 50' },
    transform: ({ id, number }) => {
      if (number === 0) return { update: { id }, put: { id } }
      if (number < 10) return { delete: { id } }
      if (number < 45) return { update: { id }, set: { state: 'new' }, expect: { state: 'old' } }
      return { put: { id, state: 'made' } }
    },
    sink: { table: 'changed', write: 'changes' },
  }`
  using directory = moduleDirectory(module)
  const { code, stdout, stderr } = await directory.run('run', 'job.mjs', '--job', 'job', '--json')
  assert.equal(code, 3, stderr)
  // What is odd is not as expected; 40 to 44 are not there; 0 is no change.
  assert.deepEqual([done(stdout)['written'], done(stdout)['rejected']], [24, 26])
  const items = await itemsOf('changed')
  const states = new Map([...items].map(([id, { state }]) => [Number(id.slice(1)), state]))
  const expected = new Map<number, string>([[0, 'old']])
  for (let n = 10; n < 40; n += 1) expected.set(n, n < 20 ? 'new' : 'odd')
  for (let n = 45; n < 50; n += 1) expected.set(n, 'made')
  assert.deepEqual(new Map([...states].sort(([left], [right]) => left - right)), expected)
  const rejects = readFileSync(join(directory.path, 'job', 'rejects.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  const codes = rejects.map((line) => JSON.parse(line).code).sort()
  assert.deepEqual([codes.filter((one) => one === 'Conflict').length, codes.at(-1)], [25, 'InvalidItem'])
  // A second time: the ten that were updated are as they should be.
  const again = await directory.run('run', 'job.mjs', '--json')
  assert.deepEqual([done(again.stdout)['written'], done(again.stdout)['rejected']], [24, 26])
})

test('an iterable that says how is gone on with behind what is settled; one that does not is refused in a sentence', async () => {
  const module = (resumes: boolean, table: string) => `import { appendFileSync } from 'node:fs'
  export default {
    source: {
      ${resumes ? 'resumes: true,' : ''}
      items: async function* (settled) {
        appendFileSync('begun.txt', settled + '\\n')
        for (let n = settled; n < 3000; n += 1) yield n === 100 ? 'no item' : { id: 'i' + n, n }
      },
    },
    sink: { table: '${table}', writeUnitsPerSecond: 1000 },
  }`
  await newTable('counted')
  using directory = moduleDirectory(module(true, 'counted'))
  const first = await directory.run('run', 'job.mjs', '--job', 'job', '--max-duration', '1s')
  assert.equal(first.code, 6, first.stderr)
  const second = await directory.run('resume', 'job', '--write-rate', '9000', '--json')
  assert.equal(second.code, 3, second.stderr)
  assert.deepEqual([done(second.stdout)['read'], done(second.stdout)['written']], [3_000, 2_999])
  assert.equal((await itemsOf('counted')).size, 2_999)
  const [, settled] = readFileSync(join(directory.path, 'begun.txt'), 'utf8').trimEnd().split('\n').map(Number)
  assert.ok(settled! > 100 && settled! < 3_000, `${settled} were settled`)

  await newTable('uncounted')
  using other = moduleDirectory(module(false, 'uncounted'))
  const stopped = await other.run('run', 'job.mjs', '--job', 'job', '--max-duration', '1s')
  assert.equal(stopped.code, 6, stopped.stderr)
  const refused = await other.run('resume', 'job')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /items cannot be read twice.*resumes: true/)
})

test('a source that fails: what it gave is written, and it is said behind which item', async () => {
  await newTable('partly')
  const module = `export default {
    source: { items: async function* () { yield { id: 'a' }; yield { id: 'b' }; throw new Error('the other side is gone') } },
    sink: { table: 'partly' },
  }`
  using directory = moduleDirectory(module)
  const { code, stderr } = await directory.run('run', 'job.mjs')
  assert.equal(code, 1)
  assert.match(stderr, /the source of the job failed after item 2: the other side is gone/)
  assert.doesNotMatch(stderr, /\n {4}at /)
  assert.equal((await itemsOf('partly')).size, 2)
})

test('a module that is changed is another job; what is no job is refused with an example', async () => {
  await newTable('twice')
  const module = `export default { source: { table: 'orders' }, sink: { table: 'twice', writeUnitsPerSecond: 200 } }`
  using directory = moduleDirectory(module)
  const first = await directory.run('run', 'job.mjs', '--job', 'job', '--max-duration', '1s')
  assert.equal(first.code, 6, first.stderr)
  writeFileSync(join(directory.path, 'job.mjs'), `${module} // edited`)
  const second = await directory.run('resume', 'job')
  assert.equal(second.code, 1)
  assert.match(second.stderr, /the module job\.mjs has changed since the job in job began/)

  for (const [text, reason] of [
    ['', /it is not an object/],
    ['export default { sink: { table: "twice" } }', /it has no source/],
    [
      'export default { source: { table: "orders", files: "x" }, sink: { table: "twice" } }',
      /one of table, files and items/,
    ],
    ['export default { source: { table: "orders" }, sink: {} }', /sink\.table must be a table name/],
    [
      'export default { source: { table: "orders" }, sink: { table: "twice", write: "changes" } }',
      /which need a transform/,
    ],
    ['export default { source: { table: "orders" }, sink: { table: "orders" } }', /would read its own writes/],
  ] as const) {
    writeFileSync(join(directory.path, 'job.mjs'), text)
    const { code, stderr } = await directory.run('run', 'job.mjs')
    assert.match(stderr, reason)
    assert.doesNotMatch(stderr, /\n {4}at /)
    assert.notEqual(code, 0)
  }
})

test('SIGINT: what is on its way is waited for, and the job goes on', async () => {
  await newTable('stopped')
  const module = `export default {
    source: { table: 'orders' },
    transform: async ({ id, number }) => [{ id, number }, { id: id + '/b', number }],
    sink: { table: 'stopped', writeUnitsPerSecond: 800 },
  }`
  using directory = moduleDirectory(module)
  const end = await headrace(['run', 'job.mjs', '--job', 'job'], {
    directory: directory.path,
    environment: { AWS_ENDPOINT_URL: store.endpoint },
    onStart: (child) => setTimeout(() => child.kill('SIGINT'), 1_500),
  })
  assert.equal(end.code, 130, end.stderr)
  assert.match(end.stderr, /To resume: headrace resume job/)
  const status = await directory.run('status', 'job')
  assert.match(status.stdout, /^run orders\n {2}state +stopped/)
  const resumed = await directory.run('resume', 'job', '--write-rate', '9000', '--json')
  assert.equal(resumed.code, 0, resumed.stderr)
  assert.deepEqual([done(resumed.stdout)['read'], done(resumed.stdout)['written']], [ORDERS, ORDERS])
  assert.equal((await itemsOf('stopped')).size, 2 * ORDERS)
})
