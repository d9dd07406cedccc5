import { Allowance } from './allowance.ts'
import { Partitions } from './partitions.ts'

/** What a table, or an index, can take. */
export interface CapacityOptions {
  readonly billing: 'provisioned' | 'on demand'
  /** Provisioned, units a second. Default 100. */
  readonly readUnitsPerSecond?: number
  readonly writeUnitsPerSecond?: number
  /** Seconds of unused provisioned units that are saved, from 0. Default 300 (developer guide, "Burst capacity"). */
  readonly burstSeconds?: number
  /** Share of them that is there at first, 0 to 1. Default 1. */
  readonly burstFilled?: number
  /** `OnDemandThroughput`, units a second. Default: none. */
  readonly readUnitsPerSecondMax?: number
  readonly writeUnitsPerSecondMax?: number
  /** Partitions at first. Default: as many as the rates need, 4 on demand. */
  readonly partitions?: number
  /** Sustained heat after which a partition splits. Default 300,000 (a guess); `Infinity` for never. */
  readonly splitAfterMs?: number
}

/** A new table on demand takes so much at once (developer guide, "Warm throughput"). */
const START_READ_UNITS = 12_000
const START_WRITE_UNITS = 4_000
/** Traffic may double each so often (developer guide, "On-demand capacity mode"). */
const GROWTH_WINDOW_MS = 30 * 60_000

type Kind = 'read' | 'write'

/** Why units are refused: the second half of a `ThrottlingReasons` name. */
export type Shortage =
  | 'ProvisionedThroughputExceeded'
  | 'MaxOnDemandThroughputExceeded'
  | 'AccountLimitExceeded'
  | 'KeyRangeThroughputExceeded'

/** Reads and writes that a table on demand may use together with its indexes. */
export interface Quota {
  readonly read: Allowance
  readonly write: Allowance
}

/** The units of one table or one index: of the whole, of each partition, and what it may become. */
export class Capacity {
  readonly billing: 'provisioned' | 'on demand'
  readonly partitions: Partitions
  readonly #quota: Quota
  readonly #whole: { readonly [Name in Kind]: Allowance }
  readonly #burstSeconds: number
  /** Units in the present second, and the most of any second of the present window. */
  readonly #recent: { readonly [Name in Kind]: { second: number; units: number; peak: number } }
  #windowEndMs: number

  constructor(options: CapacityOptions, quota: Quota, nowMs: number) {
    this.billing = options.billing
    this.#quota = quota
    const provisioned = options.billing === 'provisioned'
    const { readUnitsPerSecond: read = 100, writeUnitsPerSecond: write = 100 } = options
    // One second's worth can always be used: consumption is judged by the second.
    this.#burstSeconds = 1 + (provisioned ? (options.burstSeconds ?? 300) : 0)
    const filled = (1 + (this.#burstSeconds - 1) * (options.burstFilled ?? 1)) / this.#burstSeconds
    const readLimit = provisioned ? read : (options.readUnitsPerSecondMax ?? Number.POSITIVE_INFINITY)
    const writeLimit = provisioned ? write : (options.writeUnitsPerSecondMax ?? Number.POSITIVE_INFINITY)
    this.#whole = {
      read: new Allowance(readLimit, this.#burstSeconds, filled, nowMs),
      write: new Allowance(writeLimit, this.#burstSeconds, filled, nowMs),
    }
    const least = provisioned ? Math.ceil(read / 3_000 + write / 1_000) : 4
    this.partitions = new Partitions(options.partitions ?? least, options.splitAfterMs ?? 300_000, nowMs)
    this.#recent = { read: { second: 0, units: 0, peak: 0 }, write: { second: 0, units: 0, peak: 0 } }
    this.#windowEndMs = nowMs + GROWTH_WINDOW_MS
  }

  /** Units a second of a provisioned table. */
  rate(kind: Kind): number {
    return this.#whole[kind].unitsPerSecond
  }

  /** An `UpdateTable`, or a maximum that is changed. */
  setRate(kind: Kind, unitsPerSecond: number, nowMs: number): void {
    this.#whole[kind].setRate(unitsPerSecond, this.#burstSeconds, nowMs)
  }

  /** Why nothing of this kind can be done at this hash now; undefined when it can. */
  shortage(kind: Kind, hash: number, nowMs: number): Shortage | undefined {
    this.#grow(nowMs)
    if (!this.#whole[kind].hasAny(nowMs)) {
      return this.billing === 'provisioned' ? 'ProvisionedThroughputExceeded' : 'MaxOnDemandThroughputExceeded'
    }
    if (this.billing === 'on demand' && !this.#quota[kind].hasAny(nowMs)) return 'AccountLimitExceeded'
    return this.partitions.hasAny(kind, hash, nowMs) ? undefined : 'KeyRangeThroughputExceeded'
  }

  spend(kind: Kind, hash: number, units: number, nowMs: number): void {
    this.#whole[kind].spend(units, nowMs)
    if (this.billing === 'on demand') this.#quota[kind].spend(units, nowMs)
    this.partitions.spend(kind, hash, units, nowMs)
    const recent = this.#recent[kind]
    const second = Math.floor(nowMs / 1_000)
    if (second !== recent.second) {
      recent.second = second
      recent.units = 0
    }
    recent.units += units
    recent.peak = Math.max(recent.peak, recent.units)
  }

  /** On demand a table can give twice its previous peak; its partitions are what gives it. */
  #grow(nowMs: number): void {
    if (this.billing !== 'on demand' || nowMs < this.#windowEndMs) return
    const { read, write } = this.#recent
    const wantedRead = Math.max(START_READ_UNITS, read.peak * 2) / 3_000
    const wantedWrite = Math.max(START_WRITE_UNITS, write.peak * 2) / 1_000
    this.partitions.growTo(Math.ceil(Math.max(wantedRead, wantedWrite)), nowMs)
    read.peak = 0
    write.peak = 0
    this.#windowEndMs = nowMs + GROWTH_WINDOW_MS
  }
}
