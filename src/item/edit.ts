import type { PlainValue } from './attributeValue.ts'
import type { NumberValue } from './number.ts'

/**
 * What a visitor returns for an item: changes to some of its attributes, `'delete'`, or nothing.
 *
 * Only attributes named here are written, and only if they still are what the visitor saw.
 */
export type Edit = Changes | 'delete' | undefined | null

export interface Changes {
  /** Attributes to write, whole. */
  readonly set?: { readonly [name: string]: PlainValue | undefined }
  /** Attributes to take away. */
  readonly remove?: readonly string[] | undefined
  /** Numbers to add to numbers (a missing one counts as 0), and elements to add to sets. */
  readonly add?: { readonly [name: string]: number | bigint | NumberValue | ReadonlySet<unknown> } | undefined
}

/**
 * One conditional change of one item, in DynamoDB JSON text and ready for the wire: the attributes that are written or
 * removed, and what must be true of the item as it is now.
 */
export interface Change {
  /** Texts of the key's attributes: partition, then sort. */
  readonly key: readonly string[]
  /** The whole item goes. */
  readonly deletes: boolean
  /** The item is made, unless there is one of its key: for what was deleted to come back. Default false. */
  readonly creates?: boolean | undefined
  readonly setNames: readonly string[]
  readonly setTexts: readonly string[]
  readonly removeNames: readonly string[]
  /** Attributes that must be as they were read; `undefined` for those that must be missing. */
  readonly expectNames: readonly string[]
  readonly expectTexts: readonly (string | undefined)[]
}
