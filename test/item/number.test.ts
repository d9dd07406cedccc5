import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ItemError } from '../../src/item/itemError.ts'
import {
  addNumbers,
  canonicalNumber,
  NumberValue,
  numberSizeBytes,
  numberText,
  plainNumber,
} from '../../src/item/number.ts'
import { numberTextArbitrary } from './itemArbitrary.ts'

/** `digits · 10^exponent`, the plain way: what two texts must agree on to be the same number. */
function exact(text: string): [digits: bigint, exponent: number] {
  const [mantissa, exponentText] = text.toLowerCase().split('e') as [string, string?]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  let digits = BigInt(`${whole}${fraction}`)
  let exponent = Number(exponentText ?? 0) - fraction.length
  while (digits !== 0n && digits % 10n === 0n) {
    digits /= 10n
    exponent += 1
  }
  return digits === 0n ? [0n, 0] : [digits, exponent]
}

function refuses(text: string, message: RegExp): void {
  for (const read of [canonicalNumber, plainNumber, (value: string) => new NumberValue(value)]) {
    assert.throws(
      () => read(text),
      (error: unknown) => error instanceof ItemError && message.test(error.message),
      text.slice(0, 50),
    )
  }
}

test('a canonical number is the same number, in one spelling', () => {
  fc.assert(
    fc.property(numberTextArbitrary, (text) => {
      const canonical = canonicalNumber(text)
      assert.deepStrictEqual(exact(canonical), exact(text))
      assert.match(canonical, /^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/)
      assert.strictEqual(canonicalNumber(canonical), canonical)
      assert.strictEqual(new NumberValue(text).text, canonical)
    }),
    { numRuns: 500 },
  )
})

test('spellings of one number become one', () => {
  for (const text of ['1', '1.0', '+1', '1.', '01', '10e-1', '0.1E+1', '0.10e1', '1000e-3']) {
    assert.strictEqual(canonicalNumber(text), '1')
    assert.strictEqual(plainNumber(text), 1)
  }
  for (const text of ['0', '-0', '0.0', '-0.000', '0e5', '0e99999', '.0', '000']) {
    assert.strictEqual(canonicalNumber(text), '0')
    assert.ok(Object.is(plainNumber(text), 0), text)
  }
  assert.strictEqual(canonicalNumber('0042.1200'), '42.12')
  assert.strictEqual(canonicalNumber('-.5'), '-0.5')
})

test('a plain number is exactly the number: a double where that holds it, else bigint or NumberValue', () => {
  fc.assert(
    fc.property(numberTextArbitrary, (text) => {
      const plain = plainNumber(text)
      if (typeof plain === 'number') {
        assert.deepStrictEqual(exact(`${plain}`), exact(text))
      } else {
        assert.strictEqual(canonicalNumber(`${plain}`), canonicalNumber(text))
        assert.notDeepStrictEqual(exact(`${Number(text)}`), exact(text))
        assert.strictEqual(typeof plain === 'bigint', exact(text)[1] >= 0)
      }
    }),
    { numRuns: 500 },
  )
})

test('any double that DynamoDB holds comes back as it was', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e125, max: 1e125 }), (value) => {
      fc.pre(value === 0 || Math.abs(value) >= 1e-130)
      assert.strictEqual(plainNumber(numberText(value)), value === 0 ? 0 : value)
    }),
    { numRuns: 1000 },
  )
  assert.strictEqual(numberText(0.1 + 0.2), '0.30000000000000004')
  assert.strictEqual(numberText(-0), '0')
  assert.strictEqual(numberText(1e21), '1000000000000000000000')
  assert.strictEqual(numberText(1e-7), '0.0000001')
})

