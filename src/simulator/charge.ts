import type { Throttle } from './applyWrite.ts'
import type { Capacity } from './capacity.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/** Units that a request takes of a table or an index, at one hash: first a guess, then what the store says. */
export interface Charge {
  readonly capacity: Capacity
  /** The index's name; undefined for the table itself. */
  readonly index: string | undefined
  readonly arn: string
  readonly kind: 'read' | 'write'
  readonly hash: number
  readonly units: number
}

/** `ConsumedCapacity` of one table, as a store tells it when asked for `INDEXES`. */
export interface ToldUnits {
  readonly TableName?: string
  readonly CapacityUnits?: number
  readonly Table?: { readonly CapacityUnits?: number }
  readonly GlobalSecondaryIndexes?: { readonly [name: string]: { readonly CapacityUnits?: number } }
}

/** Takes the units of all of them, or of none of them and says why. */
export function take(charges: readonly Charge[], nowMs: number): Throttle | undefined {
  for (const { capacity, kind, hash, index, arn } of charges) {
    const shortage = capacity.shortage(kind, hash, nowMs)
    if (shortage === undefined) continue
    const reason = `${index === undefined ? 'Table' : 'Index'}${kind === 'read' ? 'Read' : 'Write'}${shortage}`
    return { reason: { reason, resource: arn }, billing: capacity.billing }
  }
  for (const { capacity, kind, hash, units } of charges) capacity.spend(kind, hash, units, nowMs)
  return undefined
}

/** Nothing came of it after all. */
export function giveBack(charges: readonly Charge[], nowMs: number): void {
  for (const { capacity, kind, hash, units } of charges) capacity.spend(kind, hash, -units, nowMs)
}

/**
 * Puts what the store says in place of the guess. It says it for the request as a whole, so the difference is spread
 * evenly over the request's items. Where it says nothing the guess stands.
 *
 * @returns the units that were used
 */
export function settle(
  charges: readonly Charge[],
  table: SimulatedTable,
  told: ToldUnits | undefined,
  nowMs: number,
): number {
  const [first] = charges
  const guessed = charges.reduce((sum, { units }) => sum + units, 0)
  if (told?.CapacityUnits === undefined || first === undefined) return guessed
  const ofIndexes = Object.entries(told.GlobalSecondaryIndexes ?? {})
  correct(
    charges.filter(({ index }) => index === undefined),
    told.Table?.CapacityUnits ?? (ofIndexes.length === 0 ? told.CapacityUnits : undefined),
    nowMs,
  )
  for (const [name, { CapacityUnits: units }] of ofIndexes) {
    const index = table.indexes.find((one) => one.name === name)
    const known = charges.filter((charge) => charge.index === name)
    // What left its old place in an index is not to be seen in a request, nor where that was.
    if (known.length === 0 && index !== undefined) index.capacity.spend(first.kind, first.hash, units ?? 0, nowMs)
    else correct(known, units, nowMs)
  }
  return told.CapacityUnits
}

function correct(charges: readonly Charge[], units: number | undefined, nowMs: number): void {
  if (units === undefined) return
  const missing = units - charges.reduce((sum, charge) => sum + charge.units, 0)
  if (missing === 0) return
  for (const { capacity, kind, hash } of charges) capacity.spend(kind, hash, missing / charges.length, nowMs)
}
