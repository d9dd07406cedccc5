import type { PlainItem, PlainValue } from './attributeValue.ts'
import { canonicalText } from './canonicalText.ts'
import { typeName } from './itemKey.ts'

/** One place at which two items differ. */
export interface ValueDifference {
  /**
   * Where, as `address.lines[2]`. A name that holds anything but letters, digits, `_` and `-` stands in brackets and
   * quotes: `prices["19.90"]`.
   */
  readonly path: string
  /** Undefined where the item has nothing there. */
  readonly left: PlainValue | undefined
  readonly right: PlainValue | undefined
}

/**
 * Where two items differ, as deep as it can be said: within maps by name, within lists by place, everything else as a whole.
 * Numbers are compared by value, sets whatever their order, and values of two types are never the same.
 *
 * @returns nothing for items that DynamoDB takes for the same
 */
export function compareItems(left: PlainItem, right: PlainItem): ValueDifference[] {
  const found: ValueDifference[] = []
  compareMaps(left, right, '', found)
  return found
}

type Attributes = { readonly [name: string]: unknown }

function compareMaps(left: Attributes, right: Attributes, path: string, found: ValueDifference[]): void {
  for (const name of Object.keys(left)) {
    compareValues(left[name], ownOf(right, name), pathTo(path, name), found)
  }
  for (const name of Object.keys(right)) {
    if (ownOf(left, name) === undefined) compareValues(undefined, right[name], pathTo(path, name), found)
  }
}

function compareValues(left: unknown, right: unknown, path: string, found: ValueDifference[]): void {
  if (left === right) return
  if (left !== undefined && right !== undefined) {
    const type = typeName(left)
    if (type === typeName(right)) {
      if (type === 'M') {
        compareMaps(left as Attributes, right as Attributes, path, found)
        return
      }
      if (type === 'L') {
        compareLists(left as readonly unknown[], right as readonly unknown[], path, found)
        return
      }
      if (canonicalText(left) === canonicalText(right)) return
    }
  }
  found.push({ path, left: left as PlainValue | undefined, right: right as PlainValue | undefined })
}

function compareLists(
  left: readonly unknown[],
  right: readonly unknown[],
  path: string,
  found: ValueDifference[],
): void {
  const length = Math.max(left.length, right.length)
  for (let index = 0; index < length; index += 1) compareValues(left[index], right[index], `${path}[${index}]`, found)
}

function pathTo(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** Names are data: `constructor` is only there if somebody stored it. */
function ownOf(map: Attributes, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined
}
