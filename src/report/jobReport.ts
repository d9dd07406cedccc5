import { createHash } from 'node:crypto'
import { readRanges } from '../job/checkpoint.ts'
import { coarser, type JobHistory } from '../job/jobHistory.ts'
import type { JobStatus } from '../job/jobStatus.ts'
import type { RejectCount } from '../job/rejectCounts.ts'
import { costWords } from './costWords.ts'
import { formatCount, formatDuration, formatRate } from './figures.ts'
import { CHART_STYLE, jobChart, type PartState } from './jobChart.ts'
import { escapeText } from './svgParts.ts'
import { throttlingWords } from './throttlingWords.ts'

/** What a report is made of. */
export interface ReportOptions {
  readonly status: JobStatus
  readonly history: JobHistory
  readonly rejects: readonly RejectCount[]
  /** When it was made, and by which Headrace; for its foot. */
  readonly madeAt: string
  readonly version: string
}

/** However long a job was. */
const STEPS_MAX = 300
/** Words of users, such as a filter or a reject's reason, are cut off. */
const WORDS_MAX = 400

/** A job as one picture. */
export function reportChart({ status, history }: Pick<ReportOptions, 'status' | 'history'>): string {
  const { what } = status.spec
  const { parts, partsName } = partsOf(status)
  return jobChart({
    title: `${what.operation} ${what.table.name}`,
    steps: coarser(history.steps, STEPS_MAX),
    runs: history.runs,
    parts,
    partsName,
  })
}

