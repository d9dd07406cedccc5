import assert from 'node:assert/strict'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { scratchDirectory } from '../e2e/command.ts'
import { LINES, leftOf, removeWork, runSpark, script, startDaemon } from './spark.ts'

// npm run speculation: what becomes of a task that Spark runs twice at once. It takes a cluster of processes with addresses
// of their own, since Spark runs no second attempt on the host of the first.

const MASTER = 'spark://127.0.0.1:17077'
const LIFE_MS = 240_000

const { line, skip } = LINES[0]!
if (skip !== false) throw new Error(skip)
using directory = scratchDirectory()
const { path: folder } = directory
await using store = await startLocal({ kind: 'dynoxide' })
await using database = connect({ endpoint: store.endpoint })
await createTable(database, 'things', { key: { partition: { name: 'id', type: 'S' } } })
using _master = startDaemon(line, folder, '127.0.0.1', ['master.Master', '--host', '127.0.0.1', '--port', '17077'])
const workerOptions = ['--cores', '1', '--memory', '1g', MASTER]
using _first = startDaemon(line, folder, '127.0.0.2', ['worker.Worker', '--host', '127.0.0.2', ...workerOptions])
using _second = startDaemon(line, folder, '127.0.0.3', ['worker.Worker', '--host', '127.0.0.3', ...workerOptions])
const order = { folder, table: 'things', endpoint: store.endpoint }
const { code, stdout, stderr } = await runSpark(line, script('speculation.py'), [JSON.stringify(order)], {
  folder,
  master: MASTER,
  conf: {
    'spark.executor.memory': '700m',
    'spark.speculation': 'true',
    'spark.speculation.quantile': '0.5',
    'spark.speculation.interval': '100ms',
    // The reasons for which the story of a straggler would be told too late.
    'spark.speculation.minTaskRuntime': '100ms',
    'spark.cores.max': '2',
  },
  lifeMs: LIFE_MS,
}).ended
assert.equal(code, 0, stderr.slice(-4_000))
console.log(stdout.trim())
const done = JSON.parse(stdout) as { rows: number; written: number; attempts: number[] }
assert.deepEqual([done.rows, done.written], [40_000, 40_000])
assert.ok(done.attempts.includes(1), 'no second attempt has won: nothing was tried')
// The attempt that lost writes on until Spark ends it; what it writes is what is there.
let items = 0
for await (const item of database.table('things').scan()) {
  items += 1
  assert.deepEqual(item, { id: `row${item['n']}`, n: item['n'], text: 'x'.repeat(1_000) })
}
assert.equal(items, 40_000)
const left = (await leftOf(folder)).filter(({ command }) => !command.includes('deploy.'))
assert.deepEqual(left, [])
console.log('40,000 items, each partition once, no process left')
removeWork(line)
