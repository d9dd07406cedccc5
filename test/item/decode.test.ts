import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { SHAPES } from '../../bench/shapes.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import {
  type AttributeSpans,
  decodeItem,
  decodeItemText,
  decodeValue,
  ItemDecoder,
  UnexpectedText,
} from '../../src/item/decode.ts'
import { ItemEncoder } from '../../src/item/encode.ts'
import { ItemError } from '../../src/item/itemError.ts'
import { NumberValue } from '../../src/item/number.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { asRead, itemArbitrary } from './itemArbitrary.ts'

const encode = (item: PlainItem) => new ItemEncoder().encode(item)

function refuses(text: string, message: string | RegExp): void {
  assert.throws(
    () => decodeItemText(text),
    (error: unknown) => {
      assert.ok(error instanceof ItemError, `${error}`)
      if (typeof message === 'string') assert.strictEqual(error.message, message)
      else assert.match(error.message, message)
      return true
    },
    text.slice(0, 100),
  )
}

/** What the text means when it is read the plain way; undefined when it means nothing. */
function meaning(text: string): unknown {
  try {
    return decodeItem(parseJson(text))
  } catch {
    return undefined
  }
}

/** What a decoder that knows such items makes of the text; undefined when it refuses it as it should. */
function decoded(decoder: ItemDecoder, text: string): unknown {
  try {
    return decoder.decodeText(text)
  } catch (error) {
    assert.ok(error instanceof ItemError, `${error}`)
    return undefined
  }
}

test('pages of mixed items are read as JSON.parse reads them, by one decoder', () => {
  const decoder = new ItemDecoder()
  fc.assert(
    fc.property(fc.array(itemArbitrary, { maxLength: 6 }), fc.boolean(), (items, twice) => {
      const all = twice ? [...items, ...items] : items
      const encodable = all.filter((item) => !/\\/.test(Object.keys(flatNames(item)).join('')))
      const texts = encodable.map(encode)
      const page = `{"Items":[${texts.join(',')}],"Count":1}`
      const read: PlainItem[] = []
      try {
        decoder.open(page, '{"Items":['.length)
        decoder.readItems((item) => read.push(item))
      } catch (error) {
        // Names with escapes are left to JSON.parse.
        assert.ok(error instanceof UnexpectedText)
        assert.match(page, /\\/)
        return
      } finally {
        decoder.close()
      }
      assert.deepStrictEqual(read, encodable.map(asRead))
    }),
    { numRuns: 300 },
  )
})

function flatNames(value: unknown): { [name: string]: true } {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array || value instanceof Set) return {}
  const names: { [name: string]: true } = {}
  for (const [name, member] of Object.entries(value))
    Object.assign(names, { [JSON.stringify(name).slice(1, -1)]: true }, flatNames(member))
  return names
}

test('one decoder reads one text after another', () => {
  const decoder = new ItemDecoder()
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      assert.deepStrictEqual(decoder.decodeText(encode(item)), asRead(item))
    }),
    { numRuns: 300 },
  )
})

test('more attributes than are learnt are read all the same, and so are names that are data', () => {
  const decoder = new ItemDecoder()
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`name${index}`, index]))
  assert.deepStrictEqual(decoder.decodeText(encode(many)), many)
  assert.deepStrictEqual(decoder.decodeText(encode(many)), many)
  for (let round = 0; round < 3; round += 1) {
    const dictionary = {
      map: Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`${round}-${index}`, [round]])),
    }
    assert.deepStrictEqual(decoder.decodeText(encode(dictionary)), dictionary)
  }
})

test('a decoder holds no more of names that are data than it has use for', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const decoder = new ItemDecoder()
  const decodeDictionaries = (from: number, to: number): void => {
    for (let item = from; item < to; item += 1) {
      const map = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`name ${item} ${index}`, [index]]))
      assert.deepStrictEqual(decoder.decodeText(encode({ pk: 'a', map, end: true })), { pk: 'a', map, end: true })
    }
  }
  decodeDictionaries(0, 2_000)
  collectGarbage()
  const heapBytesBefore = process.memoryUsage().heapUsed
  decodeDictionaries(2_000, 30_000)
  collectGarbage()
  const grownMegabytes = (process.memoryUsage().heapUsed - heapBytesBefore) / 1_048_576
  assert.ok(grownMegabytes < 10, `grown by ${grownMegabytes.toFixed(1)} MB`)
})

