// Group E of "Nothing silent": faults, limits and hostile surroundings.
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { sleep, systemClock } from '../../src/runtime/clock.ts'
import { MemoryTable } from '../support/memoryTable.ts'
import { startScriptedServer } from '../support/scriptedServer.ts'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/
/** The command line has its modules to open before it begins. */
const DESCRIPTORS = 160
const HOSTILE = '\u001b]0;owned\u0007\r\u009b2J\u202egnp'

function run(directory: string, args: readonly string[]): Promise<CommandEnd> {
  return headrace(args, { directory, environment: { AWS_ENDPOINT_URL: store.endpoint } })
}

async function itemsOf(table: Table): Promise<PlainItem[]> {
  const items: PlainItem[] = []
  for await (const item of table.scan({ consistentRead: true })) items.push(item)
  return items
}

async function fill(table: Table, count: number): Promise<void> {
  await using publisher = table.publisher()
  for (let index = 0; index < count; index += 1) publisher.put({ id: `${index}` })
  await publisher.flush()
}

test('E4: what users, modules and data bring is shown on the terminal and not obeyed', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  publisher.put({ id: HOSTILE })
  await publisher.flush()
  const text = JSON.stringify(HOSTILE)
  writeFileSync(join(scratch.path, 'throws.mjs'), `export default () => { throw new Error(${text}) }`)
  writeFileSync(join(scratch.path, 'import.mjs'), `throw new Error(${text})`)
  const commands = [
    ['update', table.name, 'throws.mjs'],
    ['update', table.name, 'import.mjs'],
    ['update', table.name, '--set', 'a=1', '--where', `id = '${HOSTILE}`],
    ['update', table.name, '--set', 'a=1', '--dry-run'],
    ['load', table.name, `${HOSTILE}.jsonl`],
    ['scan', table.name, `--${HOSTILE}`],
    [HOSTILE],
    ['status', HOSTILE],
  ]
  for (const args of commands) {
    const { stderr, stdout } = await run(scratch.path, args)
    assert.doesNotMatch(stderr + stdout, OBEYED, args.join(' '))
    assert.match(stderr + stdout, /\\u001b/, args.join(' '))
  }
  const scanned = await run(scratch.path, ['scan', table.name])
  assert.equal(JSON.parse(scanned.stdout).id, HOSTILE)
})

test('E6: attributes called as parts of an object are data like any other', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  const template =
    '{"id":"w{{index}}","__proto__":5,"constructor":"c","m":{"__proto__":{"x":"{{index}}"},"toString":1}}'
  const made = await run(scratch.path, ['generate', table.name, '--items', '1', '--template', template])
  assert.equal(made.code, 0, made.stderr)
  const [item] = await itemsOf(table)
  assert.equal(
    JSON.stringify(item),
    JSON.stringify({ ...item, ...JSON.parse(template.replaceAll('{{index}}', '0')), m: item!['m'] }),
  )
  assert.deepEqual(Object.keys(item!).sort(), ['__proto__', 'constructor', 'id', 'm'])
  assert.deepEqual(Object.keys(item!['m'] as object).sort(), ['__proto__', 'toString'])
  writeFileSync(join(scratch.path, 'a.csv'), 'id,__proto__,constructor\nw1,7,8\n')
  const types = '__proto__=N,constructor=N'
  const loaded = await run(scratch.path, ['load', table.name, 'a.csv', '--types', types])
  assert.equal(loaded.code, 0, loaded.stderr)
  const typed = (await itemsOf(table)).find(({ id }) => id === 'w1')!
  assert.deepEqual(Object.entries(typed).sort(), [
    ['__proto__', 7],
    ['constructor', 8],
    ['id', 'w1'],
  ])
  const set = ['update', table.name, '--set', '__proto__=1', '--set', 'valueOf=2', '--remove', 'constructor']
  const plan = await run(scratch.path, [...set, '--dry-run'])
  assert.equal(plan.code, 0, plan.stderr)
  assert.match(plan.stdout, /"__proto__":1/)
  const updated = await run(scratch.path, [...set, '--where', '__proto__ > 1'])
  assert.equal(updated.code, 0, updated.stderr)
  for (const one of await itemsOf(table)) {
    assert.deepEqual(
      [
        Object.hasOwn(one, '__proto__') && Object.entries(one).find(([name]) => name === '__proto__')![1],
        one['valueOf'],
      ],
      [1, 2],
    )
    assert.ok(!Object.hasOwn(one, 'constructor'))
  }
  const out = await run(scratch.path, [
    'export',
    table.name,
    'out.csv',
    '--columns',
    'id,__proto__:N,toString',
    '--typed-header',
  ])
  assert.equal(out.code, 0, out.stderr)
  assert.match(readFileSync(join(scratch.path, 'out.csv'), 'utf8'), /^id,__proto__:N,toString\nw\d,1,\n/)
})

test('E7: a rejection that nothing awaits ends the job with a sentence and the command that goes on', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await fill(table, 50)
  writeFileSync(
    join(scratch.path, 'stray.mjs'),
    "export default ({ id }) => { if (id === '7') Promise.reject(new Error('left behind')); return { set: { done: true } } }",
  )
  const end = await run(scratch.path, ['update', table.name, 'stray.mjs', '--job', 'j'])
  assert.equal(end.code, 1, end.stderr)
  assert.match(end.stderr, /unhandled error: Error: left behind\. In your module, await or catch/)
  assert.match(end.stderr, /headrace resume j/)
  assert.doesNotMatch(end.stderr, /^\s+at /m)
  // What was settled stays settled, so that it comes to an end.
  let code: number | null = end.code
  for (let tries = 0; code === 1 && tries < 5; tries += 1) code = (await run(scratch.path, ['resume', 'j'])).code
  assert.equal(code, 0)
  assert.ok((await itemsOf(table)).every(({ done }) => done === true))
})

