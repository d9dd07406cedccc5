import type { PlainItem } from './attributeValue.ts'
import { itemKey, type KeyAttribute, type KeySchema } from './itemKey.ts'

/**
 * 32 bits that are the same for items of the same key, and almost always differ for others: FNV-1a over the characters,
 * mixed at the end as MurmurHash3 does.
 *
 * It takes no memory, unlike the key as a string. Whoever finds two alike must ask {@link itemKey} before taking them for
 * the same.
 *
 * @throws {ItemError} as {@link itemKey}
 */
export function keyHash(item: PlainItem, schema: KeySchema): number {
  let hash = hashAttribute(item, schema.partition, PARTITION_CHARACTERS, 0x811c9dc5)
  if (hash !== undefined && schema.sort !== undefined)
    hash = hashAttribute(item, schema.sort, SORT_CHARACTERS, hash ^ 0x5bd1e995)
  return mix(hash ?? hashText(itemKey(item, schema)))
}

/** As {@link keyHash}, of the key as a string. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** Strings of so few characters can not be longer than a key may be, whatever the characters. */
const PARTITION_CHARACTERS = 682
const SORT_CHARACTERS = 341

/** Undefined for what must be looked at closely: numbers by value, binary, long strings, and whatever is wrong. */
function hashAttribute(
  item: PlainItem,
  attribute: KeyAttribute,
  charactersMax: number,
  seed: number,
): number | undefined {
  const value: unknown = item[attribute.name]
  if (attribute.type !== 'S' || typeof value !== 'string') return undefined
  const { length } = value
  if (length === 0 || length > charactersMax) return undefined
  let hash = seed
  for (let index = 0; index < length; index += 1) hash = Math.imul(hash ^ value.charCodeAt(index), 0x01000193)
  return hash
}

function mix(hash: number): number {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) | 0
}

/**
 * 32 more bits of the same key, by another function than {@link keyHash}: together they tell keys apart well enough to
 * count them.
 *
 * @throws {ItemError} as {@link keyHash}
 */
export function keyCheck(item: PlainItem, schema: KeySchema): number {
  const { partition, sort } = schema
  let check = checkAttribute(item, partition, PARTITION_CHARACTERS, 0x1b873593)
  if (check !== undefined && sort !== undefined) check = checkAttribute(item, sort, SORT_CHARACTERS, check ^ 0x5bd1e995)
  return check ?? checkText(itemKey(item, schema), 0x1b873593)
}

/** Undefined where {@link hashAttribute} is. */
function checkAttribute(
  item: PlainItem,
  { name, type }: KeyAttribute,
  charactersMax: number,
  seed: number,
): number | undefined {
  const value: unknown = item[name]
  if (type !== 'S' || typeof value !== 'string' || value.length === 0 || value.length > charactersMax) return undefined
  return checkText(value, seed)
}

function checkText(text: string, seed: number): number {
  let check = seed
  for (let index = 0; index < text.length; index += 1) {
    check = Math.imul(check ^ text.charCodeAt(index), 0xcc9e2d51)
    // Without it a low bit of both functions would depend on the same bits of the key.
    check ^= check >>> 15
  }
  return check | 0
}
