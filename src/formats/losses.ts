import type { PlainItem } from '../item/attributeValue.ts'

/** Of so many attributes it is told what they lose; whoever has more has heard enough. */
const ATTRIBUTES_MAX = 100

/** What ordinary JSON has no form for: told once of each attribute, as it is written. */
export class Losses {
  readonly #onLoss: ((text: string) => void) | undefined
  readonly #told = new Set<string>()

  constructor(onLoss: ((text: string) => void) | undefined) {
    this.#onLoss = onLoss
  }

  look(item: PlainItem): void {
    if (this.#onLoss === undefined) return
    for (const name of Object.keys(item)) {
      const value: unknown = item[name]
      if (value === null || typeof value !== 'object' || this.#told.has(name)) continue
      const loss = lossOf(value)
      if (loss === undefined || this.#told.size >= ATTRIBUTES_MAX) continue
      this.#told.add(name)
      this.#onLoss(`${name}: ${loss}, and will not come back as it was`)
    }
  }
}

function lossOf(value: unknown): string | undefined {
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