/** A job as one page, which needs nothing beside it and runs nothing. Everything that is not ours in it is text. */
export function reportPage(options: ReportOptions): string {
  const { status, history, rejects, madeAt, version } = options
  const { what } = status.spec
  const title = `${what.operation} ${what.table.name}`
  // The picture has its style in it; a policy knows it by what it is.
  const chart = reportChart(options)
  const styles = [PAGE_STYLE, `${CHART_STYLE}\n`].map(
    (style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  )
  const policy = `default-src 'none'; style-src ${styles.join(' ')}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${words(title)}</h1>
<p class="state ${status.state}">${words(stateWords(status))}</p>
${account(status)}
${facts(status)}
<figure>
${chart}</figure>
${throttles(history)}
${rejected(rejects)}
${runs(history)}
${
  history.warnings.length === 0
    ? ''
    : `<h2>What was odd</h2>\n<ul>${history.warnings
        .slice(0, 20)
        .map((text) => `<li>${words(text)}</li>`)
        .join('')}</ul>`
}
<footer>made ${words(madeAt)} by Headrace ${words(version)} from ${words(status.directory)}</footer>
</main>
</body>
</html>
`
}

function words(text: string): string {
  return escapeText(text.length > WORDS_MAX ? `${text.slice(0, WORDS_MAX)}…` : text)
}

function stateWords({ state, holder, directory }: JobStatus): string {
  if (state === 'done') return 'done'
  return state === 'running' ? `running, ${holder}` : `stopped; to go on: headrace resume ${directory}`
}

/** What became of all that was read, as a bar and in words. */
function account({ summary, checkpoint }: JobStatus): string {
  const tally = summary ?? { ...checkpoint?.tally, notReached: 0 }
  const { read = 0 } = tally
  const endings = [
    ['written', tally.written ?? 0],
    ['rejected', tally.rejected ?? 0],
    ['filtered', tally.filtered ?? 0],
    ['not reached', tally.notReached],
  ] as const
  let x = 0
  const bars = endings.map(([name, count]) => {
    const width = read === 0 ? 0 : (count / read) * 100
    const bar = `<rect class="${name.replace(' ', '-')}" x="${x.toFixed(3)}%" y="0" width="${width.toFixed(3)}%" height="14"/>`
    x += width
    return width === 0 ? '' : bar
  })
  const told = endings.map(
    ([name, count]) => `<span><i class="${name.replace(' ', '-')}"></i>${formatCount(count)} ${name}</span>`,
  )
  return `<svg class="account" width="100%" height="14" role="img" aria-label="what became of the items">${bars.join('')}</svg>
<p class="legend"><span>${formatCount(read)} read:</span>${told.join('')}</p>`
}

function facts({ spec, summary, checkpoint }: JobStatus): string {
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
  rows.push(['begun', spec.createdAt])
  const spent = checkpoint?.spent
  if (spent !== undefined) {
    rows.push(['time', formatDuration(spent.durationMs)])
    const rate = summary?.itemsPerSecond
    if (rate !== undefined && rate > 0) rows.push(['rate', `${formatRate(rate)} items/s`])
    rows.push(['units', `${formatCount(spent.readUnits)} read, ${formatCount(spent.writeUnits)} write`])
    rows.push(['requests', `${formatCount(spent.requests)}; ${formatCount(spent.retried)} entries or pages sent again`])
  }
  if (summary?.cost !== undefined)
    rows.push(['cost', `${costWords(summary.cost, summary.costExpected)} (prices of ${summary.cost.asOf})`])
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${words(value)}</dd>`).join('\n')}</dl>`
}

function throttles({ summary }: JobHistory): string {
  const reasons = Object.entries(summary?.throttlingReasons ?? {}).sort(([, left], [, right]) => right - left)
  if (reasons.length === 0) return ''
  const rows = reasons.map(
    ([reason, count]) =>
      `<tr><td>${formatCount(count)}</td><td>${words(throttlingWords(reason).sentence)}</td><td><code>${words(reason)}</code></td></tr>`,
  )
  return `<h2>Why the service throttled, in the last run</h2>\n<table>${rows.join('\n')}</table>`
}

function rejected(rejects: readonly RejectCount[]): string {
  if (rejects.length === 0) return ''
  const rows = rejects.map(({ code, count, examples }) => {
    const shown = examples.map(({ place, message }) => `<li><code>${words(place)}</code> ${words(message)}</li>`)
    return `<tr><td>${formatCount(count)}</td><td><code>${words(code)}</code></td><td><ul>${shown.join('')}</ul></td></tr>`
  })
  return `<h2>What can never be stored</h2>\n<table>${rows.join('\n')}</table>`
}

function runs({ runs: all }: JobHistory): string {
  const rows = all.slice(-50).map(({ run, startedAt, end }) => {
    const how = end === undefined ? 'did not say how it ended' : end.how
    return `<tr><td>${run}</td><td>${words(startedAt)}</td><td>${words(end?.at ?? '')}</td><td>${how}${end?.message === undefined ? '' : `: ${words(end.message)}`}</td></tr>`
  })
  return `<h2>Runs</h2>\n<table><tr><th>run</th><th>begun</th><th>ended</th><th></th></tr>${rows.join('\n')}</table>`
}

function partsOf({ checkpoint }: JobStatus): { readonly parts: readonly PartState[]; readonly partsName: string } {
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

const PAGE_STYLE = `
:root { color-scheme: light dark; --paper: #f5f7fa; --card: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --rule: #e3e8ee;
  --written: #1f6feb; --rejected: #cf222e; --filtered: #9fb2c8; --not-reached: #e8a317 }
@media (prefers-color-scheme: dark) { :root { --paper: #0b1017; --card: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --rule: #263140;
  --written: #58a6ff; --rejected: #ff6b66; --filtered: #5b708a; --not-reached: #e3b341 } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
main { max-width: 940px; margin: 0 auto; padding: 24px 16px }
h1 { font-size: 22px; margin: 0 } h2 { font-size: 15px; margin: 28px 0 8px }
.state { margin: 2px 0 16px; color: var(--soft) } .state.done { color: var(--written) }
.account { border-radius: 4px; background: var(--rule); display: block }
.written { fill: var(--written); background: var(--written) } .rejected { fill: var(--rejected); background: var(--rejected) }
.filtered { fill: var(--filtered); background: var(--filtered) } .not-reached { fill: var(--not-reached); background: var(--not-reached) }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); margin: 6px 0 16px }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 20px } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
figure { margin: 0; overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; background: var(--card) } figure svg { max-width: 100%; height: auto; display: block }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-top: 1px solid var(--rule); overflow-wrap: anywhere }
td:first-child { white-space: nowrap } td ul { margin: 0; padding-left: 16px } code { font-size: 12px }
footer { margin-top: 28px; color: var(--soft); font-size: 12px }
`
