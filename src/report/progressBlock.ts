import type { Summary } from '../job/summary.ts'
import { counted } from '../runtime/counted.ts'
import { formatUnitRate } from '../runtime/units.ts'
import { costWords } from './costWords.ts'
import { otherEndings } from './endingWords.ts'
import { formatCount, formatDuration, formatRate } from './figures.ts'
import { throttlingWords } from './throttlingWords.ts'

export interface BlockStyle {
  /** Of the terminal. */
  readonly columns: number
  readonly hasColors: boolean
  /** Whether it shows more than ASCII. */
  readonly isUnicode: boolean
}

/** Samples that a sparkline shows, one a second. */
const SAMPLES = 24
/** The rate at which the end comes nearer is of so many seconds: a longer time would hide that it has changed. */
const ETA_SAMPLES = 60
/** An end that is told in the first seconds is told wrong. */
const ETA_SAMPLES_MIN = 5
/** Figures are of the last so many seconds, that they can be read. */
const RATE_SAMPLES = 3
const BAR_WIDTH = 24
const LABEL_WIDTH = 10

/** Where a terminal is narrower than any line that says something. */
const COLUMNS_MIN = 30

interface Sample {
  readonly atMs: number
  readonly items: number
  readonly units: number
  readonly throttled: number
  readonly share: number | undefined
}

/**
 * A running job as a block of lines that are each as wide as a terminal at most: what is left out for want of room stands behind what
 * is kept. It remembers what it was told each second, for rates, the end that is to be expected, and sparklines.
 */
export class ProgressBlock {
  readonly #samples: Sample[] = []
  #reasons: Summary['throttlingReasons'] = {}
  #reason: string | undefined

  /** Remembers how it stands; what comes within a second of the last is not kept. */
  note(now: Summary): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && now.durationMs - last.atMs < 1_000) return
    this.#samples.push({
      atMs: now.durationMs,
      items: onlyReads(now) ? now.read : now.written,
      units: spendsReads(now) ? now.readUnits : now.writeUnits,
      throttled: Object.values(now.throttlingReasons).reduce((sum, times) => sum + times, 0),
      share: now.share,
    })
    if (this.#samples.length > ETA_SAMPLES) this.#samples.shift()
    this.#reason = latestReason(now.throttlingReasons, this.#reasons)
    this.#reasons = now.throttlingReasons
  }

  lines(now: Summary, style: BlockStyle): string[] {
    const columns = Math.max(COLUMNS_MIN, style.columns - 1)
    const { share, throttlingReasons, cost } = now
    const etaMs = this.#etaMs(now)
    const bar = share === undefined ? [] : [drawBar(share, style)]
    const head = fit(columns, `${now.operation} ${now.table}`, [
      ...bar,
      ...(share === undefined ? [] : [`${(Math.floor(share * 1_000) / 10).toFixed(1)} %`]),
      ...(etaMs === undefined ? [] : [`${formatDuration(etaMs)} left`]),
      `${formatDuration(now.durationMs)} elapsed`,
    ])
    const itemRate = this.#rate(({ items }) => items)
    const items = [
      `${formatRate(itemRate)}/s`,
      this.#sparkline(({ items: count }) => count, style),
      ...(now.rejected > 0 ? [warn(`${formatCount(now.rejected)} rejected`, style)] : []),
      ...(onlyReads(now) ? [] : [`${formatCount(now.written)} written`]),
      `${formatCount(now.read)} read`,
      ...otherEndings(now),
    ]
    const allowed = spendsReads(now) ? now.readUnitsPerSecondAllowed : now.writeUnitsPerSecondAllowed
    const throttles = Object.keys(throttlingReasons).length > 0 ? this.#rate(({ throttled }) => throttled) : 0
    const reason = this.#reason === undefined ? '' : ` by ${throttlingWords(this.#reason).short}`
    const units = [
      formatUnitRate(
        this.#rate(({ units: spent }) => spent),
        spendsReads(now) ? 'read' : 'write',
      ),
      this.#sparkline(({ units: spent }) => spent, style),
      ...(Number.isFinite(allowed) ? [`at most ${formatRate(allowed)}`] : []),
      ...(throttles > 0 ? [warn(`${formatRate(throttles)}/s throttled${reason}`, style)] : []),
      ...(cost?.billing === 'on demand' && cost.amount > 0 ? [`cost ${costWords(cost, now.costExpected)}`] : []),
    ]
    const requests = [
      `${formatCount(now.inFlight)} in flight`,
      ...(now.latencyMsP50 > 0
        ? [`p50 ${formatDuration(now.latencyMsP50)}, p99 ${formatDuration(now.latencyMsP99)}`]
        : []),
      ...(now.retried > 0 ? [`${formatCount(now.retried)} retried`] : []),
      ...(now.failedRequests > 0 ? [warn(`${formatCount(now.failedRequests)} failed`, style)] : []),
    ]
    const { oldestSegment } = now
    const segments =
      now.segments === undefined
        ? []
        : [
            row(columns, 'segments', [
              `${formatCount(now.segmentsDone ?? 0)} of ${formatCount(now.segments)} read`,
              ...(oldestSegment === undefined
                ? []
                : [`oldest: ${oldestSegment.segment}, ${counted(oldestSegment.items, 'item')} read`]),
            ]),
          ]
    return [
      head,
      row(columns, 'items', items),
      row(columns, 'capacity', units),
      ...(spendsReads(now) ? [] : [row(columns, 'requests', requests)]),
      ...segments,
    ]
  }

  /** Of the last seconds, by the second. */
  #rate(of: (sample: Sample) => number): number {
    const last = this.#samples.at(-1)
    const first = this.#samples[Math.max(0, this.#samples.length - 1 - RATE_SAMPLES)]
    if (last === undefined || first === undefined || last.atMs <= first.atMs) return 0
    return ((of(last) - of(first)) / (last.atMs - first.atMs)) * 1_000
  }

  #sparkline(of: (sample: Sample) => number, { isUnicode }: BlockStyle): string {
    const rates: number[] = []
    for (let index = Math.max(1, this.#samples.length - SAMPLES); index < this.#samples.length; index += 1) {
      const before = this.#samples[index - 1]!
      const sample = this.#samples[index]!
      rates.push(Math.max(0, of(sample) - of(before)) / (sample.atMs - before.atMs))
    }
    const steps = isUnicode ? '▁▂▃▄▅▆▇█' : '_.-=+*#'
    const most = Math.max(...rates, Number.MIN_VALUE)
    return rates.map((rate) => steps[Math.min(steps.length - 1, Math.floor((rate / most) * steps.length))]).join('')
  }

  #etaMs({ share, complete }: Summary): number | undefined {
    const known = this.#samples.filter((sample) => sample.share !== undefined)
    const first = known[0]
    const last = known.at(-1)
    if (complete || share === undefined || first === undefined || last === undefined) return undefined
    if (known.length < ETA_SAMPLES_MIN || last.share! <= first.share!) return undefined
    const leftMs = ((1 - share) * (last.atMs - first.atMs)) / (last.share! - first.share!)
    return Math.round(leftMs / 1_000) * 1_000
  }
}

