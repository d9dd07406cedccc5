import type { NumberValue } from './number.ts'

/**
 * A value of an attribute in plain JavaScript.
 *
 * | DynamoDB | plain |
 * |---|---|
 * | S, BOOL, NULL | `string`, `boolean`, `null` |
 * | N | `number` where a double holds it exactly, else `bigint`, else {@link NumberValue}; all three are taken |
 * | B | `Uint8Array` |
 * | L, M | array, object |
 * | SS, NS, BS | `Set` of strings, of numbers, of byte arrays; never empty, never mixed |
 */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | NumberValue
  | Uint8Array
  | ReadonlySet<string | number | bigint | NumberValue | Uint8Array>
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue | undefined }

/** An item in plain JavaScript; attributes that are `undefined` do not exist. */
// biome-ignore lint/suspicious/noExplicitAny: users hand in their own record types, which have no index signature
export type PlainItem = { readonly [name: string]: any }

/** Deepest nesting that DynamoDB stores, the attribute itself being level 1. */
export const NESTING_MAX = 32

/** Largest item, names included (developer guide, "Quotas"). */
export const ITEM_BYTES_MAX: number = 400 * 1024
