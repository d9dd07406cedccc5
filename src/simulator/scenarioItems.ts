import { hashOf } from './hashOf.ts'

/** What a scenario writes: plain objects of texts, each with a key of its own. */
export interface ScenarioItem {
  readonly pk: string
  readonly sk?: string
  readonly group: string
  readonly text: string
}

/**
 * In which order keys come.
 *
 * - `shuffled`: without end, and without any order of their hashes
 * - `segments`: so many items, in the order of their hashes from first to last, cut into segments as a scan gives them
 * - `files`: so many items, in files of which each has the order of hashes from first to last, as an export has
 * - `hot key`: without end; this share of them has one partition key, the others are shuffled
 */
export type ScenarioOrder =
  | { readonly kind: 'shuffled' }
  | { readonly kind: 'segments'; readonly items: number; readonly segments: number }
  | { readonly kind: 'files'; readonly items: number; readonly files: number }
  | { readonly kind: 'hot key'; readonly share: number }

export interface ScenarioItemOptions {
  readonly order: ScenarioOrder
  /** Of one item, nearly; 1,024 are a unit. Default 100. */
  readonly itemBytes?: number
}

/** Gives the next item, or undefined when there is none. */
export type ScenarioSource = () => ScenarioItem | undefined

/**
 * One source for each segment or file, in their order; otherwise one that never ends. Whoever writes may draw from one
 * after another, or from several in turn.
 */
export function makeSources({ order, itemBytes = 100 }: ScenarioItemOptions): ScenarioSource[] {
  const text = 'x'.repeat(Math.max(1, itemBytes - 25))
  const itemOf = (index: number): ScenarioItem => ({ pk: keyOf(index), group: `g${index % 1_000}`, text })
  let made = 0
  switch (order.kind) {
    case 'shuffled':
      return [() => itemOf(made++)]
    case 'hot key':
      return [
        () => {
          const index = made++
          // As evenly as can be: whenever the hot ones fall behind their share, the next is one of them.
          const hot = Math.floor((index + 1) * order.share) > Math.floor(index * order.share)
          return { ...itemOf(index), pk: hot ? 'hot' : keyOf(index), sk: `s${index}` }
        },
      ]
    case 'segments': {
      const sorted = byHash(0, order.items)
      return cut(sorted, order.segments).map((indexes) => draw(indexes, itemOf))
    }
    case 'files': {
      const width = Math.ceil(order.items / order.files)
      return Array.from({ length: order.files }, (_, file) =>
        draw(byHash(file * width, Math.min(order.items, (file + 1) * width)), itemOf),
      )
    }
  }
}

function keyOf(index: number): string {
  return `k${index}`
}

function draw(indexes: Float64Array, itemOf: (index: number) => ScenarioItem): ScenarioSource {
  let next = 0
  return () => (next < indexes.length ? itemOf(indexes[next++]!) : undefined)
}

/** Numbers from one to below another, in the order of the hashes that their keys have. */
function byHash(from: number, to: number): Float64Array {
  // Hash and number in one, so that sorting needs no comparison in JavaScript: 32 and 21 bits are what a double holds.
  const width = 2 ** 21
  if (to > width) throw new RangeError(`cannot order more than ${width} items`)
  const sorted = new Float64Array(to - from)
  for (let index = from; index < to; index += 1)
    sorted[index - from] = hashOf(`{"S":"${keyOf(index)}"}`) * width + index
  return sorted.sort().map((both) => both % width)
}

function cut(indexes: Float64Array, parts: number): Float64Array[] {
  const width = Math.ceil(indexes.length / parts)
  return Array.from({ length: parts }, (_, part) => indexes.subarray(part * width, (part + 1) * width))
}
