import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import { inThreads } from '../../src/engines/inThreads.ts'
import { findCheckpoint, loadSpec } from '../../src/job/jobDirectory.ts'
import type { Summary } from '../../src/job/summary.ts'
import { copy } from '../../src/operations/copy.ts'
import { file } from '../../src/operations/file.ts'
import type { Job } from '../../src/operations/job.ts'
import { load } from '../../src/operations/load.ts'
import { resume } from '../../src/operations/resume.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { database, newTable, store } from '../support/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-threads-'))
after(() => rmSync(folder, { recursive: true }))
let directories = 0

function newDirectory(): string {
  directories += 1
  return join(folder, `job${directories}`)
}

async function filledTable(count: number): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: count }, (_, index) => ({ id: `item${index}`, index, count: 0 })))
  return table
}

function visitorModule(name: string, body: string): URL {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, `export default ${body}\n`)
  return pathToFileURL(path)
}

test('threads do a job together, and its directory and summary are as of the job', async () => {
  const table = await filledTable(2_000)
  const visitor = visitorModule(
    'some',
    '(item) => { if (item.index % 100 === 7) throw new Error("not this"); return item.index % 2 ? { set: { odd: true } } : undefined }',
  )
  const spec = await updateAll(table, visitor).describe({ slices: 8 })
  const directory = newDirectory()
  const rejects: string[] = []
  const job = inThreads(spec, { threads: 2, database, onReject: ({ place }) => rejects.push(place) })
  const summary = await job.run({ directory })
  const { read, written, rejected, filtered, notReached, complete } = summary
  assert.deepEqual(
    { read, written, rejected, filtered, notReached, complete },
    { read: 2_000, written: 980, rejected: 20, filtered: 1_000, notReached: 0, complete: true },
  )
  assert.equal(new Set(rejects).size, 20)
  assert.equal(readFileSync(join(directory, 'rejects.jsonl'), 'utf8').trimEnd().split('\n').length, 20)
  assert.ok(summary.readUnits > 0 && summary.requests > 0)
  const { checkpoint } = findCheckpoint(directory)
  assert.equal(checkpoint?.complete, true)
  assert.deepEqual(checkpoint?.tally, {
    read: 2_000,
    written: 980,
    overwritten: 0,
    skipped: 0,
    rejected: 20,
    filtered: 1_000,
  })
  assert.equal(checkpoint?.positions.kind === 'segments' && checkpoint.positions.done, `0-${spec.what.segments! - 1}`)
})

/** Runs a job and stops it once it has written so many of its items. */
async function runUntilWritten(job: Job, directory: string, count: number): Promise<Summary> {
  const stop = new AbortController()
  const running = job.run({ directory, signal: stop.signal })
  const watch = setInterval(() => {
    if (job.progress.written >= count) stop.abort()
  }, 5)
  try {
    return await running
  } finally {
    clearInterval(watch)
  }
}

test('a job that was stopped in threads goes on without them, and the other way round, and nothing is done twice', async () => {
  const table = await filledTable(3_000)
  const visitor = visitorModule('add', '() => ({ add: { count: 1 } })')
  // Slow enough that a machine that is not cannot do all of it between two looks at the progress.
  const options = { once: true, writeUnitsPerSecond: 1_000 } as const
  const spec = await updateAll(table, visitor, options).describe({ slices: 8 })
  const directory = newDirectory()
  const first = await runUntilWritten(inThreads(spec, { threads: 2, database }), directory, 200)
  assert.equal(first.complete, false)
  assert.equal(first.stoppedBy, 'signal')
  assert.equal(first.read, first.written + first.notReached)
  const second = await runUntilWritten(await resume(directory, { database }), directory, first.written + 200)
  assert.equal(second.complete, false)
  assert.ok(second.written > first.written)
  const third = await inThreads(loadSpec(directory), { threads: 3, database }).run({ directory })
  assert.equal(third.complete, true)
  assert.equal(third.written, 3_000)
  for await (const { count } of table.scan()) assert.equal(count, 1)
})

test('files and copies are done in threads too', async () => {
  const paths = Array.from({ length: 5 }, (_, place) => {
    const path = join(folder, `part${place}.jsonl`)
    writeFileSync(path, Array.from({ length: 100 }, (_, index) => `{"id":"f${place}-${index}"}\n`).join(''))
    return path
  })
  const [table, target] = [await newTable(), await newTable()]
  const spec = await load(
    paths.map((path) => file(path)),
    table,
  ).describe()
  const loaded = await inThreads(spec, { threads: 2, database }).run({ directory: newDirectory() })
  assert.equal(loaded.written, 500)
  const copied = await inThreads(await copy(table, target).describe({ slices: 8 }), { threads: 2, database }).run({
    directory: newDirectory(),
  })
  assert.equal(copied.written, 500)
})

test('what goes wrong in a thread ends the job with that error, and what cannot go to one is refused', async () => {
  const table = await filledTable(10)
  const lost = await updateAll(table, visitorModule('gone', '() => undefined')).describe()
  rmSync(join(folder, 'gone.mjs'))
  await assert.rejects(inThreads(lost, { threads: 2, database }).run({ directory: newDirectory() }), {
    code: 'VISITOR',
  })
  const spec = await updateAll(table, visitorModule('exit', '() => process.exit(3)')).describe()
  await assert.rejects(
    inThreads(spec, { threads: 1, database }).run({ directory: newDirectory() }),
    /a thread ended early with exit code 3/,
  )
  await using odd = connect({ endpoint: store.endpoint, random: Math.random })
  await assert.rejects(
    inThreads(spec, { threads: 1, database: odd }).run({ directory: newDirectory() }),
    /the random of this/,
  )
  assert.throws(() => inThreads(spec, { threads: 0, database }), TypeError)
})
