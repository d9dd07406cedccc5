// What an older Headrace has left on a disk, and what it says over a wire, is read and gone on with: test/fixtures/08a784b,
// made by test/fixtures/make.mjs with a checkout of that commit.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type SliceEvent, sliceHandler } from '../../src/engines/lambda.ts'
import { createTable, decodeItemText, type JobSpec, runLeasedSlice, runSlice, type Slice } from '../../src/index.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { database, store } from '../support/store.ts'
import { type CommandEnd, headrace } from './command.ts'

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/08a784b', import.meta.url))
/** Where they were made: checkpoints name files by their whole paths. */
const PLACE = '/tmp/headrace-08a784b'
const KEY = { partition: { name: 'id', type: 'S' } } as const
const ITEMS = 600

const skip = process.platform === 'win32' && 'these jobs were begun in a directory that this system cannot have'

/** The tables as they were when the job ended, and its files; the endpoint, and the tables' ids, are this store's. */
async function restore(job: string): Promise<void> {
  rmSync(PLACE, { recursive: true, force: true })
  cpSync(FIXTURES, PLACE, { recursive: true })
  const file = join(FIXTURES, 'tables', `${job}.json.gz`)
  const tables = (existsSync(file) ? parseJson(gunzipSync(readFileSync(file)).toString()) : {}) as {
    readonly [name: string]: readonly string[]
  }
  const ids: { [name: string]: string | undefined } = {}
  for (const name of ['things', 'others']) {
    const table = database.table(name)
    await createTable(database, name, { key: KEY, replace: true })
    ids[name] = (await table.describe({ again: true })).tableId
    await using publisher = table.publisher()
    for (const text of tables[name] ?? []) publisher.put(decodeItemText(text))
  }
  const endpoint = readFileSync(join(FIXTURES, 'endpoint.txt'), 'utf8')
  for (const directory of ['.', ...readdirSync(PLACE)]) {
    for (const path of [join(PLACE, directory, 'job.json'), join(PLACE, directory)]) {
      if (!path.endsWith('.json') || !existsSync(path)) continue
      let text = readFileSync(path, 'utf8').replaceAll(endpoint, store.endpoint)
      for (const [name, id] of Object.entries(ids))
        text = text.replace(
          new RegExp(`("name": ?"${name}",\\s*"arn": ?"[^"]*",\\s*"tableId": ?")[^"]*`, 'g'),
          `$1${id}`,
        )
      writeFileSync(path, text)
    }
  }
}

function run(...args: string[]): Promise<CommandEnd> {
  return headrace(args, { directory: PLACE, environment: { AWS_ENDPOINT_URL_DYNAMODB: store.endpoint } })
}

const FULL_SPEED = ['--write-rate', '30000', '--read-rate', '30000']

async function resumed(job: string, code = 0): Promise<CommandEnd> {
  const end = await run('resume', job, ...FULL_SPEED)
  assert.equal(end.code, code, end.stderr)
  return end
}

async function itemsOf(name: string): Promise<{ [name: string]: unknown }[]> {
  const items: { [name: string]: unknown }[] = []
  for await (const item of database.table(name).scan({ consistentRead: true })) items.push(item)
  return items.sort((left, right) => Number(left['n']) - Number(right['n']))
}

const numbers = (items: readonly { [name: string]: unknown }[]): unknown[] => items.map(({ n }) => n)
const all = Array.from({ length: ITEMS }, (_, index) => index)

