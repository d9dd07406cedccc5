import { invalid } from './serviceError.ts'

/** Significant digits and exponents that a number may have (developer guide, "Data types: Number"). */
const DIGITS_MAX = 38
const EXPONENT_MAX = 125
const EXPONENT_MIN = -130

/** A number taken apart: `sign 0.digits × 10^exponent`, the digits without zeros at either end. Zero has no digits. */
interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

function readDecimal(text: string): Decimal {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null || (match[2] ?? '') + (match[3] ?? '') === '') {
    throw invalid(`The parameter cannot be converted to a numeric value: ${text}`)
  }
  const whole = match[2] ?? ''
  const all = whole + (match[3] ?? '')
  const leading = /^0*/.exec(all)![0].length
  const digits = all.slice(leading).replace(/0+$/, '')
  if (digits === '') return { negative: false, digits: '', exponent: 0 }
  const exponent = whole.length - leading + Number(match[4] ?? 0)
  if (digits.length > DIGITS_MAX) throw invalid('Attempting to store more than 38 significant digits in a Number')
  if (exponent - 1 > EXPONENT_MAX) throw invalid('Number overflow. Attempting to store a number too large')
  if (exponent - 1 < EXPONENT_MIN) throw invalid('Number underflow. Attempting to store a number too small')
  return { negative: match[1] === '-', digits, exponent }
}

/** A number as the service gives it back: no exponent, no zeros that say nothing. */
export function normalNumber(text: string): string {
  const { negative, digits, exponent } = readDecimal(text)
  if (digits === '') return '0'
  const sign = negative ? '-' : ''
  if (exponent <= 0) return `${sign}0.${'0'.repeat(-exponent)}${digits}`
  if (exponent >= digits.length) return `${sign}${digits}${'0'.repeat(exponent - digits.length)}`
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}

/** @returns the sum, as the service gives it back */
export function addNumbers(left: string, right: string): string {
  const [one, other] = [readDecimal(left), readDecimal(right)]
  // Digits behind the point, of the one that has more.
  const places = Math.max(0, one.digits.length - one.exponent, other.digits.length - other.exponent)
  const whole = ({ negative, digits, exponent }: Decimal): bigint =>
    BigInt(`${negative ? '-' : ''}${digits === '' ? '0' : digits}${'0'.repeat(exponent + places - digits.length)}`)
  return normalNumber(`${whole(one) + whole(other)}e-${places}`)
}

/** Bytes that a number counts: one, one for each two digits before and behind the point, one for a minus. */
export function numberSize(text: string): number {
  const { negative, digits, exponent } = readDecimal(text)
  if (digits === '') return 1
  // Zeros before the point count where digits follow behind it, and not at the end of a whole number.
  const before = Math.min(Math.max(exponent, 0), digits.length)
  const behind = digits.length - before
  return 1 + Math.ceil(before / 2) + Math.ceil(behind / 2) + (negative ? 1 : 0)
}

/** Below 0, 0 or above 0 as the left number is smaller, equal or greater. */
export function compareNumbers(left: string, right: string): number {
  const one = readDecimal(left)
  const other = readDecimal(right)
  const signs = signOf(one) - signOf(other)
  if (signs !== 0) return signs
  const size = one.exponent - other.exponent || compareTexts(one.digits, other.digits)
  return one.negative ? -size : size
}

function signOf({ negative, digits }: Decimal): number {
  return digits === '' ? 0 : negative ? -1 : 1
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
