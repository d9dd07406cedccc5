import type { Summary } from '../job/summary.ts'
import { formatUnitRate } from '../runtime/units.ts'
import { costWords } from './costWords.ts'
import { otherEndings } from './endingWords.ts'
import { formatCount, formatDuration, formatRate } from './figures.ts'
import { latestReason } from './progressBlock.ts'
import { throttlingWords } from './throttlingWords.ts'

/** One line on a running job: counts, the rate of late, what holds it up, what is waiting, and what went wrong, if anything. */
export function progressLine(now: Summary, before: Summary | undefined): string {
  const reads = now.operation === 'scan' || now.operation === 'count'
  const done = reads ? now.read : now.written
  const doneBefore = before === undefined ? 0 : reads ? before.read : before.written
  const elapsedMs = now.durationMs - (before?.durationMs ?? 0)
  const rate = elapsedMs > 0 ? ((done - doneBefore) / elapsedMs) * 1_000 : 0
  const parts = [`${now.operation} ${now.table}`]
  if (!reads) parts.push(`${formatCount(now.read)} read`)
  parts.push(`${formatCount(done)} ${reads ? 'read' : 'written'}`, `${formatRate(rate)}/s`)
  const allowed = reads ? now.readUnitsPerSecondAllowed : now.writeUnitsPerSecondAllowed
  if (Number.isFinite(allowed)) parts.push(`at most ${formatUnitRate(allowed, reads ? 'read' : 'write')}`)
  const reason = latestReason(now.throttlingReasons, before?.throttlingReasons ?? {})
  if (reason !== undefined) parts.push(`throttled by ${throttlingWords(reason).short}`)
  parts.push(...otherEndings(now))
  if (now.rejected > 0) parts.push(`${formatCount(now.rejected)} rejected`)
  if (now.retried > 0) parts.push(`${formatCount(now.retried)} retried`)
  if (now.inFlight > 0) parts.push(`${formatCount(now.inFlight)} in flight`)
  if (now.cost?.billing === 'on demand' && now.cost.amount > 0) {
    parts.push(`cost ${costWords(now.cost, now.costExpected)}`)
  }
  if (now.segments !== undefined) parts.push(`segment ${now.segmentsDone}/${now.segments}`)
  parts.push(formatDuration(now.durationMs))
  return parts.join(' · ')
}
