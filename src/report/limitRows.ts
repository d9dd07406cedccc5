import type { Summary } from '../job/summary.ts'
import { formatCount, formatRate } from './figures.ts'
import { throttlingWords } from './throttlingWords.ts'

type Limits = Pick<Summary, 'throttlingReasons' | 'readUnitsPerSecondAllowed' | 'writeUnitsPerSecondAllowed'>

/** What was in the way of going faster: why the service throttled, the most frequent first, and what was allowed at last. */
export function limitRows(summary: Limits): (readonly [label: string, value: string])[] {
  const rows = Object.entries(summary.throttlingReasons)
    .sort(([, left], [, right]) => right - left)
    .map(([label, times]): [string, string] => [
      'throttled',
      `${formatCount(times)} ${times === 1 ? 'request' : 'requests'}: ${throttlingWords(label).sentence}`,
    ])
  const allowed = allowedUnits(summary)
  if (allowed.length > 0) rows.push(['allowed', `${allowed.join(' and ')} units/s at the end`])
  return rows
}

function allowedUnits({ readUnitsPerSecondAllowed, writeUnitsPerSecondAllowed }: Limits): string[] {
  return [
    ...(Number.isFinite(readUnitsPerSecondAllowed) ? [`${formatRate(readUnitsPerSecondAllowed)} read`] : []),
    ...(Number.isFinite(writeUnitsPerSecondAllowed) ? [`${formatRate(writeUnitsPerSecondAllowed)} write`] : []),
  ]
}