/** Of each job that was stopped, how it goes on and what is there then. */
const JOBS: { readonly [job: string]: () => Promise<void> } = {
  'load-stopped': async () => {
    await resumed('load-stopped', 3)
    assert.deepEqual(
      numbers(await itemsOf('things')),
      all.filter((n) => n !== 7 && n !== 8),
    )
    const rejects = readFileSync(join(PLACE, 'load-stopped/rejects.jsonl'), 'utf8').trimEnd().split('\n')
    assert.equal(rejects.length, 2)
  },
  'load-in-threads': async () => {
    await resumed('load-in-threads', 3)
    assert.deepEqual(
      numbers(await itemsOf('things')),
      all.filter((n) => n !== 7 && n !== 8),
    )
  },
  'update-stopped': async () => {
    await resumed('update-stopped')
    const items = await itemsOf('things')
    assert.deepEqual([items.length, items.filter(({ seen }) => seen === true).length], [ITEMS, ITEMS])
  },
  'update-killed': async () => {
    const status = await run('status', 'update-killed')
    assert.match(status.stdout, /stopped/)
    await resumed('update-killed')
    const items = await itemsOf('things')
    assert.deepEqual([items.length, items.filter(({ seen }) => seen === true).length], [ITEMS, ITEMS])
  },
  'update-kept': async () => {
    const undone = await run('undo', 'update-kept', '--job', 'undone-again')
    assert.equal(undone.code, 0, undone.stderr)
    const items = await itemsOf('things')
    assert.deepEqual(numbers(items), all)
    assert.ok(items.every((item) => item['seen'] === undefined))
  },
  'update-kept-stopped': async () => {
    await resumed('update-kept-stopped')
    const items = await itemsOf('things')
    assert.deepEqual(
      numbers(items),
      all.filter((n) => n !== 9).map((n) => n + 1_000),
    )
    const undone = await run('undo', 'update-kept-stopped', '--job', 'undone-again')
    assert.equal(undone.code, 0, undone.stderr)
    assert.deepEqual(numbers(await itemsOf('things')), all)
  },
  'delete-kept-stopped': async () => {
    await resumed('delete-kept-stopped')
    assert.deepEqual(numbers(await itemsOf('things')), all.slice(0, 100))
    const undone = await run('undo', 'delete-kept-stopped', '--job', 'undone-again')
    assert.equal(undone.code, 0, undone.stderr)
    assert.deepEqual(numbers(await itemsOf('things')), all)
  },
  'undo-stopped': async () => {
    await resumed('undo-stopped')
    const items = await itemsOf('things')
    assert.deepEqual(numbers(items), all)
    assert.ok(items.every((item) => item['seen'] === undefined))
  },
  'copy-stopped': async () => {
    await resumed('copy-stopped')
    assert.deepEqual(numbers(await itemsOf('others')), all)
  },
  'run-stopped': async () => {
    await resumed('run-stopped')
    assert.deepEqual(numbers(await itemsOf('others')), all)
  },
  'generate-stopped': async () => {
    await resumed('generate-stopped')
    assert.equal((await itemsOf('others')).length, ITEMS)
  },
  'export-stopped': async () => {
    await resumed('export-stopped')
    const lines = readFileSync(join(PLACE, 'out.jsonl'), 'utf8').trimEnd().split('\n')
    assert.equal(new Set(lines).size, ITEMS)
  },
  'export-csv-stopped': async () => {
    await resumed('export-csv-stopped')
    const lines = readFileSync(join(PLACE, 'out.csv'), 'utf8').trimEnd().split('\n')
    assert.equal(new Set(lines).size, ITEMS + 1)
  },
  'export-parquet-stopped': async () => {
    await resumed('export-parquet-stopped')
    await createTable(database, 'others', { key: KEY, replace: true })
    const back = await run('load', 'others', 'out.parquet')
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual(numbers(await itemsOf('others')), all)
  },
  'export-native-stopped': async () => {
    await resumed('export-native-stopped')
    await createTable(database, 'others', { key: KEY, replace: true })
    const back = await run('load', 'others', 'out-native')
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual(numbers(await itemsOf('others')), all)
  },
}

for (const [job, goOn] of Object.entries(JOBS)) {
  test(`a job of an older Headrace goes on: ${job}`, { skip }, async () => {
    await restore(job)
    const status = await run('status', job)
    assert.equal(status.code, 0, status.stderr)
    await goOn()
    const after = await run('status', job)
    assert.equal(after.code, 0, after.stderr)
    const report = await run('report', job, '--out', join(PLACE, 'page.html'))
    assert.equal(report.code, 0, report.stderr)
  })
}

test('rejects of an older Headrace are loaded', { skip }, async () => {
  await restore('load-done')
  const path = join(PLACE, 'load-done/rejects.jsonl')
  const mended = readFileSync(path, 'utf8')
    .replace('{\\"id\\":\\"broken\\",', '{\\"id\\":\\"mended\\"}')
    .replace('"item":{"n"', '"item":{"id":{"S":"named"},"n"')
  writeFileSync(path, mended)
  const end = await run('load', 'things', 'load-done/rejects.jsonl', '--from-rejects', '--job', 'again')
  assert.equal(end.code, 0, end.stderr)
  assert.deepEqual((await itemsOf('things')).map(({ id }) => id).sort(), ['mended', 'named'])
})

