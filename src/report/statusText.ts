import { join } from 'node:path'
import type { JobStatus } from '../job/jobStatus.ts'
import { COUNTERS } from '../job/tally.ts'
import { undoneWords } from '../job/undoneMark.ts'
import { formatConsumed, formatCount, formatDuration } from './figures.ts'

/** One job, one fact a line. */
export function statusText(status: JobStatus): string {
  const { directory, spec, state, undone, checkpoint, summary } = status
  const { operation, table, filter, visitor, sources } = spec.what
  const rows: [string, string][] = [
    ['state', undone !== undefined && state === 'undone' ? undoneWords(undone) : stateWords(status)],
    ['table', table.arn === '' ? table.name : table.arn],
  ]
  if (visitor?.module !== undefined) rows.push(['visitor', visitor.module])
  if (visitor?.edit !== undefined) rows.push(['edit', visitor.edit])
  if (filter !== undefined) rows.push(['where', filter])
  if (sources !== undefined) rows.push(['files', sourceWords(sources.map(({ name }) => name))])
  rows.push(['started', spec.createdAt])
  if (checkpoint !== undefined) {
    const { tally, spent, runs, savedAt, positions } = checkpoint
    rows.push(['checkpoint', `${savedAt}, run ${runs}`])
    rows.push(['settled', formatCount(tally.read)])
    for (const { name, label } of COUNTERS)
      if (name === 'written' || tally[name] > 0) rows.push([label, formatCount(tally[name])])
    if (positions.kind === 'segments') {
      const under = Object.keys(positions.cursors).length
      rows.push(['segments', `${segmentsDone(positions.done)} of ${positions.segments} done, ${under} under way`])
    } else {
      const done = positions.sources.filter((source) => source.done).length
      rows.push(['files done', `${done} of ${positions.sources.length}`])
    }
    if (tally.rejected > 0) rows.push(['rejects', join(directory, 'rejects.jsonl')])
    rows.push(['time', formatDuration(spent.durationMs)])
    const consumed = formatConsumed(spent)
    if (consumed !== '') rows.push(['consumed', consumed])
  } else if (summary === undefined) {
    rows.push(['checkpoint', 'none yet'])
  }
  const width = Math.max(...rows.map(([label]) => label.length))
  return [`${operation} ${table.name}`, ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join(
    '\n',
  )
}

/** Several, one a line. */
export function statusList(jobs: readonly JobStatus[]): string {
  const rows = jobs.map(({ directory, spec, state, checkpoint }) => [
    directory,
    state,
    [`${formatCount(checkpoint?.tally.written ?? 0)} written`, ...otherCounts(checkpoint)].join(', '),
    `started ${spec.createdAt.slice(0, 16).replace('T', ' ')}`,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

function stateWords({ state, directory, spec, holder, checkpoint, mayNotRepeat }: JobStatus): string {
  if (state === 'running') return `running, ${holder}`
  if (state === 'done')
    return ['done', ...otherCounts(checkpoint).filter((count) => count.endsWith('rejected'))].join(', ')
  if (spec.what.sources?.some(({ name }) => name === '-') === true)
    return 'stopped; it cannot be resumed, because standard input cannot be read twice'
  if (mayNotRepeat) return 'stopped; it cannot be resumed, because it uses "add" without --once and was not ended well'
  return `stopped; to resume it: headrace resume ${directory}`
}

/** Those that are not 0, but for what was written. */
function otherCounts(checkpoint: JobStatus['checkpoint']): string[] {
  return COUNTERS.filter(({ name }) => name !== 'written' && (checkpoint?.tally[name] ?? 0) > 0).map(
    ({ name, label }) => `${formatCount(checkpoint!.tally[name])} ${label}`,
  )
}

function sourceWords(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

function segmentsDone(ranges: string): number {
  if (ranges === '') return 0
  return ranges.split(',').reduce((sum, range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?]
    return sum + (last as number) - first + 1
  }, 0)
}
