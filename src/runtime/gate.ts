import { Ring } from './ring.ts'

/** Lets so many pieces of work go on at once; the others wait in their order. */
export class Gate {
  readonly #limit: number
  readonly #waiting = new Ring<() => void>(16)
  #busy = 0

  /** @param limit 1 or more */
  constructor(limit: number) {
    this.#limit = limit
  }

  async pass<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#busy >= this.#limit) await new Promise<void>((resolve) => this.#waiting.pushBack(resolve))
    else this.#busy += 1
    try {
      return await work()
    } finally {
      // A place that falls free goes to the next in line, without ever being free in between.
      const next = this.#waiting.popFront()
      if (next === undefined) this.#busy -= 1
      else next()
    }
  }
}
