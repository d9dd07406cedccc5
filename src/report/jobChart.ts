import type { HistoryRun, HistoryStep } from '../job/jobHistory.ts'
import { formatCount } from './figures.ts'
import { escapeText, tickStep } from './svgParts.ts'

/** What a job's picture shows. */
export interface JobChart {
  readonly title: string
  readonly steps: readonly HistoryStep[]
  readonly runs: readonly HistoryRun[]
  /** Of each segment or file, in their order, how far it is; empty where there are none. */
  readonly parts: readonly PartState[]
  /** What these parts are, such as `segments`. */
  readonly partsName: string
  /** It goes on: what is now is worth saying. Default false. */
  readonly isLive?: boolean | undefined
}

export type PartState = 'done' | 'begun' | 'left'

const WIDTH = 900
/** Of one plot that stands in a page, which may be narrow. */
const FIGURE_WIDTH = 400
const MARGIN = 20
const AXIS_WIDTH = 44
const PLOT_HEIGHT = 110
/** Name and legend above a plot, and the time below it. */
const HEAD_HEIGHT = 36
const FOOT_HEIGHT = 20
const PLOT_GAP = 18
const TOP = 56
const STRIP_HEIGHT = 18
const CELLS_MAX = 400
/** A smaller part of a plot's height is not to be seen. */
const SHARE_SHOWN = 0.002

/** Of pictures that stand alone, and of pages that have some in them. */
export const CHART_STYLE: string = `
svg { --paper: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --rule: #e3e8ee; --left: #dfe5ec;
  --write: #1f6feb; --read: #0f8a7e; --allowed: #8250df; --throttled: #cf222e; --failed: #57606a; --begun: #e8a317 }
@media (prefers-color-scheme: dark) { svg { --paper: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --rule: #263140; --left: #263140;
  --write: #58a6ff; --read: #3fc7b5; --allowed: #bc8cff; --throttled: #ff6b66; --failed: #9aa5b1; --begun: #e3b341 } }
svg text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--soft) }
svg .title { font-size: 17px; font-weight: 600; fill: var(--ink) } svg .name { font-weight: 600; fill: var(--ink) }
svg .small { font-size: 11px } svg .end { text-anchor: end } svg .middle { text-anchor: middle }
svg .rule { stroke: var(--rule) } svg .run { stroke: var(--soft); stroke-dasharray: 2 3 }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round }
svg .write { stroke: var(--write) } svg .read { stroke: var(--read) } svg .limit { stroke: var(--allowed); stroke-dasharray: 5 3 }
svg .area { stroke: none; fill-opacity: 0.12 } svg .area.write { fill: var(--write) } svg .area.read { fill: var(--read) }
svg .bar { stroke: none } svg .throttled { fill: var(--throttled) } svg .failed { fill: var(--failed) }
svg .done { fill: var(--read) } svg .begun { fill: var(--begun) } svg .left { fill: var(--left) }`

interface Line {
  readonly name: string
  readonly kind: 'write' | 'read' | 'limit'
  readonly values: readonly (number | undefined)[]
}

interface Plot {
  readonly name: string
  readonly lines: readonly Line[]
  /** Shares of 1, one upon the other, at the bottom. */
  readonly bars?: readonly {
    readonly name: string
    readonly kind: 'throttled' | 'failed'
    readonly values: readonly number[]
  }[]
}

/** A job over the time that it worked: what it used, what came of it, what was in the way. A picture that stands alone. */
export function jobChart(chart: JobChart): string {
  const plots = plotsOf(chart)
  const strip = chart.parts.length > 0 ? STRIP_HEIGHT + PLOT_GAP : 0
  const each = HEAD_HEIGHT + PLOT_HEIGHT + FOOT_HEIGHT + PLOT_GAP
  const height = TOP + plots.length * each + strip + MARGIN
  const width = WIDTH - 2 * MARGIN
  const drawn = plots.map(
    (plot, index) =>
      `<g transform="translate(${MARGIN} ${TOP + index * each})">\n${drawPlot(plot, chart, width)}\n</g>`,
  )
  const words = `<text class="name" x="0" y="10">${escapeText(partsWords(chart))}</text>`
  const cells = `<g transform="translate(0 ${PLOT_GAP})">${drawParts(chart, width)}</g>`
  const parts =
    strip === 0 ? '' : `<g transform="translate(${MARGIN} ${TOP + plots.length * each})">\n${words}\n${cells}\n</g>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeText(chart.title)}</title>
<style>${CHART_STYLE}
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
<text class="title" x="${MARGIN}" y="34">${escapeText(chart.title)}</text>
${drawn.join('\n')}
${parts}
</svg>
`
}