test('items of several kinds in any order cost little more than the same, one kind after another', () => {
  const textsOf = (shape: 'kinds-apart' | 'kinds-mixed'): string[] =>
    Array.from({ length: 27_000 }, (_, index) => encode(SHAPES[shape].make(index)))
  const [apart, mixed] = [textsOf('kinds-apart'), textsOf('kinds-mixed')]
  const cpuMicros = (texts: readonly string[]): number => {
    const decoder = new ItemDecoder()
    const before = process.cpuUsage()
    decoder.open(`${texts.join(',')}]`)
    decoder.readItems(() => undefined)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const rounds = Array.from({ length: 7 }, () => ({ apart: cpuMicros(apart), mixed: cpuMicros(mixed) }))
  const least = (times: readonly number[]): number => Math.min(...times)
  const ratio = least(rounds.map((round) => round.mixed)) / least(rounds.map((round) => round.apart))
  assert.ok(ratio < 1.4, `${ratio.toFixed(2)} of it`)
})

test('blanks, escapes and any order are JSON, too', () => {
  const item = { pk: 'a/b', n: 1, list: [true, null], set: new Set(['x']), map: { y: new Uint8Array([1]) }, e: {} }
  const pretty = JSON.stringify(parseJson(encode(item)), null, 2)
  assert.deepStrictEqual(decodeItemText(pretty), item)
  assert.deepStrictEqual(decodeItemText(` ${encode(item)}\n`), item)
  assert.deepStrictEqual(decodeItemText('{"\\u0070k":{"\\u0053":"\\u0041\\/\\ud83d\\ude00"}}'), { pk: 'A/😀' })
  assert.deepStrictEqual(decodeItemText('{"a":{"S":"\\"\\\\"},"b":{"S":"plain"},"c":{"S":"\\\\"}}'), {
    a: '"\\',
    b: 'plain',
    c: '\\',
  })
  assert.deepStrictEqual(decodeItemText('{}'), {})
  assert.deepStrictEqual(decodeItemText('{"a":{"S":"1"},"a":{"S":"2"}}'), { a: '2' })
})

test('numbers are checked: what is none is refused with its attribute, in any place', () => {
  for (const number of [
    '',
    '0x10',
    ' 1',
    '1 ',
    'abc',
    '1e400',
    '9'.repeat(39),
    '-',
    'NaN',
    '1,5',
    '123456789012345678x',
  ]) {
    const content = JSON.stringify(number)
    const why = /is not a number|outside DynamoDB's range|39 significant digits/
    for (const [text, path] of [
      [`{"a":{"N":${content}}}`, 'a'],
      [`{"a":{"S":"x"},"m":{"M":{"n":{"N":${content}}}}}`, 'm.n'],
      [`{"a":{"L":[{"N":"1"},{"N":${content}}]}}`, 'a[1]'],
      [`{"a":{"NS":["1",${content}]}}`, 'a'],
    ] as const) {
      refuses(text, why)
      assert.throws(() => decodeItem(parseJson(text)), { name: 'ItemError', path })
      assert.throws(() => decodeItemText(text), { path })
    }
  }
  assert.deepStrictEqual(decodeItemText('{"a":{"N":"-0"},"b":{"N":"007"},"c":{"N":"1.50"},"d":{"N":"1e2"}}'), {
    a: 0,
    b: 7,
    c: 1.5,
    d: 100,
  })
})

test('numbers keep every digit', () => {
  const texts = [
    '9007199254740993',
    '0.30000000000000004',
    '0.1234567890123456789',
    '9'.repeat(38),
    '123456789012345',
    '1234567890123456',
  ]
  const item = decodeItemText(`{${texts.map((text, index) => `"n${index}":{"N":"${text}"}`).join(',')}}`)
  assert.deepStrictEqual(Object.values(item), [
    9007199254740993n,
    0.1 + 0.2,
    new NumberValue('0.1234567890123456789'),
    10n ** 38n - 1n,
    123456789012345,
    1234567890123456,
  ])
})

test('what is no AttributeValue is refused with its path', () => {
  refuses('{"a":1}', 'a: not an AttributeValue such as {"S":"text"}')
  refuses('{"a":{"b":{"S":"x"}}}', 'a: not an AttributeValue: {"b":{…}}')
  refuses('{"a":{"S":"x","N":"1"}}', 'a: not an AttributeValue such as {"S":"text"}')
  refuses('{"a":{"S":1}}', 'a: not an AttributeValue: {"S":1}')
  refuses('{"a":{"N":1}}', 'a: a number must be a string, as in {"N":"1"}')
  refuses('{"a":{"NULL":false}}', 'a: not an AttributeValue: {"NULL":false}')
  refuses('{"a":{"BOOL":"true"}}', 'a: not an AttributeValue: {"BOOL":"true"}')
  refuses('{"a":{"B":"a"}}', 'a: binary must be a base64 string')
  refuses('{"a":{"B":"-_=="}}', 'a: binary must be a base64 string')
  refuses('{"a":{"B":"AA=A"}}', 'a: binary must be a base64 string')
  refuses('{"a":{"M":[]}}', 'a: not an AttributeValue: {"M":[]}')
  refuses('{"a":{"M":{"b":{"L":{}}}}}', 'a.b: not an AttributeValue: {"L":{…}}')
  refuses('{"a":{"L":[{"S":"x"},{}]}}', 'a[1]: not an AttributeValue such as {"S":"text"}')
  refuses('{"a":{"SS":[]}}', 'a: an empty set cannot be stored')
  refuses('{"a":{"SS":["x","x"]}}', 'a: the set contains an element twice')
  refuses('{"a":{"NS":["1","1.0"]}}', 'a: the set contains an element twice')
  refuses('{"a":{"NS":[1]}}', 'a: elements of NS must be strings, not 1')
  refuses('{"a":{"SS":[["x"]]}}', 'a: elements of SS must be strings, not […]')
  refuses('[]', 'an item must be an object of attributes')
  refuses('null', 'an item must be an object of attributes')
  refuses(`{"a":{"S":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, 'a: not an AttributeValue: {"S":[…]}')
  assert.throws(() => decodeValue({ X: 1 }, 1, 'p'), { message: 'p: not an AttributeValue: {"X":1}' })
})

test('what is not JSON is refused with its column', () => {
  refuses('{"a":{"S":"x"}', 'not valid JSON: expected "," or "}" at column 15, but the text ends')
  refuses('{"a":{"S":"x}}', 'not valid JSON: the text ends inside the string that starts at column 11')
  refuses('{"a":{"S":"x"},}', 'not valid JSON: expected a name in double quotes at column 16, not "}"')
  refuses('{"a":{"S":"x"}}}', 'not valid JSON: expected the end of the text at column 16, not "}"')
  refuses('{"a":{"S":"x\u0001"}}', /^not valid JSON: the string that starts at column 11 contains a control character/)
  refuses('{"a":{"S":"\\x"}}', /^not valid JSON: the string that starts at column 11 .* invalid escape/)
  refuses('', 'not valid JSON: expected a value at column 1, but the text ends')
  refuses(`${'{"a":{"M":'.repeat(40)}`, 'not valid JSON: expected a value at column 401, but the text ends')
})

test('32 levels are read, and more refused by the path, however deep', () => {
  // The attribute is level 1.
  const nested = (levels: number, leaf = '{"L":[]}') =>
    `{"a":${'{"L":['.repeat(levels - 1)}${leaf}${']}'.repeat(levels - 1)}}`
  for (const leaf of ['{"L":[]}', '{"M":{}}', '{"S":"x"}', '{"NS":["1"]}']) {
    assert.strictEqual(encode(decodeItemText(nested(32, leaf))), nested(32, leaf))
    refuses(nested(33, leaf), `a${'[0]'.repeat(32)}: nested deeper than 32 levels`)
  }
  refuses(nested(10_000), /nested deeper than 32 levels/)
  refuses('{"a":{"M":'.repeat(10_000), /nested deeper than 32 levels/)
  refuses('{"a":{"M":'.repeat(1_000_000), /nested deeper than 32 levels/)
})

test('__proto__, constructor and toString are attributes like any other, and no prototype is touched', () => {
  const before = Object.getOwnPropertyNames(Object.prototype)
  const inner = '{"M":{"__proto__":{"M":{"polluted":{"BOOL":true}}},"constructor":{"M":{"prototype":{"S":"x"}}}}}'
  const text = `{"__proto__":${inner},"toString":{"S":"y"},"constructor":${inner},"list":{"L":[${inner}]}}`
  for (const item of [decodeItemText(text), decodeItemText(` ${text}`), decodeItem(parseJson(text))]) {
    assert.strictEqual(Object.getPrototypeOf(item), Object.prototype)
    assert.deepStrictEqual(Object.keys(item), ['__proto__', 'toString', 'constructor', 'list'])
    const proto = Object.getOwnPropertyDescriptor(item, '__proto__')?.value
    assert.deepStrictEqual(Object.keys(proto), ['__proto__', 'constructor'])
    assert.strictEqual(Object.getPrototypeOf(proto), Object.prototype)
    assert.strictEqual(encode(item), text)
  }
  assert.strictEqual('polluted' in {}, false)
  assert.deepStrictEqual(Object.getOwnPropertyNames(Object.prototype), before)
})

test('an item that is cut anywhere is refused', () => {
  const decoder = new ItemDecoder()
  fc.assert(
    fc.property(itemArbitrary, (item) => {
      const text = encode(item)
      decoder.decodeText(text)
      for (let length = 0; length < text.length; length += 1) {
        assert.strictEqual(decoded(decoder, text.slice(0, length)), undefined)
        decoder.open(text.slice(0, length))
        assert.throws(() => decoder.readItem(), UnexpectedText)
      }
    }),
    { numRuns: 60 },
  )
})

test('an item with any character changed, left out or put in is never read as what it is not', () => {
  const decoder = new ItemDecoder()
  const letters = [...'"\\{}[],:0159-.eESNBML tfu+/=', '\n', 'é']
  fc.assert(
    fc.property(
      itemArbitrary,
      fc.nat(),
      fc.constantFrom('', ...letters),
      fc.boolean(),
      (item, seed, letter, replaces) => {
        const text = encode(item)
        decoder.decodeText(text)
        const at = seed % text.length
        const changed = text.slice(0, at) + letter + text.slice(at + (replaces ? 1 : 0))
        assert.deepStrictEqual(decoded(decoder, changed), meaning(changed), changed)
      },
    ),
    { numRuns: 5000 },
  )
})

test('the spans say where each attribute of each item stands', () => {
  const decoder = new ItemDecoder()
  const items: PlainItem[] = [{ a: 'x', m: { a: 1 } }, {}, { a: 'yy', list: [1, 2] }, { m: { a: 1 }, a: 'z' }]
  const text = `[${items.map(encode).join(',')}]`
  for (let round = 0; round < 2; round += 1) {
    const spans: AttributeSpans = { itemStarts: [], names: [], starts: [], ends: [] }
    decoder.open(text, 1)
    decoder.record(spans)
    decoder.readItems(() => {})
    assert.strictEqual(decoder.position, text.length)
    decoder.close()
    const attributes = spans.names.map(
      (name, index) => `"${name}":${text.slice(spans.starts[index], spans.ends[index])}`,
    )
    const bounds = [...spans.itemStarts, attributes.length]
    assert.deepStrictEqual(
      items.map((_, index) => `{${attributes.slice(bounds[index], bounds[index + 1]).join(',')}}`),
      items.map(encode),
    )
  }
})

test('binary of several megabytes is read', () => {
  const bytes = new Uint8Array(6_000_000).fill(7)
  const text = `{"b":{"B":"${Buffer.from(bytes).toString('base64')}"}}`
  const { b } = decodeItemText(text)
  assert.ok(b.constructor === Uint8Array && b.length === bytes.length && b[5_999_999] === 7)
  refuses(text.replace(/B"}}$/, '-"}}').replace(/.{5}"}}$/, '*CwcH"}}'), 'b: binary must be a base64 string')
})
