import { ItemError } from './itemError.ts'

/** By which copies of this package know each other's numbers. */
const BRAND: unique symbol = Symbol.for('headrace.NumberValue') as never

/**
 * A DynamoDB number that a JavaScript `number` or `bigint` can not hold exactly, kept as text.
 *
 * Made by the decoder when it meets such a number, or by you: `new NumberValue('0.12345678901234567890')`.
 *
 * @throws {ItemError} when the text is no number, has more than 38 significant digits, or lies outside
 *   ±1E-130 … ±9.99…E+125 (developer guide, "Naming rules and data types").
 */
export class NumberValue {
  /** As DynamoDB writes it: no exponent, no leading or trailing zeros. */
  readonly text: string

  constructor(text: string) {
    this.text = canonicalNumber(text)
  }

  /** Also true for one that another copy of this package in the same process has made. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    if (Object.getPrototypeOf(value) === NumberValue.prototype) return true
    // Its text goes out as it is, so it is not taken on trust.
    return (value as { [BRAND]?: unknown })[BRAND] === true && isCanonical((value as { text?: unknown }).text)
  }

  toString(): string {
    return this.text
  }

  /**
   * As text where text is wanted. Calculating with it would lose digits in silence.
   *
   * @throws {TypeError} where a number is wanted, as in `value * 2` and `value + 1`
   */
  [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string {
    if (hint === 'string') return this.text
    throw new TypeError(
      `the number ${this.text} has more digits than JavaScript calculates with: use Number(value.text) if fewer are enough, or BigInt(value.text) for a whole number`,
    )
  }

  toJSON(): string {
    return this.text
  }
}

Object.defineProperty(NumberValue.prototype, BRAND, { value: true })

function isCanonical(text: unknown): boolean {
  try {
    return typeof text === 'string' && canonicalNumber(text) === text
  } catch {
    return false
  }
}

/** A decimal number as `sign · digits · 10^exponent`, the digits without leading or trailing zeros ('' is zero). */
interface Decimal {
  negative: boolean
  digits: string
  exponent: number
}

const NUMBER_SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
const ZERO = 48

function parseDecimal(text: string): Decimal {
  const match = NUMBER_SYNTAX.exec(text)
  const whole = match?.[2] ?? ''
  const fraction = match?.[3] ?? ''
  const digits = whole + fraction
  if (match === null || digits.length === 0) throw new ItemError(`"${clip(text)}" is not a number`)
  // Loops, since a regular expression looks for trailing zeros anew behind each zero: a hostile text would take minutes.
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === ZERO) end -= 1
  let start = 0
  while (start < end && digits.charCodeAt(start) === ZERO) start += 1
  const exponent = Number(match[4] ?? '0') - fraction.length + (digits.length - end)
  return { negative: match[1] === '-' && start < end, digits: digits.slice(start, end), exponent }
}

function formatDecimal(value: Decimal, original: string): string {
  const { digits, exponent } = value
  if (digits === '') return '0'
  if (digits.length > 38) {
    throw new ItemError(
      `the number ${clip(original)} has ${digits.length} significant digits: DynamoDB stores at most 38`,
    )
  }
  const magnitude = digits.length + exponent - 1
  if (magnitude > 125 || magnitude < -130) {
    throw new ItemError(`the number ${clip(original)} is outside DynamoDB's range of ±1E-130 to ±9.99E+125`)
  }
  const sign = value.negative ? '-' : ''
  if (exponent >= 0) return sign + digits + '0'.repeat(exponent)
  const point = digits.length + exponent
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
  return `${sign}0.${'0'.repeat(-point)}${digits}`
}

const CANONICAL_INTEGER = /^(?:0|-?[1-9]\d*)$/

/**
 * The one spelling of a number: `1`, `1.0`, `+1`, `10e-1` are all `1`. Two numbers are the same DynamoDB number exactly
 * when this text is the same.
 *
 * @throws {ItemError} as {@link NumberValue}.
 */
export function canonicalNumber(text: string): string {
  // The common case by far: a short integer that is canonical already.
  if (text.length < 16 && CANONICAL_INTEGER.test(text)) return text
  return formatDecimal(parseDecimal(text), text)
}

/**
 * The text of a JavaScript number, as DynamoDB takes it.
 *
 * @throws {ItemError} for NaN, the infinities, and what lies outside DynamoDB's range.
 */
export function numberText(value: number): string {
  if (Number.isInteger(value) && value > -1e15 && value < 1e15) return `${value}` === '-0' ? '0' : `${value}`
  const text = `${value}`
  // Between 1e-6 and 1e21 JavaScript writes no exponent, and at most 17 digits without needless zeros: canonical already.
  const size = Math.abs(value)
  if (size >= 1e-6 && size < 1e21) return text
  if (!Number.isFinite(value)) throw new ItemError(`${value} is not a number that DynamoDB can store`)
  return canonicalNumber(text)
}

