import fc from 'fast-check'
import type { PlainItem, PlainValue } from '../../src/item/attributeValue.ts'
import { canonicalNumber, NumberValue, plainNumber } from '../../src/item/number.ts'

/** Text as DynamoDB holds it: any Unicode, no half surrogate pairs. */
export const textArbitrary = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', 'é', '€', '😀', '}', '{"S":"'),
    maxLength: 8,
  }),
)

export const nameArbitrary = fc.oneof(
  fc.constantFrom(
    'pk',
    'sk',
    'name',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '0',
    '17',
    'é',
    'a"b',
    'S',
  ),
  textArbitrary.filter((text) => text !== ''),
)

/** A decimal within DynamoDB's range, as text in any spelling that it takes. */
export const numberTextArbitrary = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
    fc.integer({ min: 0, max: 38 }),
    fc.integer({ min: -92, max: 88 }),
  )
  .chain(([digits, keep, exponent]) => {
    const text = `${digits}`.slice(0, Math.max(1, keep))
    const point = text.length >> 1
    return fc.constantFrom(
      `${text}e${exponent}`,
      `-${text}E${exponent}`,
      `${text.slice(0, point)}.${text.slice(point)}`,
    )
  })

const numberArbitrary: fc.Arbitrary<number | bigint | NumberValue> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 0.1 + 0.2, 1e125, 1e-130, -9.5, 100, 1e21, 123456789012345, 1234567890123456),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e125, max: 1e125 })
    .map((value) => (Math.abs(value) < 1e-130 ? 0 : value)),
  fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
  numberTextArbitrary.map((text) => new NumberValue(text)),
)

const bytesArbitrary = fc.uint8Array({ maxLength: 20 })

const setArbitrary = fc.oneof(
  fc.uniqueArray(textArbitrary, { minLength: 1, maxLength: 5 }).map((elements) => new Set(elements)),
  fc
    .uniqueArray(numberArbitrary, { minLength: 1, maxLength: 5, selector: (value) => canonicalNumber(`${value}`) })
    .map((elements) => new Set(elements)),
  fc
    .uniqueArray(bytesArbitrary, { minLength: 1, maxLength: 5, selector: (bytes) => bytes.join() })
    .map((elements) => new Set(elements)),
)

const { value: valueArbitrary, map: mapArbitrary } = fc.letrec<{
  value: PlainValue
  map: PlainItem
  list: PlainValue[]
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    textArbitrary,
    numberArbitrary,
    fc.boolean(),
    fc.constant(null),
    bytesArbitrary,
    setArbitrary,
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.array(fc.tuple(nameArbitrary, tie('value')), { maxLength: 5 }).map(Object.fromEntries),
}))

export { valueArbitrary }

/** Any item of any types that DynamoDB takes. */
export const itemArbitrary: fc.Arbitrary<PlainItem> = mapArbitrary

/** What reading gives for a value that was written: the same, each number in its plainest form. */
export function asRead(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue)
    return plainNumber(`${value}`)
  if (value instanceof Set) return new Set([...value].map(asRead))
  if (Array.isArray(value)) return value.map(asRead)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asRead(member)]))
}
