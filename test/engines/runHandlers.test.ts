import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import type { LambdaContext } from '../../src/engines/lambdaContext.ts'
import { finishHandler, prepareHandler, type RunInput, type RunSummary } from '../../src/engines/runHandlers.ts'
import { sliceHandler } from '../../src/engines/sliceHandler.ts'
import { exportTable } from '../../src/operations/exportTable.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { S3 } from '../../src/storage/s3.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'
import { database, newTable } from '../support/store.ts'

let server: S3Server
let s3: S3

before(async () => {
  server = await startS3Server({ conditionalWrites: true })
  s3 = new S3()
})
after(async () => {
  await s3.close()
  await server[Symbol.asyncDispose]()
})

const url = (key: string): string => `s3://${server.bucket}/${key}`
const CONTEXT: LambdaContext = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 }
let runs = 0

async function filledTable(count: number): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: count }, (_, index) => ({ id: `item${index}`, index })))
  return table
}

/** As the state machine does, one slice after another; states are JSON. */
async function execute(input: RunInput, controlTable?: Table): Promise<RunSummary> {
  runs += 1
  const options = { database, store: url('runs') }
  const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value
  const state = json(await prepareHandler(options)({ input: json(input), execution: `run${runs}` }))
  const work = sliceHandler({ ...options, ...(controlTable === undefined ? {} : { controlTable }) })
  const { job, of, run, indices } = state
  for (const index of indices) {
    for (let result = await work({ job, of, run, index }, CONTEXT); !result.done; )
      result = await work({ job, of, run, index, result: json(result) }, CONTEXT)
  }
  return json(await finishHandler(options)(state))
}

test('an export is one object when the run is over; another run does not take its place unless it shall', async () => {
  const table = await filledTable(300)
  const job = await exportTable(table, url('users.xml')).describe({ slices: 6 })
  await s3.put({ bucket: server.bucket, key: 'jobs/users.json' }, Buffer.from(JSON.stringify(job)), true)
  const { counters, slices, file } = await execute({ job: url('jobs/users.json'), slices: 6 })
  assert.deepEqual([counters.written, slices, file], [300, 6, url('users.xml')])
  const text = (await s3.get({ bucket: server.bucket, key: 'users.xml' }))!.toString()
  assert.equal(text.match(/<item>/g)!.length, 300)
  const again = await exportTable(table, url('users.xml')).describe({ slices: 2 })
  await assert.rejects(execute({ job: again, slices: 2 }), { name: 'Headrace.CONFIGURATION', message: /overwrite/ })
  assert.equal((await execute({ job: again, slices: 2, overwrite: true })).counters.written, 300)
})

test('a run that is not all done is gone on with by its name, and a rate in units is shared through the control table', async () => {
  const table = await filledTable(200)
  const control = await newTable({ partition: { name: 'pk', type: 'S' } })
  const job = await updateAll(table, { set: { seen: true } }, { writeUnitsPerSecond: 500 }).describe({ slices: 4 })
  const first = await execute({ job, slices: 4 }, control)
  assert.equal(first.counters.written, 200)
  const counted: string[] = []
  for await (const { pk } of control.scan()) counted.push(`${pk}`)
  assert.ok(
    counted.length > 0 && counted.every((pk) => pk.startsWith(`rate#${job.id}#${job.mark}#write`)),
    `${counted}`,
  )
  // All of it is done already.
  const second = await execute({ job, slices: 4, run: first.run })
  assert.deepEqual(second.counters, first.counters)
  // Cut in another way, they are other slices.
  const other = await execute({ job, slices: 3, run: first.run })
  assert.equal(other.counters.read, 200)
})

test('what cannot come to an end is refused before a slice is called, by a name that a state machine does not try again', async () => {
  const table = await filledTable(1)
  const job = await updateAll(table, { set: { seen: true } }).describe({ slices: 2 })
  const refused = async (input: RunInput, error: object): Promise<void> => {
    await assert.rejects(execute(input), error)
  }
  await refused({ job: url('jobs/none.json') }, { name: 'Headrace.INPUT', message: /there is no job at s3/ })
  await refused({ job: 'tier.json' }, { name: 'Headrace.CONFIGURATION', message: /neither a job nor/ })
  await refused(
    { job, slices: job.what.segments! + 1 },
    { name: 'TypeError', message: /describe it with slices: \d+ \(--slices \d+\)/ },
  )
  await refused({ job, slices: 10_001 }, { name: 'TypeError', message: /at most 10000, not 10001/ })
  const large = { ...job, what: { ...job.what, filter: 'x'.repeat(200_000) } }
  await refused({ job: large }, { name: 'Headrace.CONFIGURATION', message: /Write it to S3/ })
  const gone = { ...job, what: { ...job.what, table: { ...job.what.table, name: 'gone' } } }
  await refused({ job: gone }, { name: 'Headrace.TABLE' })
})

test('a call that comes no further is told, and not made again for ever', async () => {
  const table = await filledTable(50)
  const job = await updateAll(table, { set: { seen: true } }).describe({ slices: 1 })
  const work = sliceHandler({ database })
  const none: LambdaContext = { awsRequestId: 'request', getRemainingTimeInMillis: () => 1 }
  await assert.rejects(work({ job, of: 1, index: 0 }, none), {
    name: 'Headrace.NO_PROGRESS',
    message: /made no progress/,
  })
})
