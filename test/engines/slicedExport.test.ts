import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { Table } from '../../src/database/table.ts'
import { runSlice, type SliceContext, type SliceResult } from '../../src/engines/runSlice.ts'
import type { Slice } from '../../src/engines/slice.ts'
import { finishExport } from '../../src/engines/slicedExport.ts'
import type { JobSpec } from '../../src/job/jobSpec.ts'
import { exportTable } from '../../src/operations/exportTable.ts'
import { S3 } from '../../src/storage/s3.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'
import { database, newTable } from '../support/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-sliced-'))
let server: S3Server
let s3: S3

before(async () => {
  server = await startS3Server({ conditionalWrites: true })
  s3 = new S3()
})
after(async () => {
  await s3.close()
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const url = (key: string): string => `s3://${server.bucket}/${key}`
const read = async (key: string): Promise<Buffer> => (await s3.get({ bucket: server.bucket, key }))!
const keysBelow = async (key: string): Promise<string[]> =>
  (await s3.list({ bucket: server.bucket, key })).map((object) => object.key)

async function filledTable(count: number): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(
    Array.from({ length: count }, (_, index) => ({ id: `item <${index}>`, index, text: 'é'.repeat(index % 100) })),
  )
  return table
}

/** As an engine does: again with the cursor until it is done. Goes through JSON, as cursors do. */
async function runToEnd(
  slice: Slice,
  context: () => SliceContext = () => ({}),
): Promise<SliceResult & { calls: number }> {
  for (let calls = 1; ; calls += 1) {
    const sent = JSON.parse(JSON.stringify(slice)) as Slice
    const result = JSON.parse(JSON.stringify(await runSlice(sent, { database, ...context() }))) as SliceResult
    if (result.done) return { ...result, calls }
    assert.ok(calls < 100, 'it comes to an end')
    slice = { ...slice, cursor: result.cursor! }
  }
}

/** So many workers take slices from one pile. */
async function runAll(job: JobSpec, of: number, workers: number, context?: () => SliceContext): Promise<SliceResult[]> {
  const results: SliceResult[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let index = next++; index < of; index = next++) results[index] = await runToEnd({ job, index, of }, context)
    }),
  )
  return results
}

const sorted = (text: string): string[] => text.split('\n').sort()

test('one XML of 8 workers is the file of one process: the same ends, the same items, and nothing is left beside it', async () => {
  const table = await filledTable(4_000)
  const alone = join(folder, 'alone.xml')
  // The store gives attributes in another order each time.
  const module = join(folder, 'order.mjs')
  writeFileSync(
    module,
    'export default ({ id, index, text }) => ({ name: "order", attributes: { id, index }, children: [text] })\n',
  )
  const xml = { root: 'orders', mapping: pathToFileURL(module) }
  await exportTable(table, alone, { xml }).run()
  const job = await exportTable(table, url('all.xml'), { xml }).describe({ slices: 40 })
  const results = await runAll(job, 40, 8)
  assert.equal(
    results.reduce((sum, { counters }) => sum + counters.written, 0),
    4_000,
  )
  const made = await finishExport(job, 40)
  assert.equal(made?.counters.written, 4_000)
  const [one, many] = [readFileSync(alone, 'utf8'), (await read('all.xml')).toString()]
  assert.ok(sorted(many).join('\n') === sorted(one).join('\n'), 'sorted, they are the same bytes')
  assert.deepEqual(many.split('\n').slice(0, 2), ['<?xml version="1.0" encoding="UTF-8"?>', '<orders>'])
  assert.ok(many.endsWith('</order>\n</orders>\n'))
  assert.deepEqual(await keysBelow('all.xml.headrace'), [])
  // Its answer may be lost.
  assert.equal(await finishExport(job, 40), undefined)
})

test("what calls have written that died, or came too late, is nobody's: each item is there once", async () => {
  const table = await filledTable(1_500)
  const module = join(folder, 'slow.mjs')
  writeFileSync(
    module,
    'export default async (item) => { await new Promise((r) => setTimeout(r, item.index % 7 === 0 ? 9 : 0)); return item }\n',
  )
  const job = await exportTable(table, url('dead.xml'), {
    transform: pathToFileURL(module),
    segments: 64,
    concurrency: 1,
  }).describe({ slices: 8 })
  const begin = async (slice: Slice): Promise<SliceResult> => {
    // A slice's eight segments take 9 ms each. Longer and longer, so that a slow machine has made a piece too.
    for (let milliseconds = 60; ; milliseconds *= 2) {
      const result = await runSlice(slice, { database, remainingMs: () => milliseconds })
      if (result.done || Object.keys(result.cursor?.files ?? {}).length > 0) return result
    }
  }
  // Cursors, and two calls for each slice from the same place on, of which one is thought dead.
  const stopped: Slice[] = []
  for (let index = 0; index < 8; index += 1) {
    const { done, cursor } = await begin({ job, index, of: 8 })
    stopped.push({ job, index, of: 8, ...(done || cursor === undefined ? {} : { cursor }) })
  }
  assert.ok(
    stopped.some(({ cursor }) => Object.keys(cursor?.files ?? {}).length > 0),
    'some have a piece and a cursor',
  )
  await assert.rejects(finishExport(job, 8), /have no result/)
  const ends = async (slice: Slice): Promise<SliceResult> => {
    const { calls: _, ...result } = await runToEnd(slice)
    return result
  }
  const both = await Promise.all(stopped.map((slice) => Promise.all([ends(slice), ends(slice)])))
  const [first, late] = [both.map(([one]) => one), both.map(([, other]) => other)]
  assert.deepEqual(late, first, 'the first counts, with what it took')
  const made = await finishExport(job, 8)
  assert.equal(made?.counters.written, 1_500)
  const ids = [...(await read('dead.xml')).toString().matchAll(/<id>(.*?)<\/id>/g)].map((match) => match[1])
  assert.equal(ids.length, 1_500)
  assert.equal(new Set(ids).size, 1_500)
})

