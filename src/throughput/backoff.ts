import type { Random } from '../runtime/random.ts'

const BASE_MS = 25
const THROTTLE_BASE_MS = 50
const CAP_MS = 20_000

/**
 * How long an entry waits before it goes again: full jitter over a bound that doubles with each try, from 25 ms (50 ms
 * after a throttle) to 20 s (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog). What the service asks
 * for is the least.
 *
 * @param tries how often it was tried, 1 or more
 */
export function backoffMs(tries: number, throttled: boolean, random: Random, retryAfterMs = 0): number {
  const bound = Math.min(CAP_MS, (throttled ? THROTTLE_BASE_MS : BASE_MS) * 2 ** Math.min(tries - 1, 16))
  return Math.max(retryAfterMs, random() * bound)
}