/** At most 15 significant digits in a length of 15, which always survive text -> double -> text (IEEE 754 binary64). */
const SHORT_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/
const SHORT_NUMBER_LENGTH_MAX = 15

/**
 * A number in its plainest exact form: `number` where a double holds precisely this decimal value, `bigint` for other
 * integers, else {@link NumberValue}.
 *
 * @throws {ItemError} as {@link NumberValue}.
 */
export function plainNumber(text: string): number | bigint | NumberValue {
  if (text.length <= SHORT_NUMBER_LENGTH_MAX && SHORT_NUMBER.test(text)) {
    const value = +text
    // DynamoDB has no negative zero.
    return value === 0 ? 0 : value
  }
  const canonical = canonicalNumber(text)
  const value = Number(canonical)
  // The largest numbers are rounded up to a double that is none of DynamoDB's.
  if (Math.abs(value) < 1e126 && canonicalNumber(`${value}`) === canonical) return value
  return canonical.includes('.') ? new NumberValue(canonical) : BigInt(canonical)
}

/**
 * Below 0, 0 or above 0 as the left number is less than, equal to or greater than the right one: exact, whatever their
 * notation.
 *
 * @throws {ItemError} when a text is no number
 */
export function compareNumbers(left: string, right: string): number {
  if (left === right) return 0
  if (isShort(left) && isShort(right)) return +left - +right
  const one = parseDecimal(left)
  const other = parseDecimal(right)
  const signs = signOf(one) - signOf(other)
  if (signs !== 0 || one.digits === '') return signs
  const magnitude = one.digits.length + one.exponent - (other.digits.length + other.exponent)
  // Without zeros at the end, digits of one magnitude compare as texts do.
  const size = magnitude !== 0 ? magnitude : one.digits < other.digits ? -1 : one.digits > other.digits ? 1 : 0
  return one.negative ? -size : size
}

function isShort(text: string): boolean {
  return text.length <= SHORT_NUMBER_LENGTH_MAX && SHORT_NUMBER.test(text)
}

function signOf({ negative, digits }: Decimal): number {
  return digits === '' ? 0 : negative ? -1 : 1
}

/**
 * Exact `left + right` of two DynamoDB numbers given as text.
 *
 * @throws {ItemError} when the sum needs more than 38 digits or leaves the range.
 */
export function addNumbers(left: string, right: string): string {
  // Within DynamoDB's range, exponents are at most a few hundred apart.
  const first = parseDecimal(canonicalNumber(left))
  const second = parseDecimal(canonicalNumber(right))
  const exponent = Math.min(first.exponent, second.exponent)
  const scaled = (value: Decimal): bigint => {
    const magnitude = BigInt(value.digits + '0'.repeat(value.exponent - exponent))
    return value.negative ? -magnitude : magnitude
  }
  return canonicalNumber(`${scaled(first) + scaled(second)}e${exponent}`)
}

/**
 * Bytes of a number: one, plus one for every two digits left and right of the point, plus one for a sign; zero is one
 * byte. DynamoDB's guide says "approximately"; this is the rule measured on the service and on dynoxide.
 *
 * @param canonical a {@link canonicalNumber}
 */
export function numberSizeBytes(canonical: string): number {
  if (canonical === '0') return 1
  const negative = canonical.charCodeAt(0) === 45 ? 1 : 0
  const point = canonical.indexOf('.')
  if (point === -1) {
    // Trailing zeros of a whole number cost nothing, but an odd digit keeps its pair.
    let end = canonical.length
    while (canonical.charCodeAt(end - 1) === 48) end -= 1
    const whole = canonical.length - negative
    const trailing = canonical.length - end
    return packedSizeBytes(negative, whole - trailing, 0)
  }
  const wholeText = canonical.slice(negative, point)
  const whole = wholeText === '0' ? 0 : wholeText.length
  let fraction = canonical.length - point - 1
  if (whole === 0) {
    let start = point + 1
    while (canonical.charCodeAt(start) === 48) start += 1
    fraction = canonical.length - start
  }
  return packedSizeBytes(negative, whole, fraction)
}

/**
 * The same, of a number whose digits are counted.
 *
 * @param negative 1 for a number below zero, else 0
 * @param whole digits left of the point, without trailing zeros where there are none right of it; none for 0
 * @param fraction digits right of the point, without leading zeros where there are none left of it
 */
export function packedSizeBytes(negative: number, whole: number, fraction: number): number {
  return 1 + negative + ((whole + 1) >> 1) + ((fraction + 1) >> 1)
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
