import type { PlainItem } from '../item/attributeValue.ts'

/** Of so many attributes it is told what they lose; whoever has more has heard enough. */
const ATTRIBUTES_MAX = 100

/** What a format has no form for: told once of each attribute, as it is written. */
export class Losses {
  readonly #onLoss: ((text: string) => void) | undefined
  readonly #told = new Set<string>()

  constructor(onLoss: ((text: string) => void) | undefined) {
    this.#onLoss = onLoss
  }

  /** At each attribute, for what ordinary JSON loses of it. */
  look(item: PlainItem): void {
    if (this.#onLoss === undefined) return
    for (const name of Object.keys(item)) this.lookAt(name, item[name])
  }

  /** As {@link look}, at one. */
  lookAt(name: string, value: unknown): void {
    if (value === null || typeof value !== 'object' || this.#told.has(name)) return
    const loss = lossOf(value)
    if (loss !== undefined) this.tell(name, `${loss}, and does not load back as it was`)
  }

  /** @param loss what becomes of it, in words */
  tell(name: string, loss: string): void {
    if (this.#told.has(name) || this.#told.size >= ATTRIBUTES_MAX) return
    this.#told.add(name)
    this.#onLoss?.(`${name}: ${loss}`)
  }
}

/** What ordinary JSON loses of a value, in words; undefined for nothing. */
export function lossOf(value: unknown): string | undefined {
  if (value instanceof Set) return 'a set is written as a list'
  if (value instanceof Uint8Array) return 'bytes are written as base64 text'
  if (Array.isArray(value)) return firstLoss(value)
  if (value === null || typeof value !== 'object' || !isMap(value)) return undefined
  return firstLoss(Object.values(value))
}

/** Numbers that doubles can not hold are objects, too. */
function isMap(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function firstLoss(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const loss = lossOf(value)
    if (loss !== undefined) return loss
  }
  return undefined
}
