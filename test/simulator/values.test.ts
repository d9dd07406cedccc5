import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalText, isSame, itemSize, readAttributes } from '../../src/simulator/attributes.ts'
import { compareNumbers, normalNumber, numberSize } from '../../src/simulator/decimal.ts'
import { compareKeys, readKey } from '../../src/simulator/primaryKey.ts'

test('numbers come back expanded, are ordered by value, and count as measured', () => {
  assert.equal(normalNumber('0042.1200'), '42.12')
  assert.equal(normalNumber('-0'), '0')
  assert.equal(normalNumber('1E125').length, 126)
  assert.equal(normalNumber('-12E-3'), '-0.012')
  assert.throws(() => normalNumber('1E126'), /overflow/)
  assert.throws(() => normalNumber('0x1'), /numeric value/)
  assert.throws(() => normalNumber('1'.repeat(39)), /38 significant/)
  const sorted = ['-1E10', '-2.5', '-2', '0', '1E-130', '0.01', '0.1', '2', '10', '10.5', '1E125']
  const shuffled = [...sorted].reverse().sort(compareNumbers)
  assert.deepEqual(shuffled, sorted)
  // Sizes measured on the service (third party, 18 Aug 2026).
  const sizes = { '0': 1, '1': 2, '12': 2, '123': 3, '1234': 3, '-42': 3, '1.5': 3, '0.15': 2, '100.5': 4, '1E125': 2 }
  for (const [text, size] of Object.entries(sizes)) assert.equal(numberSize(text), size, text)
})

test('an item counts its names and values by the rules', () => {
  const item = readAttributes({ pk: { S: 'é' }, l: { L: [{ S: 'a' }, { N: '1' }] }, m: { M: { kk: { BOOL: true } } } })
  assert.equal(itemSize(item), 2 + 2 + (1 + 3 + 2 + 3) + (1 + 3 + 1 + 2 + 1))
  const pairs: [unknown, unknown, boolean][] = [
    [{ SS: ['b', 'a'] }, { SS: ['a', 'b'] }, true],
    [{ L: [{ S: 'b' }, { S: 'a' }] }, { L: [{ S: 'a' }, { S: 'b' }] }, false],
    [{ a: { S: 'x' }, b: { M: { c: { N: '1' } } } }, { b: { M: { c: { N: '1' } } }, a: { S: 'x' } }, true],
    [{ a: { S: 'x' } }, { a: { S: 'x' }, b: { NULL: true } }, false],
    [{ a: { S: '1' } }, { a: { N: '1' } }, false],
    [undefined, {}, false],
  ]
  for (const [left, right, same] of pairs) {
    assert.equal(isSame(left, right), same)
    assert.equal(isSame(right, left), same)
    assert.equal(canonicalText(left) === canonicalText(right), same)
  }
})

test('keys are ordered by hash, then by themselves', () => {
  const schema = { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } } as const
  const key = (pk: string, sk: string) => readKey(readAttributes({ pk: { S: pk }, sk: { N: sk } }), schema, true)
  assert.ok(compareKeys(key('a', '9'), key('a', '10'), schema) < 0)
  assert.equal(compareKeys(key('a', '1'), key('a', '1.0'), schema), 0)
  assert.equal(key('a', '1').text, key('a', '1.0').text)
  assert.equal(key('a', '1').hash, key('a', '2').hash)
})
