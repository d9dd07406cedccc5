import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findCheckpoint, JobDirectory, loadSpec } from '../../src/job/jobDirectory.ts'
import type { JobWhat } from '../../src/job/jobSpec.ts'
import type { CheckpointContent } from '../../src/job/jobState.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import type { HeadraceError } from '../../src/runtime/headraceError.ts'
import { type Processes, systemProcesses } from '../../src/runtime/processIdentity.ts'
import { systemRandom } from '../../src/runtime/random.ts'

const WHAT: JobWhat = {
  operation: 'update',
  table: { name: 'users', arn: 'arn:aws:dynamodb:eu-west-1:1:table/users', key: 'id:S', connection: {} },
  visitor: { module: 'touch.ts', digest: 'abc' },
  segments: 4,
}
const CONTENT: CheckpointContent = {
  tally: { read: 3, written: 3, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 },
  positions: { kind: 'segments', segments: 4, done: '1', cursors: {} },
  spent: { durationMs: 1, readUnits: 1, writeUnits: 3, unitsAtStake: 0, requests: 1, retried: 0 },
}

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'headrace-job-'))
  return { path: join(path, 'job'), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

interface Other {
  what?: Partial<JobWhat>
  clock?: Clock
  processes?: Processes
}

function open(path: string, { what = {}, clock = systemClock, processes }: Other = {}): Promise<JobDirectory> {
  return JobDirectory.open(path, { ...WHAT, ...what }, {}, { clock, random: systemRandom, processes })
}

function save(directory: JobDirectory): Promise<void> {
  return directory.save({ ...CONTENT, runs: 1, complete: false, clean: false })
}

const error = (code: string, pattern: RegExp) => (thrown: HeadraceError) => {
  assert.equal(thrown.code, code)
  assert.match(thrown.message, pattern)
  return true
}

test('a job directory', async (t) => {
  await t.test('is its owner alone, with all that is in it', async () => {
    using scratched = scratch()
    const directory = await open(scratched.path)
    await save(directory)
    directory.note('started', {})
    directory.file('rejects.jsonl').write(Buffer.from('{}\n'))
    assert.equal(statSync(scratched.path).mode & 0o777, 0o700)
    for (const name of ['job.json', 'checkpoint', 'events.jsonl', 'rejects.jsonl', 'lock']) {
      assert.equal(statSync(join(scratched.path, name)).mode & 0o777, 0o600, name)
    }
    directory.close()
  })

  await t.test('is gone on with from its checkpoint, its files cut back to what that speaks of', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    const file = first.file('rejects.jsonl')
    file.write(Buffer.from('one\n'))
    await save(first)
    file.write(Buffer.from('two\nthr'))
    first.close()
    const second = await open(scratched.path)
    assert.deepEqual(second.checkpoint?.tally, CONTENT.tally)
    assert.deepEqual(second.checkpoint?.files, { 'rejects.jsonl': 4 })
    second.file('rejects.jsonl').write(Buffer.from('2\n'))
    await save(second)
    second.close()
    assert.equal(readFileSync(join(scratched.path, 'rejects.jsonl'), 'utf8'), 'one\n2\n')
    assert.deepEqual(findCheckpoint(scratched.path).checkpoint?.files, { 'rejects.jsonl': 6 })
  })

  await t.test('keeps the size of a file that a run did not touch', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    first.file('rejects.jsonl').write(Buffer.from('one\n'))
    await save(first)
    first.close()
    const second = await open(scratched.path)
    await save(second)
    second.close()
    assert.deepEqual(findCheckpoint(scratched.path).checkpoint?.files, { 'rejects.jsonl': 4 })
  })

  await t.test('with a file that became shorter is refused', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    first.file('rejects.jsonl').write(Buffer.from('one\n'))
    await save(first)
    first.close()
    writeFileSync(join(scratched.path, 'rejects.jsonl'), 'on')
    const second = await open(scratched.path)
    assert.throws(() => second.file('rejects.jsonl'), error('STATE', /has 2 bytes, but the checkpoint recorded 4/))
    second.close()
  })

  await t.test('of another job is refused, with both values', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    first.close()
    for (const [what, pattern] of [
      [{ filter: 'a = 1' }, /filter was not set, and is now a = 1/],
      [{ segments: 8 }, /segments was 4, and is now 8/],
      [
        { visitor: { module: 'touch.ts', digest: 'abd' } },
        /the module touch\.ts has changed since the job in .* began/,
      ],
      [{ table: { ...WHAT.table, arn: 'arn:other' } }, /table\.arn was arn:aws\S+, and is now arn:other/],
    ] as const) {
      await assert.rejects(open(scratched.path, { what }), error('STATE', pattern))
    }
    // The same table by another way.
    const second = await open(scratched.path, { what: { table: { ...WHAT.table, connection: { profile: 'other' } } } })
    second.close()
  })

  await t.test('falls back to the checkpoint before a damaged one, and says so; refuses two damaged ones', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    await save(first)
    await save(first)
    first.close()
    const path = join(scratched.path, 'checkpoint')
    writeFileSync(path, readFileSync(path).subarray(0, -9))
    const second = await open(scratched.path)
    assert.equal(second.checkpoint?.sequence, 1)
    assert.match(second.warning!, /checkpoint cannot be used: it is truncated; resuming from the previous checkpoint/)
    second.close()
    writeFileSync(`${path}.previous`, '')
    await assert.rejects(open(scratched.path), error('STATE', /checkpoint cannot be used.*checkpoint\.previous cannot/))
  })

  await t.test('whose process died between two names has the checkpoint before', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    await save(first)
    first.close()
    const path = join(scratched.path, 'checkpoint')
    writeFileSync(`${path}.previous`, readFileSync(path))
    rmSync(path)
    const second = await open(scratched.path)
    assert.equal(second.checkpoint?.sequence, 1)
    second.close()
  })

  await t.test('of a later version is refused', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    first.close()
    const path = join(scratched.path, 'job.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version": 1', '"version": 2'))
    await assert.rejects(open(scratched.path), error('STATE', /version 2, but this Headrace reads version 1/))
    assert.throws(() => loadSpec(join(scratched.path, 'none')), error('STATE', /there is no job in/))
  })

  await t.test('that nobody may write to is refused with a sentence', async () => {
    await assert.rejects(
      open('/dev/null/job'),
      error('CONFIGURATION', /cannot write the job state to \/dev\/null\/job: ENOTDIR/),
    )
  })
})