test('38 digits are held, 39 refused; the range ends at 1E-130 and below 1E126', () => {
  assert.strictEqual(plainNumber('9'.repeat(38)), 10n ** 38n - 1n)
  refuses('9'.repeat(39), /9{39} has 39 significant digits: DynamoDB stores at most 38/)
  refuses(`0.${'1'.repeat(39)}`, /has 39 significant digits/)
  assert.strictEqual(plainNumber(`${'1'.repeat(38)}000`), BigInt('1'.repeat(38)) * 1000n)
  assert.strictEqual(plainNumber('1E125'), 1e125)
  assert.strictEqual(canonicalNumber(`${'9'.repeat(38)}e88`), `${'9'.repeat(38)}${'0'.repeat(88)}`)
  assert.strictEqual(plainNumber('1e-130'), 1e-130)
  for (const text of ['1E126', '-1E126', '10e125', '9.9e-131', '1e-131', '1e400', '1e-400', `1e${'9'.repeat(400)}`]) {
    refuses(text, /is outside DynamoDB's range/)
  }
  for (const value of [NaN, Infinity, -Infinity])
    assert.throws(() => numberText(value), /is not a number that DynamoDB/)
  assert.throws(() => numberText(Number.MAX_VALUE), /outside DynamoDB's range/)
  assert.throws(() => numberText(Number.MIN_VALUE), /outside DynamoDB's range/)
})

test('what is no number is refused, and never NaN or Infinity', () => {
  for (const text of [
    '',
    ' ',
    '0x10',
    ' 1',
    '1 ',
    '1\n',
    'abc',
    '-',
    '+',
    '.',
    '-.',
    'e5',
    '1e',
    '1e+',
    '1.2.3',
    '--1',
    '1_000',
    'NaN',
    'Infinity',
    '١',
  ]) {
    refuses(text, /^".*" is not a number$/s)
  }
})

test('a hostile text takes no longer than its length', () => {
  const zeros = '0'.repeat(2_000_000)
  const before = performance.now()
  assert.strictEqual(canonicalNumber(`${zeros}1.5${zeros}`), '1.5')
  assert.strictEqual(canonicalNumber(`0.${zeros}`), '0')
  refuses(`${zeros}x`, /is not a number/)
  refuses(`1${zeros}1`, /significant digits/)
  refuses(`0.${zeros}1`, /outside DynamoDB's range/)
  assert.strictEqual(canonicalNumber(`0.${zeros}1e2000001`), '1')
  // A quadratic search would take minutes.
  assert.ok(performance.now() - before < 5_000)
})

test('sums are exact', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.integer({ min: -60, max: 60 }),
      (left, right, exponent) => {
        assert.strictEqual(
          addNumbers(`${left}e${exponent}`, `${right}e${exponent}`),
          canonicalNumber(`${left + right}e${exponent}`),
        )
      },
    ),
  )
  assert.strictEqual(addNumbers('0.1', '0.2'), '0.3')
  assert.strictEqual(addNumbers('1e37', '-0.0'), `1${'0'.repeat(37)}`)
  assert.strictEqual(addNumbers('-1.50', '1.5'), '0')
  assert.throws(() => addNumbers('1e38', '1'), /39 significant digits/)
  assert.throws(() => addNumbers('1e125', '1e-130'), /256 significant digits/)
  assert.throws(() => addNumbers('9.5e125', '9.5e125'), /range/)
  assert.throws(() => addNumbers('1e999999999', '1'), /range/)
  assert.throws(() => addNumbers('1', 'x'), /"x" is not a number/)
})

test('the size of a number: a byte, one for each two digits on either side of the point, one for a sign', () => {
  const sizes: [string, number][] = [
    ['0', 1],
    ['1', 2],
    ['-1', 3],
    ['12', 2],
    ['123', 3],
    ['100', 2],
    ['1.5', 3],
    ['12.34', 3],
    ['0.05', 2],
    ['-0.125', 4],
    ['9'.repeat(38), 20],
  ]
  for (const [text, bytes] of sizes) assert.strictEqual(numberSizeBytes(text), bytes, text)
})

test('a NumberValue shows its text', () => {
  const value = new NumberValue('0.12345678901234567890123')
  assert.strictEqual(`${value}`, '0.12345678901234567890123')
  assert.strictEqual(JSON.stringify({ value }), '{"value":"0.12345678901234567890123"}')
})

test('the largest number there is is read, although the nearest double lies outside of the range', () => {
  const largest = `${'9'.repeat(38)}${'0'.repeat(88)}`
  assert.strictEqual(plainNumber(largest), BigInt(largest))
  assert.strictEqual(plainNumber(`-${largest}`), -BigInt(largest))
})

test('a number with more digits than JavaScript has is text where text is wanted, and refuses to be calculated with', () => {
  const value = new NumberValue('12345678901234567890.123') as unknown as number
  assert.equal(`${value}`, '12345678901234567890.123')
  assert.equal(String(value), '12345678901234567890.123')
  for (const calculate of [() => value * 2, () => value + 1, () => value > 1, () => -value])
    assert.throws(calculate, /has more digits than JavaScript calculates with: use Number\(value\.text\)/)
})
