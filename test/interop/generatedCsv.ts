import type { ColumnType } from '../../src/formats/record.ts'
import { keyPartsOf } from '../../src/item/itemKey.ts'
import type { FileOptions } from '../../src/operations/file.ts'
import type { Dice } from '../expression/generatedFilters.ts'
import { badBytes, type FileMaker } from './fileMaker.ts'
import { generateValue, type Item, NUMBERS_OUT_OF_RANGE, type Value } from './generatedItems.ts'
import { cellText } from './itemTexts.ts'

export interface GeneratedCsv {
  readonly ending: string
  readonly options: FileOptions
  /** Header and so many rows. */
  readonly text: (count: number) => string
}

interface Column {
  readonly name: string
  readonly type: ColumnType
  /** How its type is known. */
  readonly told: 'header' | 'types' | 'not'
}

const NAMES = [
  'a',
  'b',
  'price',
  'tags',
  '__proto__',
  'say "x"',
  'a,b',
  'a b',
  'Ünï',
  'Items',
  'a;b',
  "it's",
  'x.y',
  '😀',
]

/** Comma-separated values, ugly as people and spreadsheets make them. */
export function generateCsv(maker: FileMaker): GeneratedCsv {
  const { dice, kinds, key } = maker
  const isTabs = dice.chance(0.15)
  const isTold = dice.chance(0.25)
  const delimiter = isTold ? dice.pick([';', '|', '\t', ',', ':']) : isTabs ? '\t' : ','
  if (isTold) kinds.add('--delimiter')
  const keys = keyPartsOf(key).map((part): Column => ({ ...part, told: dice.pick(['not', 'not', 'header']) }))
  const others = [...new Set(Array.from({ length: dice.whole(5) }, () => dice.pick(NAMES)))]
    .filter((name) => !keys.some((column) => column.name === name))
    .map((name): Column => {
      const type = dice.pick<ColumnType>(['S', 'S', 'N', 'BOOL', 'NULL', 'B', 'json', 'ddb'])
      const isSimple = /^[a-z ]+$/.test(name)
      return { name, type, told: type === 'S' ? 'not' : isSimple && dice.chance(0.3) ? 'types' : 'header' }
    })
  const columns: Column[] = [...keys, { name: 'm', type: 'S', told: 'not' }, ...others]
  if (dice.chance(0.2)) columns.reverse()
  const types = Object.fromEntries(
    columns.filter(({ told }) => told === 'types').map(({ name, type }) => [name, type] as const),
  )
  if (Object.keys(types).length > 0) kinds.add('--types')
  const lineEnd = maker.lineEnds()
  const quoting = dice.pick(['needed', 'needed', 'all', 'some'] as const)
  const quote = (cell: string): string => {
    const needs = cell.includes(delimiter) || /["\r\n]/.test(cell)
    if (/[\r\n]/.test(cell)) kinds.add('cell with a line end')
    if (cell.includes('"')) kinds.add('cell with a quote')
    if (cell.includes(delimiter)) kinds.add('cell with a delimiter')
    const isExtra = quoting === 'all' || (quoting === 'some' && dice.chance(0.3))
    if (isExtra && !needs) kinds.add('quoted without need')
    return needs || isExtra ? `"${cell.replaceAll('"', '""')}"` : cell
  }
  const row = (cells: readonly string[]): string => cells.map(quote).join(delimiter)
  const header = (): string => {
    const pad = dice.chance(0.1) ? ' ' : ''
    return row(columns.map(({ name, type, told }) => `${pad}${name}${told === 'header' ? `:${type}` : ''}${pad}`))
  }
  const text = (count: number): string => {
    if (count === 0) kinds.add('header only')
    const isBare = dice.chance(0.02)
    const first = maker.records.length
    const rows = Array.from({ length: count }, (_, index) => {
      // One after another, so that a key may come twice.
      const cells = rowOf(maker, columns, first + index)
      return spoiltRow(maker, cells, row, delimiter)
    })
    return maker.joined(isBare ? [] : [header(), ...rows], lineEnd)
  }
  return {
    ending: isTabs ? '.tsv' : '.csv',
    options: {
      ...(isTold || Object.keys(types).length > 0
        ? { csv: { ...(isTold ? { delimiter } : {}), ...(Object.keys(types).length > 0 ? { types } : {}) } }
        : {}),
    },
    text,
  }
}

/** The cells of a record, which has what its columns can hold. */
function rowOf(maker: FileMaker, columns: readonly Column[], index: number): string[] {
  const { dice, kinds, key } = maker
  const [record] = maker.generate(1, true, [], false)
  const keyNames = keyPartsOf(key).map(({ name }) => name)
  const earlier = index > 0 && dice.chance(0.1) ? dice.pick(maker.records.slice(0, -1)) : undefined
  if (earlier !== undefined) kinds.add('duplicate key')
  const item: Item = columns.flatMap(({ name, type }): Item => {
    if (name === 'm' || keyNames.includes(name)) {
      const known = (name === 'm' ? record! : (earlier ?? record!)).item
      return known.filter(([other]) => other === name)
    }
    if (dice.chance(0.2)) return []
    const value = valueFor(dice, type)
    return value === undefined ? [] : [[name, value]]
  })
  maker.records.pop()
  maker.records.push({ ...record!, item, shown: item })
  return columns.map(({ name, type }) => {
    const value = item.find(([other]) => other === name)?.[1]
    return value === undefined ? '' : cellText(value, type)!
  })
}

function valueFor(dice: Dice, type: ColumnType): Value | undefined {
  for (let tries = 0; tries < 40; tries += 1) {
    const value = generateValue(dice, type !== 'json', 1, [])
    const text = cellText(value, type)
    // An empty cell is an attribute that is not there; NUL ends a line for some.
    if (text !== undefined && text !== '' && !text.includes('\u0000')) return value
  }
  return undefined
}

function spoiltRow(
  maker: FileMaker,
  cells: readonly string[],
  row: (cells: readonly string[]) => string,
  delimiter: string,
): string {
  const { dice, kinds } = maker
  if (!dice.chance(maker.faultShare)) return row(cells)
  const place = dice.whole(cells.length)
  const replaced = (cell: string): string => row(cells.map((one, index) => (index === place ? cell : one)))
  switch (dice.whole(10)) {
    case 0:
      kinds.add('too few cells')
      return row(cells.slice(0, -1))
    case 1:
      kinds.add('too many cells')
      return row([...cells, dice.pick(['', 'x'])])
    case 2:
    case 3:
    case 4:
      kinds.add('cell of another type')
      return replaced(
        dice.pick(['x', '17', 'nope', '{"S":"x"}', '[1', '{"a":1e999}', ...NUMBERS_OUT_OF_RANGE, '007', '+1']),
      )
    case 5:
      kinds.add('bytes not UTF-8')
      return replaced(`a${badBytes(dice)}b`)
    case 6:
    case 7:
      return replaced('')
    case 8:
      if (!dice.chance(0.5)) return row(cells)
      kinds.add('misplaced quote')
      return [
        ...cells.slice(0, place),
        dice.pick(['5" pipe', '"a"b', ' "x"', '"a""b" ']),
        ...cells.slice(place + 1),
      ].join(delimiter)
    default:
      if (!dice.chance(0.5)) return row(cells)
      kinds.add('quote never closed')
      return `${row(cells.slice(0, -1))}${delimiter}"never closed`
  }
}