/** The same for a page that has {@link CHART_STYLE}: each plot by itself, to stand beside one another or one above the other. */
export function jobFigures(chart: JobChart): string[] {
  const height = HEAD_HEIGHT + PLOT_HEIGHT + FOOT_HEIGHT
  return plotsOf(chart).map(
    (plot) =>
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FIGURE_WIDTH} ${height}" role="img" aria-label="${escapeText(plot.name)}">\n${drawPlot(plot, chart, FIGURE_WIDTH)}\n</svg>`,
  )
}

/** How far each segment or file is, as a strip as wide as the page, and in words; undefined where there are none. */
export function partsStrip(chart: JobChart): { readonly words: string; readonly svg: string } | undefined {
  if (chart.parts.length === 0) return undefined
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="${STRIP_HEIGHT}" viewBox="0 0 ${WIDTH} ${STRIP_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escapeText(chart.partsName)}">${drawParts(chart, WIDTH)}</svg>`
  return { words: partsWords(chart), svg }
}

function plotsOf({ steps }: JobChart): Plot[] {
  const perSecond = (of: (step: HistoryStep) => number): number[] =>
    steps.map((step) => (of(step) * 1_000) / (step.toMs - step.fromMs))
  const finite = (of: (step: HistoryStep) => number): (number | undefined)[] =>
    steps.map((step) => (Number.isFinite(of(step)) ? of(step) : undefined))
  const share = (of: (step: HistoryStep) => number): number[] =>
    steps.map((step) => (step.requests === 0 ? 0 : Math.min(1, of(step) / step.requests)))
  const writes = steps.some(({ writeUnits }) => writeUnits > 0)
  const reads = steps.some(({ readUnits }) => readUnits > 0)
  const limit = (name: string, values: readonly (number | undefined)[]): Line[] =>
    values.some((value) => value !== undefined) ? [{ name, kind: 'limit', values }] : []
  const bars = [
    { name: 'throttled', kind: 'throttled', values: share(({ throttledRequests }) => throttledRequests) },
    { name: 'failed', kind: 'failed', values: share(({ failedRequests }) => failedRequests) },
  ] as const
  return [
    ...(writes
      ? [
          {
            name: 'WCU/s',
            lines: [
              { name: 'used', kind: 'write', values: perSecond(({ writeUnits }) => writeUnits) },
              ...limit(
                'allowed',
                finite(({ writeUnitsPerSecondAllowed }) => writeUnitsPerSecondAllowed),
              ),
            ],
            bars,
          } satisfies Plot,
        ]
      : []),
    ...(reads
      ? [
          {
            name: 'RCU/s',
            lines: [
              { name: 'used', kind: 'read', values: perSecond(({ readUnits }) => readUnits) },
              ...limit(
                'allowed',
                finite(({ readUnitsPerSecondAllowed }) => readUnitsPerSecondAllowed),
              ),
            ],
            ...(writes ? {} : { bars }),
          } satisfies Plot,
        ]
      : []),
    {
      name: 'items/s',
      lines: [{ name: 'settled', kind: 'write', values: perSecond(({ settled }) => settled) }],
    },
    ...(writes
      ? [
          {
            name: 'write latency (ms)',
            lines: [
              { name: 'p50', kind: 'read', values: steps.map(({ latencyMsP50 }) => latencyMsP50) },
              { name: 'p99', kind: 'write', values: steps.map(({ latencyMsP99 }) => latencyMsP99) },
            ],
          } satisfies Plot,
          {
            name: 'items in flight',
            lines: [{ name: 'in flight', kind: 'write', values: steps.map(({ inFlight }) => inFlight) }],
          } satisfies Plot,
        ]
      : []),
  ]
}

/** Of small text, about. */
const CHARACTER_WIDTH = 7
/** A peak is what held for so long at least: the first and last sample of a run may be of a few milliseconds. */
const PEAK_MS = 1_000

/** The values over as many steps together as make a second, by how long each held; all of them together where there is less. */
function ofSeconds(steps: readonly HistoryStep[], values: readonly (number | undefined)[]): (number | undefined)[] {
  const seconds: (number | undefined)[] = []
  let ms = 0
  let sum = 0
  for (const [index, value] of values.entries()) {
    const { fromMs, toMs } = steps[index]!
    if (value === undefined) continue
    sum += value * (toMs - fromMs)
    ms += toMs - fromMs
    const isLast = index === values.length - 1
    if (ms < PEAK_MS && !(isLast && seconds.length === 0)) continue
    seconds.push(sum / ms)
    ms = 0
    sum = 0
  }
  return seconds
}

function drawPlot({ name, lines, bars = [] }: Plot, { steps, runs, isLive }: JobChart, width: number): string {
  const endMs = steps.at(-1)?.toMs ?? 1_000
  const x = (atMs: number): number => AXIS_WIDTH + (atMs / endMs) * (width - AXIS_WIDTH)
  const most = (some: readonly Line[]): number =>
    Math.max(0, ...some.flatMap(({ values }) => ofSeconds(steps, values)).filter((value) => value !== undefined))
  const highest = most(lines.filter(({ kind }) => kind !== 'limit'))
  const usedMax = Math.max(1, highest)
  const limitMax = most(lines.filter(({ kind }) => kind === 'limit'))
  // A limit that is far away would leave nothing to be seen of what was used.
  const max = Math.max(usedMax * 1.1, Math.min(limitMax * 1.1, usedMax * 2))
  const bottom = HEAD_HEIGHT + PLOT_HEIGHT
  const y = (value: number): number => bottom - (Math.min(value, max) / max) * PLOT_HEIGHT
  const shown = bars.filter(({ values }) => values.some((share) => share >= SHARE_SHOWN))
  const now = lines[0]!.values.at(-1)
  const figures = `${isLive && now !== undefined ? `now ${tick(now)} · ` : ''}highest ${tick(highest)}`
  const parts = [
    `<text class="name" x="0" y="12">${escapeText(name)}</text>`,
    `<text class="small end" x="${width}" y="12">${figures}</text>`,
    ...legend(lines, shown),
  ]
  const every = tickStep(max, 3)
  for (let value = 0; value <= max; value += every) {
    const at = y(value).toFixed(1)
    parts.push(`<path class="rule" d="M${AXIS_WIDTH} ${at}H${width}"/>`)
    parts.push(`<text class="small end" x="${AXIS_WIDTH - 6}" y="${(y(value) + 4).toFixed(1)}">${tick(value)}</text>`)
  }
  const base = steps.map(() => 0)
  for (const { kind, values } of shown) {
    let path = ''
    for (const [index, share] of values.entries()) {
      if (share < SHARE_SHOWN) continue
      const { fromMs, toMs } = steps[index]!
      const [left, right] = [x(fromMs), x(toMs)]
      const top = bottom - PLOT_HEIGHT * (base[index]! + share)
      path += `M${left.toFixed(1)} ${top.toFixed(1)}h${(right - left + 0.3).toFixed(1)}v${(share * PLOT_HEIGHT).toFixed(1)}h${(left - right - 0.3).toFixed(1)}z`
      base[index]! += share
    }
    parts.push(`<path class="bar ${kind}" fill-opacity="0.55" d="${path}"/>`)
  }
  for (const [index, { kind, values }] of lines.entries()) {
    const path = stepsPath(steps, values, x, y)
    if (path === '') continue
    // Only of the first line: areas that cover one another say nothing.
    if (index === 0) parts.push(`<path class="area ${kind}" d="${path}V${bottom}H${x(steps[0]!.fromMs).toFixed(1)}z"/>`)
    parts.push(`<path class="line ${kind}" d="${path}"/>`)
  }
  let labelEnd = 0
  for (const { fromMs, run } of runs.slice(1)) {
    if (fromMs > endMs) continue
    const at = x(fromMs).toFixed(1)
    parts.push(`<path class="run" d="M${at} ${HEAD_HEIGHT}V${bottom}"/>`)
    // One that would stand upon another is left out; its line tells where it began.
    if (x(fromMs) < labelEnd) continue
    const label = `run ${run}`
    labelEnd = x(fromMs) + label.length * CHARACTER_WIDTH + 3
    parts.push(`<text class="small" x="${at}" dx="3" y="${HEAD_HEIGHT + 10}">${label}</text>`)
  }
  const { scale, word } = timeScale(endMs)
  const everyTime = tickStep(endMs / scale, width / 90)
  for (let time = 0; time <= endMs / scale; time += everyTime) {
    const at = x(time * scale)
    // The last one would be cut off where it stands at the very edge.
    const anchor = at > width - 14 ? 'end' : 'middle'
    parts.push(`<text class="small ${anchor}" x="${at.toFixed(1)}" y="${bottom + 15}">${tick(time)} ${word}</text>`)
  }
  return parts.join('\n')
}

/** Through the middle of each step, and to both ends of the first and of the last. */
function stepsPath(
  steps: readonly HistoryStep[],
  values: readonly (number | undefined)[],
  x: (atMs: number) => number,
  y: (value: number) => number,
): string {
  let path = ''
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue
    const { fromMs, toMs } = steps[index]!
    const at = y(value).toFixed(1)
    const joined = index > 0 && values[index - 1] !== undefined
    path += joined ? `L${x((fromMs + toMs) / 2).toFixed(1)} ${at}` : `M${x(fromMs).toFixed(1)} ${at}`
    if (index === values.length - 1) path += `H${x(toMs).toFixed(1)}`
  }
  return path
}

/** Nothing where there is but one thing, which the name says. */
function legend(lines: readonly Line[], bars: readonly { readonly name: string; readonly kind: string }[]): string[] {
  if (lines.length + bars.length === 1) return []
  const entries = [
    ...lines.map(({ name, kind }) => ({ name, mark: (x: number) => `<path class="line ${kind}" d="M${x} 24h14"/>` })),
    ...bars.map(({ name, kind }) => ({
      name,
      mark: (x: number) => `<rect class="bar ${kind}" x="${x}" y="19" width="14" height="9" fill-opacity="0.55"/>`,
    })),
  ]
  let x = AXIS_WIDTH
  return entries.map(({ name, mark }) => {
    const drawn = `${mark(x)}<text class="small" x="${x + 19}" y="28">${escapeText(name)}</text>`
    x += Math.round(name.length * 5.8) + 34
    return drawn
  })
}

function drawParts({ parts }: JobChart, width: number): string {
  const cells = Math.min(CELLS_MAX, parts.length)
  const cell = width / cells
  const shown = Math.max(0.5, cell - (cell > 3 ? 1 : 0)).toFixed(2)
  const shapes = { done: '', begun: '', left: '' }
  for (let index = 0; index < cells; index += 1) {
    const some = parts.slice(
      Math.floor((index * parts.length) / cells),
      Math.floor(((index + 1) * parts.length) / cells),
    )
    const state = some.every((part) => part === 'done')
      ? 'done'
      : some.every((part) => part === 'left')
        ? 'left'
        : 'begun'
    shapes[state] += `M${(index * cell).toFixed(2)} 0h${shown}v${STRIP_HEIGHT}h-${shown}z`
  }
  return (['left', 'begun', 'done'] as const)
    .filter((state) => shapes[state] !== '')
    .map((state) => `<path class="bar ${state}" d="${shapes[state]}"/>`)
    .join('\n')
}

function partsWords({ parts, partsName }: JobChart): string {
  const count = (state: PartState): string => formatCount(parts.filter((part) => part === state).length)
  return `${partsName}: ${count('done')} done, ${count('begun')} under way, ${count('left')} not started`
}

function tick(value: number): string {
  return value >= 10 || Number.isInteger(value) ? formatCount(value) : `${+value.toPrecision(2)}`
}

function timeScale(durationMs: number): { readonly scale: number; readonly word: string } {
  if (durationMs < 180_000) return { scale: 1_000, word: 's' }
  return durationMs < 3 * 3_600_000 ? { scale: 60_000, word: 'min' } : { scale: 3_600_000, word: 'h' }
}
