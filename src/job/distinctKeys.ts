/** Keys that are kept, at most: 16 MiB. */
const KEYS_MAX = 1_000_000
const EMPTY = 0
const STAND_IN = 1
const SLOTS_MIN = 1_024

/**
 * Which keys were seen before, in bounded memory: two hashes of 32 bits each for a key, in open addressing.
 *
 * Two different keys are taken for one where all 64 bits are equal: among 1,000,000 keys with a probability of 3 in
 * 100,000,000. So it counts, and never decides what becomes of a record.
 */
export class DistinctKeys {
  #hashes = new Int32Array(SLOTS_MIN)
  #checks = new Int32Array(SLOTS_MIN)
  #count = 0
  readonly #keysMax: number
  /** A key came that was not seen before and was not kept either: from then on some that come again are not known. */
  isFull = false

  constructor(keysMax: number = KEYS_MAX) {
    this.#keysMax = keysMax
  }

  /**
   * @param hash of the key, well mixed; see `keyHash`
   * @param check another one; see `keyCheck`
   * @returns whether the key was seen before
   */
  add(hash: number, check: number): boolean {
    const stored = hash === EMPTY ? STAND_IN : hash
    const hashes = this.#hashes
    const checks = this.#checks
    const mask = hashes.length - 1
    let slot = stored & mask
    while (hashes[slot] !== EMPTY) {
      if (hashes[slot] === stored && checks[slot] === check) return true
      slot = (slot + 1) & mask
    }
    if (this.#count >= this.#keysMax) {
      this.isFull = true
      return false
    }
    hashes[slot] = stored
    checks[slot] = check
    this.#count += 1
    if (this.#count * 2 > mask) this.#grow()
    return false
  }

  #grow(): void {
    const hashes = this.#hashes
    const checks = this.#checks
    const mask = hashes.length * 2 - 1
    this.#hashes = new Int32Array(mask + 1)
    this.#checks = new Int32Array(mask + 1)
    for (let from = 0; from < hashes.length; from += 1) {
      if (hashes[from] === EMPTY) continue
      let slot = hashes[from]! & mask
      while (this.#hashes[slot] !== EMPTY) slot = (slot + 1) & mask
      this.#hashes[slot] = hashes[from]!
      this.#checks[slot] = checks[from]!
    }
  }
}
