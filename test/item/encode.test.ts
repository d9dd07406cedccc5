import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { decodeItem, decodeItemText } from '../../src/item/decode.ts'
import { ItemEncoder } from '../../src/item/encode.ts'
import { ItemError } from '../../src/item/itemError.ts'
import { canonicalNumber, NumberValue, numberSizeBytes } from '../../src/item/number.ts'
import { Utf8Writer } from '../../src/item/utf8Writer.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { asRead, itemArbitrary, valueArbitrary } from './itemArbitrary.ts'

const encode = (item: unknown) => new ItemEncoder().encode(item as object)

function refuses(item: unknown, message: string | RegExp): void {
  assert.throws(
    () => encode(item),
    (error: unknown) => {
      assert.ok(error instanceof ItemError, `${error}`)
      if (typeof message === 'string') assert.strictEqual(error.message, message)
      else assert.match(error.message, message)
      return true
    },
  )
}

test('any item comes back as it was, read as text or as AttributeValues, and is then encoded the same', () => {
  // One encoder for all, so that what it learns of one item is put to the test by the next.
  const encoder = new ItemEncoder()
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      const text = encoder.encode(item)
      assert.strictEqual(text, encode(item))
      const read = decodeItemText(text)
      assert.deepStrictEqual(read, asRead(item))
      assert.deepStrictEqual(decodeItem(parseJson(text)), read)
      assert.strictEqual(encode(read), text)
    }),
    { numRuns: 500 },
  )
})

/** The AttributeValue of a value as the API reference defines it, and its bytes as the developer guide counts them. */
function definition(value: unknown): [attributeValue: { [type: string]: unknown }, bytes: number] {
  if (typeof value === 'string') return [{ S: value }, Buffer.byteLength(value)]
  if (typeof value === 'boolean') return [{ BOOL: value }, 1]
  if (value === null) return [{ NULL: true }, 1]
  if (value instanceof Uint8Array) return [{ B: Buffer.from(value).toString('base64') }, value.length]
  if (Array.isArray(value)) {
    const elements = value.map(definition)
    return [{ L: elements.map(([element]) => element) }, elements.reduce((sum, [, bytes]) => sum + bytes + 1, 3)]
  }
  if (value instanceof Set) {
    const elements = [...value].map(definition)
    const type = Object.keys(elements[0]![0])[0]!
    return [
      { [`${type}S`]: elements.map(([element]) => element[type]) },
      elements.reduce((sum, [, bytes]) => sum + bytes, 0),
    ]
  }
  if (typeof value === 'object' && !(value instanceof NumberValue)) {
    const [attributes, bytes] = attributesOf(value)
    return [{ M: attributes }, bytes + 3 + Object.keys(attributes).length]
  }
  const text = canonicalNumber(`${value}`)
  return [{ N: text }, numberSizeBytes(text)]
}

function attributesOf(item: object): [attributes: { [name: string]: unknown }, bytes: number] {
  const entries = Object.entries(item).map(([name, value]) => [name, definition(value)] as const)
  const bytes = entries.reduce((sum, [name, [, valueBytes]]) => sum + Buffer.byteLength(name) + valueBytes, 0)
  return [Object.fromEntries(entries.map(([name, [attributeValue]]) => [name, attributeValue])), bytes]
}

test('text and bytes are what the definition says, however small the memory is that they begin in, and so is the size', () => {
  const encoder = new ItemEncoder('[', ']')
  fc.assert(
    fc.property(itemArbitrary, fc.integer({ min: 0, max: 400 }), fc.boolean(), (item, bytes, repeats) => {
      // Long enough for what is copied as a whole rather than character by character.
      const written = repeats
        ? { ...item, long: 'x'.repeat(bytes), wide: '€'.repeat(bytes), quoted: '"'.repeat(bytes) }
        : item
      const [attributes, sizeBytes] = attributesOf(written)
      const text = `[${JSON.stringify(attributes)}]`
      assert.strictEqual(encoder.encode(written), text)
      assert.strictEqual(encoder.sizeBytes, sizeBytes)
      const writer = new Utf8Writer(bytes)
      encoder.write(written, writer)
      assert.strictEqual(writer.buffer.toString('utf8', writer.start, writer.end), text)
      assert.strictEqual(encoder.sizeBytes, sizeBytes)
    }),
    { numRuns: 1_000 },
  )
})

test('an item whose getter encodes another, of any length, is encoded', () => {
  const long = { long: 'x'.repeat(300_000) }
  const item = {
    before: 1,
    get inner() {
      return encode(long).length
    },
    after: 2,
  }
  const bytes = '{"long":{"S":""}}'.length + 300_000
  assert.strictEqual(encode(item), `{"before":{"N":"1"},"inner":{"N":"${bytes}"},"after":{"N":"2"}}`)
})

