import { type Checkpoint, readRanges } from '../job/checkpoint.ts'
import { coarser, type JobHistory } from '../job/jobHistory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { RejectCount } from '../job/rejectCounts.ts'
import type { Summary } from '../job/summary.ts'
import { COUNTERS, settledOf } from '../job/tally.ts'
import { formatUnits } from '../runtime/units.ts'
import { costWords } from './costWords.ts'
import { formatCount, formatDuration, formatRate } from './figures.ts'
import { type JobChart, jobFigures, type PartState, partsStrip } from './jobChart.ts'
import { allowedUnits } from './limitRows.ts'
import { remainingMs, shareDone } from './shareDone.ts'
import { escapeText } from './svgParts.ts'
import { throttlingWords } from './throttlingWords.ts'

/** How a job stands, for a page to show. */
export interface JobView {
  readonly spec: JobSpec
  readonly state: {
    readonly kind: 'running' | 'paused' | 'stopping' | 'done' | 'stopped' | 'failed'
    /** In a sentence. */
    readonly words: string
  }
  /** Undefined before the first one was written. */
  readonly checkpoint: Checkpoint | undefined
  /** Undefined where the checkpoint knows better, as in a job that runs elsewhere. */
  readonly summary: Summary | undefined
  readonly history: JobHistory
  readonly rejects: readonly RejectCount[]
  /** What is counted as rejects where that is less than those of all runs, such as `in this run`. */
  readonly rejectsOf?: string | undefined
  /** It is this process that runs it: what is now is worth saying. */
  readonly isLive: boolean
}

/** However long a job was. */
const STEPS_MAX = 300
/** Words of users, such as a filter or a reject's reason, are cut off. */
const WORDS_MAX = 400
const RUNS_MAX = 50
const WARNINGS_MAX = 20

/** What a page on a job is made of, in the order in which it stands. */
export const SECTIONS = [
  'head',
  'account',
  'tiles',
  'plots',
  'parts',
  'facts',
  'throttles',
  'rejects',
  'runs',
  'warnings',
] as const

export type SectionName = (typeof SECTIONS)[number]

/** The parts of a page on a job, in that order. Well-formed XML; all that is not ours in it is text. */
export function jobSections(view: JobView): Map<SectionName, string> {
  const chart = chartOf(view)
  return new Map([
    ['head', head(view)],
    ['account', account(view)],
    ['tiles', tiles(view)],
    ['plots', plots(chart)],
    ['parts', parts(chart)],
    ['facts', facts(view)],
    ['throttles', throttles(view.history)],
    ['rejects', rejected(view)],
    ['runs', runs(view)],
    ['warnings', warnings(view.history)],
  ])
}

/** Words of others, as text. */
export function words(text: string): string {
  return escapeText(text.length > WORDS_MAX ? `${text.slice(0, WORDS_MAX)}…` : text)
}

export function titleOf({ what }: JobSpec): string {
  return `${what.operation} ${what.table.name}`
}

/** What its pictures are drawn from. */
export function chartOf(view: Pick<JobView, 'spec' | 'checkpoint' | 'history' | 'isLive'>): JobChart {
  return {
    title: titleOf(view.spec),
    steps: coarser(view.history.steps, STEPS_MAX),
    runs: view.history.runs,
    ...partsOf(view.checkpoint),
    isLive: view.isLive,
  }
}

function head({ spec, state }: JobView): string {
  return `<h1>${words(titleOf(spec))}</h1><p class="state ${state.kind}">${words(state.words)}</p>`
}

