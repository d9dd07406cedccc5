import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ItemError } from '../../src/item/itemError.ts'
import { NumberValue } from '../../src/item/number.ts'
import { parsePlainJson } from '../../src/item/plainJson.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'

/** Sends any text the exact road: one number among its siblings that a double cannot hold. */
const RISK = '12345678901234567890123'
const exactRoad = (text: string) => (parsePlainJson(`[${RISK},${text}]`) as unknown[])[1]

function refuses(text: string, message: RegExp): void {
  assert.throws(
    () => parsePlainJson(text),
    (error: unknown) => error instanceof ItemError && message.test(error.message),
    text.slice(0, 100),
  )
}

test('both roads read any JSON that a double can hold as JSON.parse does', () => {
  const json = fc.json({ maxDepth: 5 }).filter((text) => {
    const range = (value: unknown): boolean =>
      typeof value === 'number'
        ? value === 0 || (Math.abs(value) < 1e126 && Math.abs(value) > 1e-130)
        : typeof value !== 'object' || value === null || Object.values(value).every(range)
    return range(parseJson(text))
  })
  fc.assert(
    fc.property(json, (text) => {
      const expected = parseJson(text)
      assert.deepStrictEqual(parsePlainJson(text), expected)
      assert.deepStrictEqual(exactRoad(text), expected)
    }),
    { numRuns: 500 },
  )
})

test('text that JSON.parse refuses is refused with its column, and text that it takes is taken', () => {
  const mutated = fc
    .tuple(
      fc.json({ maxDepth: 3, noUnicodeString: false }),
      fc.nat(),
      fc.constantFrom('', '"', '{', ']', ',', '\\', '0', 'e', '\n', 'x'),
    )
    .map(([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1))
  fc.assert(
    fc.property(mutated, (text) => {
      let valid = true
      try {
        parseJson(text)
      } catch {
        valid = false
      }
      for (const parse of [parsePlainJson, exactRoad]) {
        try {
          parse(text)
          // `1],[2` is no JSON, yet is within brackets.
          if (parse === parsePlainJson) assert.ok(valid, text)
        } catch (error) {
          assert.ok(error instanceof ItemError)
          if (valid) assert.match(error.message, /outside DynamoDB's range|significant digits/)
          else assert.match(error.message, /not valid JSON: .*column \d+|outside|significant digits|nested deeper/)
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('a number keeps every digit: a double where that holds it, else bigint or NumberValue', () => {
  const parsed = parsePlainJson(
    '{"a":9007199254740993,"b":0.1234567890123456789,"c":12345678901234567890123456789012345678,"d":1.5,"e":-0.30000000000000004,"f":1700000000.123456}',
  ) as Record<string, unknown>
  assert.strictEqual(parsed['a'], 9007199254740993n)
  assert.ok(parsed['b'] instanceof NumberValue)
  assert.strictEqual(`${parsed['b']}`, '0.1234567890123456789')
  assert.strictEqual(parsed['c'], 12345678901234567890123456789012345678n)
  assert.strictEqual(parsed['d'], 1.5)
  assert.strictEqual(parsed['e'], -0.30000000000000004)
  assert.strictEqual(parsed['f'], 1700000000.123456)
})

test('an exponent is exact, too', () => {
  assert.strictEqual(parsePlainJson('1e2'), 100)
  assert.strictEqual(parsePlainJson('1.25E-3'), 0.00125)
  assert.strictEqual(parsePlainJson('1e+020'), 1e20)
  assert.ok(Array.isArray(parsePlainJson('[1e125]')))
})

test('numbers beyond what DynamoDB holds are named, with the attribute they stand in', () => {
  refuses('{"a":{"b":[1,1e400]}}', /^a\.b\[1\]: .*1e400.*range/)
  refuses('[1e-400]', /1e-400.*range/)
  refuses('[1e126]', /1e126.*range/)
  refuses(`{"n":${'1'.repeat(39)}}`, /^n: .*1{39} has 39 significant digits/)
})

test('digit runs inside of strings do no harm', () => {
  const text = '{"id":"12345678901234567890123","hash":", 4e1234","n":3}'
  assert.deepStrictEqual(parsePlainJson(text), parseJson(text))
})

test('__proto__ and constructor are attributes like any other, on both roads', () => {
  for (const text of ['{"__proto__":{"a":1},"constructor":2}', `{"__proto__":{"a":1},"constructor":2,"n":${RISK}}`]) {
    const parsed = parsePlainJson(text) as object
    assert.strictEqual(Object.getPrototypeOf(parsed), Object.prototype)
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(parsed, '__proto__')?.value, { a: 1 })
    assert.ok(Object.hasOwn(parsed, 'constructor'))
  }
})

test('32 levels below the item are taken, one more is refused by name, and so are ten thousand or millions', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
  assert.ok(parsePlainJson(nested(32)))
  refuses(nested(33), /nested deeper than 32 levels/)
  // A leaf within is a level of its own.
  const leaf = (levels: number) => nested(levels).replace('[]', '[1]')
  assert.ok(parsePlainJson(leaf(31)))
  refuses(leaf(32), /nested deeper than 32 levels \(at column 38\)/)
  refuses(nested(10_000), /nested deeper than 32 levels/)
  refuses('{"a":'.repeat(10_000), /nested deeper than 32 levels/)
  refuses('['.repeat(4_000_000), /nested deeper than 32 levels/)
})

test('many brackets side by side are not depth, nor are brackets in strings', () => {
  const wide = JSON.stringify({ a: Array.from({ length: 100 }, () => [{}]), b: '[{"\\'.repeat(50) })
  assert.deepStrictEqual(parsePlainJson(wide), parseJson(wide))
})

test('a syntax error says what stands where and what should', () => {
  refuses('{"a":1,}', /expected a name in double quotes at column 8, not "}"/)
  refuses('{"a" 1}', /expected ":" at column 6, not "1"/)
  refuses('{"a":tru}', /expected a value at column 6, not "t"/)
  refuses('{"a":1', /expected "," or "}" at column 7, but the text ends/)
  refuses('{"a":"x', /ends inside the string that starts at column 6/)
  refuses('{"a":"\u0001"}', /control character/)
  refuses('{} {}', /expected the end of the text at column 4, not "\{"/)
  refuses('', /at column 1, but the text ends/)
})
