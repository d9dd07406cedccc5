import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { count } from '../../src/operations/count.ts'
import { createTable } from '../../src/operations/tables.ts'
import { startFaultProxy } from '../support/faultProxy.ts'
import { headrace, scratchDirectory } from './command.ts'

const ITEMS = 100_000

test('100,000 items are loaded through a network and a service on a very bad day, each stored, and the retries told', async () => {
  using directory = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  await using database = connect({ endpoint: store.endpoint })
  await createTable(database, 'cities', { key: { partition: { name: 'id', type: 'S' } } })
  const lines = Array.from(
    { length: ITEMS },
    (_, index) => `{"id":"city-${index}","population":${index * 7},"land":"NO"}\n`,
  )
  writeFileSync(join(directory.path, 'cities.jsonl'), lines.join(''))
  await using proxy = await startFaultProxy({
    target: store.endpoint,
    seed: 20_260,
    unprocessedShare: 0.3,
    resetBeforeShare: 0.02,
    resetAfterShare: 0.02,
    errorShare: 0.02,
  })
  const end = await headrace(['load', 'cities', 'cities.jsonl', '--endpoint-url', proxy.endpoint, '--json'], {
    directory: directory.path,
  })
  assert.equal(end.code, 0, end.stderr + end.stdout.slice(-2_000))
  const done = JSON.parse(end.stdout.trimEnd().split('\n').at(-1)!)
  assert.deepEqual([done.event, done.read, done.written, done.rejected, done.notReached], ['done', ITEMS, ITEMS, 0, 0])
  const { counts } = proxy
  assert.ok(
    counts.unprocessed > ITEMS / 4 && counts.resetBefore > 20 && counts.resetAfter > 20 && counts.errorBefore > 10,
    JSON.stringify(counts),
  )
  // Some answers that spoke of unprocessed entries were themselves lost.
  assert.ok(done.unprocessed > counts.unprocessed * 0.9 && done.unprocessed <= counts.unprocessed)
  assert.ok(done.retried >= counts.unprocessed + counts.resetBefore + counts.resetAfter)
  assert.equal((await count(database.table('cities'), { segments: 4, consistentRead: true })).count, ITEMS)
})
