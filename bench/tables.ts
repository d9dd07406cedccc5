import type { Path } from './clients.ts'
import type { Cell, Row, Run } from './runCell.ts'
import { SHAPES, type ShapeName } from './shapes.ts'

export interface MeasuredCell extends Cell {
  rows: Row[]
}

const cpuMicros = (run: Run): number => run.cpuMicros / run.items
const least = (row: Row): number => Math.min(...row.runs.map(cpuMicros))
const itemsPerSecond = (row: Row): number => Math.max(...row.runs.map((run) => (run.items / run.wallMs) * 1_000))
const rssMegabytes = (row: Row): number => Math.max(...row.runs.map((run) => run.maxRssBytes)) / 1_048_576

/** Least and most CPU time of all rounds, to two places. */
function cpuRange(row: Row): string {
  const all = row.runs.map(cpuMicros)
  return `${Math.min(...all).toFixed(2)} .. ${Math.max(...all).toFixed(2)}`
}

function headraceOf(rows: readonly Row[]): Row | undefined {
  return rows.find(({ client, reason }) => client.id === 'headrace' && reason === undefined)
}

function ratioTo(headrace: Row | undefined, row: Row): string {
  return headrace === undefined ? '' : `${(least(row) / least(headrace)).toFixed(1)} x`
}

/** One cell as a table for a terminal: a line for each client. */
export function cellText({ path, shape, tls, inFlight, delayMs, rows }: MeasuredCell): string {
  const headrace = headraceOf(rows)
  const cells = rows.map((row) =>
    row.reason === undefined
      ? [
          row.client.name,
          cpuRange(row),
          Math.round(itemsPerSecond(row)).toLocaleString('en'),
          Math.round(rssMegabytes(row)).toString(),
          Math.min(...row.runs.map((run) => run.serverMicrosPerItem)).toFixed(2),
          ratioTo(headrace, row),
        ]
      : [row.client.name, row.failed === true ? 'failed' : 'not measured', '', '', '', ''],
  )
  const heads = [
    `${path}, ${shapeText(shape)}${tls ? 'TLS' : 'plain'}, ${inFlight} in flight, ${delayMs} ms`,
    'CPU µs/item',
    'items/s',
    'RSS MB',
    'server µs/item',
    'to headrace',
  ]
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((cell) => cell[column]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('   ')
      .trimEnd()
  return [line(heads), ...cells.map(line)].join('\n')
}

/** With the size of its items, as costs are an item. */
function shapeText(shape: ShapeName | undefined): string {
  return shape === undefined ? '' : `${shape} of ${SHAPES[shape].itemBytes.toLocaleString('en')} bytes, `
}

/**
 * All cells as tables in Markdown. Of items of one shape, a table for each path and delay, with a line for each client; of
 * several shapes, a table for each path and way to the server, with a line for each shape.
 */
export function markdown(cells: readonly MeasuredCell[]): string {
  const tables = new Map<string, MeasuredCell[]>()
  for (const cell of cells) {
    const { path, shape, tls, inFlight, delayMs } = cell
    const way = shape === undefined ? '' : `${tls ? 'TLS' : 'plain'}, ${inFlight} in flight, `
    const title = `${TITLES[path]}, ${way}answers after ${delayMs} ms`
    tables.set(title, [...(tables.get(title) ?? []), cell])
  }
  return [...tables]
    .map(([title, ofTable]) => {
      const lines = ofTable[0]!.shape === undefined ? clientLines(ofTable) : shapeLines(ofTable)
      const [heads, ...rest] = lines.map((line) => `| ${line.join(' | ')} |`)
      return [`### ${title}`, '', heads, `|${' --- |'.repeat(lines[0]!.length)}`, ...rest].join('\n')
    })
    .join('\n\n')
}

const TITLES: Record<Path, string> = { publish: 'Publish', update: 'Conditional update', scan: 'Scan' }

function clientLines(cells: readonly MeasuredCell[]): string[][] {
  const lines = cells[0]!.rows.map(({ client }, index) => [
    client.name,
    ...cells.map(({ rows }) => cellMarkdown(rows[index]!, rows)),
  ])
  return [['client', ...cells.map(({ tls, inFlight }) => `${tls ? 'TLS' : 'plain'}, ${inFlight} in flight`)], ...lines]
}

function shapeLines(cells: readonly MeasuredCell[]): string[][] {
  const lines = cells.map(({ shape, rows }) => [
    shape!,
    SHAPES[shape!].itemBytes.toLocaleString('en'),
    ...rows.map((row) => cellMarkdown(row, rows)),
  ])
  return [['shape', 'bytes', ...cells[0]!.rows.map(({ client }) => client.name)], ...lines]
}

function cellMarkdown(row: Row, rows: readonly Row[]): string {
  if (row.reason !== undefined) return row.failed === true ? 'failed' : 'not measured'
  const thousands = (itemsPerSecond(row) / 1_000).toFixed(1)
  const ratio = ratioTo(headraceOf(rows), row)
  return `**${least(row).toFixed(2)}** µs${ratio === '' ? '' : `, ${ratio}`}; ${thousands} k/s; ${Math.round(rssMegabytes(row))} MB`
}
