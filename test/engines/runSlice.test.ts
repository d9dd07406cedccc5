import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Table } from '../../src/database/table.ts'
import { runSlice, type SliceContext, type SliceResult } from '../../src/engines/runSlice.ts'
import type { Slice } from '../../src/engines/slice.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import type { JobSpec } from '../../src/job/jobSpec.ts'
import { copy } from '../../src/operations/copy.ts'
import { file } from '../../src/operations/file.ts'
import { load } from '../../src/operations/load.ts'
import { deleteAll, updateAll } from '../../src/operations/updateAll.ts'
import { database, newTable } from '../support/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-slices-'))
after(() => rmSync(folder, { recursive: true }))

async function filledTable(count: number): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: count }, (_, index) => ({ id: `item${index}`, index, count: 0 })))
  return table
}

async function readAll(table: Table): Promise<PlainItem[]> {
  const items: PlainItem[] = []
  for await (const item of table.scan({ consistentRead: true })) items.push(item)
  return items
}

/** As an engine does: again with the cursor until it is done. Goes through JSON, as cursors do. */
async function runToEnd(slice: Slice, context: SliceContext): Promise<SliceResult & { readonly calls: number }> {
  for (let calls = 1; ; calls += 1) {
    const sent = JSON.parse(JSON.stringify(slice)) as Slice
    const result = JSON.parse(JSON.stringify(await runSlice(sent, { database, ...context }))) as SliceResult
    if (result.done) return { ...result, calls }
    assert.ok(calls < 100, 'it comes to an end')
    slice = { ...slice, cursor: result.cursor! }
  }
}

async function runAll(
  job: JobSpec,
  of: number,
  context: SliceContext = {},
): Promise<(SliceResult & { calls: number })[]> {
  return Promise.all(Array.from({ length: of }, (_, index) => runToEnd({ job, index, of }, context)))
}

const sum = (results: readonly SliceResult[], name: keyof SliceResult['counters']): number =>
  results.reduce((all, { counters }) => all + counters[name], 0)

/** A module, since a function does not travel. */
function visitorModule(name: string, body: string): URL {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, `export default ${body}\n`)
  return pathToFileURL(path)
}

test('all slices together do the job once, each of its own part', async () => {
  const table = await filledTable(1_000)
  const visitor = visitorModule(
    'touch',
    '(item) => (item.index % 10 === 0 ? undefined : { set: { touched: item.index } })',
  )
  const job = await updateAll(table, visitor).describe({ slices: 7 })
  assert.equal(job.what.segments! % 7, 0)
  const results = await runAll(job, 7)
  assert.equal(sum(results, 'read'), 1_000)
  assert.equal(sum(results, 'written'), 900)
  assert.equal(sum(results, 'filtered'), 100)
  assert.ok(results.every(({ counters }) => counters.read > 50 && counters.readUnits > 0))
  for (const item of await readAll(table))
    assert.equal(item['touched'], item['index'] % 10 === 0 ? undefined : item['index'])
})

test('a slice whose time is up goes on from its cursor, and what adds is made once with its mark', async () => {
  const table = await filledTable(1_500)
  const visitor = visitorModule(
    'add',
    'async () => { await new Promise((r) => setTimeout(r, 100)); return { add: { count: 1 } } }',
  )
  const job = await updateAll(table, visitor, { once: true }).describe({ slices: 2 })
  // 256 visits of 100 ms at once: a slice takes three rounds, and a call has time for two.
  const results = await runAll(job, 2, { remainingMs: () => 320 })
  assert.ok(
    results.some(({ calls }) => calls > 1),
    `${results.map(({ calls }) => calls)} calls`,
  )
  assert.equal(sum(results, 'read'), 1_500)
  assert.equal(sum(results, 'written'), 1_500)
  for (const { count } of await readAll(table)) assert.equal(count, 1)
})

test('a call that is made again with the cursor of one that died does no harm, and counts once', async () => {
  const table = await filledTable(600)
  const job = await updateAll(table, { add: { count: 1 } }, { once: true }).describe({ slices: 2 })
  const slice: Slice = { job, index: 0, of: 2 }
  const dead = await runSlice(slice, { database })
  const again = await runSlice(slice, { database })
  assert.deepEqual(again.counters.written, dead.counters.written)
  const other = await runSlice({ ...slice, index: 1 }, { database })
  assert.equal(again.counters.read + other.counters.read, 600)
  for (const { count } of await readAll(table)) assert.equal(count, 1)
})

