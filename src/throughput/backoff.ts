import type { Random } from '../runtime/random.ts'

const BASE_MS = 25
const CAP_MS = 20_000

/**
 * How long something that failed waits before it goes again: full jitter over a bound that doubles with each try, from 25 ms
 * to 20 s (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog).
 *
 * @param tries how often it was tried, 1 or more
 */
export function backoffMs(tries: number, random: Random): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(tries - 1, 16))
}
