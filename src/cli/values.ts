import { InvalidArgumentError } from 'commander'
import type { KeySchema, Rate } from '../index.ts'
import { readKeySchema } from '../item/readKeySchema.ts'

// What the texts of options stand for. Each throws what commander shows, with the option's name in front.

/** A whole number of at least `least`. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Give a whole number, ${least} or more.`)
    }
    return value
  }
}

/** `1,5,10`: whole numbers from 1 on. */
export function wholeNumbers(text: string): readonly number[] {
  return [...new Set(text.split(',').map(wholeFrom(1)))]
}

/** `4` or `auto`. */
export function workerCount(text: string): number | 'auto' {
  return text === 'auto' ? text : wholeFrom(1)(text)
}

/** `500` or `80%`. */
export function rateOf(text: string): Rate {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match === null || value === 0 || (match[2] === '%' && value > 100)) {
    throw new InvalidArgumentError(
      'Give capacity units per second, such as 500, or a share of the capacity from 1% to 100%, such as 80%.',
    )
  }
  return match[2] === '%' ? `${value}%` : value
}

/** `90s`, `30m` or `8h`, in milliseconds. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text)
  const ms = Number(match?.[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[(match?.[2] ?? 's') as 's' | 'm' | 'h']
  if (match === null || ms < 1) throw new InvalidArgumentError('Give a time such as 90s, 30m or 8h.')
  return ms
}

/** `20` or `0.5`. */
export function amount(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || value === 0) throw new InvalidArgumentError('Give a number above 0, such as 20.')
  return value
}

/** `100` or `1%`. */
export function countOrShare(text: string): number | `${number}%` {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match === null || (match[2] === '%' ? value > 100 : !Number.isSafeInteger(value))) {
    throw new InvalidArgumentError('Give a whole number, or a share from 0% to 100%.')
  }
  return match[2] === '%' ? `${value}%` : value
}

/** `id:S` or `customer:S,number:N`: a table's key. */
export function keySchema(text: string): KeySchema {
  try {
    return readKeySchema(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `The ${error.message}.` : `${error}`)
  }
}

/** `a,b,c` */
export function commaSeparated(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
