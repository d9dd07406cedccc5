import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLocal } from '../../src/local/startLocal.ts'
import { headrace, scratchDirectory } from './command.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const section = /^## Events\n(.*?)^## /ms.exec(readFileSync(join(ROOT, 'docs', 'reference', 'jobs.md'), 'utf8'))![1]!
const [, commandTable = '', logTable = ''] = section.split(/^\| (?:with `--json`|in `events\.jsonl`) /m)

/** The names in the first column of a table. */
function namesIn(table: string): string[] {
  return [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) => quoted(cell!, '`')).sort()
}

function quoted(text: string, quote: string): string[] {
  return [...text.matchAll(new RegExp(`${quote}(\\w+)${quote}`, 'g'))].map(([, name]) => name!)
}

/** What the first arguments of these calls name, in the source. */
function namesSaid(call: RegExp): string[] {
  const names = new Set<string>()
  for (const path of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue
    for (const [, argument] of readFileSync(join(ROOT, 'src', path), 'utf8').matchAll(call))
      for (const name of quoted(argument!, "'")) names.add(name)
  }
  return [...names].sort()
}

test('the events of --json and of events.jsonl are those that docs/reference/jobs.md lists', () => {
  assert.deepEqual(namesIn(commandTable), namesSaid(/(?:(?:talk|this)\.event\(|\{ event: )([^,]+),/g))
  assert.deepEqual(namesIn(logTable), namesSaid(/irectory\??\.note\(([^,]+),/g))
})

test('a job that is stopped, resumed and done says so in these words', async () => {
  using directory = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  const environment = { AWS_ENDPOINT_URL: store.endpoint }
  const run = async (code: number, ...args: string[]): Promise<string[]> => {
    const end = await headrace([...args, '--json'], { directory: directory.path, environment })
    assert.equal(end.code, code, end.stdout + end.stderr)
    return end.stdout.trimEnd().split('\n').map(nameOf)
  }
  assert.deepEqual(await run(0, 'table', 'create', 'users', '--key', 'id:S'), ['created'])
  writeFileSync(join(directory.path, 'users.jsonl'), '{"no":1}\n{"id":"a"}\n')
  const load = ['load', 'users', 'users.jsonl', '--job', 'job']
  assert.deepEqual(await run(6, ...load, '--max-errors', '0'), ['start', 'reject', 'done'])
  assert.deepEqual((await run(3, 'resume', 'job')).at(-1), 'done')
  assert.deepEqual(await run(1, 'load', 'users', 'users.jsonl', '--format', 'json', '--job', 'job'), [
    'start',
    'failed',
  ])
  const log = readFileSync(join(directory.path, 'job', 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(nameOf)
  assert.deepEqual(log, ['started', 'stopped', 'resumed', 'done'])
})

function nameOf(line: string): string {
  return (JSON.parse(line) as { event: string }).event
}
