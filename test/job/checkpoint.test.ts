import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Checkpoint, checkpointText, rangesText, readCheckpoint, readRanges } from '../../src/job/checkpoint.ts'

const CHECKPOINT: Checkpoint = {
  version: 1,
  sequence: 7,
  savedAt: '2026-08-01T10:15:00.000Z',
  tally: { read: 9, written: 6, overwritten: 0, skipped: 0, rejected: 2, filtered: 1 },
  positions: { kind: 'segments', segments: 4, done: '0,2-3', cursors: { 1: '{"id":{"S":"Ærø"}}' } },
  files: { 'rejects.jsonl': 812 },
  spent: { durationMs: 1_000, readUnits: 3.5, writeUnits: 6, unitsAtStake: 0, requests: 4, retried: 0 },
  runs: 2,
  complete: false,
  clean: false,
}

test('a checkpoint', async (t) => {
  const bytes = Buffer.from(checkpointText(CHECKPOINT))

  await t.test('is read as it was written', () => assert.deepEqual(readCheckpoint(bytes), CHECKPOINT))

  await t.test('that is cut at any byte is refused', () => {
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => readCheckpoint(bytes.subarray(0, length)))
  })

  await t.test('of which any bit is flipped is refused', () => {
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      assert.throws(() => readCheckpoint(damaged), `bit ${bit} of ${bytes.toString()}`)
    }
  })

  await t.test('with something behind it is refused', () => {
    assert.throws(() => readCheckpoint(Buffer.concat([bytes, Buffer.from('\n')])), /it is truncated/)
  })

  await t.test('of a later version says so', () => {
    const later = checkpointText({ ...CHECKPOINT, version: 2 as 1 })
    assert.throws(() => readCheckpoint(Buffer.from(later)), /version 2, but this Headrace reads version 1/)
  })
})

test('ranges hold any set of numbers', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), (numbers) => {
      const sorted = [...numbers].sort((left, right) => left - right)
      assert.deepEqual([...readRanges(rangesText(sorted))], sorted)
    }),
  )
  assert.equal(rangesText([0, 1, 2, 5, 7, 8]), '0-2,5,7-8')
})
