import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { headrace, scratchDirectory } from '../e2e/command.ts'
import { newTable, store } from '../support/store.ts'
import { startGateway } from './gateway.ts'
import { FOO_POJOS, HEADRACE, killOne, LINES, leftOf, processesOf, removeWork, runSpark } from './spark.ts'

// The example, on executors that are processes of their own, which get their worker from the archive.

/** HEADRACE_SPARK_POJOS=100000 for the size of the real thing. */
const POJOS = Number(process.env['HEADRACE_SPARK_POJOS'] ?? 2_500)
const LIFE_MS = Math.max(480_000, POJOS * 10)
/** So slow that there is time to kill what is at it. */
const WRITE_UNITS = Math.max(300, Math.ceil(POJOS / 30))

for (const { line, skip } of LINES) {
  describe(`a cluster of ${line}`, { skip, timeout: 3 * LIFE_MS }, () => {
    after(() => removeWork(line))

    test('worker, Python and executor are killed, and the table has what the files have', async () => {
      using directory = scratchDirectory()
      const { path: folder } = directory
      const packed = await headrace(['pack-spark', 'headrace.tgz', '--node', process.execPath], { directory: folder })
      assert.equal(packed.code, 0, packed.stderr)
      await using gateway = await startGateway(folder, {
        writeUnits: WRITE_UNITS,
        table: 'pojos',
        key: 'pojoId',
        lifeMs: LIFE_MS,
      })
      const { ended } = runSpark(line, FOO_POJOS, pojosArguments(folder, gateway.endpoint), {
        folder,
        master: 'local-cluster[2,1,1024]',
        conf: { 'spark.archives': `${join(folder, 'headrace.tgz')}#headrace-spark` },
        // The one that was packed: beside it there is no worker.
        pythonDirectory: folder,
        lifeMs: LIFE_MS,
      })
      const killed = await killEach(folder, ended)
      const { code, stdout, stderr } = await ended
      assert.equal(code, 0, stderr.slice(-4_000))
      assert.deepEqual(killed, ['worker', 'Python', 'executor'])
      const { partitions, ...result } = JSON.parse(stdout)
      assert.deepEqual(result, { rows: POJOS, written: POJOS, rejected: 0, differences: 0 })
      assert.ok(partitions >= 2, `${partitions} partitions`)
      assert.deepEqual(await leftOf(folder), [])
    })
  })
}

describe('a driver that is killed', { skip: LINES[0]!.skip, timeout: 3 * LIFE_MS }, () => {
  test('leaves nothing running, and what it has committed is published by the next', async () => {
    using directory = scratchDirectory()
    const { path: folder } = directory
    await using gateway = await startGateway(folder, {
      writeUnits: WRITE_UNITS,
      table: 'pojos',
      key: 'pojoId',
      lifeMs: LIFE_MS,
    })
    const args = pojosArguments(folder, gateway.endpoint)
    const options = { folder, master: 'local[2]', lifeMs: LIFE_MS }
    const first = runSpark('spark4', FOO_POJOS, args, options)
    await appears(() => workersOf(folder)[0], first.ended)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    for (const { pid, command } of processesOf(folder)) {
      if (command.includes('org.apache.spark') || command.includes('foo_pojos')) killOne(pid)
    }
    const { code, stdout } = await first.ended
    assert.deepEqual([code, stdout], [null, ''])
    assert.deepEqual(await leftOf(folder), [])
    const next = await runSpark('spark4', FOO_POJOS, [...args, '--existing', 'publish'], options).ended
    assert.equal(next.code, 0, next.stderr.slice(-4_000))
    const { partitions: _, ...result } = JSON.parse(next.stdout)
    assert.deepEqual(result, { rows: POJOS, written: POJOS, rejected: 0, differences: 0 })
  })
})

test('the example in a single pass', { skip: LINES[0]!.skip, timeout: LIFE_MS }, async () => {
  using directory = scratchDirectory()
  const { path: folder } = directory
  const table = await newTable({ partition: { name: 'pojoId', type: 'S' } })
  const args = [
    '--pojos',
    '200',
    '--partitions',
    '3',
    '--single-pass',
    '--table',
    table.name,
    '--endpoint-url',
    store.endpoint,
  ]
  const { code, stdout, stderr } = await runSpark('spark4', FOO_POJOS, args, {
    folder,
    master: 'local[2]',
    lifeMs: LIFE_MS,
  }).ended
  assert.equal(code, 0, stderr.slice(-4_000))
  assert.deepEqual(JSON.parse(stdout), { rows: 200, written: 200, rejected: 0, partitions: 3 })
  const ids: string[] = []
  for await (const { pojoId, body } of table.scan()) {
    assert.equal(body, undefined)
    ids.push(pojoId)
  }
  assert.equal(ids.length, 200)
})

function pojosArguments(folder: string, endpoint: string): string[] {
  const where = ['--table', 'pojos', '--endpoint-url', endpoint, '--check', HEADRACE]
  return ['--pojos', `${POJOS}`, '--partitions', '8', '--files', join(folder, 'pojos'), ...where]
}

/** Kills one of each kind, while it is at work. @returns which */
async function killEach(folder: string, ended: Promise<unknown>): Promise<string[]> {
  const killed: string[] = []
  const kill = async (what: string, find: () => number | undefined): Promise<void> => {
    const pid = await appears(find, ended)
    if (pid !== undefined && killOne(pid)) killed.push(what)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
  }
  const anyWorker = (): number | undefined => {
    const workers = workersOf(folder)
    return workers[Math.floor(Math.random() * workers.length)]
  }
  await kill('worker', anyWorker)
  await kill('Python', () => {
    const worker = anyWorker()
    return worker === undefined ? undefined : parentOf(worker)
  })
  await kill('executor', () => {
    // One that is at work.
    if (anyWorker() === undefined) return undefined
    return processesOf(folder).find(({ command }) => command.includes('CoarseGrainedExecutorBackend'))?.pid
  })
  return killed
}

function workersOf(folder: string): number[] {
  return processesOf(folder)
    .filter(({ command }) => /worker\.mjs|sparkWorker\.js/.test(command))
    .map(({ pid }) => pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    // It has ended meanwhile.
    if (/ENOENT|ESRCH/.test(`${(error as NodeJS.ErrnoException).code}`)) return undefined
    throw error
  }
}

/** What is found before the session ends. */
async function appears(find: () => number | undefined, ended: Promise<unknown>): Promise<number | undefined> {
  let over = false
  void ended.then(() => {
    over = true
  })
  while (!over) {
    const found = find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return undefined
}
