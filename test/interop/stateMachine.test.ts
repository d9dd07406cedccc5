import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { LambdaContext } from '../../src/engines/lambdaContext.ts'
import { finishHandler, prepareHandler, type RunSummary } from '../../src/engines/runHandlers.ts'
import { type SliceEvent, type SliceHandler, sliceHandler } from '../../src/engines/sliceHandler.ts'
import { stateMachineDefinition } from '../../src/engines/stateMachine.ts'
import { synthesize } from '../../src/engines/synthesize.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { startFaultProxy } from '../support/faultProxy.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'
import { type LambdaFunction, StepFunctions } from '../support/stepFunctions.ts'
import { newTable, store } from '../support/store.ts'
import { findPython } from './python.ts'

// The state machine is carried out by an implementation of Step Functions that is not ours.

const python = findPython(['moto.server'])
const skip = python === undefined ? 'no Python with moto: node scripts/python.mjs makes one' : false
const folder = mkdtempSync(join(tmpdir(), 'headrace-states-'))
let s3: S3Server
let states: StepFunctions

before(async () => {
  s3 = await startS3Server({ conditionalWrites: true })
  if (python !== undefined) states = await StepFunctions.start(python)
})
after(async () => {
  await states?.[Symbol.asyncDispose]()
  await s3[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const definition = stateMachineDefinition({
  prepare: arn('prepare'),
  slice: arn('slice'),
  finish: arn('finish'),
  maxConcurrency: 16,
  retrySeconds: 1,
})

function arn(name: string): string {
  return `arn:aws:lambda:us-east-1:123456789012:function:${name}`
}

/** Of an invocation that has so long. */
function contextOf(milliseconds: number): LambdaContext {
  const end = performance.now() + milliseconds
  return { awsRequestId: crypto.randomUUID(), getRemainingTimeInMillis: () => end - performance.now() }
}

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

function visitorModule(name: string, body: string): URL {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, `export default ${body}\n`)
  return pathToFileURL(path)
}

test('100 slices: throttles, handlers that crash before and after their work, deadlines; each item once, each slice once', {
  skip,
}, async () => {
  const table = await filledTable(1_000)
  await using proxy = await startFaultProxy({
    target: store.endpoint,
    seed: 7,
    throttleShare: 0.04,
    errorShare: 0.02,
    unprocessedShare: 0.05,
  })
  await using database = connect({ endpoint: proxy.endpoint })
  const visitor = visitorModule(
    'add',
    `async (item) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (item.index % 50 === 0) throw new Error('every fiftieth')
      return { add: { count: 1 } }
    }`,
  )
  const job = await updateAll(database.table(table.name), visitor, {
    once: true,
    concurrency: 1,
    segments: 800,
    readUnitsPerSecond: 160,
  }).describe({
    slices: 100,
    id: 'add',
  })
  const options = { database, store: `s3://${s3.bucket}/runs` }
  const work = sliceHandler(options)
  const random = seededRandom(3)
  const calls = new Map<number, number>()
  let crashes = 0
  let cursors = 0
  const flaky: SliceHandler = async (event, context) => {
    calls.set(event.index, (calls.get(event.index) ?? 0) + 1)
    if (event.result?.cursor !== undefined) cursors += 1
    const dice = random()
    if (dice < 0.05) {
      crashes += 1
      throw new Error('Runtime exited without providing a reason')
    }
    const result = await work(event, context)
    if (dice > 0.95) {
      crashes += 1
      throw new Error('Task timed out after its work')
    }
    return result
  }
  // Some have little time, and each time more, so that a slow machine comes to an end too.
  const timeOf = ({ index }: SliceEvent): number => (index % 4 === 0 ? 150 * 2 ** (calls.get(index) ?? 0) : 60_000)
  const { status, output, error } = await states.execute(
    definition,
    {
      prepare: prepareHandler(options),
      slice: (event: SliceEvent) => flaky(event, contextOf(timeOf(event))),
      finish: finishHandler(options),
    },
    { job, slices: 100 },
  )
  assert.equal(status, 'SUCCEEDED', error)
  const { counters, slices, rejects } = output as RunSummary
  assert.equal(slices, 100)
  assert.equal(calls.size, 100)
  assert.equal(counters.read, 1_000)
  assert.equal(counters.written, 980)
  assert.equal(counters.rejected, 20)
  assert.ok(rejects.length > 0)
  for (const { count, index } of await readAll(table)) assert.equal(count, (index as number) % 50 === 0 ? 0 : 1)
  assert.ok(proxy.counts.throttled > 10, `${proxy.counts.throttled} throttles`)
  assert.ok(crashes >= 5, `${crashes} crashes`)
  // How many depends on the machine.
  assert.ok(cursors >= 1, `${cursors} calls with a cursor`)
})

test('a slice that does not come through is named, and a second execution does that and no other', {
  skip,
}, async () => {
  const table = await filledTable(200)
  const job = await updateAll(table, { add: { count: 1 } }, { once: true }).describe({ slices: 10 })
  const options = { store: `s3://${s3.bucket}/runs`, database: table.database }
  const work = sliceHandler(options)
  const handlers = { prepare: prepareHandler(options), finish: finishHandler(options) }
  const called: number[] = []
  const slice = (event: SliceEvent): Promise<unknown> => {
    called.push(event.index)
    return work(event, contextOf(60_000))
  }
  const broken = (event: SliceEvent): Promise<unknown> => {
    const wrong = { ...job, what: { ...job.what, table: { ...job.what.table, key: 'other:S' } } }
    return event.index === 3 || event.index === 7 ? work({ ...event, job: wrong }, contextOf(60_000)) : slice(event)
  }
  const first = await states.execute(definition, { ...handlers, slice: broken }, { job, slices: 10 })
  assert.equal(first.status, 'FAILED')
  assert.match(first.error!, /Headrace\.STATE.*2 of 10 slices have no result \(3, 7\).*"run": "(run-\d+)\\"|3, 7/)
  const run = /run\W+(run-\d+)/.exec(first.error!)![1]!
  called.length = 0
  const second = await states.execute(definition, { ...handlers, slice }, { job, slices: 10, run })
  assert.equal(second.status, 'SUCCEEDED', second.error)
  assert.deepEqual(called.sort(), [3, 7])
  assert.equal((second.output as RunSummary).counters.written, 200)
  for (const { count } of await readAll(table)) assert.equal(count, 1)
})

test('what deploy --synth writes comes up as a stack, and its state machine does a job', { skip }, async () => {
  const { template } = await synthesize(join(folder, 'out'), {
    operation: 'update',
    tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/users',
    maxConcurrency: 3,
  })
  const made = JSON.parse(readFileSync(template, 'utf8')) as { Resources: { [name: string]: Resource } }
  for (const { Type, Properties } of Object.values(made.Resources))
    if (Type === 'AWS::Lambda::Function') Properties['Code'] = { ZipFile: 'export {}' }
  const found = await states.definitionOf(made)
  const table = await filledTable(40)
  const job = await updateAll(table, { set: { seen: true } }).describe({ slices: 5 })
  const options = { store: `s3://${s3.bucket}/runs`, database: table.database }
  const work = sliceHandler(options)
  const functions = {
    Prepare: prepareHandler(options),
    Slice: (event: SliceEvent) => work(event, contextOf(60_000)),
    Finish: finishHandler(options),
  }
  const named = [...JSON.stringify(found).matchAll(/function:([\w-]+)/g)].map(([, name]) => {
    const [, part] = Object.entries(functions).find(([word]) => name!.includes(`Job${word}`))!
    return [name!, part as LambdaFunction] as const
  })
  const { status, output, error } = await states.execute(found, Object.fromEntries(named), { job, slices: 5 })
  assert.equal(status, 'SUCCEEDED', error)
  assert.equal((output as RunSummary).counters.written, 40)
})

interface Resource {
  readonly Type: string
  readonly Properties: { [name: string]: unknown }
}
