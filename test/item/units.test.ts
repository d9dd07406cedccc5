import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readUnits, writeUnits } from '../../src/item/units.ts'

test('a write unit for each started KiB, a read unit for each started 4 KiB, at least one', () => {
  for (const [bytes, units] of [
    [0, 1],
    [1, 1],
    [1024, 1],
    [1025, 2],
    [2048, 2],
    [409_600, 400],
  ] as const) {
    assert.strictEqual(writeUnits(bytes), units)
  }
  for (const [bytes, units] of [
    [0, 1],
    [4096, 1],
    [4097, 2],
    [409_600, 100],
  ] as const) {
    assert.strictEqual(readUnits(bytes), units)
  }
})
