import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyTable } from '../../src/publish/keyTable.ts'

test('a KeyTable holds what a Map holds, whatever is set, replaced and deleted, also where homes collide and wrap', () => {
  // Few low bits and few hashes, so that most of them share a home or its neighbours, at both ends of the table.
  const hash = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: 13, max: 17 }),
    fc.constantFrom(32, 47, 48, 1 << 30),
  )
  const step = fc.tuple(fc.boolean(), hash)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new KeyTable<number>(8)
      const map = new Map<number, number>()
      // 0 and 1 share a place by design: two hashes that are taken for one.
      const key = (value: number): number => (value === 0 ? 1 : value)
      for (const [index, [sets, value]] of steps.entries()) {
        if (sets) {
          assert.equal(table.exchange(value, index), map.get(key(value)))
          map.set(key(value), index)
        } else {
          table.delete(value)
          map.delete(key(value))
        }
        assert.equal(table.size, map.size)
        for (const [known, held] of map) assert.equal(table.get(known), held)
      }
    }),
    { numRuns: 500 },
  )
})

test('a KeyTable grows with what it holds', () => {
  const table = new KeyTable<number>(4)
  for (let index = 0; index < 5_000; index += 1) table.exchange(Math.imul(index, 0x9e3779b1) | 0, index)
  assert.equal(table.size, 5_000)
  for (let index = 0; index < 5_000; index += 1) assert.equal(table.get(Math.imul(index, 0x9e3779b1) | 0), index)
})
