// Draws the CPU time per item of each client, from the tables that `npm run peers -- --markdown` printed into a page:
//   node scripts/cpuChart.mjs docs/explanation/performance.md > docs/images/cpu-per-item.svg
import { readFileSync } from 'node:fs'

const PANELS = [
  ['Publish', /^#+ publish\b.*\b0 ms/im],
  ['Conditional update', /^#+ conditional update\b.*\b0 ms/im],
  ['Scan', /^#+ scan\b.*\b0 ms/im],
]
const COLUMN = 'TLS, 16 in flight'

const WIDTH = 860
const MARGIN = 20
const LABEL_WIDTH = 220
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - LABEL_WIDTH) / PANELS.length
const FIGURE_WIDTH = 44
const ROW_HEIGHT = 26
const TOP = 92

const page = readFileSync(process.argv[2] ?? 'docs/explanation/performance.md', 'utf8')
const panels = PANELS.map(([title, heading]) => ({ title, figures: figuresBelow(heading) }))
const clients = [...panels[0].figures.keys()]
const height = TOP + clients.length * ROW_HEIGHT + MARGIN

const labels = clients.map(
  (client, row) =>
    `<text class="end${client === 'Headrace' ? ' ours' : ''}" x="${MARGIN + LABEL_WIDTH - 10}" y="${TOP + row * ROW_HEIGHT + 15}">${escapeText(client)}</text>`,
)
const bars = panels.flatMap(({ title, figures }, panel) => {
  const left = MARGIN + LABEL_WIDTH + panel * PANEL_WIDTH
  const most = Math.max(...figures.values())
  const head = `<text class="soft" x="${left}" y="${TOP - 12}">${title}</text>`
  const rows = clients.map((client, row) => {
    const figure = figures.get(client)
    if (figure === undefined) throw new Error(`${title} has no row for ${client}`)
    const y = TOP + row * ROW_HEIGHT
    const width = Math.max(1, (figure / most) * (PANEL_WIDTH - FIGURE_WIDTH - 10))
    return `<rect class="${client === 'Headrace' ? 'best' : 'bar'}" x="${left}" y="${y + 2}" width="${width.toFixed(1)}" height="18" rx="2"/>
<text x="${(left + width + 6).toFixed(1)}" y="${y + 15}">${figure.toFixed(1)}</text>`
  })
  return [head, ...rows]
})

const title = 'CPU time per item in microseconds; shorter is better'
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${title}</title>
<style>
  svg { --paper: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --bar: #9fb2c8; --best: #1f6feb }
  @media (prefers-color-scheme: dark) { svg { --paper: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --bar: #5b708a; --best: #58a6ff } }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--ink) }
  .title { font-size: 17px; font-weight: 600 } .soft { fill: var(--soft) } .end { text-anchor: end } .ours { font-weight: 600 }
  .bar { fill: var(--bar) } .best { fill: var(--best) }
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
<text class="title" x="${MARGIN}" y="34">${title}</text>
<text class="soft" x="${MARGIN}" y="54">${COLUMN}, answers at once</text>
${labels.join('\n')}
${bars.join('\n')}
</svg>
`)

/** Microseconds by client, of the first table below a heading. */
function figuresBelow(heading) {
  const start = page.search(heading)
  if (start === -1) throw new Error(`the page has no heading like ${heading}`)
  const lines = page.slice(start).split('\n')
  const first = lines.findIndex((line) => line.startsWith('|'))
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'))
  const [head, , ...rows] = lines.slice(first, end).map((line) => line.split('|').map((cell) => cell.trim()))
  const column = head.indexOf(COLUMN)
  if (column === -1) throw new Error(`the table has no column "${COLUMN}"`)
  return new Map(
    rows.map((cells) => {
      const figure = Number(/^\*\*([\d.]+)\*\* µs/.exec(cells[column])?.[1])
      if (!(figure > 0)) throw new Error(`no microseconds in "${cells[column]}"`)
      return [cells[1], figure]
    }),
  )
}

function escapeText(text) {
  return text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
