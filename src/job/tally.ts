import { HeadraceError } from '../runtime/headraceError.ts'

/** A way in which a record can end, and how it is told. */
export interface Counter {
  readonly name: Ending
  /** What it counts, behind the number; also the label of its row. */
  readonly label: string
  /** Behind the count of a summary, in brackets. */
  readonly explanation: string
  /** Shown even where it is 0. */
  readonly isUsual: boolean
}

/** The ways in which a record that was read can end. */
export type Ending = 'written' | 'overwritten' | 'skipped' | 'rejected' | 'filtered'

/**
 * The counters of a job, in the order in which they are shown. This is the one place that lists them: checkpoint, JSON,
 * slices, metrics, progress and report all read it.
 */
export const COUNTERS: readonly Counter[] = [
  { name: 'written', label: 'written', explanation: '', isUsual: true },
  // A summary says it in a row of its own.
  { name: 'overwritten', label: 'overwritten', explanation: '', isUsual: false },
  { name: 'skipped', label: 'skipped', explanation: 'the table already has an item with this key', isUsual: false },
  { name: 'rejected', label: 'rejected', explanation: '', isUsual: true },
  { name: 'filtered', label: 'filtered', explanation: '', isUsual: true },
]

/** The names of {@link COUNTERS}, in their order. */
export const ENDINGS: readonly Ending[] = COUNTERS.map(({ name }) => name)

/** How many records ended in each way. */
export type Endings = { [Name in Ending]: number }

/**
 * The account of a job. Every record that was read ends in exactly one of {@link ENDINGS} or is not reached;
 * {@link checkTally} holds the job to it.
 *
 * - `written`: stored, and not overwritten by a later record of the same job.
 * - `overwritten`: stored, then overwritten by a later record of the same job with the same key.
 * - `skipped`: not written, since the table already has an item with this key (`ifExists: 'skip'`).
 * - `rejected`: can never succeed; each is in the rejects, with its reason.
 * - `filtered`: left alone on purpose: by a filter, by the visitor, or deleted meanwhile.
 * - `notReached`: read, but not settled when the job was stopped.
 */
export interface Tally extends Endings {
  read: number
  notReached: number
}

export function noEndings(): Endings {
  return { written: 0, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 }
}

export function newTally(): Tally {
  return { read: 0, ...noEndings(), notReached: 0 }
}

/** The endings of what may come from an older Headrace, which knew fewer of them. */
export function endingsOf(counts: Readonly<Partial<Endings>>): Endings {
  const endings = noEndings()
  for (const name of ENDINGS) endings[name] = counts[name] ?? 0
  return endings
}

/** How many records have ended, in whatever way. */
export function settledOf(counts: Readonly<Partial<Endings>>): number {
  let settled = 0
  for (const name of ENDINGS) settled += counts[name] ?? 0
  return settled
}

/** @throws {HeadraceError} `ACCOUNTING` when the counts do not add up */
export function checkTally(tally: Readonly<Tally>): void {
  const settled = settledOf(tally) + tally.notReached
  if (settled === tally.read) return
  const parts = COUNTERS.map(({ name, label }) => `${tally[name]} ${label}`).join(' + ')
  throw new HeadraceError(
    'ACCOUNTING',
    `the counts do not add up: ${tally.read} read, but ${parts} + ${tally.notReached} not reached = ${settled}. ` +
      'This is a bug in Headrace: please report it',
  )
}
