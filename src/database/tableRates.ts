import type { Clock, Timer } from '../runtime/clock.ts'
import { type Bounds, Limiter, UNBOUNDED, UNKNOWN } from '../throughput/limiter.ts'
import { DEFAULT_RATE, type Rate, type RateControl, shareOf } from '../throughput/rate.ts'
import type { SharedBudget, SharedRate } from '../throughput/sharedRate.ts'
import { capacityBounds, provenUnits } from './capacityBounds.ts'
import { capacityNotice } from './capacityNotice.ts'
import type { TableDescription } from './tableDescription.ts'

/** A table may be given more or less while it is worked on; it is looked at so often. */
const LOOK_EVERY_MS = 60_000

export interface TableRatesOptions {
  readonly direction: 'read' | 'write'
  /** Undefined for the default. */
  readonly rate: Rate | undefined
  readonly shared?: SharedRate | undefined
  /** The endpoint is an emulator on this machine: they ignore what a table is provisioned with. */
  readonly loopback: boolean
  readonly index?: string | undefined
  /** Undefined where nobody asked for it: then what the table has plays no part until it is looked at. */
  readonly description: TableDescription | undefined
  readonly describe: () => Promise<TableDescription>
  readonly clock: Clock
}

/** How fast a table may be read or written as its owner, its user and its description have it; looked at while work is done. */
export class TableRates implements RateControl {
  readonly limiter: Limiter
  onChange: (() => void) | undefined
  onNotice: ((text: string) => void) | undefined
  readonly #options: TableRatesOptions
  #rate: Rate | undefined
  #description: TableDescription | undefined
  #timer: Timer | undefined
  readonly #shared: SharedBudget | undefined
  #closed = false

  constructor(options: TableRatesOptions) {
    this.#options = options
    this.#rate = options.rate
    this.#description = options.description
    const now = options.clock.now()
    this.#shared = options.shared?.join(now)
    if (this.#shared !== undefined) this.#shared.onGrant = () => this.onChange?.()
    this.limiter = new Limiter({ askedUnitsPerSecond: this.#asked, ...this.#bounds(), shared: this.#shared }, now)
    this.#lookLater()
  }

  get provenUnitsPerSecond(): number {
    return this.#description === undefined ? 0 : provenUnits(this.#description, this.#options.direction)
  }

  setRate(rate: Rate): void {
    shareOf(`${this.#options.direction}UnitsPerSecond`, rate)
    this.#rate = rate
    this.limiter.setAsked(this.#asked, this.#options.clock.now())
    this.#apply()
    this.#lookLater(this.#description === undefined ? 0 : LOOK_EVERY_MS)
  }

  setPaused(paused: boolean): void {
    this.limiter.isPaused = paused
    if (!paused) this.onChange?.()
  }

  close(): void {
    this.#closed = true
    this.#shared?.close()
    this.#timer?.clear()
    this.#timer = undefined
    this.onChange = undefined
    this.onNotice = undefined
  }

  get #asked(): number {
    return typeof this.#rate === 'number' ? this.#rate : Number.POSITIVE_INFINITY
  }

  /** Undefined when what the table has plays no part. */
  get #share(): number | undefined {
    if (this.#rate === undefined && this.#options.loopback) return undefined
    return shareOf(`${this.#options.direction}UnitsPerSecond`, this.#rate ?? DEFAULT_RATE)
  }

  #bounds(): { table: Bounds; indexes: ReadonlyMap<string, Bounds> } {
    const share = this.#share
    const { direction, index } = this.#options
    const description = this.#description
    if (share !== undefined && description !== undefined) return capacityBounds(description, direction, share, index)
    // Reads are few and large, and emulators take pages whole: there is nothing to begin small with.
    if (direction === 'read') return { table: UNBOUNDED, indexes: new Map() }
    return { table: UNKNOWN, indexes: new Map(description?.indexes.map(({ name }) => [name, UNBOUNDED])) }
  }

  #apply(): void {
    const { table, indexes } = this.#bounds()
    this.limiter.setBounds(table, indexes, this.#options.clock.now())
    this.onChange?.()
  }

  #lookLater(delayMs = LOOK_EVERY_MS): void {
    if (this.#closed || this.#timer !== undefined || this.#share === undefined) return
    this.#timer = this.#options.clock.setTimer(() => {
      this.#options
        .describe()
        .then((description) => {
          this.#timer = undefined
          const before = this.#description
          const notice = before && capacityNotice(before, description, this.#options.direction)
          if (notice !== undefined && !this.#closed) this.onNotice?.(notice)
          this.#description = description
          if (!this.#closed) this.#apply()
        })
        // What keeps a table from being looked at keeps it from being worked on, and is told there.
        .catch(() => {
          this.#timer = undefined
        })
        .finally(() => this.#lookLater())
    }, delayMs)
  }
}