/** What became of all that was read, as a bar and in words. */
function account({ spec, summary, checkpoint }: JobView): string {
  const tally = summary ?? { ...checkpoint?.tally, notReached: 0 }
  const { read = 0, notReached } = tally
  const endings: (readonly [name: string, count: number])[] = COUNTERS.filter(
    ({ name, isUsual }) => isUsual || (tally[name] ?? 0) > 0,
  ).map(({ name }) => [name, tally[name] ?? 0])
  endings.push(['not reached', notReached], ['under way', Math.max(0, read - settledOf(tally) - notReached)])
  const shown = endings.filter(([name, count]) => count > 0 || (name !== 'not reached' && name !== 'under way'))
  const share = summary?.share ?? (checkpoint === undefined ? undefined : shareDone(spec.what, checkpoint))
  // A full bar is all of the work, where it is known how much that is: of a job that is at 6 %, 6 % of it.
  const all = share === undefined || share === 0 ? read : Math.max(read, settledOf(tally) / share)
  let x = 0
  const bars = shown.map(([name, count]) => {
    const width = all === 0 ? 0 : (count / all) * 100
    const bar = `<rect class="${name.replace(' ', '-')}" x="${x.toFixed(3)}%" y="0" width="${width.toFixed(3)}%" height="14"/>`
    x += width
    return width === 0 ? '' : bar
  })
  const told = shown.map(
    ([name, count]) => `<span><i class="${name.replace(' ', '-')}"></i>${formatCount(count)} ${name}</span>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" class="account" width="100%" height="14" role="img" aria-label="items by outcome">${bars.join('')}</svg>
<p class="legend"><span>${formatCount(read)} read:</span>${told.join('')}</p>`
}

/** The figures that one looks for first. */
function tiles({ spec, summary, checkpoint, history, isLive }: JobView): string {
  const spent = summary ?? checkpoint?.spent
  if (spent === undefined) return ''
  const shown: [name: string, value: string][] = []
  // What runs knows better than what is written down of it.
  const share = summary?.share ?? (checkpoint === undefined ? undefined : shareDone(spec.what, checkpoint))
  if (share !== undefined && share < 1)
    shown.push(['done (estimate)', `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`])
  const left = isLive ? remainingMs(share, spent.durationMs) : undefined
  if (left !== undefined) shown.push(['time left (estimate)', formatDuration(left)])
  shown.push(['time', formatDuration(spent.durationMs)])
  const step = history.steps.at(-1)
  const perSecond = (count: number): string => formatRate((count * 1_000) / Math.max(1, step!.toMs - step!.fromMs))
  if (isLive && step !== undefined) {
    shown.push(['items/s', perSecond(step.settled)])
    if (spent.writeUnits > 0) shown.push(['WCU/s', perSecond(step.writeUnits)])
    else shown.push(['RCU/s', perSecond(step.readUnits)])
    shown.push(['throttled requests', formatCount(summary?.throttledRequests ?? 0)])
    shown.push(['items in flight', formatCount(step.inFlight)])
  } else {
    if (summary !== undefined && summary.itemsPerSecond > 0) shown.push(['items/s', formatRate(summary.itemsPerSecond)])
    if (spent.readUnits > 0) shown.push(['RCU consumed', formatCount(spent.readUnits)])
    if (spent.writeUnits > 0) shown.push(['WCU consumed', formatCount(spent.writeUnits)])
  }
  if (summary?.cost !== undefined) shown.push(['cost', costWords(summary.cost, summary.costExpected)])
  return `<div class="tiles">${shown.map(([name, value]) => `<div><span>${name}</span><b>${words(value)}</b></div>`).join('\n')}</div>`
}

function plots(chart: JobChart): string {
  return `<div class="plots">${jobFigures(chart)
    .map((figure) => `<figure class="card">${figure}</figure>`)
    .join('\n')}</div>`
}

function parts(chart: JobChart): string {
  const strip = partsStrip(chart)
  return strip === undefined ? '' : `<div class="card parts"><p>${words(strip.words)}</p>${strip.svg}</div>`
}

function facts({ spec, summary, checkpoint }: JobView): string {
  const { table, target, filter, visitor, sources, file } = spec.what
  const rows: [string, string][] = [['table', table.arn === '' ? table.name : table.arn]]
  if (target !== undefined) rows.push(['target', target.arn === '' ? target.name : target.arn])
  if (file !== undefined) rows.push(['file', file])
  if (sources !== undefined)
    rows.push([
      'files',
      sources
        .slice(0, 5)
        .map(({ name }) => name)
        .join(', ') + (sources.length > 5 ? ` and ${sources.length - 5} more` : ''),
    ])
  if (visitor?.module !== undefined) rows.push(['visitor', visitor.module])
  if (visitor?.edit !== undefined) rows.push(['edit', visitor.edit])
  if (filter !== undefined) rows.push(['where', filter])
  rows.push(['started', timeWords(spec.createdAt)])
  const spent = summary ?? checkpoint?.spent
  if (spent !== undefined) {
    rows.push(['consumed', `${formatUnits(spent.readUnits, 'read')}, ${formatUnits(spent.writeUnits, 'write')}`])
    rows.push(['requests', `${formatCount(spent.requests)}; ${formatCount(spent.retried)} items or pages retried`])
  }
  const allowed = summary === undefined ? [] : allowedUnits(summary)
  if (allowed.length > 0) rows.push(['allowed', allowed.join(' and ')])
  if (summary?.cost !== undefined)
    rows.push(['cost', `${costWords(summary.cost, summary.costExpected)} (prices of ${summary.cost.asOf})`])
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${words(value)}</dd>`).join('\n')}</dl>`
}

function throttles({ summary }: JobHistory): string {
  const reasons = Object.entries(summary?.throttlingReasons ?? {}).sort(([, left], [, right]) => right - left)
  if (reasons.length === 0) return ''
  const rows = reasons.map(
    ([reason, count]) =>
      `<tr><td>${formatCount(count)}</td><td>${words(throttlingWords(reason).sentence)}<br/><code>${words(reason)}</code></td></tr>`,
  )
  return `<h2>Throttling reasons in the last run</h2>\n${table(rows)}`
}

function rejected({ rejects, rejectsOf }: JobView): string {
  if (rejects.length === 0) return ''
  const rows = rejects.map(({ code, count, examples }) => {
    const shown = examples.map(({ place, message }) => `<li><code>${words(place)}</code> ${words(message)}</li>`)
    return `<tr><td>${formatCount(count)}</td><td><code>${words(code)}</code></td><td><ul>${shown.join('')}</ul></td></tr>`
  })
  const title = `Rejected records${rejectsOf === undefined ? '' : ` ${rejectsOf}`}`
  return `<h2>${title}</h2>\n${table(rows)}`
}

function runs({ history: { runs: all }, state: { kind } }: JobView): string {
  if (all.length === 0) return ''
  const rows = all.slice(-RUNS_MAX).map(({ run, startedAt, end }, index, shown) => {
    const goesOn = index === shown.length - 1 && (kind === 'running' || kind === 'paused' || kind === 'stopping')
    const how = end?.how ?? (goesOn ? '' : 'ended without a report')
    return `<tr><td>${run}</td><td>${words(timeWords(startedAt))}</td><td>${words(timeWords(end?.at ?? ''))}</td><td>${how}${end?.message === undefined ? '' : `: ${words(end.message)}`}</td></tr>`
  })
  return `<h2>Runs</h2>\n${table(['<tr><th>run</th><th>started</th><th>finished</th><th></th></tr>', ...rows])}`
}

function warnings({ warnings: all }: JobHistory): string {
  if (all.length === 0) return ''
  const shown = all.slice(0, WARNINGS_MAX).map((text) => `<li>${words(text)}</li>`)
  return `<h2>Warnings</h2>\n<ul>${shown.join('')}</ul>`
}

/** It may be wider than a narrow page. */
function table(rows: readonly string[]): string {
  return `<div class="table"><table>${rows.join('\n')}</table></div>`
}

/** 2026-11-23T15:13:04.232Z as `2026-11-23 15:13:04 UTC`; what is no such time as it is. */
function timeWords(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC')
}

function partsOf(checkpoint: Checkpoint | undefined): {
  readonly parts: readonly PartState[]
  readonly partsName: string
} {
  const positions = checkpoint?.positions
  if (positions?.kind === 'segments') {
    const done = readRanges(positions.done)
    const parts = Array.from(
      { length: positions.segments },
      (_, segment): PartState =>
        done.has(segment) ? 'done' : positions.cursors[segment] === undefined ? 'left' : 'begun',
    )
    return { parts, partsName: 'segments' }
  }
  const parts = positions?.sources.map(
    (source): PartState => (source.done ? 'done' : source.after === undefined ? 'left' : 'begun'),
  )
  return { parts: parts ?? [], partsName: 'files' }
}
