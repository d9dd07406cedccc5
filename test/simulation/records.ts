import type { PlainItem } from '../../src/index.ts'
import type { Random } from '../../src/runtime/random.ts'
import { type Attributes, readAttributes } from '../../src/simulator/attributes.ts'
import { readKey } from '../../src/simulator/primaryKey.ts'
import type { World } from './world.ts'

/** A plain item in DynamoDB JSON, by this test's own reading. */
export function wireOf(item: PlainItem): Attributes {
  return readAttributes(
    Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeValueOf(value)])),
  )
}

function attributeValueOf(value: unknown): object {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: `${value}` }
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString('base64') }
  throw new Error(`no ${typeof value} in these worlds`)
}

/** Makes the keys and items of a world. */
export class Records {
  readonly #world: World
  readonly #random: Random

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
  }

  /** Some key, hot ones more often. */
  someKey(): PlainItem {
    const { keys, skew } = this.#world
    return this.key(Math.floor(keys * this.#random() ** skew))
  }

  /** With a sort key, ten share a partition key. */
  key(index: number): PlainItem {
    const { partition, sort } = this.#world.key
    const pk = sort === undefined ? index : Math.floor(index / 10)
    const key: { [name: string]: unknown } = {
      [partition.name]: partition.type === 'N' ? pk : partition.type === 'B' ? Buffer.from(`k${pk}`) : `k${pk}`,
    }
    if (sort !== undefined) key[sort.name] = sort.type === 'N' ? index % 10 : `s${index % 10}`
    return key
  }

  /** @param version tells all items of a run apart */
  item(key: PlainItem, version: number): PlainItem {
    const bytes = Math.floor(this.#world.itemBytesMax * this.#random() ** 3)
    const item = { ...key, version, count: 0, text: 'x'.repeat(bytes) }
    return this.#random() < 0.7 ? { ...item, group: `g${Math.floor(this.#random() * 20)}` } : item
  }

  /** The text by which the simulator knows a key. */
  keyText(item: PlainItem): string {
    return readKey(wireOf(item), this.#world.key, false).text
  }
}
