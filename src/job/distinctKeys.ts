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
  /** Of each slot the hash and the check, side by side: one access to memory for both. */
  #slots = new Int32Array(2 * SLOTS_MIN)
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
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (stored << 1) & mask
    while (slots[slot] !== EMPTY) {
      if (slots[slot] === stored && slots[slot + 1] === check) return true
      slot = (slot + 2) & mask
    }
    if (this.#count >= this.#keysMax) {
      this.isFull = true
      return false
    }
    slots[slot] = stored
    slots[slot + 1] = check
    this.#count += 1
    // At most two of three slots are taken.
    if (this.#count * 3 > slots.length) this.#grow()
    return false
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const mask = slots.length - 2
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === EMPTY) continue
      let slot = (old[from]! << 1) & mask
      while (slots[slot] !== EMPTY) slot = (slot + 2) & mask
      slots[slot] = old[from]!
      slots[slot + 1] = old[from + 1]!
    }
    this.#slots = slots
  }
}
