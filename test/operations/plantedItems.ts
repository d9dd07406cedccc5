import type { PlainItem } from '../../src/item/attributeValue.ts'

/** Where an item differs, by whether its number is a nested one or of another type. */
export const PLANTED_PATHS = ['age', 'order.lines[0].price']

/** Two sides that are the same, but for every so many-th item, each in one of four ways. */
export interface PlantedItems {
  left(): Iterable<PlainItem>
  right(): Iterable<PlainItem>
  /** Keys by the kind of difference, in order. */
  readonly expected: { readonly missing: string[]; readonly extra: string[]; readonly changed: string[] }
}

const KINDS = ['missing', 'extra', 'nested', 'type'] as const

/** @param every so many items one is different; `count` of them are on the left */
export function plantedItems(count: number, every: number): PlantedItems {
  const kindOf = (index: number): (typeof KINDS)[number] | undefined =>
    index % every === 0 ? KINDS[(index / every) % KINDS.length] : undefined
  const expected = { missing: [] as string[], extra: [] as string[], changed: [] as string[] }
  for (let index = 0; index < count; index += every) {
    const kind = kindOf(index)!
    if (kind === 'missing') expected.missing.push(idOf(index))
    else if (kind === 'extra') expected.extra.push(`${idOf(index)}-extra`)
    else expected.changed.push(idOf(index))
  }
  for (const keys of Object.values(expected)) keys.sort()
  return {
    expected,
    *left() {
      for (let index = 0; index < count; index += 1) yield itemOf(index)
    },
    *right() {
      for (let index = 0; index < count; index += 1) {
        const kind = kindOf(index)
        const item = itemOf(index)
        if (kind === 'missing') continue
        if (kind === 'nested') yield { ...item, order: { ...item.order, lines: [{ price: index + 0.001 }] } }
        else if (kind === 'type') yield { ...item, age: `${item.age}` }
        else yield item
        if (kind === 'extra') yield { ...item, id: `${item.id}-extra` }
      }
    },
  }
}

function idOf(index: number): string {
  return `item${index}`
}

function itemOf(index: number) {
  return {
    id: idOf(index),
    age: index % 90,
    name: `name of ${index}`,
    tags: new Set(['a', `b${index % 10}`]),
    order: { number: index, lines: [{ price: index }] },
  }
}