test('the lock of a job directory', async (t) => {
  const other = (alive: boolean | undefined): Processes => ({
    own: { host: 'elsewhere', pid: 7, began: '1' },
    isAlive: () => alive,
  })

  await t.test('keeps a second process out, and lets it in when the first has closed', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    await assert.rejects(
      open(scratched.path),
      error('LOCKED', new RegExp(`already running in process ${process.pid} on`)),
    )
    first.close()
    const second = await open(scratched.path)
    second.close()
  })

  await t.test('of a process that is gone is taken over, also where its number was given to another', async () => {
    using scratched = scratch()
    await open(scratched.path, { processes: other(true) })
    const later = await open(scratched.path, { processes: other(false) })
    later.close()
    await open(scratched.path, { processes: { ...systemProcesses, own: { ...systemProcesses.own, began: '0' } } })
    const last = await open(scratched.path)
    last.close()
  })

  await t.test(
    'of another machine is taken over after a minute of silence, and its holder stops when it comes back',
    async () => {
      using scratched = scratch()
      let now = 0
      const clock: Clock = { ...systemClock, now: () => now, wallNow: () => Date.UTC(2026, 7, 1) + now }
      const first = await open(scratched.path, { processes: other(undefined), clock })
      now = 59_000
      await assert.rejects(
        open(scratched.path, { clock, processes: other(undefined) }),
        error('LOCKED', /on elsewhere/),
      )
      // It is heard of.
      await save(first)
      now = 110_000
      await assert.rejects(
        open(scratched.path, { clock, processes: other(undefined) }),
        error('LOCKED', /on elsewhere/),
      )
      now = 120_000
      const second = await open(scratched.path, { clock, processes: other(undefined) })
      await assert.rejects(save(first), error('LOCKED', /process 7 on elsewhere .*took over the job/))
      first.close()
      await assert.rejects(open(scratched.path, { clock, processes: other(undefined) }), error('LOCKED', /elsewhere/))
      second.close()
    },
  )
})

test('what must not be done twice is remembered', async (t) => {
  const endWell = (directory: JobDirectory): Promise<void> =>
    directory.save({ ...CONTENT, runs: 1, complete: false, clean: true })

  await t.test('until a run that added has ended with nothing in doubt', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    assert.equal(first.mayNotRepeat, false)
    first.forbidRepeats()
    first.close()
    const second = await open(scratched.path)
    assert.equal(second.mayNotRepeat, true)
    await endWell(second)
    second.close()
    const third = await open(scratched.path)
    assert.equal(third.mayNotRepeat, false)
    third.close()
  })

  await t.test('also when the run before the one that added had ended well', async () => {
    using scratched = scratch()
    const first = await open(scratched.path)
    first.forbidRepeats()
    await endWell(first)
    first.close()
    const second = await open(scratched.path)
    second.forbidRepeats()
    // It ends at once, before its first checkpoint.
    second.close()
    const third = await open(scratched.path)
    assert.equal(third.mayNotRepeat, true)
    third.close()
  })
})
