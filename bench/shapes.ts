import { makeItem, TABLE } from './items.ts'

/**
 * Items of other shapes than the one of `items.ts`, so that what is learnt from that one is not all that is measured. The
 * same index always makes the same item.
 */
export interface Shape {
  make(index: number): { [name: string]: unknown }
  /** So many of them are some 400 KB to 1 MB as DynamoDB JSON: a page of a scan. */
  itemsPerPage: number
  /** Bytes of an item as DynamoDB JSON, about. */
  itemBytes: number
  /** Items measured, as a share of those of the smallest shape: dearer items are fewer. */
  itemsShare: number
}

const WORDS = ['Straße', 'naïve', 'Łódź', 'Ελλάδα', 'Привет', '日本語', 'مرحبا', '🎉 emoji']
const PROSE = 'It was a bright cold day in April, and the clocks were striking thirteen. '

/** Long texts are few: it is not their making that is measured. */
const LONG_TEXTS_10KB = Array.from({ length: 8 }, (_, number) => `${number} ${PROSE.repeat(136)}`)
const LONG_TEXTS_390KB = Array.from({ length: 8 }, (_, number) => `${number} ${PROSE.repeat(5_260)}`)

const key = (index: number) => ({ pk: `user-${index}`, sk: 'profile' })

/** Kinds of items that one table may hold, each with attributes of its own, some of one name. */
const KINDS: readonly ((index: number) => { [name: string]: unknown })[] = [
  (index) => ({ ...makeItem(index) }),
  (index) => ({
    ...key(index),
    kind: 'order',
    createdAt: 1_700_000_000 + index,
    total: (index % 10_000) / 100,
    currency: 'EUR',
    lines: [{ article: `article-${index % 97}`, count: index % 7 }],
  }),
  (index) => ({
    ...key(index),
    kind: 'payment',
    createdAt: 1_700_000_000 + index,
    method: 'card',
    amount: (index % 10_000) / 100,
    settled: index % 3 === 0,
    reference: `reference-${index}`,
  }),
  (index) => ({
    ...key(index),
    street: `Long Lane ${index % 300}`,
    city: 'Rotterdam',
    zip: `${10_000 + (index % 80_000)}`,
    country: 'NL',
    name: `Ada ${index}`,
    main: true,
  }),
  (index) => ({
    ...key(index),
    kind: 'session',
    token: `token-${index}-abcdefghijklmnop`,
    expiresAt: 1_800_000_000 + index,
    device: { name: 'phone', version: index % 20 },
    active: true,
  }),
  (index) => ({
    ...key(index),
    kind: 'note',
    text: 'call back on Tuesday, and ask for the invoice of last month',
    author: `user-${index % 1_000}`,
    createdAt: 1_700_000_000 + index,
    tags: ['todo', 'phone'],
    name: null,
  }),
]
const KIND_ITEMS_PER_PAGE = 4_500
const KIND_ITEM_BYTES = 210

export const SHAPES = {
  user: { make: (index) => ({ ...makeItem(index) }), itemsPerPage: 4_500, itemBytes: 200, itemsShare: 1 },
  wide: {
    make: (index) => ({
      ...key(index),
      ...Object.fromEntries(
        Array.from({ length: 28 }, (_, column) => [
          `column${column}`,
          column % 4 === 0 ? index + column : column % 7 === 0 ? index % 2 === 0 : `value ${index} of ${column}`,
        ]),
      ),
    }),
    itemsPerPage: 900,
    itemBytes: 940,
    itemsShare: 0.25,
  },
  deep: {
    make: (index) => ({ ...key(index), tree: nested(8, index) }),
    itemsPerPage: 1_300,
    itemBytes: 730,
    itemsShare: 0.25,
  },
  text: {
    make: (index) => ({
      ...key(index),
      title: `${WORDS[index & 7]} ${index}`,
      body: Array.from({ length: 6 }, (_, word) => WORDS[(index + word) & 7]).join(' '),
      quoted: `she said "${WORDS[(index + 3) & 7]}"\n`,
    }),
    itemsPerPage: 5_000,
    itemBytes: 195,
    itemsShare: 0.8,
  },
  '10kb': {
    make: (index) => ({ ...makeItem(index), document: LONG_TEXTS_10KB[index & 7]! }),
    itemsPerPage: 100,
    itemBytes: 10_300,
    itemsShare: 0.05,
  },
  '390kb': {
    make: (index) => ({ ...makeItem(index), document: LONG_TEXTS_390KB[index & 7]! }),
    itemsPerPage: 2,
    itemBytes: 389_500,
    itemsShare: 0.0015,
  },
  'kinds-apart': {
    make: (index) => KINDS[Math.floor(index / KIND_ITEMS_PER_PAGE) % KINDS.length]!(index),
    itemsPerPage: KIND_ITEMS_PER_PAGE,
    itemBytes: KIND_ITEM_BYTES,
    itemsShare: 1,
  },
  'kinds-mixed': {
    make: (index) => KINDS[scattered(index) % KINDS.length]!(index),
    itemsPerPage: KIND_ITEMS_PER_PAGE,
    itemBytes: KIND_ITEM_BYTES,
    itemsShare: 1,
  },
} as const satisfies Record<string, Shape>

export type ShapeName = keyof typeof SHAPES

export const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[]

/** The shape that a text names. */
export function shapeNamed(text: string): ShapeName {
  const name = SHAPE_NAMES.find((known) => known === text)
  if (name === undefined) throw new TypeError(`shape ${text}: say some of ${SHAPE_NAMES.join(',')}`)
  return name
}

/**
 * Makes items of a shape, or of the one of `items.ts` where none is said, with a key of their own each. Those of another
 * shape are made beforehand and only given their key, as it is not their making that is measured: an item is in use until
 * some thousands more were asked for.
 */
export function itemMaker(name: ShapeName | undefined): (index: number) => { [name: string]: unknown } {
  if (name === undefined) return makeItem as (index: number) => never
  const { make, itemsPerPage } = SHAPES[name]
  const items = Array.from({ length: Math.max(4_096, PAGE_VARIANTS * itemsPerPage) }, (_, index) => make(index))
  return (index) => {
    const item: { [name: string]: unknown } = items[index % items.length]!
    item['pk'] = `user-${index}`
    return item
  }
}

/** Different pages of a shape that there are; more than one, as kinds that are apart are each in pages of their own. */
export const PAGE_VARIANTS: number = KINDS.length

/** A table whose scan has this many pages in each segment; the null server reads shape and number from the name. */
export function scanTable(name: ShapeName | undefined, pagesPerSegment: number): string {
  return `${TABLE}${name === undefined ? '' : `-shape-${name}`}-pages-${pagesPerSegment}`
}

function nested(depth: number, index: number): { [name: string]: unknown } {
  if (depth === 0) return { leaf: index, name: `leaf ${index}` }
  return { level: depth, list: [depth, `item ${index}`], inner: nested(depth - 1, index) }
}

/** Of no order that a branch predictor could learn, and the same in each run. */
function scattered(index: number): number {
  let bits = Math.imul(index + 1, 0x9e37_79b1)
  bits = Math.imul(bits ^ (bits >>> 15), 0x85eb_ca6b)
  return (bits ^ (bits >>> 13)) >>> 0
}
