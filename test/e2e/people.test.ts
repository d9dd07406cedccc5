// Group D of "Nothing silent": what a person sees.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { database, newName, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

function run(directory: string, args: readonly string[]): Promise<CommandEnd> {
  return headrace(args, { directory, environment: { AWS_ENDPOINT_URL: store.endpoint } })
}

async function countOf(table: string): Promise<number> {
  let count = 0
  for await (const _ of database.table(table).scan({ consistentRead: true })) count += 1
  return count
}

test('D1: --quiet says rejects, incomplete input and failures, and nothing else', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'bad.jsonl'), '{"no":1}\n{"no":2}\n')
  writeFileSync(join(scratch.path, 'good.jsonl'), '{"id":"a"}\n')
  writeFileSync(join(scratch.path, 'page.json'), '{"Items":[{"id":"b"}],"NextToken":"x"}')
  const bad = await run(scratch.path, ['load', name, 'bad.jsonl', '--quiet', '--job', 'j'])
  assert.equal(bad.code, 3)
  const lines = bad.stderr.trimEnd().split('\n')
  assert.equal(lines.length, 1, bad.stderr)
  assert.match(lines[0]!, /2 records rejected \(first: bad\.jsonl:1: .*"id".*\), see j\/rejects\.jsonl/)
  const good = await run(scratch.path, ['load', name, 'good.jsonl', '--quiet'])
  assert.deepEqual([good.code, good.stderr, good.stdout], [0, '', ''])
  const page = await run(scratch.path, ['load', name, 'page.json', '--quiet'])
  assert.equal(page.code, 3)
  assert.match(page.stderr, /incomplete input: page\.json: it ends with a NextToken/)
  const failed = await run(scratch.path, ['load', name, 'nosuch.jsonl', '--quiet'])
  assert.match(failed.stderr, /nosuch\.jsonl/)
})

test('D2: rejects are in the headline, in status, in the list of jobs and in the report', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n{"no":1}\n{"no":2}\n')
  const ran = await run(scratch.path, ['load', name, 'a.jsonl', '--report'])
  assert.match(ran.stderr, /load \w+: done, 2 rejected/)
  const [job] = readdirSync(join(scratch.path, '.headrace'))
  const directory = join('.headrace', job!)
  const status = await run(scratch.path, ['status', directory])
  assert.match(status.stdout, /state +done, 2 rejected/)
  assert.match(status.stdout, /rejects +\.headrace\/.*rejects\.jsonl/)
  const list = await run(scratch.path, ['status'])
  assert.match(list.stdout, /1 written, 2 rejected/)
  assert.match(readFileSync(join(scratch.path, directory, 'report.html'), 'utf8'), /done, 2 rejected/)
})

test('D3: a job stops when all of the first 1,000 records were rejected, and goes on when told to', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  const records = Array.from({ length: 3_000 }, (_, index) => `{"ID":"${index}"}\n`).join('')
  writeFileSync(join(scratch.path, 'bad.jsonl'), records)
  writeFileSync(join(scratch.path, 'late.jsonl'), `{"id":"a"}\n${records}`)
  const ran = await run(scratch.path, ['load', name, 'bad.jsonl', '--job', 'j'])
  assert.equal(ran.code, 6, ran.stderr)
  assert.match(
    ran.stderr,
    /stopped because every record so far was rejected; pass --max-errors 100% to continue anyway/,
  )
  assert.match(ran.stderr, /names are case-sensitive/)
  const all = await run(scratch.path, ['resume', 'j', '--max-errors', '100%'])
  assert.equal(all.code, 3, all.stderr)
  assert.match(all.stderr, /done, 3,000 rejected/)
  const late = await run(scratch.path, ['load', name, 'late.jsonl'])
  assert.equal(late.code, 3, late.stderr)
  writeFileSync(join(scratch.path, 'throws.mjs'), 'export default () => { throw new Error("always") }\n')
  const many = await newTable()
  await using publisher = many.publisher()
  for (let index = 0; index < 2_500; index += 1) publisher.put({ id: `${index}` })
  await publisher.flush()
  const update = await run(scratch.path, ['update', many.name, 'throws.mjs'])
  assert.equal(update.code, 6, update.stderr)
})

test('D5: one is one, and each verb has its own words', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  await using publisher = database.table(name).publisher()
  publisher.put({ id: 'a' })
  await publisher.flush()
  const scan = await run(scratch.path, ['scan', name])
  assert.match(scan.stderr, /^1 item in .*, 1 read unit$/m)
  writeFileSync(join(scratch.path, 'a.csv'), 'id,n\nb\n')
  const load = await run(scratch.path, ['load', name, 'a.csv'])
  assert.match(load.stderr, /1 cell, but the header has 2/)
  const plan = await run(scratch.path, ['delete', name, '--all', '--dry-run'])
  assert.match(plan.stdout + plan.stderr, /^ +deleted +1$/m)
  const update = await run(scratch.path, ['update', name, '--set', 'n=1', '--dry-run'])
  assert.match(update.stdout + update.stderr, /^ +changed +1$/m)
  writeFileSync(join(scratch.path, 'x.jsonl'), '{"id":"other"}\n')
  const diff = await run(scratch.path, ['diff', name, 'x.jsonl'])
  assert.match(diff.stdout + diff.stderr, /\(only in x\.jsonl\)/)
})

test('D6: a plan that has read all of a file has counted its keys', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n{"id":"b"}\n{"id":"a"}\n')
  const plan = await run(scratch.path, ['load', name, 'a.jsonl', '--dry-run'])
  const said = plan.stdout + plan.stderr
  assert.match(said, /1 record has the same key as an earlier record and overwrites it/)
  assert.doesNotMatch(said, /Whether records share a key/)
})

test('D9: load --key makes no table for a file that cannot be read, or has another key', async () => {
  using scratch = scratchDirectory()
  writeFileSync(join(scratch.path, 'a.csv'), 'ID,n\na,1\n')
  writeFileSync(join(scratch.path, 'a.parquet'), 'not Parquet at all')
  for (const file of ['a.csv', 'a.parquet', 'nosuch.jsonl']) {
    const name = newName()
    const ran = await run(scratch.path, ['load', name, file, '--key', 'id:S'])
    assert.notEqual(ran.code, 0)
    assert.doesNotMatch(ran.stderr, /created table/)
    await assert.rejects(countOf(name), /not found|does not exist|no table/i)
  }
})

test('D10: an array of strings is one clear refusal, and a source that resumes is planned', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.json'), '["a","b","c"]')
  const ran = await run(scratch.path, ['load', name, 'a.json'])
  assert.equal(ran.code, 1)
  assert.match(ran.stderr, /the file contains strings, but a record must be a JSON object/)
  assert.doesNotMatch(ran.stderr, /rejected/)
  const job = (more: string) =>
    `export default { source: { items: (settled) => [1, 2, 3].slice(settled).map((n) => ({ id: 'i' + n })), ${more} }, sink: { table: '${name}' } }\n`
  writeFileSync(join(scratch.path, 'job.mjs'), job('resumes: true'))
  const plan = await run(scratch.path, ['run', 'job.mjs', '--dry-run'])
  assert.equal(plan.code, 0, plan.stderr)
  assert.match(plan.stdout + plan.stderr, /written +3/)
  assert.equal(await countOf(name), 0)
})
