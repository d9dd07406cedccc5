import type { PlainItem } from '../item/attributeValue.ts'
import type { Changes, StoredItem } from '../item/edit.ts'
import { ItemError } from '../item/itemError.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { type EntryOwner, entryEncoder } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { deleteHash } from '../publish/publisher.ts'

/**
 * One thing to do to a table, without having read what is there.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const change: TableChange<User> = { update: { id: 'u1' }, set: { tier: 'gold' } }
 */
export type TableChange<Item extends object = PlainItem> = PutChange<Item> | DeleteChange<Item> | UpdateChange<Item>

/**
 * Writes an item.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const change: PutChange = { put: { id: 'u1', tier: 'gold' } }
 */
export interface PutChange<Item extends object = PlainItem> {
  /** Written whole, in place of any item of its key. */
  readonly put: StoredItem<Item>
}

/**
 * Deletes an item, if it is there.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const change: DeleteChange = { delete: { id: 'u1' } }
 */
export interface DeleteChange<Item extends object = PlainItem> {
  /** The key of the item. */
  readonly delete: Partial<Item>
}

/**
 * Changes some attributes of an item that exists. If there is none, the change is rejected.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const change: UpdateChange = { update: { id: 'u1' }, set: { tier: 'gold' }, expect: { tier: 'silver' } }
 */
export interface UpdateChange<Item extends object = PlainItem> extends Omit<Changes<Item>, 'add'> {
  /** The key of the item. */
  readonly update: Partial<Item>
  /** Attributes that must be equal to these values, or missing where `undefined`; otherwise it is a reject. Default: none. */
  readonly expect?: { readonly [Name in keyof Item]?: Item[Name] | undefined } | undefined
}

const KINDS = ['put', 'delete', 'update'] as const
const UPDATE_PARTS: readonly string[] = ['update', 'set', 'remove', 'expect']

/**
 * @throws {ItemError} for what is no change
 *
 * @internal
 */
export function checkChange(made: object): TableChange {
  const kinds = KINDS.filter((kind) => Object.hasOwn(made, kind))
  const [kind] = kinds
  const parts: readonly string[] = kind === 'update' ? UPDATE_PARTS : kinds
  const odd = Object.keys(made).find((name) => !parts.includes(name))
  const key = kind === undefined ? undefined : (made as { readonly [name: string]: unknown })[kind]
  if (kinds.length !== 1 || odd !== undefined || typeof key !== 'object' || key === null) {
    throw new ItemError('a change must be { put: item }, { delete: key } or { update: key, set, remove, expect }')
  }
  return made as TableChange
}

/**
 * Writes changes through an engine.
 *
 * @internal
 */
export class TableChangeWriter {
  readonly #engine: PublishEngine
  readonly #schema: KeySchema
  readonly #deleteEncoder = entryEncoder('delete')

  constructor(engine: PublishEngine, schema: KeySchema) {
    this.#engine = engine
    this.#schema = schema
  }

  /**
   * @returns whether there is room for more
   * @throws {ItemError} for what is no change, or can not be stored
   */
  write(made: object, owner: EntryOwner, origin: unknown, lane: number): boolean {
    const engine = this.#engine
    const asked = checkChange(made)
    if ('put' in asked) return engine.put(asked.put, owner, origin, lane)
    if ('delete' in asked) {
      const text = this.#deleteEncoder.encode(asked.delete)
      const hash = deleteHash(asked.delete, this.#schema)
      return engine.write('delete', text, Buffer.byteLength(text), hash, 1, owner, origin, lane)
    }
    const { update: key, expect = {}, ...changes } = asked
    return engine.update(key, changes, expect, owner, origin, lane)
  }
}