/** Whether nothing is written anywhere. */
function onlyReads({ operation }: Summary): boolean {
  return operation === 'scan' || operation === 'count' || operation === 'diff'
}

/** Whether nothing is written to a table. */
function spendsReads(now: Summary): boolean {
  return onlyReads(now) || now.operation === 'export'
}

function drawBar(share: number, { isUnicode, hasColors }: BlockStyle): string {
  const full = Math.min(BAR_WIDTH, Math.floor(share * BAR_WIDTH))
  const [done, left] = isUnicode ? ['█', '░'] : ['#', '-']
  const bar = done.repeat(full)
  return `${hasColors ? `\u001b[36m${bar}\u001b[39m` : bar}${left.repeat(BAR_WIDTH - full)}`
}

function warn(text: string, { hasColors }: BlockStyle): string {
  return hasColors ? `\u001b[33m${text}\u001b[39m` : text
}

function row(columns: number, label: string, parts: readonly string[]): string {
  return fit(columns, `  ${label.padEnd(LABEL_WIDTH - 1)}`, parts)
}

/** As many parts as there is room for, in their order. */
function fit(columns: number, start: string, parts: readonly string[]): string {
  let line = start.length > columns ? `${start.slice(0, columns - 1)}~` : start
  let width = line.length
  for (const part of parts) {
    const wide = shownWidth(part)
    if (wide === 0) continue
    if (width + 2 + wide > columns) continue
    line += `  ${part}`
    width += 2 + wide
  }
  return line
}

const COLOR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

/** Columns that it takes in a terminal: colours take none. */
export function shownWidth(text: string): number {
  return text.replace(COLOR, '').length
}

/** The reason that was given most often since then. */
export function latestReason(
  now: Summary['throttlingReasons'],
  before: Summary['throttlingReasons'],
): string | undefined {
  let latest: string | undefined
  let most = 0
  for (const [reason, times] of Object.entries(now)) {
    const more = times - (before[reason] ?? 0)
    if (more <= most) continue
    most = more
    latest = reason
  }
  return latest
}
