import { defined } from '../runtime/defined.ts'
import { Allowance } from './allowance.ts'
import { PARTITION_READ_UNITS, PARTITION_WRITE_UNITS, Partitions } from './partitions.ts'

/** What a table, or an index, can take. */
export interface CapacityOptions {
  readonly billing: 'provisioned' | 'on demand'
  /** Provisioned, units a second. Default 100. */
  readonly readUnitsPerSecond?: number | undefined
  readonly writeUnitsPerSecond?: number | undefined
  /** Seconds of unused provisioned units that are saved, from 0. Default 300 (developer guide, "Burst capacity"). */
  readonly burstSeconds?: number | undefined
  /** Share of them that is there at first, 0 to 1. Default 1. */
  readonly burstFilled?: number | undefined
  /** `OnDemandThroughput`, units a second. Default: none. */
  readonly readUnitsPerSecondMax?: number | undefined
  readonly writeUnitsPerSecondMax?: number | undefined
  /**
   * `WarmThroughput`, units a second: as many partitions as that needs are there at first. Default 12,000 and 4,000 on
   * demand, the rates where they are provisioned (developer guide, "Warm throughput").
   */
  readonly warmReadUnitsPerSecond?: number | undefined
  readonly warmWriteUnitsPerSecond?: number | undefined
  /** Partitions at first. Default: as many as rates and warm throughput need. */
  readonly partitions?: number | undefined
  /** Sustained heat after which a partition splits. Default 300,000 (a guess); `Infinity` for never. */
  readonly splitAfterMs?: number | undefined
  /**
   * On demand: how often a table grows to twice its peak since the last time. Default 1,800,000 (developer guide,
   * "On-demand capacity mode": traffic may double each 30 minutes); `Infinity` for never.
   */
  readonly growthWindowMs?: number | undefined
}

/** A new table on demand takes so much at once (developer guide, "Warm throughput"). */
const START_READ_UNITS = 12_000
const START_WRITE_UNITS = 4_000
const GROWTH_WINDOW_MS = 30 * 60_000

