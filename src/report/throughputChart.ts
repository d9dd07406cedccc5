import { formatCount } from './figures.ts'
import { escapeText, linePath, stepPath, tickStep } from './svgParts.ts'

/** One client in one world. Lists have an element for each step; rates are by the second. */
export interface ThroughputPanel {
  readonly name: string
  /** What came of it, in a few words. */
  readonly note: string
  readonly stepMs: number
  /** Units that the table gives, that were used, and that the client allowed itself, where it has such a limit. */
  readonly offered: readonly number[]
  readonly used: readonly number[]
  readonly allowed: readonly (number | undefined)[]
  readonly requests: readonly number[]
  readonly throttled: readonly number[]
  readonly partlyThrottled: readonly number[]
  readonly failed: readonly number[]
  readonly inFlight: readonly number[]
}

export interface ThroughputChart {
  readonly title: string
  /** What was done to the world, and when. */
  readonly events: readonly { readonly atMs: number; readonly what: string }[]
  readonly durationMs: number
  readonly panels: readonly ThroughputPanel[]
}

const WIDTH = 900
const MARGIN = 20
const AXIS_WIDTH = 44
const GAP = 24
const PLOT_HEIGHT = 150
const STRIP_HEIGHT = 34
const STRIP_GAP = 18
/** Name and note above a plot, and the time below its strips. */
const HEAD_HEIGHT = 40
const FOOT_HEIGHT = 26
const PANEL_HEIGHT = HEAD_HEIGHT + PLOT_HEIGHT + 2 * (STRIP_GAP + STRIP_HEIGHT) + FOOT_HEIGHT
const TOP = 84

const STYLE = `
  svg { --paper: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --rule: #e3e8ee; --offered: #e6edf5; --edge: #9fb2c8;
    --used: #1f6feb; --allowed: #8250df; --throttled: #cf222e; --partly: #e8a317; --failed: #57606a; --flight: #0f8a7e }
  @media (prefers-color-scheme: dark) { svg { --paper: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --rule: #263140;
    --offered: #1c2735; --edge: #5b708a; --used: #58a6ff; --allowed: #bc8cff; --throttled: #ff6b66; --partly: #e3b341;
    --failed: #9aa5b1; --flight: #3fc7b5 } }
  text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--soft) }
  .title { font-size: 17px; font-weight: 600; fill: var(--ink) } .name { font-size: 14px; font-weight: 600; fill: var(--ink) }
  .small { font-size: 11px } .words { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round } .end { text-anchor: end } .middle { text-anchor: middle }
  .rule { stroke: var(--rule) } .event { stroke: var(--soft); stroke-dasharray: 2 3 }
  .offered { fill: var(--offered) } .edge { fill: none; stroke: var(--edge); stroke-width: 1.2 }
  .used { fill: none; stroke: var(--used); stroke-width: 1.8; stroke-linejoin: round }
  .allowed { fill: none; stroke: var(--allowed); stroke-width: 1.4; stroke-dasharray: 5 3 }
  .throttled { fill: var(--throttled) } .partly { fill: var(--partly) } .failed { fill: var(--failed) }
  .flight { fill: none; stroke: var(--flight); stroke-width: 1.4; stroke-linejoin: round }`

/**
 * Units used beside units that were there, throttles, and requests in flight, over time: a picture that stands alone, for
 * light and for dark pages. Several panels stand side by side on one scale.
 */
