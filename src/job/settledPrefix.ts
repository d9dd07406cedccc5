import type { JobReject } from './reject.ts'
import { rejectBytes } from './rejectBytes.ts'
import { ENDINGS, type Ending, type Endings } from './tally.ts'

const PENDING = 0
/** Of each ending, the code of a record that ended so: its place in {@link ENDINGS}, from 1. */
const CODES = Object.fromEntries(ENDINGS.map((name, index) => [name, index + 1])) as {
  readonly [Name in Ending]: number
}
const WRITTEN = CODES.written
const REJECTED = CODES.rejected

/**
 * The records of one segment or file in the order in which they were read, and how far they are settled without a gap: a
 * job that is gone on with begins behind that.
 *
 * What is told of rejects waits until everything in front of them is settled, so that none is told twice.
 */
export class SettledPrefix {
  /** Of records taken and not yet passed, by their sequence number within the ring. */
  #codes = new Uint8Array(64)
  #taken = 0
  #passed = 0
  readonly #rejects = new Map<number, { readonly reject: JobReject; readonly bytes: number }>()
  #heldBytes = 0
  readonly #onReject: (reject: JobReject) => void
  readonly #tally: Endings

  /**
   * @param tally counts what is passed; several may share one
   * @param onReject told of each reject once it is passed; what it throws goes to whoever settled the record
   */
  constructor(tally: Endings, onReject: (reject: JobReject) => void) {
    this.#tally = tally
    this.#onReject = onReject
  }

  /** Records that were taken: the sequence number of the next. */
  get taken(): number {
    return this.#taken
  }

  /** Records that are settled, and all in front of them. */
  get passed(): number {
    return this.#passed
  }

  /** Records from the first that is not settled to the last that was taken. */
  get span(): number {
    return this.#taken - this.#passed
  }

  /** Bytes of rejects that wait for what is in front of them, about. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** A record was read. @returns its sequence number, from 0 */
  take(): number {
    if (this.span === this.#codes.length) this.#grow()
    this.#codes[this.#taken & (this.#codes.length - 1)] = PENDING
    this.#taken += 1
    return this.#taken - 1
  }

  /** A record has ended. */
  settle(sequence: number, ending: Ending, reject?: JobReject): void {
    const mask = this.#codes.length - 1
    this.#codes[sequence & mask] = CODES[ending]
    if (reject !== undefined) this.#hold(sequence, reject)
    while (this.#passed < this.#taken) {
      const code = this.#codes[this.#passed & mask]
      if (code === PENDING) return
      this.#passed += 1
      if (code === WRITTEN) this.#tally.written += 1
      else if (code === REJECTED) this.#passReject(this.#passed - 1)
      else this.#tally[ENDINGS[code! - 1]!] += 1
    }
  }

  #passReject(sequence: number): void {
    this.#tally.rejected += 1
    const held = this.#rejects.get(sequence)
    if (held === undefined) return
    this.#rejects.delete(sequence)
    this.#heldBytes -= held.bytes
    this.#onReject(held.reject)
  }

  #hold(sequence: number, reject: JobReject): void {
    // Most are passed at once, and need not be weighed.
    const bytes = sequence === this.#passed ? 0 : rejectBytes(reject)
    this.#rejects.set(sequence, { reject, bytes })
    this.#heldBytes += bytes
  }

  #grow(): void {
    const codes = new Uint8Array(this.#codes.length * 2)
    for (let sequence = this.#passed; sequence < this.#taken; sequence += 1) {
      codes[sequence & (codes.length - 1)] = this.#codes[sequence & (this.#codes.length - 1)]!
    }
    this.#codes = codes
  }
}
