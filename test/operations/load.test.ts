import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type ConnectOptions, connect } from '../../src/database/database.ts'
import type { JobReject } from '../../src/job/reject.ts'
import type { RecordSource } from '../../src/operations/file.ts'
import { generate } from '../../src/operations/generate.ts'
import { load } from '../../src/operations/load.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { MemoryTable } from '../support/memoryTable.ts'
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  serviceError,
  startScriptedServer,
} from '../support/scriptedServer.ts'

async function withTable(
  interfere: (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer> | undefined = () => undefined,
  options: ConnectOptions = {},
) {
  const store = new MemoryTable()
  const server = await startScriptedServer(
    (request) => interfere(request) ?? store.answer(request.operation, request.body),
  )
  const database = connect({ endpoint: server.endpoint, ...options })
  return {
    store,
    table: database.table(store.name),
    async [Symbol.asyncDispose]() {
      await database.close()
      await server.close()
    },
  }
}

function listed(count: number, more: () => Promise<void> = async () => undefined): RecordSource {
  return {
    name: 'list',
    async *records() {
      for (let first = 0; first < count; first += 100) {
        yield Array.from({ length: Math.min(100, count - first) }, (_, index) => ({
          item: { pk: `item${first + index}` },
          place: { file: 'list', line: first + index + 1, offset: 0 },
        }))
      }
      await more()
    },
  }
}

/** A hundred times as fast. */
const fastClock: Clock = {
  now: () => systemClock.now() * 100,
  wallNow: () => systemClock.wallNow(),
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs / 100),
}

test('a load that is told to stop', async (t) => {
  await t.test('does so while the source is silent, and writes what it had given', async () => {
    await using at = await withTable()
    const stop = new AbortController()
    const silent = () => new Promise<void>(() => undefined)
    const job = load(listed(250, silent), at.table)
    const stopping = setInterval(() => {
      if (job.progress.read === 250) stop.abort()
    }, 20)
    const summary = await job.run({ signal: stop.signal })
    clearInterval(stopping)
    assert.deepEqual([summary.complete, summary.read, summary.written, at.store.items.size], [false, 250, 250, 250])
  })

  await t.test(
    'does so while the write rate holds everything back; what is not written in ten seconds is not reached',
    async () => {
      await using at = await withTable(undefined, { clock: fastClock })
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 60)
      const begin = performance.now()
      const options = { maxQueueSize: 500, writeUnitsPerSecond: 10 }
      const summary = await load(listed(10_000), at.table, options).run({ signal: stop.signal })
      assert.ok(performance.now() - begin < 2_000, 'ten seconds of that clock, and not what 500 entries take')
      assert.equal(summary.complete, false)
      assert.ok(summary.notReached > 300, `${summary.notReached} not reached`)
      assert.equal(summary.read, summary.written + summary.notReached)
      // What was at the service when the time was over is not known to be written, and may be.
      const unknown = at.store.items.size - summary.written
      assert.ok(unknown >= 0 && unknown <= 25, `${unknown} more are stored than were acknowledged`)
    },
  )

  await t.test('does so when it was told before it began', async () => {
    await using at = await withTable()
    const summary = await load(listed(1_000), at.table).run({ signal: AbortSignal.abort() })
    assert.deepEqual([summary.complete, summary.read, summary.written], [false, 0, 0])
  })
})

test('rejects of the service', async (t) => {
  const refusing = ({ text }: ScriptedRequest) =>
    text.includes('"item7"') ? serviceError('ValidationException', 'bad') : undefined

  await t.test('are told with their place, and counted', async () => {
    await using at = await withTable(refusing)
    const rejects: JobReject[] = []
    const summary = await load(listed(100), at.table, { onReject: (reject) => rejects.push(reject) }).run()
    assert.deepEqual(rejects, [{ code: 'ValidationException', message: 'bad', place: 'list:8', item: { pk: 'item7' } }])
    assert.deepEqual([summary.complete, summary.read, summary.written, summary.rejected], [true, 100, 99, 1])
  })

  await t.test('fail the job when nobody wants to know', async () => {
    await using at = await withTable(refusing)
    const job = load(listed(100), at.table)
    await assert.rejects(
      job.run(),
      (error: Error) =>
        error instanceof HeadraceError && error.code === 'REJECTED' && /list:8: bad/.test(error.message),
    )
    assert.equal(job.progress.complete, false)
  })

  await t.test('that cannot be told fail the job with the reason', async () => {
    await using at = await withTable(refusing)
    const onReject = () => {
      throw new HeadraceError('CONFIGURATION', 'disk full')
    }
    await assert.rejects(
      load(listed(100), at.table, { onReject }).run(),
      (error: Error) => error instanceof HeadraceError && error.message === 'disk full',
    )
  })
})