export function throughputChart(chart: ThroughputChart): string {
  const { panels } = chart
  const columns = panels.length > 1 ? 2 : 1
  const height = TOP + Math.ceil(panels.length / columns) * (PANEL_HEIGHT + GAP) - GAP + MARGIN
  const panelWidth = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
  const offeredMax = Math.max(1, ...panels.flatMap(({ offered }) => offered.filter(Number.isFinite)))
  // What was saved up can go far beyond what a second gives; that is cut off.
  const usedMax = Math.max(...panels.flatMap(({ used }) => used))
  const scale = { unitsMax: Math.max(offeredMax * 1.1, Math.min(usedMax, offeredMax * 1.5)), columns, panelWidth }
  const drawn = panels.map((panel, index) => {
    const x = MARGIN + (index % columns) * (panelWidth + GAP)
    const y = TOP + Math.floor(index / columns) * (PANEL_HEIGHT + GAP)
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, chart, scale)}\n</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeText(chart.title)}</title>
<style>${STYLE}
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
<text class="title" x="${MARGIN}" y="34">${escapeText(chart.title)}</text>
${drawLegend(panels.some(({ allowed }) => allowed.some((rate) => rate !== undefined)))}
${drawn.join('\n')}
</svg>
`
}

function drawLegend(hasAllowed: boolean): string {
  const entries: [string, string][] = [
    ['offered', 'available WCU/s'],
    ['used', 'used'],
    ...(hasAllowed ? [['allowed', 'allowed by the client'] satisfies [string, string]] : []),
    ['throttled', 'throttled requests'],
    ['partly', 'partly throttled'],
    ['failed', 'failed'],
    ['flight', 'requests in flight'],
  ]
  let x = MARGIN
  const drawn = entries.map(([kind, words]) => {
    const line = kind === 'used' || kind === 'allowed' || kind === 'flight'
    const mark = line
      ? `<path class="${kind}" d="M${x} 57h18"/>`
      : `<rect class="${kind}" x="${x}" y="52" width="18" height="10" rx="2"/>`
    const text = `<text x="${x + 24}" y="61">${words}</text>`
    x += 24 + words.length * 6 + 12
    return mark + text
  })
  return drawn.join('\n')
}

interface Scale {
  readonly unitsMax: number
  readonly columns: number
  readonly panelWidth: number
}

function drawPanel(panel: ThroughputPanel, chart: ThroughputChart, { unitsMax, columns, panelWidth }: Scale): string {
  const width = panelWidth - AXIS_WIDTH
  const x = (atMs: number): number => AXIS_WIDTH + (atMs / chart.durationMs) * width
  const at = (index: number): number => x(index * panel.stepMs)
  const bottom = HEAD_HEIGHT + PLOT_HEIGHT
  const y = (units: number): number => bottom - (Math.min(units, unitsMax) / unitsMax) * PLOT_HEIGHT
  const parts = [
    `<text class="name" x="${AXIS_WIDTH}" y="12">${escapeText(panel.name)}</text>`,
    `<text class="small" x="${AXIS_WIDTH}" y="29">${escapeText(panel.note)}</text>`,
  ]
  const offered = stepPath(panel.offered, at, y)
  const end = at(panel.offered.length)
  parts.push(
    `<path class="offered" d="${offered}V${bottom}H${AXIS_WIDTH}Z"/>`,
    ...ruled(unitsMax, y, width),
    `<path class="edge" d="${offered}"/>`,
    `<path class="used" d="${linePath(panel.used, (index) => at(index + 0.5), y)}"/>`,
    `<path class="allowed" d="${linePath(panel.allowed, (index) => at(index + 0.5), y)}"/>`,
  )
  const stripsTop = bottom + STRIP_GAP
  parts.push(...drawTroubles(panel, at, stripsTop), drawInFlight(panel, at, stripsTop + STRIP_HEIGHT + STRIP_GAP, end))
  const foot = stripsTop + 2 * STRIP_HEIGHT + STRIP_GAP
  for (const [index, { atMs, what }] of chart.events.entries()) {
    parts.push(`<path class="event" d="M${x(atMs).toFixed(1)} ${HEAD_HEIGHT}V${foot}"/>`)
    // Beside each other there is room for words in a wide panel alone.
    const row = HEAD_HEIGHT + 12 + (columns === 1 ? 0 : (index % 3) * 12)
    parts.push(`<text class="small words" x="${(x(atMs) + 4).toFixed(1)}" y="${row}">${escapeText(what)}</text>`)
  }
  const everyMs = tickStep(chart.durationMs / 1_000, columns === 1 ? 12 : 6) * 1_000
  for (let atMs = 0; atMs <= chart.durationMs; atMs += everyMs) {
    parts.push(`<text class="small middle" x="${x(atMs).toFixed(1)}" y="${foot + 16}">${atMs / 1_000} s</text>`)
  }
  return parts.join('\n')
}

function ruled(unitsMax: number, y: (units: number) => number, width: number): string[] {
  const every = tickStep(unitsMax, 4)
  const lines: string[] = []
  for (let units = 0; units <= unitsMax; units += every) {
    const atY = y(units).toFixed(1)
    lines.push(`<path class="rule" d="M${AXIS_WIDTH} ${atY}h${width.toFixed(1)}"/>`)
    lines.push(
      `<text class="small end" x="${AXIS_WIDTH - 6}" y="${(y(units) + 4).toFixed(1)}">${formatCount(units)}</text>`,
    )
  }
  return lines
}

/** The share of all requests that was throttled whole, in part, or failed, one upon the other. */
function drawTroubles(panel: ThroughputPanel, at: (index: number) => number, top: number): string[] {
  const bottom = top + STRIP_HEIGHT
  const base = panel.requests.map(() => 0)
  const areas = (['throttled', 'failed', 'partlyThrottled'] as const).map((kind) => {
    const shape: string[] = []
    for (const [index, requests] of panel.requests.entries()) {
      const share = requests === 0 ? 0 : Math.min(1 - base[index]!, panel[kind][index]! / requests)
      if (share < 0.002) continue
      const y = bottom - (base[index]! + share) * STRIP_HEIGHT
      // A little wider than a step: where two meet there shall be no gap.
      const width = at(index + 1) - at(index) + 0.3
      shape.push(
        `M${at(index).toFixed(1)} ${y.toFixed(1)}h${width.toFixed(2)}v${(share * STRIP_HEIGHT).toFixed(1)}h${(-width).toFixed(2)}z`,
      )
      base[index] = base[index]! + share
    }
    return `<path class="${kind === 'partlyThrottled' ? 'partly' : kind}" d="${shape.join('')}"/>`
  })
  const width = at(panel.requests.length) - AXIS_WIDTH
  return [
    `<text class="small end" x="${AXIS_WIDTH - 6}" y="${top + 8}">100 %</text>`,
    `<path class="rule" d="M${AXIS_WIDTH} ${top}h${width.toFixed(1)}M${AXIS_WIDTH} ${bottom}h${width.toFixed(1)}"/>`,
    ...areas,
  ]
}

function drawInFlight(panel: ThroughputPanel, at: (index: number) => number, top: number, end: number): string {
  const most = Math.max(1, ...panel.inFlight)
  const bottom = top + STRIP_HEIGHT
  const y = (count: number): number => bottom - (count / most) * STRIP_HEIGHT
  return `<text class="small end" x="${AXIS_WIDTH - 6}" y="${top + 8}">${formatCount(most)}</text>
<path class="rule" d="M${AXIS_WIDTH} ${bottom}H${end.toFixed(1)}"/>
<path class="flight" d="${linePath(panel.inFlight, (index) => at(index + 1), y)}"/>`
}
