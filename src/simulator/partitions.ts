import { Allowance } from './allowance.ts'
import { HASHES } from './hashOf.ts'

/** Units a second that one partition gives, whatever its table has (developer guide, "Partitions and data distribution"). */
export const PARTITION_READ_UNITS = 3_000
export const PARTITION_WRITE_UNITS = 1_000
/** How much of them it can save up is not known; one second is a guess. */
const PARTITION_DEPTH_SECONDS = 1
/** Hashes of refused requests that are remembered, to find where a hot range is best cut. */
const SAMPLES_MAX = 101
/** Refusals further apart than this are no sustained heat. */
const COOL_AFTER_MS = 10_000

interface Partition {
  /** The range of hashes from here to the next partition. */
  readonly from: number
  readonly read: Allowance
  readonly write: Allowance
  hotSinceMs: number | undefined
  hotAtMs: number
  samples: number[]
}

/** The ranges of hashes that share the limits of one machine. They split and never merge. */
export class Partitions {
  readonly #splitAfterMs: number
  #partitions: Partition[]

  /**
   * @param count ranges of equal width at first
   * @param splitAfterMs of sustained heat a partition is cut in two; `Infinity` for never
   */
  constructor(count: number, splitAfterMs: number, nowMs: number) {
    this.#splitAfterMs = splitAfterMs
    this.#partitions = Array.from({ length: count }, (_, index) => newPartition((HASHES * index) / count, nowMs))
  }

  get count(): number {
    return this.#partitions.length
  }

  /** The index of the partition that a hash falls in. */
  indexOf(hash: number): number {
    let low = 0
    let high = this.#partitions.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#partitions[middle]!.from <= hash) low = middle
      else high = middle - 1
    }
    return low
  }

  hasAny(kind: 'read' | 'write', hash: number, nowMs: number): boolean {
    const partition = this.#partitions[this.indexOf(hash)]!
    if (partition[kind].hasAny(nowMs)) return true
    this.#heat(partition, hash, nowMs)
    return false
  }

  spend(kind: 'read' | 'write', hash: number, units: number, nowMs: number): void {
    this.#partitions[this.indexOf(hash)]![kind].spend(units, nowMs)
  }

  /** Units a second that all of them can give together, beside others. */
  offered(kind: 'read' | 'write'): number {
    let sum = 0
    for (const partition of this.#partitions) sum += partition[kind].freePerSecond
    return sum
  }

  /** Others take so many units a second from now on, evenly of all partitions, or all of one and none of the others. */
  occupy(kind: 'read' | 'write', unitsPerSecond: number, nowMs: number, only?: number): void {
    const share = unitsPerSecond / this.#partitions.length
    for (const [index, partition] of this.#partitions.entries()) {
      partition[kind].occupy(only === undefined ? share : index === only ? unitsPerSecond : 0, nowMs)
    }
  }

  /** Cuts every range in half until there are at least so many. */
  growTo(count: number, nowMs: number): void {
    while (this.#partitions.length < count) {
      for (let index = this.#partitions.length - 1; index >= 0; index -= 1) {
        const { from } = this.#partitions[index]!
        const to = this.#partitions[index + 1]?.from ?? HASHES
        this.#split(index, (from + to) / 2, nowMs)
      }
    }
  }

  /** A partition that refuses for long enough is cut where half of what it refuses lies on either side. */
  #heat(partition: Partition, hash: number, nowMs: number): void {
    if (partition.hotSinceMs === undefined || nowMs - partition.hotAtMs > COOL_AFTER_MS) {
      partition.hotSinceMs = nowMs
      partition.samples = []
    }
    partition.hotAtMs = nowMs
    if (partition.samples.length === SAMPLES_MAX) partition.samples.shift()
    partition.samples.push(hash)
    if (nowMs - partition.hotSinceMs < this.#splitAfterMs || partition.samples.length < SAMPLES_MAX) return
    partition.hotSinceMs = undefined
    const sorted = partition.samples.toSorted((left, right) => left - right)
    const middle = sorted[SAMPLES_MAX >> 1]!
    // A single hot key can not be cut.
    if (middle === sorted[0]) return
    this.#split(this.#partitions.indexOf(partition), middle, nowMs)
  }

  /** What others take of a range they take of both its parts. */
  #split(index: number, at: number, nowMs: number): void {
    const partition = this.#partitions[index]!
    const added = newPartition(at, nowMs)
    for (const kind of ['read', 'write'] as const) {
      const half = partition[kind].occupied / 2
      if (half === 0) continue
      partition[kind].occupy(half, nowMs)
      added[kind].occupy(half, nowMs)
    }
    this.#partitions.splice(index + 1, 0, added)
  }
}

function newPartition(from: number, nowMs: number): Partition {
  return {
    from,
    read: new Allowance(PARTITION_READ_UNITS, PARTITION_DEPTH_SECONDS, 1, nowMs),
    write: new Allowance(PARTITION_WRITE_UNITS, PARTITION_DEPTH_SECONDS, 1, nowMs),
    hotSinceMs: undefined,
    hotAtMs: nowMs,
    samples: [],
  }
}
