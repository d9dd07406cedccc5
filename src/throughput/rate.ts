import type { Limiter } from './limiter.ts'

/** Units a second, above 0; or a part of what the table has, such as `'80%'`. `Infinity` for no limit of its own. */
export type Rate = number | `${number}%`

/** Of what a provisioned table has, unless something else is asked for: the rest is its application's. */
export const DEFAULT_RATE: Rate = '80%'

/**
 * @param name of the option, for the error
 * @returns the part, above 0 to 1; undefined for units a second
 * @throws {TypeError} with the option's name, the value and what it may be
 */
export function shareOf(name: string, rate: Rate): number | undefined {
  if (typeof rate === 'number' && rate > 0) return undefined
  const match = typeof rate === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(rate) : null
  const share = match === null ? Number.NaN : Number(match[1]) / 100
  if (share > 0 && share <= 1) return share
  const value = typeof rate === 'string' ? `the string "${rate}"` : `${rate}`
  throw new TypeError(`${name} must be a number above 0, or a string from "1%" to "100%", not ${value}`)
}

/** A limiter, and who keeps it true. */
export interface RateControl {
  readonly limiter: Limiter
  /**
   * Units a second that the table as a whole is known to give. Where less is taken, a throttle of a key range is of that range
   * alone; above, on demand, it may be of all of them.
   */
  readonly provenUnitsPerSecond: number
  /** Called whenever more may be let through than a moment ago. */
  onChange: (() => void) | undefined
  /** Told once, in words, when the table can take more or less than before. */
  onNotice: ((text: string) => void) | undefined
  setRate(rate: Rate): void
  /** Nothing is let through until it is false again. */
  setPaused(paused: boolean): void
  /** Releases timers. */
  close(): void
}