test('descriptions of an older Headrace are run in slices', { skip }, async () => {
  await restore('slice')
  for (const name of readdirSync(join(PLACE, 'described'))) {
    const spec = parseJson(readFileSync(join(PLACE, 'described', name), 'utf8')) as JobSpec
    assert.equal(spec.version, 1)
    assert.equal(spec.what.operation, name.replace('.json', ''))
  }
})

test('a cursor of a slice, a lease and a call of a state machine go on', { skip }, async () => {
  const before = process.cwd()
  try {
    await restore('slice')
    process.chdir(PLACE)
    const slice = parseJson(readFileSync('slice-cursor.json', 'utf8')) as Slice
    const done = await runSlice(slice, { database, writeUnitsPerSecond: Number.POSITIVE_INFINITY })
    assert.equal(done.done, true)
    assert.equal(done.counters.written, done.counters.read)
    assert.ok(done.counters.written > slice.cursor!.tally.written)

    await restore('leased-slice')
    process.chdir(PLACE)
    const { job } = parseJson(readFileSync('slice-cursor.json', 'utf8')) as Slice
    await createTable(database, 'control', { key: { partition: { name: 'pk', type: 'S' } }, replace: true })
    const rows = parseJson(readFileSync('lease-rows.json', 'utf8')) as object[]
    await using control = database.table('control').publisher()
    for (const row of rows) control.put(decodeItemText(JSON.stringify(row)))
    await control.flush()
    const leased = await runLeasedSlice({ job, index: 2, of: 4 }, database.table('control'), {
      database,
      writeUnitsPerSecond: Number.POSITIVE_INFINITY,
    })
    assert.equal(leased.done, true)
    const state = parseJson((rows[0] as { state: { S: string } }).state.S) as { counters: { written: number } }
    assert.ok(leased.counters.written > state.counters.written)

    await restore('state-machine')
    process.chdir(PLACE)
    const { next } = parseJson(readFileSync('state-machine.json', 'utf8')) as { next: SliceEvent }
    const fast = { ...next, job: { ...(next.job as JobSpec), how: {} } }
    const answer = await sliceHandler({ database })(fast, { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 })
    assert.equal(answer.done, true)
    assert.ok(answer.counters.written >= next.result!.counters!.written)
  } finally {
    process.chdir(before)
  }
})

test('a worker of Spark understands what an older headrace.py says, and answers as it expects', { skip }, async () => {
  await restore('spark')
  const worker = fileURLToPath(new URL('../../src/engines/sparkWorker.js', import.meta.url))
  const input = readFileSync(join(PLACE, 'spark-in.jsonl'), 'utf8').replace('ENDPOINT', store.endpoint)
  const { status, stdout, stderr } = spawnSync(process.execPath, [worker], {
    input,
    env: { PATH: process.env['PATH'], AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const frames = (text: string): unknown[] => text.trimEnd().split('\n').map(parseJson)
  const [reject, done] = frames(stdout) as [{ [name: string]: unknown }, [string, { [name: string]: unknown }]]
  const [wasReject, wasDone] = frames(readFileSync(join(PLACE, 'spark-out.jsonl'), 'utf8')) as [
    typeof reject,
    typeof done,
  ]
  assert.deepEqual(reject, wasReject)
  assert.equal(done[0], 'done')
  for (const name of Object.keys(wasDone[1])) assert.ok(Object.hasOwn(done[1], name), name)
})

test('events say all that they said', { skip }, async () => {
  await restore('load-done')
  const fields = (text: string): Map<string, Set<string>> => {
    const kinds = new Map<string, Set<string>>()
    for (const line of text.trimEnd().split('\n')) {
      const event = parseJson(line) as { event: string }
      kinds.set(event.event, new Set([...(kinds.get(event.event) ?? []), ...Object.keys(event)]))
    }
    return kinds
  }
  const now = await run('load', 'things', 'items.jsonl', '--job', 'now', '--json')
  assert.equal(now.code, 3)
  const said = fields(now.stdout)
  for (const [event, names] of fields(readFileSync(join(PLACE, 'events-of-load.jsonl'), 'utf8')))
    assert.deepEqual(
      [...names].filter((name) => said.get(event)?.has(name) !== true),
      [],
      event,
    )
  rmSync(PLACE, { recursive: true, force: true })
})
