import type { PlainItem } from '../../src/item/attributeValue.ts'

/** Where an item differs, by whether its number is a nested one or of another type. */
export const PLANTED_PATHS = ['age', 'order.lines[0].price']

/** Two sides that are the same, but for every so many-th item, each in one of four ways. */
export interface PlantedItems {
  left(): Iterable<PlainItem>
  right(): Iterable<PlainItem>
  /** What the sides have of a number: its item and, on the right, one that is extra. */
  leftAt(index: number): PlainItem[]
  rightAt(index: number): PlainItem[]
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
  const leftAt = (index: number): PlainItem[] => [itemOf(index)]
  const rightAt = (index: number): PlainItem[] => {
    const item = itemOf(index)
    switch (kindOf(index)) {
      case 'missing':
        return []
      case 'extra':
        return [item, { ...item, id: `${item.id}-extra` }]
      case 'nested':
        return [{ ...item, order: { ...item.order, lines: [{ price: index + 0.001 }] } }]
      case 'type':
        return [{ ...item, age: `${item.age}` }]
      default:
        return [item]
    }
  }
  function* all(at: (index: number) => PlainItem[]): Iterable<PlainItem> {
    for (let index = 0; index < count; index += 1) yield* at(index)
  }
  return { expected, leftAt, rightAt, left: () => all(leftAt), right: () => all(rightAt) }
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
