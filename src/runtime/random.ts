/**
 * A source of random numbers, each in [0, 1). A seed makes a run repeat itself.
 *
 * @example
 * const random: Random = seededRandom(8) // from 'headrace/simulator'
 * const db = connect({ random })
 */
export type Random = () => number

/** The machine's own dice. */
export const systemRandom: Random = Math.random

/**
 * Dice that a seed replays (mulberry32, public domain, by Tommy Ettinger): 32 bits of state, good enough to shuffle and
 * to jitter, never for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
