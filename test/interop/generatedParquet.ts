import { keyPartsOf } from '../../src/item/itemKey.ts'
import type { FileMaker } from './fileMaker.ts'
import type { Item, Value } from './generatedItems.ts'

/** What the other reader writes a file of. */
export interface ParquetTable {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly values: readonly unknown[] }[]
  readonly compression: string
  readonly rowGroup: number
  readonly dictionary: boolean
  readonly pageVersion: string
}

const NAMES = ['a', 'b', 'x.y', '__proto__', 'Items', 'Ünï', 'c', 'say "x"', 'toString']
const CELLS: { readonly [type: string]: readonly unknown[] } = {
  string: ['x', '', 'é😀', 'a "b"', '17', '\u0000', '{"S":"x"}'],
  large_string: ['x', 'long '.repeat(50)],
  int64: [0, -1, 42, 9_007_199_254_740_991, -17],
  int32: [0, -1, 2_147_483_647],
  double: ['0.1', '-0.0', '1e21', '1e-7', '5e-324', '1e125', '1e126', 'nan', 'inf', '1.5', '9007199254740993'],
  bool: [true, false],
  binary: ['AA==', '/w==', ''],
  decimal: ['1.5', '-0.1', '1234567890123456789012345678.0123456789', '0'],
  wide: ['1.5', '1234567890123456789012345678901234567890.5', '-2'],
  list: [[], ['a', 'b'], ['x', null]],
  struct: [
    { a: 1, b: 'x' },
    { a: null, b: '' },
  ],
  map: [{}, { k: 1, __proto: 2 }, { 'a.b': null }],
  null: [null],
}
const KEY_TYPES = { S: 'string', N: 'int64', B: 'binary' } as const

export function generateParquet(maker: FileMaker): ParquetTable {
  const { dice, kinds, key } = maker
  const count = dice.chance(0.08) ? 0 : 1 + dice.whole(dice.chance(0.2) ? 80 : 10)
  const records = maker.generate(count, true, [], false)
  const names = [...new Set(Array.from({ length: dice.whole(4) }, () => dice.pick(NAMES)))]
  const typed = names.map((name) => ({ name, type: dice.pick(Object.keys(CELLS)) }))
  const columns: { name: string; type: string; values: unknown[] }[] = keyPartsOf(key).map(({ name, type }) => ({
    name,
    type: KEY_TYPES[type],
    values: records.map((_, index) => keyCell(maker, type, index)),
  }))
  columns.push({ name: 'm', type: 'string', values: records.map(({ mark }) => mark) })
  for (const { name, type } of typed) {
    if (columns.some((column) => column.name === name)) continue
    columns.push({ name, type, values: records.map(() => (dice.chance(0.2) ? null : dice.pick(CELLS[type]!))) })
  }
  if (dice.chance(0.05)) {
    // A column of the key is of another type, and all of its rows are bad.
    columns[0] = { name: columns[0]!.name, type: 'bool', values: records.map(() => true) }
    kinds.add('key is a boolean')
  }
  const keys = keyPartsOf(key)
  // As it should be: the key, and what its rejects need to be told by.
  maker.records.splice(
    0,
    maker.records.length,
    ...records.map((record, index) => {
      const item: Item = keys.map(({ name, type }) => [name, keyValue(type, index)] as const)
      return { ...record, item: [...item, ['m', { S: record.mark }]] as Item, shown: item }
    }),
  )
  if (dice.chance(0.1)) columns.reverse()
  return {
    columns,
    compression: dice.pick(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']),
    rowGroup: 1 + dice.whole(40),
    dictionary: dice.chance(0.5),
    pageVersion: dice.pick(['1.0', '2.0']),
  }
}

function keyCell({ dice, kinds, faultShare }: FileMaker, type: 'S' | 'N' | 'B', index: number): unknown {
  if (dice.chance(faultShare * 0.2)) {
    kinds.add('key is null')
    return null
  }
  if (type !== 'N' && dice.chance(faultShare * 0.2)) {
    kinds.add('key is empty')
    return ''
  }
  const place = dice.chance(0.1) ? dice.whole(index + 1) : index
  if (place < index) kinds.add('duplicate key')
  const value = keyValue(type, place)
  return type === 'N' ? place : Object.values(value)[0]
}

function keyValue(type: 'S' | 'N' | 'B', index: number): Value {
  if (type === 'N') return { N: `${index}` }
  return type === 'S' ? { S: `k${index}` } : { B: Buffer.from(`k${index}`).toString('base64') }
}
