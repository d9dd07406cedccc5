import type { Random } from '../runtime/random.ts'

export interface LatencyOptions {
  /** Half of all batches are answered within so many milliseconds; single writes take half of that. Default 10 (a guess). */
  readonly medianMs?: number
  /** Of the logarithm: 0 for always the median, 0.5 for a 99th percentile at 3.2 times the median. Default 0.5. */
  readonly sigma?: number
  /** Added for each MiB that travels, either way. Default 20. */
  readonly msPerMebibyte?: number
}

/** How long a request and its answer travel together: lognormal, as most services' latencies nearly are. */
export function drawLatencyMs(options: LatencyOptions, random: Random, operation: string, bytes: number): number {
  const { medianMs = 10, sigma = 0.5, msPerMebibyte = 20 } = options
  const single = operation.startsWith('Batch') || operation === 'Scan' ? 1 : 0.5
  return single * medianMs * Math.exp(sigma * drawNormal(random)) + (bytes / 1_048_576) * msPerMebibyte
}

/** Box and Muller's transform of two even numbers into a normal one. */
function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()))
  return radius * Math.cos(2 * Math.PI * random())
}
