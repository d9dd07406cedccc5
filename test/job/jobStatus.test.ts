import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { JobDirectory } from '../../src/job/jobDirectory.ts'
import type { JobWhat } from '../../src/job/jobSpec.ts'
import { jobStatus, listJobs } from '../../src/job/jobStatus.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'

const WHAT: JobWhat = {
  operation: 'update',
  table: { name: 'users', arn: 'arn:aws:dynamodb:eu-west-1:1:table/users', key: 'id:S', connection: {} },
  segments: 4,
}

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'headrace-status-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A job, begun at a time of its own. */
function begin(path: string, beganAtMs: number): Promise<JobDirectory> {
  const clock = {
    now: () => systemClock.now(),
    wallNow: () => beganAtMs,
    setTimer: systemClock.setTimer.bind(systemClock),
  }
  return JobDirectory.open(path, WHAT, {}, { clock, random: systemRandom })
}

function save(directory: JobDirectory, complete: boolean): Promise<void> {
  return directory.save({
    tally: { read: 3, written: 2, overwritten: 0, skipped: 0, rejected: 1, filtered: 0 },
    positions: { kind: 'segments', segments: 4, done: complete ? '0-3' : '1', cursors: {} },
    spent: { durationMs: 1, readUnits: 1, writeUnits: 3, unitsAtStake: 0, requests: 1, retried: 0 },
    runs: 1,
    complete,
    clean: true,
  })
}

test('a job runs while somebody works in its directory, and is done or stopped then', async () => {
  using scratched = scratch()
  const path = join(scratched.path, 'job')
  const first = await begin(path, Date.now())
  assert.equal(jobStatus(path).state, 'running')
  assert.match(jobStatus(path).holder!, new RegExp(`^process ${process.pid} on `))
  assert.equal(jobStatus(path).checkpoint, undefined)
  await save(first, false)
  first.close()
  assert.equal(jobStatus(path).state, 'stopped')
  assert.equal(jobStatus(path).checkpoint?.tally.written, 2)
  const second = await begin(path, Date.now())
  await save(second, true)
  second.close()
  assert.equal(jobStatus(path).state, 'done')
  assert.throws(() => jobStatus(scratched.path), { code: 'STATE', message: /there is no job in/ })
})

test('jobs are listed with the latest first, and nothing else that lies there', async () => {
  using scratched = scratch()
  for (const [name, day] of [
    ['first', 1],
    ['third', 3],
    ['second', 2],
  ] as const) {
    ;(await begin(join(scratched.path, name), Date.UTC(2026, 0, day))).close()
  }
  mkdirSync(join(scratched.path, 'notes'))
  writeFileSync(join(scratched.path, 'notes.txt'), 'mine')
  const { jobs, damaged } = listJobs(scratched.path)
  assert.deepEqual(
    jobs.map(({ directory }) => directory),
    ['third', 'second', 'first'].map((name) => join(scratched.path, name)),
  )
  assert.deepEqual(damaged, [])
  assert.deepEqual(listJobs(join(scratched.path, 'nowhere')), { jobs: [], damaged: [] })
})

test('a job that cannot be read is told of and keeps none of the others from being listed', async () => {
  using scratched = scratch()
  const spoil: readonly [string, string, RegExp][] = [
    ['job.json', '', /job\.json is not valid JSON/],
    ['job.json', '{"version":2}', /has version 2/],
    ['job.json', 'null', /has version undefined/],
    ['checkpoint', 'torn', /checkpoint cannot be used/],
    ['report.json', '{', /report\.json is not valid JSON/],
  ]
  for (const [index, [file, content]] of spoil.entries()) {
    const path = join(scratched.path, `spoilt${index}`)
    ;(await begin(path, Date.now())).close()
    writeFileSync(join(path, file), content)
  }
  ;(await begin(join(scratched.path, 'whole'), Date.now())).close()
  const { jobs, damaged } = listJobs(scratched.path)
  assert.deepEqual(
    jobs.map(({ directory }) => directory),
    [join(scratched.path, 'whole')],
  )
  assert.equal(damaged.length, spoil.length)
  for (const [index, [, , message]] of spoil.entries()) {
    assert.equal(damaged[index]!.directory, join(scratched.path, `spoilt${index}`))
    assert.equal(damaged[index]!.error.code, 'STATE')
    assert.match(damaged[index]!.error.message, message)
  }
})
