/** A number that is known within bounds: 19 times in 20 it lies between `low` and `high`. All three are one where it is exact. */
export interface Estimate {
  readonly value: number
  readonly low: number
  /** `Infinity` where too little was seen to say. */
  readonly high: number
}

export function exactly(value: number): Estimate {
  return { value, low: value, high: value }
}

export function isExact({ value, low, high }: Estimate): boolean {
  return low === value && high === value
}

/** Of something that goes with it, as units go with bytes. */
export function scaled({ value, low, high }: Estimate, factor: number): Estimate {
  return { value: value * factor, low: low * factor, high: high * factor }
}

/**
 * What all clusters come to, by the sums of some of them that were drawn at random (expansion estimator of a cluster
 * sample, with the correction for a finite population; W. G. Cochran, Sampling Techniques, 9A).
 *
 * @param sums of each cluster that was looked at, at least one
 * @param clusters all there are
 */
export function expandClusters(sums: readonly number[], clusters: number): Estimate {
  const seen = sums.reduce((sum, value) => sum + value, 0)
  const looked = sums.length
  if (looked >= clusters) return exactly(seen)
  const mean = seen / looked
  const value = mean * clusters
  if (looked < 2) return { value, low: seen, high: Number.POSITIVE_INFINITY }
  const variance = sums.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (looked - 1)
  const error = clusters * Math.sqrt((variance / looked) * (1 - looked / clusters))
  const margin = studentQuantile(looked - 1) * error
  // What was seen is there.
  return { value, low: Math.max(seen, value - margin), high: value + margin }
}

/** A figure that may be old, where the sample bears it out; else what the sample says. */
export function corrected(told: number, sampled: Estimate): Estimate {
  return told >= sampled.low && told <= sampled.high ? { ...sampled, value: told } : sampled
}

const NORMAL = 1.959_964

/**
 * Half of the width that holds 95 of 100 of Student's distribution, in standard errors (Cornish-Fisher expansion of
 * the normal quantile, Abramowitz and Stegun 26.7.5; within 1 % from three degrees of freedom on).
 */
export function studentQuantile(degrees: number): number {
  if (degrees === 1) return 12.706
  if (degrees === 2) return 4.303
  const z = NORMAL
  const first = (z ** 3 + z) / 4
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3
}

/** The straight line through points: how `y` grows with each item, and with each byte of it. */
export class LineFit {
  #count = 0
  #x = 0
  #y = 0
  #xx = 0
  #xy = 0

  add(x: number, y: number): void {
    this.#count += 1
    this.#x += x
    this.#y += y
    this.#xx += x * x
    this.#xy += x * y
  }

  /** The sum of `y` over so many points whose `x` add up to this. */
  sumOver(count: number, x: number): number {
    if (this.#count === 0) return 0
    const spread = this.#xx - this.#x ** 2 / this.#count
    // Where all are of one size there is no slope to see.
    const slope = spread <= 1e-9 * this.#xx ? 0 : (this.#xy - (this.#x * this.#y) / this.#count) / spread
    return Math.max(0, ((this.#y - slope * this.#x) / this.#count) * count + slope * x)
  }
}