test('what a slice has come to does not change any more, whatever a late call finds', async () => {
  const table = await filledTable(100)
  const job = await exportTable(table, url('late.jsonl')).describe({ slices: 1 })
  const first = await runToEnd({ job, index: 0, of: 1 })
  await using publisher = table.publisher()
  publisher.put({ id: 'newcomer' })
  await publisher.flush()
  assert.deepEqual(await runToEnd({ job, index: 0, of: 1 }), first)
  assert.equal((await finishExport(job, 1))?.counters.written, 100)
  const lines = (await read('late.jsonl')).toString().trimEnd().split('\n')
  assert.equal(lines.length, 100)
  assert.ok(lines.every((line) => !line.includes('newcomer')))
})

test('where the process dies that makes the object, before it has removed the pieces, it is done by another', async () => {
  const table = await filledTable(200)
  const job = await exportTable(table, url('twice.xml')).describe({ slices: 3 })
  await runAll(job, 3, 3)
  const left = new Map<string, Buffer>()
  for (const key of await keysBelow('twice.xml.headrace')) left.set(key, await read(key))
  const first = await finishExport(job, 3)
  const made = await read('twice.xml')
  for (const [key, content] of left) await s3.put({ bucket: server.bucket, key }, content, true)
  assert.deepEqual(await finishExport(job, 3), first)
  assert.deepEqual(await keysBelow('twice.xml.headrace'), [])
  assert.ok(made.equals(await read('twice.xml')))
  // Or when it has removed some of them.
  const folderOf = `twice.xml.headrace/${job.mark}`
  const some = [...left].slice(0, 2)
  for (const [key, content] of some) await s3.put({ bucket: server.bucket, key }, content, true)
  await s3.put({ bucket: server.bucket, key: `${folderOf}/made.json` }, Buffer.from(JSON.stringify(first)), true)
  assert.deepEqual(await finishExport(job, 3), first)
  assert.deepEqual(await keysBelow('twice.xml.headrace'), [])
})

test('packed, in lines, and as CSV with columns', async () => {
  const table = await filledTable(2_000)
  const lines = await exportTable(table, url('lines.jsonl.gz')).describe({ slices: 4 })
  await runAll(lines, 4, 4)
  await finishExport(lines, 4)
  assert.equal(
    gunzipSync(await read('lines.jsonl.gz'))
      .toString()
      .trimEnd()
      .split('\n').length,
    2_000,
  )

  const csv = await exportTable(table, url('some.csv'), {
    columns: ['id', 'index:N'],
    csv: { typedHeader: true },
  }).describe({ slices: 3 })
  await runAll(csv, 3, 3)
  await finishExport(csv, 3)
  const rows = (await read('some.csv'))
    .toString()
    .split(/\r?\n/)
    .filter((row) => row !== '')
  assert.equal(rows.length, 2_001)
  assert.equal(rows[0], 'id,index:N')
})

test('what cannot come in slices is refused with what to do, and so is an object that is there', async () => {
  const table = await filledTable(10)
  const refused = async (path: string, message: RegExp): Promise<void> => {
    const job = await exportTable(table, path).describe()
    await assert.rejects(runSlice({ job, index: 0, of: 1 }, { database }), message)
  }
  await refused(url('a.parquet'), /Parquet file ends with an index.*choose another format/)
  await refused(url('a.csv'), /set columns \(--columns\)/)
  await refused(join(folder, 'a.xml'), /is a local file.*s3:\/\/BUCKET/)
  const job = await exportTable(table, url('there.xml')).describe()
  await s3.put({ bucket: server.bucket, key: 'there.xml' }, Buffer.from('precious'), true)
  await runToEnd({ job, index: 0, of: 1 })
  await assert.rejects(finishExport(job, 1), /the object already exists/)
  assert.equal((await read('there.xml')).toString(), 'precious')
  await finishExport(job, 1, { overwrite: true })
  assert.equal((await read('there.xml')).toString().match(/<item>/g)!.length, 10)
})
