import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Checkpoint, Positions } from '../../src/job/checkpoint.ts'
import type { JobWhat } from '../../src/job/jobSpec.ts'
import type { JobStatus } from '../../src/job/jobStatus.ts'
import { statusList, statusText } from '../../src/report/statusText.ts'

const SEGMENTS: Positions = { kind: 'segments', segments: 8, done: '0-2,5', cursors: { 3: '{}', 4: '{}' } }

function status(what: Partial<JobWhat>, more: Partial<JobStatus> = {}): JobStatus {
  return {
    directory: 'touch-users',
    spec: {
      version: 1,
      id: 'touch-users',
      createdAt: '2026-03-01T10:20:30.000Z',
      mark: 'mark',
      what: { operation: 'update', table: { name: 'users', arn: '', key: 'id:S', connection: {} }, ...what },
      how: {},
    },
    state: 'stopped',
    undone: undefined,
    mayNotRepeat: false,
    holder: undefined,
    checkpoint: undefined,
    summary: undefined,
    ...more,
  }
}

function checkpoint(positions: Positions, rejected = 0): Checkpoint {
  return {
    version: 1,
    sequence: 7,
    savedAt: '2026-03-01T11:00:00.000Z',
    tally: { read: 12_345, written: 12_345 - rejected, overwritten: 0, skipped: 0, rejected, filtered: 0 },
    positions,
    files: {},
    spent: { durationMs: 61_000, readUnits: 0, writeUnits: 24_690, unitsAtStake: 0, requests: 1, retried: 0 },
    runs: 2,
    complete: false,
    clean: true,
  }
}

test('a job that has no checkpoint yet', () => {
  const what = { visitor: { module: 'touch.ts', digest: 'abc' }, filter: 'age > 5' }
  assert.equal(
    statusText(status(what)),
    `update users
  state       stopped; to resume it: headrace resume touch-users
  table       users
  visitor     touch.ts
  where       age > 5
  started     2026-03-01T10:20:30.000Z
  checkpoint  none yet`,
  )
})

test('a job that runs over the segments of a table', () => {
  const more = { state: 'running', holder: 'process 7 on here', checkpoint: checkpoint(SEGMENTS, 45) } as const
  assert.equal(
    statusText(status({}, more)),
    `update users
  state       running, process 7 on here
  table       users
  started     2026-03-01T10:20:30.000Z
  checkpoint  2026-03-01T11:00:00.000Z, run 2
  settled     12,345
  written     12,300
  rejected    45
  segments    4 of 8 done, 2 under way
  rejects     touch-users/rejects.jsonl
  time        1 min 01 s
  consumed    24,690 WCU`,
  )
})

test('a load: of many files two are named, and how many are done is said', () => {
  const sources = ['a', 'b', 'c', 'd'].map((name) => ({ name: `${name}.jsonl` }))
  const positions: Positions = { kind: 'sources', sources: sources.map(({ name }) => ({ name, done: name < 'c' })) }
  const text = statusText(status({ operation: 'load', sources }, { state: 'done', checkpoint: checkpoint(positions) }))
  assert.match(text, /^load users\n {2}state +done$/m)
  assert.match(text, /^ {2}files +a\.jsonl, b\.jsonl and 2 more$/m)
  assert.match(text, /^ {2}files done +2 of 4$/m)
})

test('several jobs are one line each, in columns', () => {
  const jobs = [
    status({}, { directory: '.headrace/one', checkpoint: checkpoint(SEGMENTS) }),
    status({}, { directory: '.headrace/another', state: 'done' }),
  ]
  assert.equal(
    statusList(jobs),
    `.headrace/one      stopped  12,345 written  started 2026-03-01 10:20
.headrace/another  done     0 written       started 2026-03-01 10:20`,
  )
})
