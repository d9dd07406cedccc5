import { parseJson } from '../runtime/parseJson.ts'
import { canonicalText } from './canonicalText.ts'
import { decodeValue } from './decode.ts'

/** Of a value that is no string and no number of a few letters, which are compared without being read. */
const PLAIN = /^\{"(?:S":"[^"\\]*"|N":"(?:0|-?[1-9]\d{0,14})")\}$/

/**
 * Whether two values in DynamoDB JSON are the same to DynamoDB, however they are written: members of maps and elements of
 * sets in any order, numbers by value.
 */
export function isSameValueText(left: string, right: string): boolean {
  if (left === right) return true
  // Of two texts without escapes and spare digits, each stands for a value of its own.
  if (left.charCodeAt(2) !== right.charCodeAt(2) || (PLAIN.test(left) && PLAIN.test(right))) return false
  return canonicalText(decodeValue(parseJson(left))) === canonicalText(decodeValue(parseJson(right)))
}
