/** Marks a free slot, so that finding one touches one array; a value of this hash goes under another. */
const EMPTY = 0
const STAND_IN = 1

/**
 * Values by a 32-bit hash that has been mixed well already: open addressing with linear probing, in two arrays that are
 * allocated once for as many values as there will be.
 *
 * ```
 *   hash & mask ──> home slot; taken by another hash? the next one, and so on
 *   delete: what stands behind and would rather stand here moves up, so there are no tombstones
 * ```
 *
 * A `Map` allots a new table every few ten thousand changes, however few values it holds, and its entries are memory for
 * the garbage collector to walk; a publisher changes its table twice for every entry.
 */
export class KeyTable<Value> {
  #hashes: Int32Array
  #values: (Value | undefined)[]
  #mask: number
  #count = 0

  constructor(capacity = 1_024) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 2)))
    this.#hashes = new Int32Array(size)
    this.#values = new Array(size).fill(undefined)
    this.#mask = size - 1
  }

  get size(): number {
    return this.#count
  }

  get(hash: number): Value | undefined {
    return this.#values[this.#slotOf(hash === EMPTY ? STAND_IN : hash)]
  }

  /** Sets the value and returns the one that was there. */
  exchange(hash: number, value: Value): Value | undefined {
    const stored = hash === EMPTY ? STAND_IN : hash
    const slot = this.#slotOf(stored)
    const earlier = this.#values[slot]
    this.#values[slot] = value
    if (earlier === undefined) {
      this.#hashes[slot] = stored
      this.#count += 1
      if (this.#count * 2 > this.#mask) this.#grow()
    }
    return earlier
  }

  delete(hash: number): void {
    const hashes = this.#hashes
    const values = this.#values
    const mask = this.#mask
    let hole = this.#slotOf(hash === EMPTY ? STAND_IN : hash)
    if (hashes[hole] === EMPTY) return
    this.#count -= 1
    for (let slot = (hole + 1) & mask; hashes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      // What stands nearer to its home than the hole is must stay where it can be found.
      const home = hashes[slot]! & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      hashes[hole] = hashes[slot]!
      values[hole] = values[slot]
      hole = slot
    }
    hashes[hole] = EMPTY
    values[hole] = undefined
  }

  clear(): void {
    this.#hashes.fill(EMPTY)
    this.#values.fill(undefined)
    this.#count = 0
  }

  /** Where this hash is, or where it would go. */
  #slotOf(hash: number): number {
    const hashes = this.#hashes
    const mask = this.#mask
    let slot = hash & mask
    while (hashes[slot] !== EMPTY && hashes[slot] !== hash) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const hashes = this.#hashes
    const values = this.#values
    const size = values.length * 2
    this.#hashes = new Int32Array(size)
    this.#values = new Array(size).fill(undefined)
    this.#mask = size - 1
    for (const [index, value] of values.entries()) {
      if (value === undefined) continue
      const slot = this.#slotOf(hashes[index]!)
      this.#hashes[slot] = hashes[index]!
      this.#values[slot] = value
    }
  }
}
