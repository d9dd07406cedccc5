import { Allowance } from './allowance.ts'
import { type Attributes, itemSize } from './attributes.ts'
import { Capacity, type CapacityOptions, type Quota } from './capacity.ts'
import { compareKeys, type KeySchema, type PrimaryKey, readKey } from './primaryKey.ts'

/** Reads and writes a second that a table on demand may use with all its indexes (service quotas). */
const TABLE_QUOTA = 40_000

export interface IndexOptions {
  readonly name: string
  readonly key: KeySchema
  /** What an index holds besides keys: everything, or nothing. Default everything. */
  readonly projection?: 'ALL' | 'KEYS_ONLY'
  readonly capacity: CapacityOptions
}

export interface TableOptions {
  readonly name: string
  /** Default: one of no account. */
  readonly arn?: string
  readonly key: KeySchema
  readonly capacity: CapacityOptions
  readonly indexes?: readonly IndexOptions[]
  /**
   * Whether it keeps its items, default true. One that does not takes each write for the first of its key, believes that
   * its items are sound, and is for worlds in which millions are written.
   */
  readonly keepsItems?: boolean
  /** A scan that goes on behind a key of no item is at its end, as with some emulators. Default false. */
  readonly losesPlaces?: boolean
}

export interface SimulatedIndex {
  readonly name: string
  readonly key: KeySchema
  readonly projection: 'ALL' | 'KEYS_ONLY'
  readonly capacity: Capacity
  readonly arn: string
}

interface Stored {
  readonly key: PrimaryKey
  readonly item: Attributes
  readonly bytes: number
}

/** Items in the order of their hashes, and what may be done to them in a second. */
export class SimulatedTable {
  readonly name: string
  readonly key: KeySchema
  readonly arn: string
  readonly capacity: Capacity
  readonly indexes: readonly SimulatedIndex[]
  readonly keepsItems: boolean
  readonly #losesPlaces: boolean
  status: 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING' = 'ACTIVE'
  readonly #items = new Map<string, Stored>()
  #sizeBytes = 0
  /** Keys in scan order, some of which may be gone; undefined when there are new ones. */
  #order: PrimaryKey[] | undefined = []

  constructor(options: TableOptions, nowMs: number) {
    this.name = options.name
    this.key = options.key
    this.keepsItems = options.keepsItems ?? true
    this.#losesPlaces = options.losesPlaces ?? false
    this.arn = options.arn ?? `arn:aws:dynamodb:us-east-1:000000000000:table/${options.name}`
    const quota: Quota = {
      read: new Allowance(TABLE_QUOTA, 1, 1, nowMs),
      write: new Allowance(TABLE_QUOTA, 1, 1, nowMs),
    }
    this.capacity = new Capacity(options.capacity, quota, nowMs)
    this.indexes = (options.indexes ?? []).map((index) => ({
      name: index.name,
      key: index.key,
      projection: index.projection ?? 'ALL',
      capacity: new Capacity(index.capacity, quota, nowMs),
      arn: `${this.arn}/index/${index.name}`,
    }))
  }

  get size(): number {
    return this.#items.size
  }

  /** Bytes of all items. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: PrimaryKey): Attributes | undefined {
    return this.#items.get(key.text)?.item
  }

  /** Bytes of the item with this key, 0 when there is none. */
  bytesOf(key: PrimaryKey): number {
    return this.#items.get(key.text)?.bytes ?? 0
  }

  /** Puts an item in its place, or takes it away. Costs nothing; see `applyWrite` for what a write costs. */
  set(key: PrimaryKey, item: Attributes | undefined, bytes: number = item === undefined ? 0 : itemSize(item)): void {
    if (!this.keepsItems) return
    const before = this.#items.get(key.text)
    this.#sizeBytes += bytes - (before?.bytes ?? 0)
    if (item === undefined) {
      this.#items.delete(key.text)
      return
    }
    if (before === undefined) this.#order = undefined
    this.#items.set(key.text, { key, item, bytes })
  }

  /** For worlds: fills the table before anything runs. */
  fill(items: Iterable<Attributes>): void {
    for (const item of items) this.set(readKey(item, this.key, false), item)
  }

  /** All items by their key's text, in scan order. */
  *entries(): IterableIterator<[string, Attributes]> {
    for (const { key, item } of this.range(0, Number.POSITIVE_INFINITY, undefined)) yield [key.text, item]
  }

  /** Items whose hashes are from one bound to below another, behind a key where one is given. */
  *range(from: number, to: number, after: PrimaryKey | undefined): IterableIterator<Stored> {
    if (this.#losesPlaces && after !== undefined && this.get(after) === undefined) return
    this.#order ??= [...this.#items.values()]
      .map(({ key }) => key)
      .sort((left, right) => compareKeys(left, right, this.key))
    const order = this.#order
    let index = this.#firstAtLeast(order, Math.max(from, after?.hash ?? 0))
    if (after !== undefined) while (index < order.length && compareKeys(order[index]!, after, this.key) <= 0) index += 1
    for (; index < order.length && order[index]!.hash < to; index += 1) {
      const stored = this.#items.get(order[index]!.text)
      if (stored !== undefined) yield stored
    }
  }

  #firstAtLeast(order: readonly PrimaryKey[], hash: number): number {
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (order[middle]!.hash < hash) low = middle + 1
      else high = middle
    }
    return low
  }
}
