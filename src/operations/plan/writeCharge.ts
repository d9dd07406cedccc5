import type { IndexShape, TableDescription } from '../../database/tableDescription.ts'
import type { PlainItem } from '../../item/attributeValue.ts'
import { ItemEncoder } from '../../item/encode.ts'
import { keyNamesOf } from '../../item/itemKey.ts'
import { writeUnits } from '../../item/units.ts'

/** An item in the two forms that a write is between; one that is new has no before, one that is deleted no after. */
export interface WrittenItem {
  readonly before?: PlainItem | undefined
  readonly after?: PlainItem | undefined
}

/** Tells what writes take of a table and of each of its indexes, by the service's rules. */
export class WriteCharge {
  readonly #table: Pick<TableDescription, 'key' | 'indexes' | 'localIndexes'>
  readonly #keyNames: readonly string[]
  readonly #encoder = new ItemEncoder()

  constructor(table: Pick<TableDescription, 'key' | 'indexes' | 'localIndexes'>) {
    this.#table = table
    this.#keyNames = keyNamesOf(table.key)
  }

  /**
   * Units of the table, then of each global index in the order of the description. What local indexes take is the table's.
   *
   * A write counts by the larger of the item before and after; an index counts only where what it holds changes, by the
   * same rule, and twice where its key changes: the old entry goes and a new one comes (developer guide, "DynamoDB read
   * and write operations" and "Write considerations for global secondary indexes").
   */
  unitsOf({ before, after }: WrittenItem): number[] {
    const { indexes, localIndexes } = this.#table
    let table = writeUnits(Math.max(this.sizeOf(before), this.sizeOf(after)))
    for (const index of localIndexes) table += this.#indexUnits(index, before, after)
    return [table, ...indexes.map((index) => this.#indexUnits(index, before, after))]
  }

  /** Bytes of an item by the service's rules; 0 for none. */
  sizeOf(item: PlainItem | undefined): number {
    if (item === undefined) return 0
    this.#encoder.encode(item)
    return this.#encoder.sizeBytes
  }

  #indexUnits(index: IndexShape, before: PlainItem | undefined, after: PlainItem | undefined): number {
    const old = this.#project(index, before)
    const fresh = this.#project(index, after)
    if (old === undefined) return fresh === undefined ? 0 : fresh.units
    if (fresh === undefined) return old.units
    if (old.key !== fresh.key) return old.units + fresh.units
    return old.text === fresh.text ? 0 : Math.max(old.units, fresh.units)
  }

  #project(index: IndexShape, item: PlainItem | undefined): { key: string; text: string; units: number } | undefined {
    if (item === undefined || index.keyNames.some((name) => item[name] === undefined)) return undefined
    const kept =
      index.projection === 'all'
        ? Object.keys(item)
        : [...index.keyNames, ...this.#keyNames, ...(index.projection === 'keys' ? [] : index.projection)]
    // Attributes have no order.
    const names = [...new Set(kept)].sort()
    const text = this.#encoder.encode(Object.fromEntries(names.map((name) => [name, item[name]])))
    const units = writeUnits(this.#encoder.sizeBytes)
    return { key: index.keyNames.map((name) => this.#encoder.encodeValue(item[name])).join(), text, units }
  }
}
