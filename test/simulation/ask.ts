import { type Attributes, isSame } from '../../src/simulator/attributes.ts'
import type { WriteRecord } from '../../src/simulator/writeLog.ts'

/** One thing that a producer asked for. */
export interface Ask {
  readonly kind: 'put' | 'delete' | 'update'
  readonly key: string
  /** The item of a put, or the attributes that an update sets. */
  readonly attributes: Attributes
  /** The client can see that it cannot be stored, or the service alone can. */
  readonly invalid: boolean
  readonly poison: boolean
}

/** What tables hold by key, as plain as can be. */
export type Model = Map<string, Attributes>

/** Does what was asked, in a world without faults. Returns whether it could be done. */
export function applyAsk(model: Model, ask: Ask): boolean {
  if (ask.invalid || ask.poison) return false
  if (ask.kind === 'put') model.set(ask.key, ask.attributes)
  else if (ask.kind === 'delete') model.delete(ask.key)
  else {
    const item = model.get(ask.key)
    if (item === undefined) return false
    model.set(ask.key, { ...item, ...ask.attributes })
  }
  return true
}

/** Whether this write is what was asked. */
export function isOf(write: WriteRecord, ask: Ask): boolean {
  if (write.kind !== ask.kind || ask.invalid || ask.poison) return false
  if (ask.kind === 'delete') return write.after === undefined
  const expected = ask.kind === 'put' ? ask.attributes : { ...write.before, ...ask.attributes }
  return isSame(write.after, expected)
}