test('what adds and leaves no mark is refused before anything is changed', async () => {
  const table = await filledTable(20)
  const job = await updateAll(table, { add: { count: 1 } }).describe()
  await assert.rejects(runSlice({ job, index: 0, of: 1 }, { database }), /Describe the job with once: true \(--once\)/)
  for (const { count } of await readAll(table)) assert.equal(count, 0)
})

test('rejects are handed over as lines, each once, and fail a slice that nobody takes them from', async () => {
  const table = await filledTable(300)
  const visitor = visitorModule(
    'reject',
    '(item) => { if (item.index % 3 === 0) throw new Error("no third"); return { set: { seen: true } } }',
  )
  const job = await updateAll(table, visitor).describe({ slices: 3 })
  await assert.rejects(runSlice({ job, index: 0, of: 3 }, { database }), { code: 'REJECTED' })
  const lines: string[] = []
  const results = await runAll(job, 3, { writeRejects: (text) => void lines.push(...text.trimEnd().split('\n')) })
  assert.equal(sum(results, 'rejected'), 100)
  assert.equal(lines.length, 100)
  assert.equal(new Set(lines.map((line) => (JSON.parse(line) as { place: string }).place)).size, 100)
})

test('files are dealt out, and a copy and a deletion run in slices too', async () => {
  const paths = Array.from({ length: 5 }, (_, place) => {
    const path = join(folder, `part${place}.jsonl`)
    writeFileSync(path, Array.from({ length: 50 }, (_, index) => `{"id":"f${place}-${index}"}\n`).join(''))
    return path
  })
  const table = await newTable()
  const loaded = await runAll(
    await load(
      paths.map((path) => file(path)),
      table,
    ).describe({ slices: 3 }),
    3,
  )
  assert.deepEqual(
    loaded.map(({ counters }) => counters.written),
    [100, 100, 50],
  )
  const target = await newTable()
  const copied = await runAll(await copy(table, target).describe({ slices: 2 }), 2, { target: database })
  assert.equal(sum(copied, 'written'), 250)
  assert.equal((await readAll(target)).length, 250)
  const deleted = await runAll(await deleteAll(target).describe({ slices: 4 }), 4)
  assert.equal(sum(deleted, 'written'), 250)
  assert.equal((await readAll(target)).length, 0)
})

test('slices that there are not, and jobs that leave more behind than a cursor, are refused with what to do', async () => {
  const table = await filledTable(1)
  const job = await updateAll(table, { set: { a: 1 } }).describe({ slices: 2 })
  const segments = job.what.segments!
  await assert.rejects(
    runSlice({ job, index: 0, of: segments + 1 }, { database }),
    /describe it with slices: \d+ \(--slices \d+\)/,
  )
  await assert.rejects(runSlice({ job, index: 2, of: 2 }, { database }), /a whole number from 0 to 1/)
  const keeps = await updateAll(table, { set: { a: 1 } }, { keepOld: true }).describe()
  await assert.rejects(
    runSlice({ job: keeps, index: 0, of: 1 }, { database }),
    /keepOld \(--keep-old\) does not work with slices/,
  )
  const other = { ...job, what: { ...job.what, table: { ...job.what.table, key: 'other:S' } } }
  await assert.rejects(runSlice({ job: other, index: 0, of: 1 }, { database }), { code: 'STATE' })
})

test('one large file is cut into parts of whole lines, each line in one of them, and a part goes on where it was', async () => {
  const path = join(folder, 'large.jsonl')
  const lines = Array.from({ length: 4_000 }, (_, index) =>
    index % 500 === 3 ? `{"wrong":${index}}` : `{"id":"l${index}","text":"${'é'.repeat((index * 7) % 800)}"}`,
  )
  writeFileSync(path, lines.join('\n'))
  const table = await newTable()
  const job = await load([file(path)], table).describe({ slices: 3, split: true })
  assert.equal(job.what.sources?.length, 3)
  const rejects: string[] = []
  const results = await runAll(job, 3, {
    writeRejects: (text) => void rejects.push(...text.trimEnd().split('\n')),
    maxInFlight: 25,
    remainingMs: () => 400,
  })
  assert.equal(sum(results, 'read'), 4_000)
  assert.equal(sum(results, 'written'), 3_992)
  assert.equal(rejects.length, 8)
  assert.equal((await readAll(table)).length, 3_992)
  const whole = await load([file(path)], table).describe({ slices: 3 })
  assert.equal(whole.what.sources?.length, 1)
})
