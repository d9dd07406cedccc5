import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NumberValue } from '../../src/item/number.ts'
import { writePlainJson } from '../../src/item/writePlainJson.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { itemArbitrary } from './itemArbitrary.ts'

/** What of an item ordinary JSON has a form for, numbers as doubles. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint' || value instanceof NumberValue) return Number(`${value}`)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Set || Array.isArray(value)) return Array.from(value, plain)
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return members.map(([name, member]) => [name, plain(member)])
}

test('ordinary JSON of any item says what JSON can, and keeps every digit', () => {
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      assert.deepStrictEqual(plain(parseJson(writePlainJson(item))), plain(item))
    }),
    { numRuns: 500 },
  )
  assert.equal(writePlainJson({ id: 'a', n: 12345678901234567890n }), '{"id":"a","n":12345678901234567890}')
  assert.equal(writePlainJson({ list: [1, { deep: new Set(['x']) }], gone: undefined }), '{"list":[1,{"deep":["x"]}]}')
  assert.equal(writePlainJson({ list: [1, { deep: ['x'] }], gone: undefined }), '{"list":[1,{"deep":["x"]}]}')
})
