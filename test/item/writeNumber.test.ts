import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ItemError } from '../../src/item/itemError.ts'
import { numberSizeBytes, numberText } from '../../src/item/number.ts'
import { Utf8Writer } from '../../src/item/utf8Writer.ts'
import { writeNumber } from '../../src/item/writeNumber.ts'

function checks(value: number): void {
  const writer = new Utf8Writer(0)
  const sizeBytes = writeNumber(writer, value)
  const text = numberText(value)
  assert.strictEqual(writer.buffer.toString('latin1', writer.start, writer.end), text)
  assert.strictEqual(sizeBytes, numberSizeBytes(text), text)
}

test('a number is written as JavaScript writes it, and its size is that of its text', () => {
  const digits = fc
    .integer({ min: 0, max: 16 })
    .chain((length) => fc.maxSafeInteger().map((value) => value % 10 ** length))
  const decimal = fc.tuple(digits, fc.integer({ min: -3, max: 7 })).map(([value, places]) => value / 10 ** places)
  // The double beside one that three places write exactly.
  const beside = decimal.map((value) => value * (1 + Number.EPSILON))
  const double = fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e125, max: 1e125 })
    .filter((value) => value === 0 || Math.abs(value) >= 1e-130)
  fc.assert(fc.property(fc.oneof(digits, decimal, beside, double), checks), { numRuns: 20_000 })
})

test('numbers at the edges of what is written by digits', () => {
  for (const edge of [1e8, 2 ** 31, 2 ** 32, 1e14, 1e15, 2_000_000, 1_999_999.999, 1e6, 1e21]) {
    for (const value of [edge, edge - 1, edge + 1, edge + 0.5, edge * 10, edge - 0.001, edge / 1_000]) {
      checks(value)
      checks(-value)
    }
  }
  for (const value of [0, -0, 0.1 + 0.2, 0.001, 0.0005, 0.05, 29.25, 100.25, 1e125, 1e-130, 1e-7]) checks(value)
})

test('what is no number of DynamoDB is refused, and nothing is written of it', () => {
  const writer = new Utf8Writer(64)
  for (const value of [Number.NaN, Infinity, -Infinity, 1e126, 1e-131])
    assert.throws(() => writeNumber(writer, value), ItemError)
  assert.strictEqual(writer.end, 0)
})
