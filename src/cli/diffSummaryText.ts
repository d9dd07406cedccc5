import type { DiffSummary } from '../index.ts'
import { formatCount, formatDuration } from '../report/figures.ts'
import { limitRows } from '../report/limitRows.ts'
import { formatUnits } from '../runtime/units.ts'

/** The closing table of a comparison, one fact a line. */
export function diffSummaryText(left: string, right: string, summary: DiffSummary, durationMs: number): string {
  const { complete, compared, equal, missing, extra, changed, duplicates, fixed, conflicts, refused } = summary
  const rows: (readonly [string, string])[] = [
    ['compared', formatCount(compared)],
    ['equal', formatCount(equal)],
    ['missing', `${formatCount(missing)}${missing > 0 ? ` (only in ${left})` : ''}`],
    ['extra', `${formatCount(extra)}${extra > 0 ? ` (only in ${right})` : ''}`],
    ['changed', formatCount(changed)],
  ]
  if (duplicates > 0)
    rows.push(['duplicates', `${formatCount(duplicates)} (of records with the same key, the last one counts)`])
  if (fixed + conflicts + refused > 0) rows.push(['fixed', formatCount(fixed)])
  if (conflicts > 0) rows.push(['conflicts', `${formatCount(conflicts)} (changed by another writer, not fixed)`])
  if (refused > 0) rows.push(['refused', formatCount(refused)])
  rows.push(['time', formatDuration(durationMs)])
  const consumed = [
    formatUnits((summary.left?.readUnits ?? 0) + (summary.right?.readUnits ?? 0), 'read'),
    ...(summary.writeUnits > 0 ? [formatUnits(summary.writeUnits, 'write')] : []),
  ]
  rows.push(['consumed', consumed.join(', ')])
  for (const [name, stats] of [
    [left, summary.left],
    [right, summary.right],
  ] as const) {
    if (stats === undefined) continue
    const limits = limitRows({ ...stats, writeUnitsPerSecondAllowed: Number.POSITIVE_INFINITY })
    for (const [label, value] of limits) rows.push([label, `${name}: ${value}`])
  }
  const width = Math.max(...rows.map(([label]) => label.length))
  const head = `diff ${left} ${right}: ${complete ? 'done' : 'stopped early'}`
  return [head, ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join('\n')
}
