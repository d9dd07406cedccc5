import type { PlainItem, PlainValue } from '../item/attributeValue.ts'
import { decodeValue } from '../item/decode.ts'
import type { Changes, Edit } from '../item/edit.ts'
import { ItemEncoder } from '../item/encode.ts'
import type { VisitorSpec } from '../job/jobSpec.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { loadFunction, moduleSpec } from './userModule.ts'

/**
 * Decides on one item. It sees the item as it is now, and must not change it: what it returns is what is written.
 *
 * After a conflict it is asked again with the item as it then is, so it may see an item more than once. What it throws,
 * and a promise that does not settle in time, is a reject of that item alone.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const visitor: Visitor<User> = (user) => (user.tier ? undefined : { set: { tier: 'gold' } })
 */
export type Visitor<Item extends object = PlainItem> = (item: Readonly<Item>) => Edit<Item> | Promise<Edit<Item>>

/**
 * A function; a module that has one as its default export, which another process can load too; or the same changes for each
 * item.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * const source: VisitorSource<User> = new URL('./add-tier.js', import.meta.url)
 */
export type VisitorSource<Item extends object = PlainItem> = Visitor<Item> | URL | Changes<Item>

/**
 * The function, however it was given.
 *
 * @internal
 */
export async function openVisitor(source: VisitorSource): Promise<Visitor> {
  if (typeof source === 'function') return source
  if (source instanceof URL) return loadFunction(source, 'visitor', 'export default (item) => ({ set: { … } })')
  return () => source
}

/**
 * What can be told of it to another process.
 *
 * @internal
 */
export function visitorSpec(source: VisitorSource): VisitorSpec {
  if (typeof source === 'function') return {}
  if (source instanceof URL) return moduleSpec(source, 'visitor')
  return { edit: editText(source) }
}

/**
 * The changes that {@link editText} wrote down.
 *
 * @internal
 */
export function readEdit(text: string): Changes {
  const { set, remove, add } = parseJson(text) as { set: object; remove: string[]; add: object }
  return { set: decodeAll(set), remove, add: decodeAll(add) as NonNullable<Changes['add']> }
}

/**
 * Changes as JSON, their values in DynamoDB JSON. @throws {ItemError} for a value that can not be stored
 *
 * @internal
 */
export function editText({ set = {}, remove = [], add = {} }: Changes): string {
  const encoder = new ItemEncoder()
  const encode = (values: object): string =>
    `{${Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${encoder.encodeValue(value, name)}`)
      .join(',')}}`
  return `{"set":${encode(set)},"remove":${JSON.stringify(remove)},"add":${encode(add)}}`
}

function decodeAll(values: object): { [name: string]: PlainValue } {
  const decoded: { [name: string]: PlainValue } = Object.create(null)
  for (const [name, value] of Object.entries(values)) decoded[name] = decodeValue(value) as PlainValue
  return decoded
}