test('the ascii flag tells whether characters are bytes', () => {
  const encoder = new ItemEncoder()
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      const text = encoder.encode(item)
      assert.strictEqual(encoder.ascii, Buffer.byteLength(text) === text.length)
    }),
    { numRuns: 500 },
  )
  encoder.encode({ pk: 'a', é: 1 })
  assert.strictEqual(encoder.ascii, false)
  encoder.encode({ pk: 'a' })
  assert.strictEqual(encoder.ascii, true)
})

test('a value alone is encoded as in an item, and its size is the item less the name', () => {
  const encoder = new ItemEncoder()
  fc.assert(
    fc.property(valueArbitrary, (value) => {
      const whole = encoder.encode({ abc: value })
      const bytes = encoder.sizeBytes
      const text = encoder.encodeValue(value)
      assert.strictEqual(whole, `{"abc":${text}}`)
      assert.strictEqual(encoder.sizeBytes, bytes - 3)
    }),
  )
})

test('each type has its letters', () => {
  assert.strictEqual(
    encode({
      s: 'a"\\\n€',
      n: -1.5,
      i: 12345678901234567890n,
      d: new NumberValue('1.00'),
      b: new Uint8Array([1, 2, 3]),
      buffer: Buffer.from('hi'),
      t: true,
      f: false,
      z: null,
      l: [1, 'a', []],
      m: { x: {} },
      ss: new Set(['a', 'é']),
      ns: new Set([1, 2n, new NumberValue('0.5')]),
      bs: new Set([new Uint8Array([255])]),
    }),
    '{"s":{"S":"a\\"\\\\\\n€"},"n":{"N":"-1.5"},"i":{"N":"12345678901234567890"},"d":{"N":"1"},"b":{"B":"AQID"},' +
      '"buffer":{"B":"aGk="},"t":{"BOOL":true},"f":{"BOOL":false},"z":{"NULL":true},"l":{"L":[{"N":"1"},{"S":"a"},{"L":[]}]},' +
      '"m":{"M":{"x":{"M":{}}}},"ss":{"SS":["a","é"]},"ns":{"NS":["1","2","0.5"]},"bs":{"BS":["/w=="]}}',
  )
  assert.strictEqual(encode({}), '{}')
  assert.strictEqual(encode(Object.assign(Object.create(null), { a: 1 })), '{"a":{"N":"1"}}')
  assert.strictEqual(encode(runInNewContext('({ a: { b: 1 } })')), '{"a":{"M":{"b":{"N":"1"}}}}')
  assert.strictEqual(encode({ part: new Uint8Array([0, 1, 2, 3]).subarray(1, 3) }), '{"part":{"B":"AQI="}}')
})

test('attributes that are undefined do not exist, whatever was learnt before', () => {
  const encoder = new ItemEncoder()
  const texts = [
    { a: undefined, b: 1, c: 2 },
    { a: 1, b: undefined, c: 2 },
    { a: 1, b: 2, c: undefined },
    { a: undefined, b: undefined, c: undefined },
    { a: { x: undefined, y: 1 }, b: 2, c: 3 },
    { a: { x: 1, y: undefined }, c: 3 },
    { c: 3, b: 2, a: 1 },
    { a: 1, b: 2, c: 3, d: 4 },
  ].map((item) => encoder.encode(item))
  assert.deepStrictEqual(texts, [
    '{"b":{"N":"1"},"c":{"N":"2"}}',
    '{"a":{"N":"1"},"c":{"N":"2"}}',
    '{"a":{"N":"1"},"b":{"N":"2"}}',
    '{}',
    '{"a":{"M":{"y":{"N":"1"}}},"b":{"N":"2"},"c":{"N":"3"}}',
    '{"a":{"M":{"x":{"N":"1"}}},"c":{"N":"3"}}',
    '{"c":{"N":"3"},"b":{"N":"2"},"a":{"N":"1"}}',
    '{"a":{"N":"1"},"b":{"N":"2"},"c":{"N":"3"},"d":{"N":"4"}}',
  ])
})

test('a thousand attributes are no matter', () => {
  const item = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`name${index}`, index]))
  const encoder = new ItemEncoder()
  const text = encoder.encode(item)
  assert.strictEqual(encoder.encode(item), text)
  assert.deepStrictEqual(decodeItemText(text), item)
})

test('__proto__, constructor and toString are attributes like any other', () => {
  const item = parseJson('{"__proto__":{"__proto__":1,"polluted":true},"constructor":{"prototype":2},"toString":"x"}')
  const text = encode(item)
  assert.strictEqual(
    text,
    '{"__proto__":{"M":{"__proto__":{"N":"1"},"polluted":{"BOOL":true}}},"constructor":{"M":{"prototype":{"N":"2"}}},"toString":{"S":"x"}}',
  )
})

