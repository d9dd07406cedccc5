import { numberSizeBytes, numberText, packedSizeBytes } from './number.ts'
import type { Utf8Writer } from './utf8Writer.ts'

const MINUS = 45
const POINT = 46
const ZERO = 48

/** Integers below this are written by their digits, those of a half at a time. */
const INTEGER_MAX = 1e15
const HALF = 1e8
const HALF_DIGITS = 8
/** So that a thousand times it is below 2^31. */
const DECIMAL_MAX = 2_000_000

/**
 * Writes a number as `numberText` does, mostly without making a text of it: for a number with a fraction that is the
 * dearest part of an item.
 *
 * @returns its size in bytes, see `numberSizeBytes`
 * @throws {ItemError} as `numberText`
 */
export function writeNumber(writer: Utf8Writer, value: number): number {
  const negative = value < 0 ? 1 : 0
  const size = negative === 1 ? -value : value
  if (size < INTEGER_MAX && Number.isInteger(size)) return writeInteger(writer, negative, size)
  if (size < DECIMAL_MAX) {
    for (let scale = 10, places = 1; places <= 3; scale *= 10, places += 1) {
      const scaled = (size * scale + 0.5) | 0
      // A decimal of at most 15 digits that a double is nearest to is the only one, so it is what JavaScript writes; and as
      // both sides are whole numbers, the division gives the double nearest to it.
      if (scaled / scale === size) return writeDecimal(writer, negative, scaled, scale, places)
    }
  }
  const text = numberText(value)
  writer.ascii(text)
  return numberSizeBytes(text)
}

function writeInteger(writer: Utf8Writer, negative: number, size: number): number {
  const high = Math.floor(size / HALF) | 0
  const low = (size - high * HALF) | 0
  const digits = high === 0 ? digitsOf(low) : digitsOf(high) + HALF_DIGITS
  writer.reserve(negative + digits)
  const { buffer } = writer
  if (negative === 1) buffer[writer.end] = MINUS
  writer.end += negative + digits
  const trailing = writeDigits(buffer, writer.end, low, high === 0 ? digits : HALF_DIGITS)
  if (high === 0) return packedSizeBytes(negative, digits - trailing, 0)
  const trailingHigh = writeDigits(buffer, writer.end - HALF_DIGITS, high, digits - HALF_DIGITS)
  return packedSizeBytes(negative, digits - trailing - (trailing === HALF_DIGITS ? trailingHigh : 0), 0)
}

function writeDecimal(writer: Utf8Writer, negative: number, scaled: number, scale: number, places: number): number {
  const whole = (scaled / scale) | 0
  const fraction = scaled - whole * scale
  const digits = digitsOf(whole)
  writer.reserve(negative + digits + 1 + places)
  const { buffer } = writer
  if (negative === 1) buffer[writer.end] = MINUS
  const point = writer.end + negative + digits
  writeDigits(buffer, point, whole, digits)
  buffer[point] = POINT
  writer.end = point + 1 + places
  writeDigits(buffer, writer.end, fraction, places)
  return whole === 0 ? packedSizeBytes(negative, 0, digitsOf(fraction)) : packedSizeBytes(negative, digits, places)
}

/** @param value from 0 to below 2^31 */
function digitsOf(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1_000) return 3
  if (value < 10_000) return 4
  if (value < 100_000) return 5
  if (value < 1_000_000) return 6
  if (value < 10_000_000) return 7
  if (value < 100_000_000) return 8
  return value < 1_000_000_000 ? 9 : 10
}

/** Writes so many digits in front of `end`, and returns how many of the last of them are zeros. */
function writeDigits(buffer: Buffer, end: number, value: number, digits: number): number {
  let rest = value
  let trailing = 0
  let isTrailing = true
  for (let at = end - 1; at >= end - digits; at -= 1) {
    const next = (rest / 10) | 0
    const digit = rest - next * 10
    if (digit !== 0) isTrailing = false
    else if (isTrailing) trailing += 1
    buffer[at] = ZERO + digit
    rest = next
  }
  return trailing
}
