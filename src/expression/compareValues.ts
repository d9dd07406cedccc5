import { canonicalNumber, compareNumbers } from '../item/number.ts'
import { type AttributeJson, typeOf } from './tree.ts'

/**
 * The order of two values, by DynamoDB's rules: numbers by value, strings by their UTF-8 bytes, binary by unsigned bytes.
 *
 * @returns below, above or exactly 0; undefined for values that have no order, or are of two types
 */
export function compareValues(left: AttributeJson, right: AttributeJson): number | undefined {
  const type = typeOf(left)
  if (type === undefined || type !== typeOf(right)) return undefined
  const one = left[type] as string
  const other = right[type] as string
  if (type === 'S') return compareTexts(one, other)
  if (type === 'N') return compareNumbers(one, other)
  if (type === 'B') return Buffer.compare(bytesOf(one), bytesOf(other))
  return undefined
}

/** Whether DynamoDB takes two values for equal: sets in any order, lists and maps by what is in them. */
export function isEqualValue(left: AttributeJson, right: AttributeJson): boolean {
  const type = typeOf(left)
  if (type === undefined || type !== typeOf(right)) return false
  const one = left[type]
  const other = right[type]
  switch (type) {
    case 'S':
    case 'BOOL':
    case 'NULL':
      return one === other
    case 'N':
      return one === other || canonicalNumber(one as string) === canonicalNumber(other as string)
    case 'B':
      return one === other || bytesOf(one as string).equals(bytesOf(other as string))
    case 'SS':
      return isEqualSet(one as string[], other as string[], (element) => element)
    case 'NS':
      return isEqualSet(one as string[], other as string[], canonicalNumber)
    case 'BS':
      return isEqualSet(one as string[], other as string[], (element) => bytesOf(element).toString('base64'))
    case 'L':
      return isEqualList(one as AttributeJson[], other as AttributeJson[])
    default:
      return isEqualMap(one as { [name: string]: AttributeJson }, other as { [name: string]: AttributeJson })
  }
}

function isEqualSet(one: readonly string[], other: readonly string[], canonical: (element: string) => string): boolean {
  if (one.length !== other.length) return false
  const known = new Set(one.map(canonical))
  return other.every((element) => known.has(canonical(element)))
}

function isEqualList(one: readonly AttributeJson[], other: readonly AttributeJson[]): boolean {
  return one.length === other.length && one.every((element, index) => isEqualValue(element, other[index]!))
}

function isEqualMap(
  one: { readonly [name: string]: AttributeJson },
  other: { readonly [name: string]: AttributeJson },
): boolean {
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => Object.hasOwn(other, name) && isEqualValue(one[name]!, other[name]!))
}

/** UTF-16 puts characters beyond the first 65,536 in front of U+E000 to U+FFFF; UTF-8 puts them behind. */
function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const one = left.charCodeAt(index)
    const other = right.charCodeAt(index)
    if (one === other) continue
    return isSurrogate(one) === isSurrogate(other)
      ? one - other
      : one >= SURROGATES && other >= SURROGATES
        ? other - one
        : one - other
  }
  return left.length - right.length
}

const SURROGATES = 0xd800

function isSurrogate(unit: number): boolean {
  return unit >= SURROGATES && unit <= 0xdfff
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