test('the same seed generates the same items, of the size that was asked for', async () => {
  await using one = await withTable()
  await using two = await withTable()
  await generate(one.table, { items: 300, seed: 5, itemBytes: 500 }).run()
  await generate(two.table, { items: 300, seed: 5, itemBytes: 500, maxInFlight: 25 }).run()
  assert.equal(one.store.items.size, 300)
  assert.deepEqual(Object.fromEntries(one.store.items), Object.fromEntries(two.store.items))
})

test('a load lets go of what it has written', async () => {
  await using world = await withTable()
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const given: WeakRef<object>[] = []
  let left = 0
  const source: RecordSource = {
    name: 'list',
    async *records() {
      for (let line = 1; line <= 200; line += 1) {
        const list = [{ item: { pk: `item${line}` }, place: { file: 'list', line, offset: line } }]
        given.push(new WeakRef(list))
        yield list
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      collectGarbage()
      left = given.filter((list) => list.deref() !== undefined).length
    },
  }
  const { written } = await load(source, world.table).run()
  assert.equal(written, 200)
  assert.ok(left < 20, `${left} of 200 lists are kept`)
})

test('many sources that wait at once are nothing that Node warns of', async () => {
  await using world = await withTable()
  const warnings: string[] = []
  const listen = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', listen)
  const sources = Array.from({ length: 40 }, (_, index) => ({ ...listed(300), name: `list ${index}` }))
  const { read } = await load(sources, world.table, { maxQueueSize: 100 }).run()
  process.off('warning', listen)
  assert.equal(read, 12_000)
  assert.deepEqual(warnings, [])
})

test('rejects that wait for a record in front of them hold their source back', async () => {
  const arrived = deferred()
  const released = deferred()
  await using world = await withTable(({ operation }) => {
    if (operation !== 'BatchWriteItem') return undefined
    arrived.resolve()
    return released.promise.then(() => ({ body: { UnprocessedItems: {} } }))
  })
  const raw = 'x'.repeat(60_000)
  let given = 0
  const source: RecordSource = {
    name: 'list',
    async *records() {
      yield [{ item: { pk: 'stuck' }, place: { file: 'list', line: 1, offset: 0 } }]
      await arrived.promise
      for (let line = 2; line <= 1_000; line += 1) {
        given += 1
        yield [{ error: 'wrong', raw, place: { file: 'list', line, offset: line } }]
      }
    },
  }
  const job = load(source, world.table, { onReject: () => undefined }).run()
  await arrived.promise
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.ok(given > 100 && given < 400, `${given} rejects of 60 KB were taken`)
  released.resolve()
  const { written, rejected } = await job
  assert.deepEqual([written, rejected], [1, 999])
})

test('rejects behind the checkpoint go when a load is gone on with, also if nothing is rejected any more', async () => {
  await using world = await withTable()
  const scratch = mkdtempSync(join(tmpdir(), 'headrace-load-'))
  const directory = join(scratch, 'job')
  const path = join(directory, 'rejects.jsonl')
  const stop = new AbortController()
  const silent: RecordSource = {
    name: 'list',
    async *records() {
      yield [{ error: 'wrong', raw: '{', place: { file: 'list', line: 1, offset: 1 } }]
      setTimeout(() => stop.abort(), 20)
      await new Promise((resolve) => setTimeout(resolve, 200))
    },
  }
  try {
    await load(silent, world.table).run({ directory, signal: stop.signal })
    const told = readFileSync(path, 'utf8')
    assert.match(told, /^.*"wrong".*\n$/)
    appendFileSync(path, told)
    const { rejected } = await load(silent, world.table).run({ directory })
    assert.equal(rejected, 1)
    assert.equal(readFileSync(path, 'utf8'), told)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
})
