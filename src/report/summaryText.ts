import type { Summary } from '../job/summary.ts'
import { COUNTERS } from '../job/tally.ts'
import { counted } from '../runtime/counted.ts'
import { costWords } from './costWords.ts'
import { doneWords, uncountedWords } from './endingWords.ts'
import { formatConsumed, formatCount, formatDuration, formatRate } from './figures.ts'
import { limitRows } from './limitRows.ts'
import type { BlockStyle } from './progressBlock.ts'

/** How many records were overwritten, and among which that was counted; empty where there is nothing to say. */
function duplicateWords(summary: Summary): string {
  // An older Headrace did not tell it.
  const { overwritten = 0 } = summary as Partial<Summary>
  const by = overwritten === 1 ? 'a later record' : 'later records'
  const count = overwritten > 0 ? `${counted(overwritten, 'record')} overwritten by ${by} with the same key` : undefined
  return [count, uncountedWords(summary)].filter((part) => part !== undefined).join('; ')
}

/** The closing table of a job, one fact a line. */
export function summaryText(
  summary: Summary,
  extra: readonly (readonly [label: string, value: string])[] = [],
  { hasColors }: Pick<BlockStyle, 'hasColors'> = { hasColors: false },
): string {
  const { operation, table, complete } = summary
  const rows: (readonly [string, string])[] = [['read', formatCount(summary.read)]]
  for (const { name, label, explanation, isUsual } of COUNTERS) {
    if (name === 'overwritten') {
      const duplicates = duplicateWords(summary)
      if (duplicates !== '') rows.push(['duplicate keys', duplicates])
      continue
    }
    if (!isUsual && summary[name] === 0) continue
    rows.push([label, formatCount(summary[name]) + (explanation === '' ? '' : ` (${explanation})`)])
  }
  if (summary.notReached > 0) rows.push(['not reached', formatCount(summary.notReached)])
  const causes = [
    summary.unprocessed > 0 ? `${formatCount(summary.unprocessed)} unprocessed` : '',
    summary.throttledRequests > 0 ? `${counted(summary.throttledRequests, 'request')} throttled` : '',
    summary.failedRequests > 0 ? `${counted(summary.failedRequests, 'request')} failed` : '',
  ].filter((cause) => cause !== '')
  rows.push(['retried', formatCount(summary.retried) + (causes.length > 0 ? ` (${causes.join(', ')})` : '')])
  if (summary.conflicts > 0)
    rows.push(['conflicts', `${formatCount(summary.conflicts)} (changed by another writer, read again)`])
  rows.push(['time', `${formatDuration(summary.durationMs)}, ${formatRate(summary.itemsPerSecond)} items/s`])
  const consumed = formatConsumed(summary)
  if (consumed !== '') rows.push(['consumed', consumed])
  const { cost } = summary
  if (cost !== undefined && consumed !== '') {
    const paid = cost.billing === 'provisioned' ? ', of provisioned capacity billed by the hour' : ''
    rows.push(['cost', `${costWords(cost, summary.costExpected)}${paid} (prices of ${cost.asOf})`])
  }
  rows.push(...limitRows(summary))
  if (summary.latencyMsMax > 0) {
    const { latencyMsP50, latencyMsP99, latencyMsMax } = summary
    const latency = `p50 ${latencyMsP50.toFixed(1)} ms, p99 ${latencyMsP99.toFixed(1)} ms, max ${latencyMsMax.toFixed(1)} ms`
    rows.push(['requests', `${formatCount(summary.requests)}, write latency ${latency}`])
  }
  rows.push(...extra)
  const width = Math.max(...rows.map(([label]) => label.length))
  const words = complete ? doneWords(summary) : 'stopped early'
  const color = complete && words === 'done' ? 32 : 33
  const head = `${operation} ${table}: ${hasColors ? `\u001b[${color}m${words}\u001b[39m` : words}`
  return [head, ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join('\n')
}
