import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ItemError } from '../../src/item/itemError.ts'
import { itemKey, type KeyAttribute, typeName } from '../../src/item/itemKey.ts'
import { NumberValue } from '../../src/item/number.ts'

const schema = (partition: KeyAttribute['type'], sort?: KeyAttribute['type']) => ({
  partition: { name: 'pk', type: partition },
  sort: sort === undefined ? undefined : { name: 'sk', type: sort },
})

test('numbers of the same value are one key, however they are given', () => {
  const keys = [1, 1n, new NumberValue('1.0'), new NumberValue('+10e-1')].map((pk) => itemKey({ pk }, schema('N')))
  assert.deepStrictEqual(new Set(keys), new Set(['1']))
  assert.strictEqual(itemKey({ pk: -0 }, schema('N')), itemKey({ pk: 0 }, schema('N')))
  assert.notStrictEqual(itemKey({ pk: 1 }, schema('N')), itemKey({ pk: -1 }, schema('N')))
})

test('strings are keys as they stand', () => {
  assert.notStrictEqual(itemKey({ pk: '1' }, schema('S')), itemKey({ pk: '1.0' }, schema('S')))
  assert.notStrictEqual(itemKey({ pk: 'é' }, schema('S')), itemKey({ pk: 'e\u0301' }, schema('S')))
})

test('bytes are keys by content, whatever view they come in', () => {
  const bytes = new Uint8Array([9, 1, 2, 9])
  assert.strictEqual(
    itemKey({ pk: bytes.subarray(1, 3) }, schema('B')),
    itemKey({ pk: Buffer.from([1, 2]) }, schema('B')),
  )
})

test('two keys are one text only when they are the same', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', ':', '1', '2'), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(part, part, part, part, (pk, sk, otherPk, otherSk) => {
      const same = pk === otherPk && sk === otherSk
      const keys = schema('S', 'S')
      assert.strictEqual(itemKey({ pk, sk }, keys) === itemKey({ pk: otherPk, sk: otherSk }, keys), same)
    }),
    { numRuns: 2000 },
  )
})

test('a key attribute that is missing, of another type, empty, too long or out of range is refused by name', () => {
  const refuses = (item: object, keys: ReturnType<typeof schema>, message: string | RegExp) =>
    assert.throws(
      () => itemKey(item, keys),
      (error: unknown) => {
        assert.ok(error instanceof ItemError)
        if (typeof message === 'string') assert.strictEqual(error.message, message)
        else assert.match(error.message, message)
        return true
      },
    )
  refuses({}, schema('S'), 'the item has no "pk", which is part of the table\'s key')
  refuses({ pk: 'a' }, schema('S', 'N'), 'the item has no "sk", which is part of the table\'s key')
  refuses({ pk: 1 }, schema('S'), 'pk: the key attribute must be of type S, not N')
  refuses({ pk: '1' }, schema('N'), 'pk: the key attribute must be of type N, not S')
  refuses({ pk: null }, schema('S'), /must be of type S, not NULL/)
  refuses({ pk: ['a'] }, schema('B'), /must be of type B, not L/)
  refuses({ pk: Number.NaN }, schema('N'), 'pk: NaN is not a number that DynamoDB can store')
  refuses({ pk: 10n ** 39n + 1n }, schema('N'), /^pk: .*40 significant digits/)
  refuses({ pk: '' }, schema('S'), 'pk: a key attribute cannot be empty')
  refuses({ pk: 'a', sk: new Uint8Array() }, schema('S', 'B'), 'sk: a key attribute cannot be empty')
  refuses({ pk: 'x'.repeat(2049) }, schema('S'), 'pk: the key attribute has 2049 bytes: DynamoDB allows at most 2048')
  refuses({ pk: 'é'.repeat(1025) }, schema('S'), /has 2050 bytes/)
  refuses(
    { pk: 'a', sk: '€'.repeat(342) },
    schema('S', 'S'),
    'sk: the key attribute has 1026 bytes: DynamoDB allows at most 1024',
  )
  assert.ok(itemKey({ pk: 'é'.repeat(1024), sk: 'x'.repeat(1024) }, schema('S', 'S')))
  // What every object inherits is no attribute.
  assert.throws(() => itemKey({}, { partition: { name: 'constructor', type: 'S' } }), /the item has no "constructor"/)
})

test('types have the letters of DynamoDB', () => {
  const types: [unknown, string][] = [
    ['a', 'S'],
    [1, 'N'],
    [1n, 'N'],
    [new NumberValue('1'), 'N'],
    [new Uint8Array(), 'B'],
    [true, 'BOOL'],
    [null, 'NULL'],
    [[], 'L'],
    [{}, 'M'],
    [new Set(['a']), 'SS'],
    [new Set([1]), 'NS'],
    [new Set([new NumberValue('1')]), 'NS'],
    [new Set([new Uint8Array()]), 'BS'],
    [undefined, 'undefined'],
    [() => 1, 'function'],
  ]
  for (const [value, letters] of types) assert.strictEqual(typeName(value), letters)
})
