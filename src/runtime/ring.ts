/**
 * A queue with two ends on one array that grows by doubling.
 *
 * ```
 *   slots   [ d  e  .  .  .  a  b  c ]      mask = length - 1, so that `& mask` wraps
 *                    ^        ^
 *             head + count    head          pushFront steps head back, pushBack fills head + count
 * ```
 *
 * Entries that must go again return to the front; that is why a ring and not a list. Emptied slots are cleared, so the
 * ring keeps nothing alive that it no longer holds.
 */
export class Ring<Value> {
  #slots: (Value | undefined)[]
  #mask: number
  #head = 0
  #count = 0

  constructor(capacity = 64) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, capacity)))
    this.#slots = new Array(size).fill(undefined)
    this.#mask = size - 1
  }

  get length(): number {
    return this.#count
  }

  pushBack(value: Value): void {
    if (this.#count > this.#mask) this.#grow()
    this.#slots[(this.#head + this.#count) & this.#mask] = value
    this.#count += 1
  }

  pushFront(value: Value): void {
    if (this.#count > this.#mask) this.#grow()
    this.#head = (this.#head - 1) & this.#mask
    this.#slots[this.#head] = value
    this.#count += 1
  }

  /** The value at the front, left where it is. */
  peek(): Value | undefined {
    return this.#count === 0 ? undefined : this.#slots[this.#head]
  }

  popFront(): Value | undefined {
    if (this.#count === 0) return undefined
    const value = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.#count -= 1
    return value
  }

  clear(): void {
    this.#slots.fill(undefined)
    this.#head = 0
    this.#count = 0
  }

  #grow(): void {
    const size = this.#slots.length * 2
    const slots: (Value | undefined)[] = new Array(size).fill(undefined)
    for (let index = 0; index < this.#count; index += 1) slots[index] = this.#slots[(this.#head + index) & this.#mask]
    this.#slots = slots
    this.#mask = size - 1
    this.#head = 0
  }
}
