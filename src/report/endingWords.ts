import type { Summary } from '../job/summary.ts'
import { COUNTERS, type Endings } from '../job/tally.ts'
import { formatCount } from './figures.ts'

export { noEndings } from '../job/tally.ts'

/** `12 written, 1 overwritten, 0 rejected, 0 filtered`: the usual counters, and the others where they are not 0. */
export function endingWords(counts: Readonly<Endings>): string {
  return COUNTERS.filter(({ name, isUsual }) => isUsual || counts[name] > 0)
    .map(({ name, label }) => `${formatCount(counts[name])} ${label}`)
    .join(', ')
}

/** Those that are neither written nor rejected, where they are not 0: `3 skipped`, `17 filtered`. */
export function otherEndings(counts: Readonly<Endings>): string[] {
  return COUNTERS.filter(({ name }) => name !== 'written' && name !== 'rejected' && counts[name] > 0).map(
    ({ name, label }) => `${formatCount(counts[name])} ${label}`,
  )
}

/** Among which records *overwritten* was counted; undefined where among all. */
export function uncountedWords({ keysCompared }: Pick<Summary, 'keysCompared'>): string | undefined {
  switch (keysCompared) {
    case 'first':
      return 'counted only among the first 1,000,000 keys'
    case 'run':
      return 'counted within this run, not against earlier runs'
    case 'slice':
      return 'counted within each slice, not between slices'
    default:
      return undefined
  }
}

/** How a job ended that came to its end: `done`, and what there is to know beside that. */
export function doneWords(summary: Summary): string {
  const { operation, read, rejected } = summary
  // An older Headrace told neither of these.
  const { overwritten = 0, skipped = 0, incompleteInput = [] } = summary as Partial<Summary>
  const noun = operation === 'load' || operation === 'run' ? 'records' : 'items'
  const parts = ['done']
  if (read === 0) parts.push(`no ${noun}`)
  else if (summary.written + overwritten + skipped + rejected === 0) parts.push(NOTHING[operation] ?? 'nothing written')
  if (rejected > 0) parts.push(`${formatCount(rejected)} rejected`)
  if (incompleteInput.length > 0) parts.push('incomplete input')
  return parts.join(', ')
}

/** Of operations that do not call it writing, what it is that was done to nothing. */
const NOTHING: { readonly [operation: string]: string } = {
  update: 'nothing changed',
  delete: 'nothing deleted',
  undo: 'nothing restored',
}
