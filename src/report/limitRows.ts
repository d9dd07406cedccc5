import type { Summary } from '../job/summary.ts'
import { counted } from '../runtime/counted.ts'
import { formatUnitRate } from '../runtime/units.ts'
import { throttlingWords } from './throttlingWords.ts'

type Limits = Pick<Summary, 'throttlingReasons' | 'readUnitsPerSecondAllowed' | 'writeUnitsPerSecondAllowed'>

/** What was in the way of going faster: why the service throttled, the most frequent first, and what was allowed at last. */
export function limitRows(summary: Limits): (readonly [label: string, value: string])[] {
  const rows = Object.entries(summary.throttlingReasons)
    .sort(([, left], [, right]) => right - left)
    .map(([label, times]): [string, string] => [
      'throttled',
      `${counted(times, 'request')}: ${throttlingWords(label).sentence}`,
    ])
  const allowed = allowedUnits(summary)
  if (allowed.length > 0) rows.push(['allowed', `${allowed.join(' and ')} at the end`])
  return rows
}

/** The limits that were in force at last, such as `500 RCU/s`. */
export function allowedUnits({ readUnitsPerSecondAllowed, writeUnitsPerSecondAllowed }: Limits): string[] {
  return [
    ...(Number.isFinite(readUnitsPerSecondAllowed) ? [formatUnitRate(readUnitsPerSecondAllowed, 'read')] : []),
    ...(Number.isFinite(writeUnitsPerSecondAllowed) ? [formatUnitRate(writeUnitsPerSecondAllowed, 'write')] : []),
  ]
}
