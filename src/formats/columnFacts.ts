import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import { NumberValue, numberText } from '../item/number.ts'
import { lossOf } from './losses.ts'
import type { ColumnType } from './record.ts'

/** Attributes that get a column of their own. */
const COLUMNS_MAX = 10_000
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/**
 * The narrowest type of cells that brings a value back exactly.
 *
 * @throws {ItemError} for what DynamoDB has no type for
 */
export function columnTypeOf(value: unknown): ColumnType {
  switch (typeof value) {
    case 'string':
      return 'S'
    case 'number':
    case 'bigint':
      return 'N'
    case 'boolean':
      return 'BOOL'
    case 'object':
      if (value === null) return 'NULL'
      if (value instanceof NumberValue) return 'N'
      if (value instanceof Uint8Array) return 'B'
      return lossOf(value) === undefined ? 'json' : 'ddb'
    default:
      throw new ItemError(`a ${typeof value} cannot be stored`)
  }
}

/** What is known of all values of an attribute. */
export class ColumnFacts {
  readonly types: Set<ColumnType> = new Set()
  /** Numbers, all of which are whole and fit into 64 bits. */
  isInt64 = true
  /** Numbers, each of which a double holds in just those digits. */
  isDouble = true
  /** The most digits that a number has in front of the point, and behind it. */
  wholeDigits = 0
  fractionDigits = 0

  /** @throws {ItemError} for what DynamoDB has no type for */
  look(value: unknown): void {
    const type = columnTypeOf(value)
    this.types.add(type)
    if (type === 'N') this.#lookAtNumber(value as number | bigint | NumberValue)
  }

  /** The narrowest type of which all values are. */
  get type(): ColumnType {
    return this.#typeOf(this.types)
  }

  /** The same, where NULL may be an empty cell. */
  get typeBesideNull(): ColumnType {
    return this.#typeOf(new Set([...this.types].filter((type) => type !== 'NULL' || this.types.size === 1)))
  }

  #typeOf(types: ReadonlySet<ColumnType>): ColumnType {
    if (types.size === 1) return [...types][0]!
    return types.has('ddb') || types.has('B') ? 'ddb' : 'json'
  }

  #lookAtNumber(value: number | bigint | NumberValue): void {
    if (typeof value !== 'number') this.isDouble = false
    if (Number.isSafeInteger(value)) {
      this.wholeDigits = Math.max(this.wholeDigits, `${Math.abs(value as number)}`.length)
      return
    }
    const text = numberOf(value)
    const point = text.indexOf('.')
    const whole = (point === -1 ? text : text.slice(0, point)).replace(/^-/, '')
    this.wholeDigits = Math.max(this.wholeDigits, whole === '0' ? 0 : whole.length)
    if (point === -1) {
      const number = BigInt(text)
      if (number < INT64_MIN || number > INT64_MAX) this.isInt64 = false
      return
    }
    this.isInt64 = false
    this.fractionDigits = Math.max(this.fractionDigits, text.length - point - 1)
  }
}

/** A number's one spelling, without an exponent. */
export function numberOf(value: unknown): string {
  return typeof value === 'number' ? numberText(value) : new NumberValue(`${value}`).text
}

export interface FoundColumn {
  readonly name: string
  readonly facts: ColumnFacts
}

/** Finds out which columns a file of items needs, by looking at all of them. */
export class ColumnSurvey {
  readonly #found = new Map<string, ColumnFacts>()
  /** Attributes that are too many to have columns. */
  isFull = false

  look(item: PlainItem): void {
    for (const name of Object.keys(item)) {
      const value: unknown = item[name]
      if (value === undefined) continue
      let facts = this.#found.get(name)
      if (facts === undefined) {
        if (this.#found.size >= COLUMNS_MAX) {
          this.isFull = true
          continue
        }
        facts = new ColumnFacts()
        this.#found.set(name, facts)
      }
      facts.look(value)
    }
  }

  /** @param first names that go in front, such as those of the key; the others are sorted */
  columns(first: readonly string[]): FoundColumn[] {
    const front = first.filter((name) => this.#found.has(name))
    const others = [...this.#found.keys()].filter((name) => !front.includes(name)).sort()
    return [...front, ...others].map((name) => ({ name, facts: this.#found.get(name)! }))
  }
}
