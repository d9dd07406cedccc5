import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { countRejects } from '../../src/job/rejectCounts.ts'
import { missingActions } from '../../src/operations/missingActions.ts'
import { startServiceExport } from '../../src/operations/serviceExport.ts'
import { createTable, dropTable, listTables, waitForTable } from '../../src/operations/tables.ts'
import { MemoryTable } from '../support/memoryTable.ts'
import { type ScriptedAnswer, type ScriptedRequest, startScriptedServer } from '../support/scriptedServer.ts'

// Whoever waits may stop waiting: each call ends with the reason of its signal, at once, and what it asked is cancelled.

const REASON = new Error('no longer wanted')

/** A table whose service answers nothing but what the test says; the rest it knows by itself, or never answers. */
async function withTable(script: (request: ScriptedRequest) => ScriptedAnswer | undefined = () => undefined) {
  const store = new MemoryTable()
  const server = await startScriptedServer(
    (request) =>
      script(request) ??
      (request.operation === 'DescribeTable' ? store.answer('DescribeTable', request.body) : 'stall'),
  )
  const database = connect({ endpoint: server.endpoint, answerTimeoutMs: 60_000 })
  return {
    server,
    database,
    table: database.table(store.name),
    async [Symbol.asyncDispose]() {
      await database.close()
      await server.close()
    },
  }
}

/** Aborts once the server has got a request of this operation, and expects the reason soon. */
async function abortsIn(
  server: { readonly requests: readonly ScriptedRequest[] },
  operation: string,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController()
  const working = work(stop.signal)
  const isAsked = (): boolean => server.requests.some((request) => request.operation === operation)
  const rejected = assert.rejects(working, REASON)
  while (!isAsked()) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort(REASON)
  const late = AbortSignal.timeout(2_000)
  await Promise.race([
    rejected,
    new Promise((_, reject) => late.addEventListener('abort', () => reject(new Error(`${operation} goes on`)))),
  ])
}

test('get, describe, a scan, missingActions and startServiceExport end with the reason of their signal', async () => {
  {
    await using at = await withTable()
    await abortsIn(at.server, 'Query', (signal) => at.table.get({ pk: 'a' }, { signal }))
  }
  {
    await using at = await withTable(() => 'stall')
    await abortsIn(at.server, 'DescribeTable', (signal) => at.table.describe({ signal }))
  }
  {
    await using at = await withTable()
    await abortsIn(at.server, 'Scan', async (signal) => {
      for await (const item of at.table.scan({ signal })) assert.fail(`${item}`)
    })
  }
  {
    await using at = await withTable()
    await abortsIn(at.server, 'Scan', (signal) => missingActions('export', at.table, { signal }))
  }
  {
    await using at = await withTable()
    await abortsIn(at.server, 'ExportTableToPointInTime', (signal) =>
      startServiceExport(at.table, 's3://bucket/prefix', { signal }),
    )
  }
})

test('createTable, dropTable, waitForTable and listTables end with the reason of their signal', async () => {
  {
    await using at = await withTable()
    await abortsIn(at.server, 'CreateTable', (signal) => createTable(at.database, 'things', { key: 'pk:S', signal }))
  }
  {
    await using at = await withTable()
    await abortsIn(at.server, 'DeleteTable', (signal) => dropTable(at.database, 'things', { signal }))
  }
  {
    await using at = await withTable(() => 'stall')
    await abortsIn(at.server, 'DescribeTable', (signal) => waitForTable(at.database, 'things', { signal }))
  }
  {
    await using at = await withTable()
    await abortsIn(at.server, 'ListTables', (signal) => listTables(at.database, { signal }).next())
  }
})

test('flush and close end with the reason of their signal, and what was put is written all the same', async () => {
  let answer!: () => void
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const store = new MemoryTable()
  const server = await startScriptedServer(async (request) => {
    if (request.operation !== 'DescribeTable') await answered
    return store.answer(request.operation, request.body)
  })
  const database = connect({ endpoint: server.endpoint })
  try {
    const publisher = database.table<{ pk: string }>(store.name).publisher()
    publisher.put({ pk: 'a' })
    await abortsIn(server, 'BatchWriteItem', (signal) => publisher.flush({ signal }))
    await abortsIn(server, 'BatchWriteItem', (signal) => publisher.close({ signal }))
    answer()
    await publisher.close()
    assert.equal(publisher.stats.stored, 1)
  } finally {
    await database.close()
    await server.close()
  }
})

test('publish stops reading its source when the signal aborts, also one that is silent', async () => {
  await using at = await withTable((request) => (request.operation === 'BatchWriteItem' ? { body: {} } : undefined))
  const publisher = at.table.publisher()
  let isReturned = false
  const source: AsyncIterable<{ pk: string }> = {
    [Symbol.asyncIterator]() {
      let given = 0
      return {
        next() {
          given += 1
          return given <= 2 ? Promise.resolve({ value: { pk: `${given}` }, done: false }) : new Promise(() => {})
        },
        async return() {
          isReturned = true
          return { value: undefined, done: true }
        },
      }
    },
  }
  await abortsIn(at.server, 'BatchWriteItem', (signal) => publisher.publish(source, { signal }))
  assert.ok(isReturned)
  await publisher.close()
  assert.equal(publisher.stats.stored, 2)
  await assert.rejects(publisher.publish([], { signal: AbortSignal.abort(REASON) }), REASON)
  await publisher.publish([], { signal: undefined })
})

test('a scan whose signal aborts gives no further item, even of a page that is there', async () => {
  const page = { Items: [{ pk: { S: 'a' } }, { pk: { S: 'b' } }, { pk: { S: 'c' } }], Count: 3, ScannedCount: 3 }
  await using at = await withTable((request) => (request.operation === 'Scan' ? { body: page } : undefined))
  const stop = new AbortController()
  const seen: unknown[] = []
  await assert.rejects(async () => {
    for await (const item of at.table.scan({ segments: 1, signal: stop.signal })) {
      seen.push(item['pk'])
      if (seen.length === 2) stop.abort(REASON)
    }
  }, REASON)
  assert.deepEqual(seen, ['a', 'b'])

  const whole: unknown[] = []
  for await (const item of at.table.scan({ segments: 1, signal: new AbortController().signal })) whole.push(item['pk'])
  assert.deepEqual(whole, ['a', 'b', 'c'])
  await assert.rejects(async () => {
    for await (const items of at.table.scan({ signal: AbortSignal.abort(REASON) }).pages()) assert.fail(`${items}`)
  }, REASON)
})

test('a description that nobody waits for any more is there for the next who asks', async () => {
  await using at = await withTable()
  await assert.rejects(at.table.describe({ signal: AbortSignal.abort(REASON) }), REASON)
  const both = await Promise.all([at.table.describe({ signal: new AbortController().signal }), at.table.describe()])
  assert.equal(both[0], both[1])
  assert.equal(at.server.requests.length, 1)
})

test('countRejects ends with the reason of its signal', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-'))
  try {
    const path = join(directory, 'rejects.jsonl')
    writeFileSync(path, '{"code":"InvalidItem","place":"a:1","message":"x"}\n'.repeat(3))
    assert.equal((await countRejects(path, { signal: new AbortController().signal }))[0]?.count, 3)
    await assert.rejects(countRejects(path, { signal: AbortSignal.abort(REASON) }), REASON)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
