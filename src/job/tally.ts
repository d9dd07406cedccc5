import { HeadraceError } from '../runtime/headraceError.ts'

/**
 * The account of a job. Every record that was read ends in exactly one of the other four; {@link checkTally} holds the
 * job to it.
 */
export interface Tally {
  read: number
  written: number
  /** Can never succeed; each is in the rejects, with its reason. */
  rejected: number
  /** Left alone on purpose: by a filter, by the visitor, or gone meanwhile. */
  filtered: number
  /** Read, but not settled when the job was stopped. */
  notReached: number
}

export function newTally(): Tally {
  return { read: 0, written: 0, rejected: 0, filtered: 0, notReached: 0 }
}

/** @throws {HeadraceError} `ACCOUNTING` when the counts do not add up */
export function checkTally(tally: Readonly<Tally>): void {
  const settled = tally.written + tally.rejected + tally.filtered + tally.notReached
  if (settled === tally.read) return
  throw new HeadraceError(
    'ACCOUNTING',
    `the counts do not add up: ${tally.read} read, but ${tally.written} written + ${tally.rejected} rejected + ` +
      `${tally.filtered} filtered + ${tally.notReached} not reached = ${settled}. This is a defect of Headrace; please report it`,
  )
}
