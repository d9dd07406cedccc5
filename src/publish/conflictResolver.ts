import type { KeySchema } from '../item/itemKey.ts'
import { counted } from '../runtime/counted.ts'
import { changeOf } from './changeBatch.ts'
import { type Entry, entryKeyText } from './entry.ts'
import { isDone } from './isDone.ts'

/** An item in DynamoDB JSON. */
export type Attributes = { readonly [name: string]: unknown }

/** Why a condition did not hold: another writer was there first. */
export interface Conflict {
  /**
   * - `gone`: there is no such item
   * - `exists`: an insert, and the table has another item of its key
   * - `changed`: the item is other than the write expects
   */
  readonly kind: 'gone' | 'exists' | 'changed'
  /** The item as it is now; undefined where it is gone or nobody had to look. */
  readonly current: Attributes | undefined
}

/**
 * What has to be known of the item before its owner is told of a conflict.
 *
 * - `doubt`: nothing, unless an earlier try of this write may have made it
 * - `current`: the item as it is now
 * - `origin`: as `current`, and an item that is as this write makes it counts as written: an earlier process of the
 *   same job may have done it
 */
export type ConflictLook = 'doubt' | 'current' | 'origin'

/** After so many conflicts over one item, someone is writing it all the time. */
export const CONFLICTS_MAX = 8

/** What is said of an item that is given up then. */
export function conflictsWords(conflicts: number): string {
  return `gave up after ${counted(conflicts, 'write conflict')}: another writer keeps changing this item`
}

/**
 * Finds out what became of a write whose condition did not hold: the one place that decides "was that write mine?".
 *
 * ```
 *   condition failed ──> told at once          nobody had to look
 *                   └──> looking ──> mine      the item is as this write makes it: stored
 *                              ├───> gone, exists, changed: a conflict
 *                              └───> unknown   its engine ended first: nobody is told, and the entry stays in doubt
 * ```
 *
 * The item is read without the job's filter: the write itself may be why the filter does not match any more.
 */
export class ConflictResolver {
  readonly #schema: KeySchema
  readonly #read: (keyText: string) => Promise<Attributes | undefined>
  /** Entries that are looked at and that an earlier process may have written, of which no earlier try is known. */
  #unsure = 0

  /** @param read the item with this key, given in DynamoDB JSON, strongly consistent */
  constructor(schema: KeySchema, read: (keyText: string) => Promise<Attributes | undefined>) {
    this.#schema = schema
    this.#read = read
  }

  /** Entries beside those in doubt of which it is being found out whether they were made. */
  get unsure(): number {
    return this.#unsure
  }

  /** What to tell at once; undefined where the item must be looked at. */
  atOnce(entry: Entry): Conflict | undefined {
    if (entry.ambiguous || lookOf(entry) !== 'doubt') return undefined
    return { kind: entry.plan?.creates === true ? 'exists' : 'changed', current: undefined }
  }

  /** @throws {HeadraceError} when the item cannot be read for as long as patience lasts */
  async look(entry: Entry): Promise<'mine' | Conflict> {
    const mayBeMine = entry.ambiguous || lookOf(entry) === 'origin'
    const isUnsure = mayBeMine && !entry.ambiguous
    if (isUnsure) this.#unsure += 1
    try {
      const current = await this.#read(entryKeyText(entry, this.#schema))
      if (mayBeMine && isDone(changeOf(entry, this.#schema), current)) return 'mine'
      if (current === undefined) return { kind: 'gone', current }
      return { kind: entry.plan?.creates === true ? 'exists' : 'changed', current }
    } finally {
      if (isUnsure) this.#unsure -= 1
    }
  }
}

function lookOf(entry: Entry): ConflictLook {
  return entry.owner.conflictLook?.(entry) ?? 'doubt'
}
