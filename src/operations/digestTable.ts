import type { TextDigest } from '../item/textDigest.ts'

/** Slots are kept this full at most. */
const LOAD_MAX = 0.75
const FREE = 0
/** Where a record is: nobody has asked for it yet; it is the same as what was asked about; it is another. */
const UNMET = 1
const SAME = 2
const OTHER = 3

/**
 * Digests by the digests of their keys: open addressing with linear probing in typed arrays, 17 bytes a slot, which is 23 to
 * 45 bytes a record, and half as much again while it grows. Nothing of it is for the garbage collector to walk.
 */
export class DigestTable {
  /** Key's digest, high and low, then the record's. */
  #words: Int32Array
  #states: Uint8Array
  #count = 0
  /** Records that nobody has asked for, or that are not the same as what was asked about. */
  #open = 0

  constructor(capacity = 1_024) {
    const slots = Math.ceil(Math.max(16, capacity / LOAD_MAX)) + 1
    this.#words = new Int32Array(slots * 4)
    this.#states = new Uint8Array(slots)
  }

  get size(): number {
    return this.#count
  }

  /** Records for which {@link settle} would say true. */
  get open(): number {
    return this.#open
  }

  /** Takes a record; of two of one key the later one stays. @returns whether there was one of that key */
  set(key: TextDigest, digest: TextDigest): boolean {
    const slot = this.#slotOf(key.high, key.low)
    const was = this.#states[slot] !== FREE
    this.#put(slot, key.high, key.low, digest.high, digest.low, UNMET)
    if (was) return true
    this.#count += 1
    this.#open += 1
    if (this.#count > this.#states.length * LOAD_MAX) this.#grow()
    return false
  }

  /** What is known of a record of this key, and remembered of it: whether it is the same as the one that was digested. */
  compare(key: TextDigest, digest: TextDigest): 'none' | 'same' | 'other' {
    const slot = this.#slotOf(key.high, key.low)
    if (this.#states[slot] === FREE) return 'none'
    const same = this.#has(slot, digest)
    if (same && this.#states[slot] !== SAME) this.#open -= 1
    if (!same && this.#states[slot] === SAME) this.#open += 1
    this.#states[slot] = same ? SAME : OTHER
    return same ? 'same' : 'other'
  }

  /**
   * Whether a record is in question: it is the one that stayed of its key, and nobody has met the same. True once.
   *
   * @returns whether something of its key was met; undefined for a record that is not in question
   */
  settle(key: TextDigest, digest: TextDigest): { readonly met: boolean } | undefined {
    const slot = this.#slotOf(key.high, key.low)
    const state = this.#states[slot]
    if ((state !== UNMET && state !== OTHER) || !this.#has(slot, digest)) return undefined
    this.#states[slot] = SAME
    this.#open -= 1
    return { met: state === OTHER }
  }

  #has(slot: number, digest: TextDigest): boolean {
    return this.#words[slot * 4 + 2] === digest.high && this.#words[slot * 4 + 3] === digest.low
  }

  #slotOf(high: number, low: number): number {
    const words = this.#words
    const states = this.#states
    // Not by a mask, so that there are as many slots as are wanted, and not up to twice as many.
    let slot = (low >>> 0) % states.length
    while (states[slot] !== FREE && (words[slot * 4] !== high || words[slot * 4 + 1] !== low)) {
      slot = slot + 1 === states.length ? 0 : slot + 1
    }
    return slot
  }

  #put(slot: number, high: number, low: number, digestHigh: number, digestLow: number, state: number): void {
    const at = slot * 4
    this.#words[at] = high
    this.#words[at + 1] = low
    this.#words[at + 2] = digestHigh
    this.#words[at + 3] = digestLow
    this.#states[slot] = state
  }

  #grow(): void {
    const words = this.#words
    const states = this.#states
    const slots = states.length * 2
    this.#words = new Int32Array(slots * 4)
    this.#states = new Uint8Array(slots)
    for (const [slot, state] of states.entries()) {
      if (state === FREE) continue
      const at = slot * 4
      const [high, low] = [words[at]!, words[at + 1]!]
      this.#put(this.#slotOf(high, low), high, low, words[at + 2]!, words[at + 3]!, state)
    }
  }
}
