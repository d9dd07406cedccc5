import { decodeValue } from '../item/decode.ts'
import type { Change, Changes, Edit } from '../item/edit.ts'
import type { ItemEncoder } from '../item/encode.ts'
import { isSameValueText } from '../item/isSameValueText.ts'
import { ItemError } from '../item/itemError.ts'
import { type KeySchema, keyNamesOf, typeName } from '../item/itemKey.ts'
import { addNumbers, canonicalNumber, NumberValue, numberText } from '../item/number.ts'
import { writeUnits } from '../item/units.ts'
import { attributesBytes, valueBytes } from '../item/valueBytes.ts'
import { parseJson } from '../runtime/parseJson.ts'

/** An item as it was read, whatever a visitor does to the object it is shown. */
export interface RawItem {
  /** An attribute's value as it came; undefined when there is none. */
  attribute(name: string): string | undefined
  names(): readonly string[]
  /** Bytes that it counts, about. */
  bytes(): number
}

/** An item that was read by its key. */
export function rawItem(attributes: { readonly [name: string]: unknown }): RawItem {
  return {
    attribute: (name) => (Object.hasOwn(attributes, name) ? JSON.stringify(attributes[name]) : undefined),
    names: () => Object.keys(attributes),
    bytes: () => attributesBytes(attributes),
  }
}

/**
 * Makes of a visitor's edit a change that touches only what differs from the item that was read, on condition that those
 * attributes still are what was read.
 *
 * @internal
 * @returns undefined when the edit changes nothing
 * @throws {ItemError} for what is no edit, changes the key, or can not be stored
 */
export function prepareChange(edit: Edit, raw: RawItem, schema: KeySchema, encoder: ItemEncoder): Change | undefined {
  if (edit === undefined || edit === null) return undefined
  const keyNames = keyNamesOf(schema)
  const key = keyNames.map((name) => raw.attribute(name)!)
  if (edit === 'delete') {
    const expectNames = raw.names().filter((name) => !keyNames.includes(name))
    const expectTexts = expectNames.map((name) => raw.attribute(name))
    return { key, deletes: true, setNames: [], setTexts: [], removeNames: [], expectNames, expectTexts }
  }
  checkEdit(edit)
  const setNames: string[] = []
  const setTexts: string[] = []
  const removeNames: string[] = []
  const expectNames: string[] = []
  const expectTexts: (string | undefined)[] = []
  const set = (name: string, text: string): void => {
    const present = raw.attribute(name)
    if (present !== undefined && isSameValueText(present, text)) return
    if (keyNames.includes(name)) {
      throw new ItemError('a key attribute cannot be changed: write a new item and delete the old one', name)
    }
    if (expectNames.includes(name)) throw new ItemError('the edit contains this attribute twice', name)
    setNames.push(name)
    setTexts.push(text)
    expectNames.push(name)
    expectTexts.push(present)
  }
  for (const name in edit.set) {
    const value = edit.set[name]
    if (value !== undefined) set(name, encoder.encodeValue(value, name))
  }
  for (const name in edit.add) set(name, sumText(name, raw.attribute(name), edit.add[name], encoder))
  for (const name of edit.remove ?? []) {
    if (keyNames.includes(name)) throw new ItemError('a key attribute cannot be removed', name)
    const present = raw.attribute(name)
    if (present === undefined) continue
    if (expectNames.includes(name)) throw new ItemError('the edit contains this attribute twice', name)
    removeNames.push(name)
    expectNames.push(name)
    expectTexts.push(present)
  }
  if (setNames.length + removeNames.length === 0) return undefined
  return { key, deletes: false, setNames, setTexts, removeNames, expectNames, expectTexts }
}

/**
 * Write units that a change takes of the table: by the item before it or after it, whichever is larger.
 *
 * @internal
 */
export function changeUnits({ setNames, setTexts, expectNames, expectTexts }: Change, raw: RawItem): number {
  const before = raw.bytes()
  let after = before
  for (let index = 0; index < setNames.length; index += 1)
    after += setNames[index]!.length + valueBytes(setTexts[index]!)
  // What is set and what is removed is what is expected.
  for (let index = 0; index < expectNames.length; index += 1) {
    const text = expectTexts[index]
    if (text !== undefined) after -= expectNames[index]!.length + valueBytes(text)
  }
  return writeUnits(Math.max(before, after))
}

const EDIT_FIELDS = new Set(['set', 'remove', 'add'])

/** @throws {ItemError} for what is no edit, whatever the item */
export function checkEdit(edit: unknown): asserts edit is Changes {
  const explain = "a visitor must return { set, remove, add }, 'delete' or nothing"
  if (typeof edit !== 'object' || edit === null || Array.isArray(edit)) {
    throw new ItemError(`${explain}, not ${Array.isArray(edit) ? 'a list' : typeName(edit)}`)
  }
  for (const name of Object.keys(edit)) {
    if (!EDIT_FIELDS.has(name)) throw new ItemError(`${explain}, not an object with "${name}"`)
  }
  const { set, add, remove } = edit as { set?: unknown; add?: unknown; remove?: unknown }
  for (const [name, part] of [
    ['set', set],
    ['add', add],
  ] as const) {
    if (part !== undefined && (typeof part !== 'object' || part === null || Array.isArray(part))) {
      throw new ItemError(`${explain}; "${name}" must be an object of attributes`)
    }
  }
  if (remove !== undefined && !(Array.isArray(remove) && remove.every((name) => typeof name === 'string'))) {
    throw new ItemError(`${explain}; "remove" must be a list of attribute names`)
  }
}

/** What an attribute will be when something is added to it. */
function sumText(name: string, present: string | undefined, addend: unknown, encoder: ItemEncoder): string {
  const value = present === undefined ? undefined : decodeValue(parseJson(present))
  if (addend instanceof Set) {
    if (value !== undefined && !(value instanceof Set)) {
      throw new ItemError(`a set cannot be added to a value of type ${typeName(value)}`, name)
    }
    const elements = new Map<string, unknown>()
    for (const element of [...(value ?? []), ...addend]) elements.set(encoder.encodeValue(element, name), element)
    return encoder.encodeValue(new Set(elements.values()), name)
  }
  if (typeof addend !== 'number' && typeof addend !== 'bigint' && !(addend instanceof NumberValue)) {
    throw new ItemError('only numbers and sets can be added', name)
  }
  const right = typeof addend === 'number' ? numberText(addend) : canonicalNumber(`${addend}`)
  if (value === undefined) return `{"N":"${right}"}`
  if (typeName(value) !== 'N')
    throw new ItemError(`a number cannot be added to a value of type ${typeName(value)}`, name)
  const left = (parseJson(present!) as { N: string }).N
  return `{"N":"${addNumbers(left, right)}"}`
}
