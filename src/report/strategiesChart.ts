import { counted } from '../runtime/counted.ts'
import { formatCount } from './figures.ts'
import { escapeText } from './svgParts.ts'

/** Ways to do one job, and how fast each was. */
export interface StrategiesChart {
  readonly items: number
  readonly rows: readonly { readonly strategy: string; readonly itemsPerSecond: number }[]
  readonly cells: readonly {
    readonly producers: number
    readonly consumers: number
    readonly itemsPerSecond: number
  }[]
}

const WIDTH = 760
const MARGIN = 20
const LABEL_WIDTH = 250
const FIGURE_WIDTH = 70
const ROW_HEIGHT = 28
const CELL_WIDTH = 110
const TOP = 56

const STYLE = `
  svg { --paper: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --bar: #9fb2c8; --best: #1f6feb }
  @media (prefers-color-scheme: dark) { svg { --paper: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --bar: #5b708a; --best: #58a6ff } }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--ink) }
  .title { font-size: 17px; font-weight: 600 } .soft { fill: var(--soft) } .end { text-anchor: end } .middle { text-anchor: middle }
  .bar { fill: var(--bar) } .best { fill: var(--best) } .cell { fill: var(--best) }`

/** Bars, the fastest in colour, and below them the grid of producers and consumers, the faster the darker. */
export function strategiesChart({ items, rows, cells }: StrategiesChart): string {
  const most = Math.max(...rows.map((row) => row.itemsPerSecond))
  const barWidth = WIDTH - 2 * MARGIN - LABEL_WIDTH - FIGURE_WIDTH
  const bars = rows.map(({ strategy, itemsPerSecond }, index) => {
    const y = TOP + index * ROW_HEIGHT
    const width = Math.max(1, (itemsPerSecond / most) * barWidth)
    return `<text class="end" x="${MARGIN + LABEL_WIDTH - 10}" y="${y + 17}">${escapeText(strategy)}</text>
<rect class="${itemsPerSecond === most ? 'best' : 'bar'}" x="${MARGIN + LABEL_WIDTH}" y="${y + 4}" width="${width.toFixed(1)}" height="18" rx="2"/>
<text x="${(MARGIN + LABEL_WIDTH + width + 8).toFixed(1)}" y="${y + 17}">${formatCount(itemsPerSecond)}</text>`
  })
  const gridTop = TOP + rows.length * ROW_HEIGHT + 40
  const producers = [...new Set(cells.map((cell) => cell.producers))]
  const consumers = [...new Set(cells.map((cell) => cell.consumers))]
  const x = (column: number): number => MARGIN + LABEL_WIDTH + column * CELL_WIDTH
  const fastest = Math.max(1, ...cells.map((cell) => cell.itemsPerSecond))
  const grid = [
    ...consumers.map(
      (count, column) =>
        `<text class="soft middle" x="${x(column) + CELL_WIDTH / 2}" y="${gridTop - 8}">${counted(count, 'consumer')}</text>`,
    ),
    ...producers.map(
      (count, row) =>
        `<text class="soft end" x="${MARGIN + LABEL_WIDTH - 10}" y="${gridTop + row * ROW_HEIGHT + 18}">${counted(count, 'producer')}</text>`,
    ),
    ...cells.map((cell) => {
      const left = x(consumers.indexOf(cell.consumers))
      const y = gridTop + producers.indexOf(cell.producers) * ROW_HEIGHT
      const shade = 0.08 + 0.42 * (cell.itemsPerSecond / fastest) ** 2
      return `<rect class="cell" opacity="${shade.toFixed(2)}" x="${left + 2}" y="${y + 2}" width="${CELL_WIDTH - 4}" height="${ROW_HEIGHT - 4}" rx="2"/>
<text class="middle" x="${left + CELL_WIDTH / 2}" y="${y + 18}">${formatCount(cell.itemsPerSecond)}</text>`
    }),
  ]
  const height = gridTop + producers.length * ROW_HEIGHT + MARGIN
  const title = `Adding an attribute to ${counted(items, 'item')}: items/s`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${title}</title>
<style>${STYLE}
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
<text class="title" x="${MARGIN}" y="34">${title}</text>
${bars.join('\n')}
${grid.join('\n')}
</svg>
`
}