test('E7: with --workers the job goes on', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await fill(table, 50)
  writeFileSync(
    join(scratch.path, 'stray.mjs'),
    "export default ({ id }) => { if (id === '7') Promise.reject(new Error('left behind')); return { set: { done: true } } }",
  )
  const end = await run(scratch.path, ['update', table.name, 'stray.mjs', '--workers', '1'])
  assert.ok(end.code === 0 || end.code === 3, end.stderr)
  assert.doesNotMatch(end.stderr, /^\s+at /m)
})

test('E7: what a callback throws ends the job in the same way', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await fill(table, 5)
  const module =
    "export default async () => { setTimeout(() => { throw new Error('in a timer') }); await new Promise((r) => setTimeout(r, 500)) }"
  writeFileSync(join(scratch.path, 'timer.mjs'), module)
  const end = await run(scratch.path, ['update', table.name, 'timer.mjs', '--job', 'j'])
  assert.equal(end.code, 1, end.stderr)
  assert.match(end.stderr, /unhandled error: Error: in a timer/)
  assert.doesNotMatch(end.stderr, /^\s+at /m)
})

test('E5: links in a job directory are refused by name, and what they lead to stays as it is', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  const precious = join(scratch.path, 'precious')
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n{"no":1}\n')
  for (const name of [
    'rejects.jsonl',
    'events.jsonl',
    'checkpoint',
    'job.json',
    'job.json.new',
    'checkpoint.new',
    'lock',
  ]) {
    for (const dangles of [false, true]) {
      const job = join(scratch.path, `${name}-${dangles}`)
      mkdirSync(job)
      writeFileSync(precious, 'precious')
      symlinkSync(dangles ? join(scratch.path, 'made') : precious, join(job, name))
      const end = await run(scratch.path, ['load', table.name, 'a.jsonl', '--job', job])
      assert.equal(readFileSync(precious, 'utf8'), 'precious', name)
      assert.ok(!existsSync(join(scratch.path, 'made')), name)
      // A checkpoint without a job is not read, and replaced as a name.
      if (name === 'checkpoint') continue
      assert.notEqual(end.code, 0, `${name}: ${end.stderr}`)
      assert.match(end.stderr, /is a symbolic link/, `${name}: ${end.stderr}`)
      assert.doesNotMatch(end.stderr, /^\s+at /m)
    }
  }
})

test('E5: a job directory that others can write to is a warning', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n')
  mkdirSync(join(scratch.path, 'open'))
  chmodSync(join(scratch.path, 'open'), 0o777)
  const open = await run(scratch.path, ['load', table.name, 'a.jsonl', '--job', 'open'])
  assert.equal(open.code, 0, open.stderr)
  assert.match(open.stderr, /the job directory open is writable by every user of this machine/)
  const own = await run(scratch.path, ['load', table.name, 'a.jsonl', '--job', 'own'])
  assert.doesNotMatch(own.stderr, /the job's directory/)
  if (process.getuid?.() !== 0) return
  mkdirSync(join(scratch.path, 'theirs'))
  chownSync(join(scratch.path, 'theirs'), 1234, 1234)
  const theirs = await run(scratch.path, ['load', table.name, 'a.jsonl', '--job', 'theirs'])
  assert.match(theirs.stderr, /the job directory theirs belongs to another user \(1234\)/)
})

test('E3: with 64 descriptors a command starts, and loads', async () => {
  using scratch = scratchDirectory()
  const memory = new MemoryTable()
  await using server = await startScriptedServer((request) => memory.answer(request.operation, request.body))
  const lines = Array.from({ length: 1_000 }, (_, index) => `{"pk":"${index}"}\n`)
  writeFileSync(join(scratch.path, 'a.jsonl'), lines.join(''))
  const end = await headrace(['load', memory.name, 'a.jsonl'], {
    directory: scratch.path,
    environment: { AWS_ENDPOINT_URL: server.endpoint },
    descriptorsMax: 64,
  })
  assert.equal(end.code, 0, end.stderr)
  assert.equal(memory.items.size, 1_000)
})

test('E3: with few descriptors there are fewer connections, and the state of the job is kept', async () => {
  using scratch = scratchDirectory()
  const memory = new MemoryTable()
  const server = await startScriptedServer(async (request) => {
    // Slow enough for all that may be in flight to be in flight.
    if (request.operation !== 'DescribeTable') await sleep(systemClock, 300)
    return memory.answer(request.operation, request.body)
  })
  try {
    const lines = Array.from({ length: 10_000 }, (_, index) => `{"pk":"${index}"}\n`)
    writeFileSync(join(scratch.path, 'a.jsonl'), lines.join(''))
    const rest = ['--job', 'j', '--max-in-flight', '25600', '--rate', '1000000']
    const end = await headrace(['load', memory.name, 'a.jsonl', ...rest], {
      directory: scratch.path,
      environment: { AWS_ENDPOINT_URL: server.endpoint },
      descriptorsMax: DESCRIPTORS,
    })
    assert.equal(end.code, 0, end.stderr)
    assert.equal(memory.items.size, 10_000)
    assert.doesNotMatch(end.stderr, /EMFILE|failed/)
    assert.ok(existsSync(join(scratch.path, 'j', 'checkpoint')))
  } finally {
    await server.close()
  }
})
