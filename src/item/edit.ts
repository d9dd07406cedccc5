import type { PlainItem, PlainValue } from './attributeValue.ts'
import type { NumberValue } from './number.ts'

/**
 * What a visitor returns for an item: changes to some of its attributes, `'delete'`, or nothing.
 *
 * Only attributes named here are written, and only if they still are what the visitor saw.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}, which has any attributes
 * @example
 * function upgrade(user: User): Edit<User> {
 *   return user.tier === undefined ? { set: { tier: 'gold' } } : undefined
 * }
 */
export type Edit<Item extends object = PlainItem> = Changes<Item> | 'delete' | undefined | null

/**
 * Changes to some attributes of an item. Each attribute may be named once.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}, which has any attributes
 * @example
 * const changes: Changes<User> = { set: { tier: 'gold' }, remove: ['trialEnds'], add: { logins: 1 } }
 */
export interface Changes<Item extends object = PlainItem> {
  /** Attributes to write, whole. One that is `undefined` is left as it is. Default: none. */
  readonly set?: { readonly [Name in keyof Item]?: Stored<Item[Name]> | undefined } | undefined
  /** Attributes to remove: only optional ones, where the items have a type. Default: none. */
  readonly remove?: readonly OptionalName<Item>[] | undefined
  /** Numbers to add to numbers (a missing one counts as 0), and elements to add to sets. Default: none. */
  readonly add?: { readonly [Name in keyof Item]?: Addend<Exclude<Item[Name], undefined>> | undefined } | undefined
}

/** A value as it is written: read-only arrays and objects are as good as others. */
type Stored<Value> = unknown extends Value
  ? PlainValue
  : Value extends Leaf
    ? Value
    : { readonly [Name in keyof Value]: Stored<Value[Name]> }

type Leaf = string | Numeric | boolean | null | undefined | Uint8Array | ReadonlySet<unknown>
type Numeric = number | bigint | NumberValue

/** To numbers of a few literals nothing can be added: the sum may be another number. */
type Addend<Value> = unknown extends Value
  ? Numeric | ReadonlySet<unknown>
  : Value extends ReadonlySet<infer Element>
    ? ReadonlySet<Element>
    : [Value] extends [Numeric]
      ? number extends Value
        ? Numeric
        : bigint extends Value
          ? Numeric
          : never
      : never

type OptionalName<Item> = { [Name in keyof Item]-?: undefined extends Item[Name] ? Name : never }[keyof Item] & string

/** An item as it is written. One without a type stays as it is. */
export type StoredItem<Item extends object> = string extends keyof Item
  ? Item
  : { readonly [Name in keyof Item]: Stored<Item[Name]> }

/** Nothing to check of a visitor whose edits name only attributes that the items have; TypeScript does not see it itself. */
export type KnownNames<Item, Made> = unknown extends Made
  ? unknown
  : [UnknownName<Item, Made>] extends [never]
    ? unknown
    : { readonly 'the items have no such attribute': UnknownName<Item, Made> }

type UnknownName<Item, Made> = Made extends object
  ? Exclude<PartNames<Made, 'set'> | PartNames<Made, 'add'>, keyof Item> | Exclude<keyof Made, keyof Changes>
  : never

type PartNames<Made, Part extends string> = Made extends { readonly [_ in Part]?: infer Named }
  ? Named extends object
    ? keyof Named & string
    : never
  : never

/**
 * One conditional change of one item, in DynamoDB JSON text and ready for the wire: the attributes that are written or
 * removed, and what must be true of the item as it is now.
 *
 * @internal
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
