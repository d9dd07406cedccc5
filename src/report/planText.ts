import { type Estimate, isExact } from '../job/estimate.ts'
import type { ItemSample, Plan, PlanRate } from '../job/plan.ts'
import { counted } from '../runtime/counted.ts'
import { formatUnitRate, formatUnits } from '../runtime/units.ts'
import { formatBytes, formatCount, formatDuration, formatMoney } from './figures.ts'

type Item = NonNullable<ItemSample['after']>
type Row = readonly [label: string, value: string]

/** Lines are broken so that they fit into a terminal of this width, but for items. */
const COLUMNS = 100
/** Of an item that is shown. */
const ITEM_CHARACTERS = 400

/**
 * A plan for people: one fact a line, then what to think of, what is not known, and some items before and after.
 *
 * @param itemText an item as one line
 */
export function planText(plan: Plan, itemText: (item: Item) => string): string {
  const rows = factsOf(plan)
  const width = Math.max(...rows.map(([label]) => label.length))
  const lines = [`${plan.operation} ${plan.table}: dry run, nothing was written`]
  for (const [label, value] of rows) lines.push(...wrapped(`  ${label.padEnd(width)}  `, value))
  const list = (title: string, sentences: readonly string[]): void => {
    if (sentences.length === 0) return
    lines.push('', title)
    for (const sentence of sentences) lines.push(...wrapped('  - ', sentence))
  }
  list('Before you run it:', plan.warnings)
  list('Not certain:', plan.unknown)
  if (plan.samples.length > 0) {
    const isNew = plan.samples.every(({ before }) => before === undefined)
    lines.push('', isNew ? 'Sample items:' : 'Sample items before (-) and after (+):')
    for (const sample of plan.samples) lines.push(...sampleLines(sample, plan.keyNames, itemText))
  }
  return lines.join('\n')
}

function factsOf(plan: Plan): Row[] {
  const { changes, read, write, readUnits, writeUnits, durationMs, sample } = plan
  const rows: Row[] = [
    // Whose account it is; an emulator's is made up.
    ...(plan.emulator || plan.tableArn === '' ? [] : [['table', plan.tableArn] as const]),
    [plan.operation === 'load' ? 'records' : 'items', `${estimated(plan.items)}, ${formatBytes(plan.bytes.value)}`],
  ]
  if (changes !== undefined) rows.push([DONE[plan.operation] ?? 'written', estimated(changes)])
  if (read !== undefined) rows.push(['reads', `${estimated(readUnits, ' RCU')}${atRate(read, 'read')}`])
  if (write !== undefined) {
    rows.push(['writes', `${estimated(writeUnits, ' WCU')}${atRate(write, 'write')}`])
    const indexes = Object.entries(plan.indexWriteUnits).map(
      ([name, units]) => `${name} ${formatUnits(units, 'write')}`,
    )
    if (indexes.length > 0) rows.push(['', `including indexes: ${indexes.join(', ')}`])
  }
  rows.push([
    'time',
    durationMs === undefined ? 'as fast as this machine allows' : `about ${formatDuration(durationMs)}`,
  ])
  rows.push(['price', priceOf(plan)])
  for (const { service, amount, currency, limits } of plan.native) {
    const price = amount === undefined ? 'price unknown' : formatMoney(amount, currency)
    rows.push(['or', `${service}: ${price} (${limits})`])
  }
  const cost = sample.readUnits > 0 ? ` (${formatUnits(sample.readUnits, 'read')})` : ''
  rows.push(['sample', `${sample.words}${cost}`])
  return rows
}

/** What is done to items, by operations that do not call it writing. */
const DONE: { readonly [operation: string]: string } = { update: 'changed', delete: 'deleted' }

/** A number, and between which it lies where it is no exact one. */
function estimated(estimate: Estimate, unit = ''): string {
  const { value, low, high } = estimate
  if (isExact(estimate) || (formatCount(low) === formatCount(value) && formatCount(high) === formatCount(value))) {
    return formatCount(value) + unit
  }
  const bounds = Number.isFinite(high) ? `${formatCount(low)} to ${formatCount(high)}` : `at least ${formatCount(low)}`
  return `about ${formatCount(value)}${unit} (${bounds})`
}

function atRate({ unitsPerSecond, why }: PlanRate, direction: 'read' | 'write'): string {
  if (!Number.isFinite(unitsPerSecond) || unitsPerSecond === 0) return `: ${why}`
  return ` at ${formatUnitRate(unitsPerSecond, direction)}: ${why}`
}

function priceOf({ cost, region, emulator }: Plan): string {
  if (cost === undefined) return `unknown for ${region}; pass its price list with --price-file`
  const { amount, low, high, currency, asOf, billing } = cost
  const money = (value: number): string => formatMoney(value, currency)
  const isSure = money(low) === money(high)
  const bounds = Number.isFinite(high) ? `${money(low)} to ${money(high)}` : `at least ${money(low)}`
  const price = isSure ? money(amount) : `about ${money(amount)} (${bounds})`
  const paid = billing === 'provisioned' ? ' of provisioned capacity, billed by the hour whether used or not' : ''
  const where = `at the prices of ${asOf} in ${region}`
  return emulator ? `free here; on AWS ${price}${paid}, ${where}` : `${price}${paid}, ${where}`
}

/** The key and what changes of an item; the whole of one that is new or goes. */
function sampleLines(
  { before, after }: ItemSample,
  keyNames: readonly string[],
  itemText: (item: Item) => string,
): string[] {
  const line = (sign: string, text: string): string =>
    `  ${sign} ${text.length > ITEM_CHARACTERS ? `${text.slice(0, ITEM_CHARACTERS)}…` : text}`
  if (before === undefined) return after === undefined ? [] : [line('+', itemText(after))]
  if (after === undefined) return [line('-', itemText(before)), '  + (deleted)']
  const text = (item: Item, name: string): string => (Object.hasOwn(item, name) ? itemText({ [name]: item[name] }) : '')
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = names.filter((name) => keyNames.includes(name) || text(before, name) !== text(after, name))
  const part = (item: Item): string =>
    itemText(Object.fromEntries(changed.filter((name) => Object.hasOwn(item, name)).map((name) => [name, item[name]])))
  const others = names.length - changed.length
  const rest = others === 0 ? '' : `  (and ${counted(others, 'unchanged attribute')})`
  return [line('-', part(before)), `${line('+', part(after))}${rest}`]
}

/** Broken between words, the second line on under the first. */
function wrapped(head: string, text: string): string[] {
  const lines: string[] = []
  let line = head
  let begun = false
  for (const word of text.split(' ')) {
    if (begun && line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = ' '.repeat(head.length) + word
    } else {
      line += begun ? ` ${word}` : word
      begun = true
    }
  }
  return [...lines, line]
}
