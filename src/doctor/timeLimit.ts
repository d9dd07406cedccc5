import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { Aborted, unlessAborted } from '../runtime/unlessAborted.ts'

/**
 * What the work becomes, unless it takes longer than `limitMs`, or the signal comes first: then nobody waits for it.
 *
 * @param subject what takes too long, as the beginning of a sentence
 * @throws {HeadraceError} `UNREACHABLE` when the time is over
 * @throws {Aborted} when the signal came first
 */
export async function withTimeLimit<Value>(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  subject: string,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const limit = new AbortController()
  const timer = clock.setTimer(() => limit.abort(), limitMs)
  const either = AbortSignal.any([signal, limit.signal])
  try {
    return await unlessAborted(either, work(either))
  } catch (error) {
    if (signal.aborted) throw new Aborted('stopped')
    if (!limit.signal.aborted) throw error
    throw new HeadraceError('UNREACHABLE', `${subject} did not end within ${Math.round(limitMs / 1_000)} s`)
  } finally {
    timer.clear()
  }
}
