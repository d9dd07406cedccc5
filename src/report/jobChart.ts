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
}

export type PartState = 'done' | 'begun' | 'left'

const WIDTH = 900
const MARGIN = 20
const AXIS_WIDTH = 52
const PLOT_HEIGHT = 110
const PLOT_GAP = 44
const TOP = 70
const CELLS_MAX = 400

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
  const strip = chart.parts.length > 0 ? 18 : 0
  const height = TOP + plots.length * (PLOT_HEIGHT + PLOT_GAP) + strip + MARGIN
  const endMs = chart.steps.at(-1)?.toMs ?? 1
  const width = WIDTH - 2 * MARGIN - AXIS_WIDTH
  const x = (atMs: number): number => AXIS_WIDTH + (atMs / endMs) * width
  const drawn = plots.map(
    (plot, index) =>
      `<g transform="translate(${MARGIN} ${TOP + index * (PLOT_HEIGHT + PLOT_GAP)})">\n${drawPlot(plot, chart, x)}\n</g>`,
  )
  const stripTop = TOP + plots.length * (PLOT_HEIGHT + PLOT_GAP)
  const parts = strip === 0 ? '' : `<g transform="translate(${MARGIN} ${stripTop})">\n${drawParts(chart)}\n</g>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeText(chart.title)}</title>
<style>${CHART_STYLE}
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
<text class="title" x="${MARGIN}" y="30">${escapeText(chart.title)}</text>
${drawn.join('\n')}
${parts}
</svg>
`
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
    { name: 'requests throttled', kind: 'throttled', values: share(({ throttledRequests }) => throttledRequests) },
    { name: 'failed', kind: 'failed', values: share(({ failedRequests }) => failedRequests) },
  ] as const
  return [
    ...(writes
      ? [
          {
            name: 'write units a second',
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
            name: 'read units a second',
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
      name: 'items a second',
      lines: [{ name: 'settled', kind: 'write', values: perSecond(({ settled }) => settled) }],
    },
    ...(writes
      ? [
          {
            name: 'milliseconds a write request takes',
            lines: [
              { name: 'half of them', kind: 'read', values: steps.map(({ latencyMsP50 }) => latencyMsP50) },
              { name: '99 of 100', kind: 'write', values: steps.map(({ latencyMsP99 }) => latencyMsP99) },
            ],
          } satisfies Plot,
          {
            name: 'items at the service at once',
            lines: [{ name: 'in flight', kind: 'write', values: steps.map(({ inFlight }) => inFlight) }],
          } satisfies Plot,
        ]
      : []),
  ]
}

function drawPlot({ name, lines, bars = [] }: Plot, { steps, runs }: JobChart, x: (atMs: number) => number): string {
  const used = lines.filter(({ kind }) => kind !== 'limit').flatMap(({ values }) => values)
  const usedMax = Math.max(1e-9, ...used.filter((value) => value !== undefined))
  const limits = lines.filter(({ kind }) => kind === 'limit').flatMap(({ values }) => values)
  const limitMax = Math.max(0, ...limits.filter((value) => value !== undefined))
  // A limit that is far away would leave nothing to be seen of what was used.
  const max = Math.max(usedMax * 1.1, Math.min(limitMax * 1.1, usedMax * 2))
  const y = (value: number): number => PLOT_HEIGHT - (Math.min(value, max) / max) * PLOT_HEIGHT
  const end = x(steps.at(-1)?.toMs ?? 1)
  const parts = [`<text class="name" x="${AXIS_WIDTH}" y="-8">${escapeText(name)}</text>`, ...legend(lines, bars, end)]
  const every = tickStep(max, 3)
  for (let value = 0; value <= max; value += every) {
    const at = y(value).toFixed(1)
    parts.push(`<path class="rule" d="M${AXIS_WIDTH} ${at}H${end.toFixed(1)}"/>`)
    parts.push(`<text class="small end" x="${AXIS_WIDTH - 6}" y="${(y(value) + 4).toFixed(1)}">${tick(value)}</text>`)
  }
  const base = steps.map(() => 0)
  for (const { kind, values } of bars) {
    let path = ''
    for (const [index, share] of values.entries()) {
      if (share < 0.002) continue
      const { fromMs, toMs } = steps[index]!
      const [left, right] = [x(fromMs), x(toMs)]
      const top = PLOT_HEIGHT * (1 - base[index]! - share)
      path += `M${left.toFixed(1)} ${top.toFixed(1)}h${(right - left + 0.3).toFixed(1)}v${(share * PLOT_HEIGHT).toFixed(1)}h${(left - right - 0.3).toFixed(1)}z`
      base[index]! += share
    }
    if (path !== '') parts.push(`<path class="bar ${kind}" fill-opacity="0.55" d="${path}"/>`)
  }
  for (const { kind, values } of lines) {
    let path = ''
    for (const [index, value] of values.entries()) {
      if (value === undefined) continue
      const { fromMs, toMs } = steps[index]!
      const joined = index > 0 && values[index - 1] !== undefined
      path += `${joined ? 'L' : 'M'}${x((fromMs + toMs) / 2).toFixed(1)} ${y(value).toFixed(1)}`
    }
    parts.push(`<path class="line ${kind}" d="${path}"/>`)
  }
  for (const { fromMs, run } of runs.slice(1)) {
    const at = x(fromMs).toFixed(1)
    parts.push(
      `<path class="run" d="M${at} 0V${PLOT_HEIGHT}"/><text class="small" x="${at}" dx="3" y="10">run ${run}</text>`,
    )
  }
  const endMs = steps.at(-1)?.toMs ?? 1
  const { scale, word } = timeScale(endMs)
  const everyTime = tickStep(endMs / scale, 10)
  for (let time = 0; time <= endMs / scale; time += everyTime)
    parts.push(
      `<text class="small middle" x="${x(time * scale).toFixed(1)}" y="${PLOT_HEIGHT + 15}">${tick(time)} ${word}</text>`,
    )
  return parts.join('\n')
}

function legend(
  lines: readonly Line[],
  bars: readonly { readonly name: string; readonly kind: string }[],
  end: number,
): string[] {
  let right = end
  const entries = [
    ...lines.map(({ name, kind }) => ({ name, mark: (x: number) => `<path class="line ${kind}" d="M${x} -12h16"/>` })),
    ...bars.map(({ name, kind }) => ({
      name,
      mark: (x: number) => `<rect class="bar ${kind}" x="${x}" y="-17" width="16" height="9" fill-opacity="0.55"/>`,
    })),
  ]
  return entries.reverse().map(({ name, mark }) => {
    right -= name.length * 6 + 30
    return `${mark(right)}<text class="small" x="${(right + 20).toFixed(1)}" y="-8">${escapeText(name)}</text>`
  })
}

function drawParts({ parts, partsName }: JobChart): string {
  const cells = Math.min(CELLS_MAX, parts.length)
  const width = WIDTH - 2 * MARGIN - AXIS_WIDTH
  const cell = width / cells
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
    shapes[state] +=
      `M${(AXIS_WIDTH + index * cell).toFixed(2)} 0h${Math.max(0.5, cell - (cell > 3 ? 1 : 0)).toFixed(2)}v18h-${Math.max(0.5, cell - (cell > 3 ? 1 : 0)).toFixed(2)}z`
  }
  const count = (state: PartState): string => formatCount(parts.filter((part) => part === state).length)
  const words = `${count('done')} done, ${count('begun')} under way, ${count('left')} not begun`
  return `<text class="name" x="${AXIS_WIDTH}" y="-8">${escapeText(partsName)}: ${words}</text>
${(['left', 'begun', 'done'] as const).map((state) => `<path class="bar ${state}" d="${shapes[state]}"/>`).join('\n')}`
}

function tick(value: number): string {
  return value >= 10 || Number.isInteger(value) ? formatCount(value) : `${+value.toPrecision(2)}`
}

function timeScale(durationMs: number): { readonly scale: number; readonly word: string } {
  if (durationMs < 180_000) return { scale: 1_000, word: 's' }
  return durationMs < 3 * 3_600_000 ? { scale: 60_000, word: 'min' } : { scale: 3_600_000, word: 'h' }
}
