import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { canonicalText } from '../../src/item/canonicalText.ts'
import { compareItems } from '../../src/item/compareItems.ts'
import { decodeItemText } from '../../src/item/decode.ts'
import { encodeItem } from '../../src/item/encode.ts'
import { itemKey, type KeySchema } from '../../src/item/itemKey.ts'
import { keyAttributes } from '../../src/item/keyAttributes.ts'
import { canonicalNumber, NumberValue } from '../../src/item/number.ts'
import { textDigest } from '../../src/item/textDigest.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { itemArbitrary, nameArbitrary, numberTextArbitrary, textArbitrary } from './itemArbitrary.ts'

/** The slow and plain way: DynamoDB JSON as objects, with maps and sets in one order and numbers in one spelling. */
function plainText(item: PlainItem): string {
  return JSON.stringify(sortedMap(parseJson(encodeItem(item)) as object))
}

/** Pairs in the order of their names: names are data, `N` and `__proto__` too. */
function sortedMap(attributes: object): unknown {
  return Object.entries(attributes)
    .map(([name, value]): [string, unknown] => [name, sortedValue(value)])
    .sort(([left], [right]) => (left < right ? -1 : 1))
}

function sortedValue(value: object): unknown {
  const [[type, content] = assert.fail('a value has a type')] = Object.entries(value)
  if (type === 'M') return { M: sortedMap(content) }
  if (type === 'L') return { L: content.map(sortedValue) }
  if (type === 'N') return { N: canonicalNumber(content) }
  if (type === 'NS') return { NS: content.map(canonicalNumber).sort() }
  return type === 'SS' || type === 'BS' ? { [type]: content.sort() } : { [type]: content }
}

/** The same item as others may spell it. */
function respell(value: unknown, turn: (list: unknown[]) => unknown[]): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return new NumberValue(`${value}`)
  if (value instanceof Set) return new Set(turn([...value].map((element) => respell(element, turn))))
  if (Array.isArray(value)) return value.map((element) => respell(element, turn))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array || value instanceof NumberValue) {
    return value
  }
  const entries = Object.entries(value).map(([name, member]) => [name, respell(member, turn)])
  return Object.fromEntries(turn(entries) as [string, unknown][])
}

const reversed = (list: unknown[]): unknown[] => [...list].reverse()

test('items are the same exactly when DynamoDB takes them for the same', () => {
  fc.assert(
    fc.property(itemArbitrary, itemArbitrary, (left, right) => {
      const same = plainText(left) === plainText(right)
      assert.equal(compareItems(left, right).length === 0, same)
      assert.equal(canonicalText(left) === canonicalText(right), same)
    }),
    { numRuns: 500, examples: [[{}, { map: { N: '' } }]] },
  )
})

test('other spellings of one item do not differ: order of attributes and elements, JSON text, kinds of numbers', () => {
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      for (const other of [respell(item, reversed) as PlainItem, decodeItemText(encodeItem(item))]) {
        assert.deepEqual(compareItems(item, other), [])
        assert.equal(canonicalText(item), canonicalText(other))
      }
    }),
    { numRuns: 500 },
  )
})

test('one change anywhere is found, and its path leads to it', () => {
  fc.assert(
    fc.property(
      itemArbitrary,
      fc.array(nameArbitrary, { minLength: 1, maxLength: 4 }),
      numberTextArbitrary,
      (item, names, text) => {
        const value = new NumberValue(text)
        const left = nest(item, names, value)
        const right = nest(item, names, value.text)
        const changes = compareItems(left, right)
        assert.equal(changes.length, 1)
        assert.deepEqual(changes[0]!.left, value)
        assert.equal(changes[0]!.right, value.text)
        assert.ok(changes[0]!.path.includes(JSON.stringify(names.at(-1)).slice(1, -1)))
        assert.notDeepEqual(textDigest(canonicalText(left)), textDigest(canonicalText(right)))
      },
    ),
  )
})

function nest(item: PlainItem, [name, ...rest]: string[], value: unknown): PlainItem {
  const inner = rest.length === 0 ? value : nest({}, rest, value)
  return Object.fromEntries([...Object.entries(item).filter(([other]) => other !== name), [name, inner]])
}

test('paths and values, as people read them', () => {
  const left = {
    id: 'a',
    same: new Set([1, 2]),
    age: 1,
    address: { zip: '1234', lines: ['x', 'y'] },
    'odd.name': { b: true },
    gone: null,
    n: new NumberValue('1.0'),
    big: new NumberValue('12345678901234567890.123456789012345678'),
  }
  const right = {
    id: 'a',
    same: new Set([2, 1]),
    age: '1',
    address: { zip: '1234', lines: ['x', 'z', 'w'] },
    'odd.name': { b: false },
    n: 1,
    big: new NumberValue('12345678901234567890.123456789012345679'),
    constructor: 'new',
  }
  const found = compareItems(left, right).map(({ path, left: was, right: is }) => [path, `${was}`, `${is}`])
  assert.deepEqual(found, [
    ['age', '1', '1'],
    ['address.lines[1]', 'y', 'z'],
    ['address.lines[2]', 'undefined', 'w'],
    ['["odd.name"].b', 'true', 'false'],
    ['gone', 'null', 'undefined'],
    ['big', '12345678901234567890.123456789012345678', '12345678901234567890.123456789012345679'],
    ['constructor', 'undefined', 'new'],
  ])
})

test('a key as text leads back to its attributes', () => {
  const schemas: KeySchema[] = [
    { partition: { name: 'p', type: 'S' } },
    { partition: { name: 'p', type: 'S' }, sort: { name: 's', type: 'N' } },
    { partition: { name: 'p', type: 'S' }, sort: { name: 's', type: 'S' } },
  ]
  const text = textArbitrary.filter((value) => value !== '')
  fc.assert(
    fc.property(text, text, numberTextArbitrary, (partition, sort, number) => {
      for (const schema of schemas) {
        const last = schema.sort?.type === 'N' ? new NumberValue(number) : sort
        const item = schema.sort === undefined ? { p: partition } : { p: partition, s: last }
        const back = keyAttributes(itemKey(item, schema), schema)
        assert.deepEqual(compareItems(decodeItemText(JSON.stringify(back)), item), [])
      }
    }),
  )
})