export type Kind = 'read' | 'write'

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
  readonly partitions: Partitions
  readonly #quota: Quota
  /** Units used so far. */
  readonly used: { [Name in Kind]: number } = { read: 0, write: 0 }
  #options: CapacityOptions
  #whole: { readonly [Name in Kind]: Allowance }
  /** Units in the present second, and the most of any second of the present window. */
  readonly #recent: { readonly [Name in Kind]: { second: number; units: number; peak: number } }
  #windowEndMs: number

  constructor(options: CapacityOptions, quota: Quota, nowMs: number) {
    this.#options = options
    this.#quota = quota
    this.#whole = this.#makeWhole(options.burstFilled ?? 1, nowMs)
    this.partitions = new Partitions(
      options.partitions ?? this.#partitionsNeeded(),
      options.splitAfterMs ?? 300_000,
      nowMs,
    )
    this.#recent = { read: { second: 0, units: 0, peak: 0 }, write: { second: 0, units: 0, peak: 0 } }
    this.#windowEndMs = nowMs + this.#growthWindowMs
  }

  get billing(): 'provisioned' | 'on demand' {
    return this.#options.billing
  }

  /** Units a second of a provisioned table, or the maximum of one on demand. */
  rate(kind: Kind): number {
    return this.#whole[kind].unitsPerSecond
  }

  /** `WarmThroughput`: what it can take at once. It never sinks. */
  warm(kind: Kind): number {
    const { billing, warmReadUnitsPerSecond: read, warmWriteUnitsPerSecond: write } = this.#options
    const asked = (kind === 'read' ? read : write) ?? 0
    if (billing === 'provisioned') return Math.max(asked, this.rate(kind))
    return Math.max(asked, kind === 'read' ? START_READ_UNITS : START_WRITE_UNITS)
  }

  /** Units a second that a load which is spread evenly can have at present, beside others. */
  offered(kind: Kind): number {
    const spread = Math.min(this.#whole[kind].freePerSecond, this.partitions.offered(kind))
    return this.billing === 'provisioned' ? spread : Math.min(spread, this.#quota[kind].freePerSecond)
  }

  /** An `UpdateTable`, or a maximum that is changed. */
  setRate(kind: Kind, unitsPerSecond: number, nowMs: number): void {
    const name =
      kind === 'read'
        ? (['readUnitsPerSecond', 'readUnitsPerSecondMax'] as const)
        : (['writeUnitsPerSecond', 'writeUnitsPerSecondMax'] as const)
    this.change({ [name[this.billing === 'provisioned' ? 0 : 1]]: unitsPerSecond }, nowMs)
  }

  /** An `UpdateTable` that is done: rates, billing mode, warm throughput. Partitions become more where that needs it, never fewer. */
  change(changes: Partial<CapacityOptions>, nowMs: number): void {
    const { billing } = this
    this.#options = { ...this.#options, ...defined(changes) }
    if (this.billing !== billing) {
      const { read, write } = this.#whole
      this.#whole = this.#makeWhole(0, nowMs)
      this.#whole.read.occupy(read.occupied, nowMs)
      this.#whole.write.occupy(write.occupied, nowMs)
    } else {
      this.#whole.read.setRate(this.#limit('read'), this.#depthSeconds, nowMs)
      this.#whole.write.setRate(this.#limit('write'), this.#depthSeconds, nowMs)
    }
    this.partitions.growTo(this.#partitionsNeeded(), nowMs)
  }

  /** An application takes so many units a second from now on, evenly of all partitions or all of one. It replaces what it took before. */
  occupy(kind: Kind, unitsPerSecond: number, nowMs: number, partition?: number): void {
    this.#whole[kind].occupy(unitsPerSecond, nowMs)
    this.partitions.occupy(kind, unitsPerSecond, nowMs, partition)
  }

  /** Why nothing of this kind can be done at this hash now; undefined when it can. */
  shortage(kind: Kind, hash: number, nowMs: number): Shortage | undefined {
    this.#grow(nowMs)
    const provisioned = this.#options.billing === 'provisioned'
    if (!this.#whole[kind].hasAny(nowMs)) {
      return provisioned ? 'ProvisionedThroughputExceeded' : 'MaxOnDemandThroughputExceeded'
    }
    if (!provisioned && !this.#quota[kind].hasAny(nowMs)) return 'AccountLimitExceeded'
    return this.partitions.hasAny(kind, hash, nowMs) ? undefined : 'KeyRangeThroughputExceeded'
  }

  spend(kind: Kind, hash: number, units: number, nowMs: number): void {
    this.used[kind] += units
    this.#whole[kind].spend(units, nowMs)
    if (this.#options.billing === 'on demand') this.#quota[kind].spend(units, nowMs)
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

  get #growthWindowMs(): number {
    return this.#options.growthWindowMs ?? GROWTH_WINDOW_MS
  }

  /** One second's worth can always be used: consumption is judged by the second. */
  get #depthSeconds(): number {
    return 1 + (this.#options.billing === 'provisioned' ? (this.#options.burstSeconds ?? 300) : 0)
  }

  #makeWhole(burstFilled: number, nowMs: number): { readonly [Name in Kind]: Allowance } {
    const depth = this.#depthSeconds
    const filled = (1 + (depth - 1) * burstFilled) / depth
    return {
      read: new Allowance(this.#limit('read'), depth, filled, nowMs),
      write: new Allowance(this.#limit('write'), depth, filled, nowMs),
    }
  }

  #limit(kind: Kind): number {
    const { billing, readUnitsPerSecond: read = 100, writeUnitsPerSecond: write = 100 } = this.#options
    if (billing === 'provisioned') return kind === 'read' ? read : write
    const { readUnitsPerSecondMax: readMax, writeUnitsPerSecondMax: writeMax } = this.#options
    return (kind === 'read' ? readMax : writeMax) ?? Number.POSITIVE_INFINITY
  }

  #partitionsNeeded(): number {
    const warm = Math.max(this.warm('read') / PARTITION_READ_UNITS, this.warm('write') / PARTITION_WRITE_UNITS)
    if (this.billing === 'on demand') return Math.ceil(warm)
    const rates = this.#limit('read') / PARTITION_READ_UNITS + this.#limit('write') / PARTITION_WRITE_UNITS
    return Math.ceil(Math.max(warm, rates))
  }

  /** On demand a table can give twice its previous peak; its partitions are what gives it. */
  #grow(nowMs: number): void {
    if (nowMs < this.#windowEndMs || this.#options.billing !== 'on demand') return
    const { read, write } = this.#recent
    const wantedRead = Math.max(START_READ_UNITS, read.peak * 2) / PARTITION_READ_UNITS
    const wantedWrite = Math.max(START_WRITE_UNITS, write.peak * 2) / PARTITION_WRITE_UNITS
    this.partitions.growTo(Math.ceil(Math.max(wantedRead, wantedWrite)), nowMs)
    read.peak = 0
    write.peak = 0
    this.#windowEndMs = nowMs + this.#growthWindowMs
  }
}
