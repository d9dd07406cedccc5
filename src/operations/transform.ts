import type { PlainItem } from '../item/attributeValue.ts'
import type { StoredItem } from '../item/edit.ts'
import type { VisitorSpec } from '../job/jobSpec.ts'
import type { Clock } from '../runtime/clock.ts'
import { counted } from '../runtime/counted.ts'
import { Deadlines } from '../runtime/deadlines.ts'
import { isPromise } from '../runtime/isPromise.ts'
import { loadFunction, moduleSpec } from './userModule.ts'

/**
 * Makes of an item what is to be written: the same or another, several (at most 1,000), or nothing. It must not change
 * the object that it is given. What it throws, and a promise that does not settle in time, is a reject of that item alone.
 *
 * @typeParam In the type of the items it is given. Default: {@link PlainItem}
 * @typeParam Out the type of the items it makes. Default: `In`
 * @example
 * const toLines: Transform<Order, OrderLine> = (order) => order.lines.map((line) => ({ order: order.id, ...line }))
 */
export type Transform<In extends object = PlainItem, Out extends object = In> = (
  item: Readonly<In>,
) => Transformed<Out> | Promise<Transformed<Out>>

/**
 * What a {@link Transform} returns: an item, a list of at most 1,000 items, or nothing.
 *
 * @typeParam Out the type of the items. Default: {@link PlainItem}
 * @example
 * const made: Transformed<OrderLine> = [{ order: 'o1', line: 1 }, { order: 'o1', line: 2 }]
 */
export type Transformed<Out extends object = PlainItem> =
  | StoredItem<Out>
  | readonly StoredItem<Out>[]
  | undefined
  | null

/**
 * A transform: a function, or a module that has one as its default export.
 *
 * @typeParam In the type of the items it is given. Default: {@link PlainItem}
 * @typeParam Out the type of the items it makes. Default: `In`
 * @example
 * const source: TransformSource<Order, OrderLine> = new URL('./to-lines.js', import.meta.url)
 */
export type TransformSource<In extends object = PlainItem, Out extends object = In> = Transform<In, Out> | URL

/** Items that may come of one. */
const ITEMS_MAX = 1_000
const TIMEOUT_MS = 60_000

/**
 * A user's transform, held to what it may do.
 *
 * @internal
 */
export class Transformer {
  readonly #transform: Transform
  readonly #deadlines: Deadlines

  private constructor(transform: Transform, clock: Clock) {
    this.#transform = transform
    this.#deadlines = new Deadlines(clock, TIMEOUT_MS)
  }

  /** @param source undefined for what leaves items as they are */
  static async open(source: TransformSource | undefined, clock: Clock): Promise<Transformer | undefined> {
    if (source === undefined) return undefined
    const example = 'export default (item) => ({ ...item, … })'
    const transform = source instanceof URL ? await loadFunction<Transform>(source, 'transform', example) : source
    return new Transformer(transform, clock)
  }

  /** @returns the items, or why there are none */
  apply(item: PlainItem): readonly PlainItem[] | TransformFault | Promise<readonly PlainItem[] | TransformFault> {
    let made: Transformed | Promise<Transformed>
    try {
      made = this.#transform(item)
    } catch (error) {
      return faultOf(error)
    }
    if (!isPromise(made)) return listOf(made)
    return new Promise((resolve) => {
      const settle = this.#deadlines.begin(() =>
        resolve(faultOf(`its promise did not settle within ${this.#deadlines.limitMs / 1_000} s`)),
      )
      made.then(
        (value) => {
          settle()
          resolve(listOf(value))
        },
        (error: unknown) => {
          settle()
          resolve(faultOf(error))
        },
      )
    })
  }

  close(): void {
    this.#deadlines.clear()
  }
}

/**
 * What a job's description says of a transform. @param source undefined for none
 *
 * @internal
 */
export function transformSpec(source: Transform | URL | undefined): { readonly visitor?: VisitorSpec | undefined } {
  if (source === undefined) return {}
  return { visitor: source instanceof URL ? moduleSpec(source, 'transform') : {} }
}

/** @internal */
export interface TransformFault {
  readonly fault: string
}

/** @internal */
export function isFault(made: readonly PlainItem[] | TransformFault): made is TransformFault {
  return 'fault' in made
}

function faultOf(error: unknown): TransformFault {
  return { fault: `the transform failed: ${error instanceof Error ? error.message : error}` }
}

function listOf(made: Transformed): readonly PlainItem[] | TransformFault {
  if (made === undefined || made === null) return []
  if (typeof made !== 'object') return faultOf(`it must return an item, a list of items or nothing, not ${typeof made}`)
  if (!Array.isArray(made)) return [made as PlainItem]
  if (made.length > ITEMS_MAX)
    return faultOf(`it returned ${counted(made.length, 'item')} for one, but may return at most ${ITEMS_MAX}`)
  for (const [index, item] of made.entries()) {
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) continue
    const kind = item === null ? 'null' : Array.isArray(item) ? 'a list' : typeof item
    return faultOf(`element ${index + 1} of its list must be an item, not ${kind}`)
  }
  return made as readonly PlainItem[]
}
