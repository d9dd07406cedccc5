import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Checkpoint } from '../../src/job/checkpoint.ts'
import type { JobWhat } from '../../src/job/jobSpec.ts'
import { remainingMs, shareDone } from '../../src/report/shareDone.ts'

function what(more: Partial<JobWhat>): JobWhat {
  return { operation: 'load', table: { name: 'users', arn: '', key: 'id:S', connection: {} }, ...more }
}

function at(positions: Checkpoint['positions'], read = 0): Checkpoint {
  return { positions, complete: false, tally: { read, written: read, rejected: 0, filtered: 0 } } as Checkpoint
}

test('of a table it is known by segments, once some came to their end and the others are not all under way', () => {
  const scan = (done: string, begun: number): number | undefined => {
    const cursors = Object.fromEntries(Array.from({ length: begun }, (_, index) => [`${100 - index}`, '{}']))
    return shareDone(what({ operation: 'update' }), at({ kind: 'segments', segments: 40, done, cursors }))
  }
  assert.equal(scan('', 16), undefined)
  assert.equal(scan('0-3', 16), (4 + 8) / 40)
  assert.equal(scan('0-2', 30), undefined)
  assert.equal(scan('0-39', 0), 1)
})

test('of files it is known by their bytes, and of one that is packed by its records where those were told', () => {
  const after = (offset: number, line = 1): { line: number; offset: number } => ({ line, offset })
  const one = (name: string, more: object, place: { line: number; offset: number }): number | undefined =>
    shareDone(
      what({ sources: [{ name, sizeBytes: 1_000, ...more }] }),
      at({ kind: 'sources', sources: [{ name, done: false, after: place }] }),
    )
  assert.equal(one('a.jsonl', {}, after(250)), 0.25)
  assert.equal(one('a.jsonl.gz', {}, after(2_500)), undefined)
  assert.equal(one('a.jsonl.gz', { itemCount: 10 }, after(2_500, 4)), 0.4)
  assert.equal(one('-', { sizeBytes: undefined }, after(250)), undefined)
  const sources = [
    { name: 'a.gz', sizeBytes: 600 },
    { name: 'b.gz', sizeBytes: 200 },
    { name: 'c.gz', sizeBytes: 200 },
  ]
  const places = [
    { name: 'a.gz', done: true },
    { name: 'b.gz', done: false, after: after(9) },
    { name: 'c.gz', done: false },
  ]
  assert.equal(shareDone(what({ sources }), at({ kind: 'sources', sources: places })), 0.7)
})

test('what is made is known by its number', () => {
  const generated = { items: 400, seed: 1 }
  const positions = { kind: 'sources', sources: [{ name: 'items', done: false }] } as const
  assert.equal(shareDone(what({ operation: 'generate', generated }), at(positions, 100)), 0.25)
})

test('the rest takes as long for its part as what is done; too little tells nothing', () => {
  assert.equal(remainingMs(0.25, 10_000), 30_000)
  assert.equal(remainingMs(0.001, 10_000), undefined)
  assert.equal(remainingMs(0.5, 1_000), undefined)
  assert.equal(remainingMs(undefined, 10_000), undefined)
})
