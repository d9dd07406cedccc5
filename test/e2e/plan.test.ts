import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { BUILT_IN_PRICES, count, createTable } from '../../src/index.ts'
import { database, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

before(async () => {
  await createTable(database, 'users', { key: { partition: { name: 'id', type: 'S' } } })
  await using publisher = database.table('users').publisher()
  for (let index = 0; index < 1_000; index += 1) {
    publisher.put({ id: `user ${index}`, age: index % 100, tags: new Set(['a']), big: 2n ** 80n })
  }
})

type Run = (...args: string[]) => Promise<CommandEnd>

/** Runs commands in a directory of their own, with these files in it. */
async function inDirectory(files: { [name: string]: string }, work: (run: Run) => Promise<void>): Promise<void> {
  using directory = scratchDirectory()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text)
  await work((...args) =>
    headrace(args, { directory: directory.path, environment: { AWS_ENDPOINT_URL: store.endpoint } }),
  )
}

/** What a person has to read fits into a terminal, but for items. */
function assertNarrow(text: string): void {
  for (const line of text.split('\n')) {
    if (!/^ {2}[-+] [{(]/.test(line)) assert.ok(line.length <= 100, line)
    assert.doesNotMatch(line, /undefined|NaN|Infinity|\[object/)
  }
}

test('update --dry-run says what it would do, and does nothing', async () => {
  const visitor = `export default (user) => user.age < 50 ? { set: { young: true }, remove: ['tags'] } : user.age === 99 ? 'delete' : undefined`
  await inDirectory({ 'visitor.mjs': visitor }, async (run) => {
    const { code, stdout, stderr } = await run('update', 'users', 'visitor.mjs', '--dry-run', '--samples', '5')
    assert.equal(code, 0, stderr)
    assertNarrow(stdout)
    assert.match(stdout, /^update users: dry run, nothing was written\n {2}items +1,000, /)
    assert.match(stdout, /\n {2}changed +510\n/)
    assert.match(
      stdout,
      /\n {2}price +free here; on AWS (less than )?\$0\.\d+, at the prices of \d{4}-\d\d-\d\d in us-east-1\n/,
    )
    assert.match(
      stdout,
      / {2}- \{"id":"user \d+".*"tags":.*\n {2}\+ \{"id":"user \d+","young":true\} {2}\(and 2 unchanged attributes\)/,
    )
    for await (const item of database.table('users').scan()) assert.equal(item['young'], undefined)
    assert.equal((await count(database.table('users'))).count, 1_000)
  })
})

test('with --json a plan is one object, whatever the items hold', async () => {
  await inDirectory({}, async (run) => {
    const { code, stdout, stderr } = await run(
      'update',
      'users',
      '--set',
      'a=1',
      '--dry-run',
      '--json',
      '--samples',
      '2',
    )
    assert.equal(code, 0, stderr)
    const plan = JSON.parse(stdout)
    assert.equal(plan.event, 'plan')
    assert.deepEqual(plan.items, { value: 1_000, low: 1_000, high: 1_000 })
    assert.equal(plan.samples.length, 2)
    assert.equal(plan.samples[0].after.a, 1)
    assert.equal(plan.cost.billing, 'on demand')
  })
})

test('load --dry-run: files, a table that is not there yet, and what cannot be planned', async () => {
  const lines = Array.from({ length: 50 }, (_, index) => `{"id":"new ${index}","body":"${'x'.repeat(1_500)}"}`)
  const files = { 'users.jsonl': [...lines, '{"no":"key"}', 'no JSON'].join('\n') }
  await inDirectory(files, async (run) => {
    const { code, stdout, stderr } = await run('load', 'users', 'users.jsonl', '--dry-run', '--write-rate', '10')
    assert.equal(code, 0, stderr)
    assertNarrow(stdout)
    assert.match(
      stdout,
      /\n {2}records +52, .*\n {2}written +50\n {2}writes +100 WCU at 10 WCU\/s: your rate limit\n {2}time +about 10\.0 s\n/,
    )
    assert.match(stdout, /2 of the 52 records read cannot/)
    assert.equal((await count(database.table('users'))).count, 1_000)

    const fresh = await run('load', 'fresh', 'users.jsonl', '--key', 'id:S', '--dry-run')
    assert.equal(fresh.code, 0, fresh.stderr)
    assert.match(fresh.stdout, /written +50\n/)
    assert.equal((await run('table', 'describe', 'fresh')).code, 5)

    const missing = await run('load', 'fresh', 'users.jsonl', '--dry-run')
    assert.equal(missing.code, 5)
    assert.match(missing.stderr, /there is no table "fresh"/)
    const stdin = await run('load', 'users', '-', '--dry-run')
    assert.equal(stdin.code, 1)
    assert.match(stdin.stderr, /cannot plan standard input/)
  })
})

test('a price file is reckoned with, and one that is none is named', async () => {
  const region = BUILT_IN_PRICES.regions['us-east-1']!
  const classes = { STANDARD: { ...region.classes['STANDARD']!, onDemandWritesPerMillion: 5_000_000 } }
  const prices = { asOf: '2030-01-01', currency: 'USD', regions: { 'us-east-1': { classes } } }
  await inDirectory({ 'prices.json': JSON.stringify(prices), 'broken.json': '{}' }, async (run) => {
    const dry = ['update', 'users', '--set', 'a=1', '--dry-run', '--price-file']
    const priced = await run(...dry, 'prices.json')
    assert.match(priced.stdout, /on AWS \$5,000, at the prices of 2030-01-01/)
    const unknown = await run(...dry, 'prices.json', '--region', 'eu-west-9')
    assert.equal(unknown.code, 0)
    assert.match(unknown.stdout, /price +unknown for eu-west-9; pass its price list with --price-file/)
    const broken = await run(...dry, 'broken.json')
    assert.equal(broken.code, 4)
    assert.match(broken.stderr, /cannot use the price file broken\.json/)
  })
})

test('count --sample is data on standard output, and says how sure it is', async () => {
  await inDirectory({}, async (run) => {
    const { code, stdout, stderr } = await run('count', 'users', '--sample')
    assert.equal(code, 0, stderr)
    assert.equal(stdout, '1000\n')
    assert.match(stderr, /^exact: all 1,000 items looked at/)
    const json = JSON.parse((await run('count', 'users', '--sample', '--where', 'age < 10', '--json')).stdout)
    assert.deepEqual([json.count, json.low, json.high, json.exact], [100, 100, 100, true])
    assert.equal((await run('count', 'users', '--sample', '--segments', '4')).code, 2)
  })
})

test('iam prints a policy as data, and says what was left out', async () => {
  await inDirectory({}, async (run) => {
    const arn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'
    const { code, stdout, stderr } = await run('iam', 'load', '--table', arn)
    assert.equal(code, 0, stderr)
    const [statement] = JSON.parse(stdout).Statement
    assert.deepEqual(statement.Action, ['dynamodb:DescribeTable', 'dynamodb:BatchWriteItem'])
    assert.match(stderr, /CreateTable: without it --key cannot create a missing table/)
    const all = await run('iam', 'table', 'create', '--table', arn, '--optional')
    assert.equal(JSON.parse(all.stdout).Statement.length, 2)
    assert.equal(all.stderr, '')
    assert.equal((await run('iam', 'load', '--table', 'users')).code, 2)
    assert.equal((await run('iam', 'fly', '--table', arn)).code, 2)
  })
})
