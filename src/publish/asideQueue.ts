import { Ring } from '../runtime/ring.ts'
import type { Entry } from './entry.ts'

/**
 * Entries that were throttled and may go again, those of the lowest lane first.
 *
 * Sources that are each in the order of their hashes and are read side by side come to one partition after another at the
 * same time, all of them. If what that partition takes were shared out evenly they would stay together; given to one of them
 * after the other, the first is soon in the next partition, and before long they are spread over all.
 */
export class AsideQueue {
  readonly #lanes = new Map<number, Ring<Entry>>()
  #length = 0
  /** The lowest lane that holds any. */
  #first: Ring<Entry> | undefined

  get length(): number {
    return this.#length
  }

  peek(): Entry | undefined {
    this.#first ??= this.#findFirst()
    return this.#first?.peek()
  }

  popFront(): Entry | undefined {
    const entry = this.peek()
    if (entry === undefined) return undefined
    this.#first!.popFront()
    this.#length -= 1
    if (this.#first!.length === 0) {
      this.#lanes.delete(entry.lane)
      this.#first = undefined
    }
    return entry
  }

  pushBack(entry: Entry): void {
    this.#ringOf(entry).pushBack(entry)
    this.#length += 1
  }

  pushFront(entry: Entry): void {
    this.#ringOf(entry).pushFront(entry)
    this.#length += 1
  }

  clear(): void {
    this.#lanes.clear()
    this.#length = 0
    this.#first = undefined
  }

  #ringOf({ lane }: Entry): Ring<Entry> {
    let ring = this.#lanes.get(lane)
    if (ring === undefined) {
      ring = new Ring<Entry>(64)
      this.#lanes.set(lane, ring)
      // It may be lower than what is the lowest.
      this.#first = undefined
    }
    return ring
  }

  #findFirst(): Ring<Entry> | undefined {
    let lowest = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.keys()) if (lane < lowest) lowest = lane
    return this.#lanes.get(lowest)
  }
}