test('numbers out of range or of too many digits are refused by name', () => {
  refuses({ a: { b: [1, Number.NaN] } }, 'a.b[1]: NaN is not a number that DynamoDB can store')
  refuses({ a: Infinity }, /^a: Infinity is not a number/)
  refuses({ a: 1e126 }, /^a: the number 1e\+126 is outside/)
  refuses({ a: 1e-131 }, /^a: .*outside/)
  refuses({ a: 10n ** 38n + 1n }, /^a: .*39 significant digits/)
  assert.strictEqual(encode({ a: 10n ** 40n }), `{"a":{"N":"1${'0'.repeat(40)}"}}`)
  assert.strictEqual(encode({ a: 1e125 }), `{"a":{"N":"1${'0'.repeat(125)}"}}`)
  assert.strictEqual(encode({ a: -0 }), '{"a":{"N":"0"}}')
})

test('sets are never empty, never mixed, and hold nothing twice', () => {
  refuses({ a: { s: new Set() } }, 'a.s: an empty set cannot be stored')
  refuses({ a: new Set([1, '1']) }, 'a: a set can contain only elements of one type')
  refuses({ a: new Set([1, new NumberValue('1.0')]) }, 'a: the set contains "1" twice')
  refuses({ a: new Set([1, 1n]) }, 'a: the set contains "1" twice')
  refuses({ a: new Set([new Uint8Array([1]), Buffer.from([1])]) }, 'a: the set contains "AQ==" twice')
  refuses({ a: new Set([true]) }, 'a: a set can contain only strings, numbers or byte arrays')
  refuses({ a: new Set([null]) }, 'a: a set can contain only strings, numbers or byte arrays')
  refuses({ a: new Set(['ok', '\ud800']) }, /^a: the string contains half a surrogate pair/)
})

test('32 levels are stored, and more are refused by the name of the attribute', () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown) => {
    let value: unknown = 1
    for (let level = 1; level < levels; level += 1) value = wrap(value)
    return { ok: 1, deep: value }
  }
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ m: inner })]) {
    // The attribute is level 1; 31 lists or maps around a leaf.
    assert.strictEqual((encode(nested(32, wrap)).match(/"[LM]"/g) ?? []).length, 31)
    refuses(nested(33, wrap), 'deep: nested deeper than 32 levels')
    refuses(nested(10_000, wrap), 'deep: nested deeper than 32 levels')
  }
  const cyclic: { [name: string]: unknown } = {}
  cyclic['self'] = cyclic
  refuses(cyclic, 'self: nested deeper than 32 levels')
})

test('what is no data is named, with what to give instead', () => {
  class Point {
    x = 1
    show = () => 1
  }
  refuses({ a: new Date(0) }, 'a: a Date cannot be stored: use its toISOString() or getTime()')
  refuses({ a: [new Map()] }, 'a[0]: a Map cannot be stored: use an object (Object.fromEntries)')
  refuses({ a: { b: new Point() } }, 'a.b: an instance of Point cannot be stored: use a plain object')
  refuses({ a: new WeakSet() }, /instance of WeakSet/)
  refuses({ a: new Float64Array(1) }, /instance of Float64Array/)
  refuses({ a: () => 1 }, 'a: a function cannot be stored')
  refuses({ a: Symbol('x') }, 'a: a symbol cannot be stored')
  refuses({ a: [1, undefined] }, 'a: element 1 of the list is undefined')
  refuses({ a: { '': 1 } }, 'a: an attribute has an empty name')
  refuses({ '': 1 }, 'an attribute has an empty name')
  refuses({ a: 'x\ud800y' }, /^a: the string contains half a surrogate pair/)
  refuses({ a: { '\udc00': 1 } }, /^a: an attribute name contains half a surrogate pair/)
  for (const item of [null, undefined, 1, 'text', () => 1]) refuses(item, 'an item must be an object of attributes')
  refuses([1], /instance of Array/)
  refuses(new Point(), /instance of Point/)
})

test('an error leaves the encoder as good as new', () => {
  const encoder = new ItemEncoder()
  const item = { a: 1, m: { x: 1, y: 'é' }, z: [true] }
  const text = encode(item)
  for (const bad of [
    { a: 1, m: { x: Number.NaN } },
    { a: 1, '': 2 },
    { a: 1, m: { x: 1, '\ud800': 1 } },
    { q: new Date() },
  ]) {
    assert.throws(() => encoder.encode(bad), ItemError)
    assert.strictEqual(encoder.encode(item), text)
    assert.strictEqual(encoder.sizeBytes, 1 + 2 + (1 + 3 + 1 + 1 + 2 + 1 + 1 + 2) + (1 + 3 + 1 + 1))
  }
})

test('an item over 400 KB is refused with its size', () => {
  assert.ok(encode({ a: 'x'.repeat(409_599) }))
  refuses({ a: 'x'.repeat(409_600) }, 'the item has 409601 bytes: DynamoDB stores at most 409600')
  refuses({ [`${'n'.repeat(65_536)}`]: 1 }, /an attribute name has 65536 bytes: DynamoDB allows at most 65535/)
})
