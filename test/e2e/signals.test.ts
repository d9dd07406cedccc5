import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findCheckpoint } from '../../src/job/jobDirectory.ts'
import type { JobSpec } from '../../src/job/jobSpec.ts'
import { type Gateway, startGateway } from '../../src/simulator/gateway.ts'
import { closeServer, listen } from '../support/httpExchange.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

const ITEMS = 3_000

let gateway: Gateway

before(async () => {
  // Slow enough to be stopped in the midst of it.
  gateway = await startGateway({
    upstream: store.endpoint,
    capacity: { billing: 'provisioned', readUnitsPerSecond: 10_000, writeUnitsPerSecond: 10_000 },
    latency: { medianMs: 100 },
  })
})

after(async () => {
  await gateway.close()
})

async function filledTable(): Promise<string> {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < ITEMS; index += 1) {
    if (!publisher.put({ id: `item${index}` })) await publisher.ready
  }
  return table.name
}

async function seen(table: string): Promise<number> {
  let count = 0
  for await (const item of database.table(table).scan({ segments: 1 })) if (item['seen'] === true) count += 1
  return count
}

/** Updates a table, and does something to the process once it works. */
function update(table: string, directory: string, act: (child: ChildProcess) => void): Promise<CommandEnd> {
  const args = ['update', table, '--set', 'seen=true', '--job', 'job', '--write-rate', '800']
  return headrace([...args, '--endpoint-url', gateway.url], {
    directory,
    onStart: (child) => {
      const path = join(directory, 'job')
      const timer = setInterval(() => {
        const written = existsSync(path) ? (findCheckpoint(path).checkpoint?.tally.written ?? 0) : 0
        if (written === 0) return
        clearInterval(timer)
        act(child)
      }, 50)
      child.on('exit', () => clearInterval(timer))
    },
  })
}

function resume(directory: string): Promise<CommandEnd> {
  return headrace(['resume', 'job', '--write-rate', '5000', '--json', '--endpoint-url', store.endpoint], { directory })
}

async function assertWhole(table: string, directory: string): Promise<void> {
  const end = await resume(directory)
  assert.equal(end.code, 0, end.stderr)
  const done = JSON.parse(end.stdout.trimEnd().split('\n').at(-1)!)
  // What was written behind the last checkpoint is seen once more, and is as it should be.
  assert.deepEqual([done.event, done.read, done.written + done.filtered, done.rejected], ['done', ITEMS, ITEMS, 0])
  assert.equal(await seen(table), ITEMS)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} once: what is on its way is waited for, the way to go on is said, and it works`, async () => {
    using directory = scratchDirectory()
    const table = await filledTable()
    let stoppedAt = 0
    const end = await update(table, directory.path, (child) => {
      stoppedAt = performance.now()
      child.kill(signal)
    })
    assert.equal(end.code, code, end.stderr)
    assert.ok(performance.now() - stoppedAt < 11_500)
    assert.match(end.stderr, /stopped by a signal\. To resume: headrace resume job/)
    const written = Number(/written\s+([\d,]+)/.exec(end.stderr)?.[1]?.replaceAll(',', ''))
    assert.ok(written > 0 && written < ITEMS, `${written} written`)
    assert.ok((await seen(table)) >= written)
    await assertWhole(table, directory.path)
  })
}

test('a signal while the endpoint has not answered at all: it leaves at once, and there is nothing to go on with', async () => {
  let asked!: () => void
  const reached = new Promise<void>((resolve) => {
    asked = resolve
  })
  const silent = createServer(() => asked())
  const url = await listen(silent)
  using directory = scratchDirectory()
  let stoppedAt = 0
  const end = await headrace(['update', 'things', '--set', 'seen=true', '--job', 'job', '--endpoint-url', url], {
    directory: directory.path,
    onStart: (child) =>
      void reached.then(() => {
        stoppedAt = performance.now()
        child.kill('SIGINT')
      }),
  })
  await closeServer(silent)
  assert.equal(end.signal, 'SIGINT', end.stderr)
  assert.ok(performance.now() - stoppedAt < 5_000)
  assert.equal(existsSync(join(directory.path, 'job')), false)
})

test('a signal twice: it leaves at once, and its state is valid', async () => {
  using directory = scratchDirectory()
  const table = await filledTable()
  let stoppedAt = 0
  const end = await update(table, directory.path, (child) => {
    stoppedAt = performance.now()
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGINT'), 20)
  })
  assert.equal(end.code, 130, end.stderr)
  assert.ok(performance.now() - stoppedAt < 2_000, 'at once')
  await assertWhole(table, directory.path)
})

test('SIGHUP: the rates in the job file hold from now on; a file that is none leaves them as they are', async () => {
  using directory = scratchDirectory()
  const table = await filledTable()
  const path = join(directory.path, 'job', 'job.json')
  const end = await update(table, directory.path, (child) => {
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, '{"version": 1, "how"')
    child.kill('SIGHUP')
    setTimeout(() => {
      const spec = JSON.parse(text) as JobSpec
      writeFileSync(path, JSON.stringify({ ...spec, how: { ...spec.how, rates: { write: 9_000 } } }))
      child.kill('SIGHUP')
    }, 300)
  })
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stderr, /rates unchanged: .*job\.json is not valid JSON/)
  assert.match(end.stderr, /rates from job\/job\.json: \{"writeUnitsPerSecond":9000\}/)
  assert.match(end.stderr, /allowed +[1-9],\d{3} WCU\/s at the end/)
  assert.equal(await seen(table), ITEMS)
})

test('a second process is kept out of the directory of a job that runs', async () => {
  using directory = scratchDirectory()
  const table = await filledTable()
  let second: Promise<CommandEnd> | undefined
  const end = await update(table, directory.path, () => {
    second = resume(directory.path)
  })
  assert.equal(end.code, 0, end.stderr)
  const refused = await second!
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /is already running in process \d+ on /)
})
