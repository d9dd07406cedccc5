import { canonicalText } from '../item/canonicalText.ts'
import { decodeItem } from '../item/decode.ts'
import type { Change } from '../item/edit.ts'
import { describeItemKey, type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import type { JobReject } from '../job/reject.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { Finding } from './doubts.ts'
import type { Attributes } from './keyReader.ts'

export interface RepairOptions {
  readonly schema: KeySchema
  readonly engine: PublishEngine
  readonly onReject: (reject: JobReject) => void
}

/** Writes to the right side what is missing there or differs, on condition that it still is as it was seen. */
export class Repair implements EntryOwner {
  readonly #options: RepairOptions
  fixed = 0
  /** Changed by others between the last look and the write; they stay as they are. */
  conflicts = 0
  refused = 0

  constructor(options: RepairOptions) {
    this.#options = options
  }

  /** Resolves when there is room for another. */
  async put({ difference, left, right }: Finding): Promise<void> {
    if (difference.kind === 'extra' || left === undefined) return
    const { schema, engine } = this.#options
    const change = changeTo(left, right, schema)
    const units = writeUnits(JSON.stringify(left).length)
    if (!engine.change(change, keyHash(difference.key, schema), units, this, undefined)) await engine.ready
  }

  /** Resolves when everything is written, or is not to be. */
  settle(): Promise<void> {
    return this.#options.engine.flush()
  }

  onStored(): void {
    this.fixed += 1
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.refused += 1
    this.#reject(entry, code, message)
  }

  onConflict(entry: Entry): void {
    this.conflicts += 1
    this.#reject(entry, 'Conflict', 'another writer changed the item after the comparison; it was not fixed')
  }

  #reject(entry: Entry, code: string, message: string): void {
    const { schema, onReject } = this.#options
    const key = decodeItem(parseJson(entryKeyText(entry, schema)))
    onReject({ code, message, place: describeItemKey(key, schema), item: key })
  }
}

/** Makes of the right item the left one. */
function changeTo(left: Attributes, right: Attributes | undefined, schema: KeySchema): Change {
  const keyNames = keyNamesOf(schema)
  const key = keyNames.map((name) => JSON.stringify(left[name]))
  const others = (item: Attributes): string[] => Object.keys(item).filter((name) => !keyNames.includes(name))
  if (right === undefined) {
    const setNames = others(left)
    const setTexts = setNames.map((name) => JSON.stringify(left[name]))
    return { key, deletes: false, creates: true, setNames, setTexts, removeNames: [], expectNames: [], expectTexts: [] }
  }
  const setNames = others(left).filter((name) => !isSame(left, right, name))
  const removeNames = others(right).filter((name) => !Object.hasOwn(left, name))
  const expectNames = [...setNames, ...removeNames]
  return {
    key,
    deletes: false,
    setNames,
    setTexts: setNames.map((name) => JSON.stringify(left[name])),
    removeNames,
    expectNames,
    expectTexts: expectNames.map((name) => (Object.hasOwn(right, name) ? JSON.stringify(right[name]) : undefined)),
  }
}

function isSame(left: Attributes, right: Attributes, name: string): boolean {
  if (!Object.hasOwn(right, name)) return false
  const text = (item: Attributes): string => canonicalText(decodeItem({ [name]: item[name] }))
  return text(left) === text(right)
}
