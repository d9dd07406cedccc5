import type { KeyAttribute, KeySchema } from '../../src/item/itemKey.ts'
import { keyPartsOf } from '../../src/item/itemKey.ts'
import type { Dice } from '../expression/generatedFilters.ts'

// Items from a seed, and what may be wrong with one. Attributes are lists of names and values, so that any name may stand
// in them, also twice.

export type Member = readonly [name: string, value: Value]
/** A value in DynamoDB JSON, with a map as its members. */
export type Value =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly Value[] }
  | { readonly M: readonly Member[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
export type Item = readonly Member[]

export interface GeneratedRecord {
  /** Stands in its attribute `m`, and tells it from all others of the file. */
  readonly mark: string
  /** As it should be. */
  readonly item: Item
  /** As it is written. */
  readonly shown: Item
  /** What is wrong with it, or odd. */
  readonly kinds: readonly string[]
}

/** Which values a format carries: ordinary JSON has no bytes and no sets. */
export interface ItemOptions {
  readonly key: KeySchema
  readonly isTyped: boolean
  /** How its numbers are written wrongly, so that nothing else of the file is; empty where nothing may be wrong. */
  readonly badNumbers: readonly string[]
  /** Part of the records that something is wrong with. */
  readonly faultShare: number
}

const STRINGS = [
  '',
  'plain',
  'x',
  'é€😀',
  'a "quoted" word',
  "it's",
  'back\\slash',
  'tab\tand\nline\r\nends',
  'old\rline',
  '\u2028\u2029',
  '\ufeffmarked',
  'a,b;c|d',
  'null',
  'true',
  '17',
  '007',
  '{"S":"x"}',
  '[1,2]',
  '$ion_1_0',
  '=1+1',
  ' blanks ',
  '\u0000\u0001\u007f',
  '\u0085\u00a0',
  '"',
  '""',
  '}',
  '{',
  ']',
  '\\"',
  'e\u0301',
]
const NUMBERS = [
  '0',
  '1',
  '-1',
  '42',
  '1.0',
  '1.50',
  '0.1',
  '-0',
  '-0.0',
  '1e5',
  '1E-7',
  '123e+2',
  '12345678901234567890',
  '12345678901234567890123456789012345678',
  '0.12345678901234567890123456789012345678',
  '9007199254740993',
  '1234567890123456.5',
  '1e125',
  '9.9999999999999999999999999999999999999e125',
  '1e-130',
  '-1e-130',
  '100000000000000000000000000000000000000000',
  '3.14159',
  '0.30000000000000004',
  '1e21',
]
/** As numbers of JSON are written, and none that DynamoDB holds. */
export const NUMBERS_OUT_OF_RANGE: readonly string[] = [
  '123456789012345678901234567890123456789',
  '0.123456789012345678901234567890123456789',
  '1e126',
  '-1e126',
  '1e-131',
  '1e400',
  '1e9999999',
]
/** Not numbers of JSON; some of them are in DynamoDB JSON and in a cell. */
export const NUMBERS_ODD: readonly string[] = ['007', '.5', '+1', '1.', 'NaN', '0x10', '1_000', '--1', 'Infinity', '-']
const BYTES = ['', 'AA==', 'AQ==', 'AQID', '/w==', '//8=', 'gIGC']
const NAMES = ['a', 'b', 'c', 'price', 'tags', 'n', 'Ünï', 'zipCode']
const ODD_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'a.b',
  'say "x"',
  "it's",
  '\ufeffx',
  'Item',
  'Items',
  'S',
  'N',
  'Count',
  'L',
  ' ',
  'a:N',
  'a,b',
  '😀',
  '\\',
  'line\nend',
  'Keys',
  'NextToken',
  'toString',
  '\u0000',
]

/** Records of one file. */
export function generateRecords(dice: Dice, count: number, firstMark: number, options: ItemOptions): GeneratedRecord[] {
  const records: GeneratedRecord[] = []
  for (let index = 0; index < count; index += 1) {
    const mark = `#${firstMark + index}#`
    const kinds: string[] = []
    const earlier = records.length > 0 && dice.chance(0.12) ? dice.pick(records) : undefined
    if (earlier !== undefined) kinds.push('duplicate key')
    const names = new Set(keyPartsOf(options.key).map(({ name }) => name))
    const keys = keyPartsOf(options.key).map((part): Member => {
      const same = earlier?.item.find(([name]) => name === part.name)
      return same ?? [part.name, keyValue(dice, part, firstMark + index)]
    })
    const members: Member[] = [...keys, ['m', { S: mark }]]
    names.add('m')
    const more = dice.whole(5)
    for (let place = 0; place < more; place += 1) {
      const isOdd = dice.chance(0.2)
      const name = dice.pick(isOdd ? ODD_NAMES : NAMES)
      if (names.has(name)) continue
      names.add(name)
      if (isOdd) kinds.push('odd name')
      const value = generateValue(dice, options.isTyped, 1, kinds)
      if (dice.chance(0.1)) members.unshift([name, value])
      else members.push([name, value])
    }
    const item = members
    const isFaulty = dice.chance(options.faultShare)
    records.push({ mark, item, shown: isFaulty ? spoil(dice, item, options, kinds) : item, kinds })
  }
  return records
}

function keyValue(dice: Dice, { type }: KeyAttribute, index: number): Value {
  if (type === 'B') return { B: Buffer.from(`k${index}`).toString('base64') }
  if (type === 'N') return { N: dice.pick([`${index}`, `${index}.0`, `${index}e0`, `-${index + 1}.50`]) }
  return { S: dice.pick([`k${index}`, `0${index}`, `${index}`, `é${index} "q"`, ` ${index}`, `a,${index}`]) }
}

export function generateValue(dice: Dice, isTyped: boolean, level: number, kinds: string[]): Value {
  const share = dice.whole(isTyped ? 14 : 10)
  if (share < 3) return { S: dice.pick(STRINGS) }
  if (share < 5) {
    const text = dice.pick(NUMBERS)
    if (text.length > 15 || /e/i.test(text)) kinds.push('long number')
    return { N: text }
  }
  if (share === 5) return { BOOL: dice.chance(0.5) }
  if (share === 6) return { NULL: true }
  if (share < 10) {
    if (level === 1 && dice.chance(0.08)) {
      kinds.push('deep nesting')
      return nested(dice, 5 + dice.whole(27))
    }
    const count = level > 3 ? 0 : dice.whole(3)
    const values = Array.from({ length: count }, () => generateValue(dice, isTyped, level + 1, kinds))
    if (share < 8) return { L: values }
    const names = [...new Set(values.map(() => dice.pick(dice.chance(0.2) ? ODD_NAMES : NAMES)))]
    return { M: names.map((name, place) => [name, values[place]!] as const) }
  }
  if (share === 10) return { B: dice.pick(BYTES) }
  if (share === 11) return { SS: dice.pick([['a'], ['b', 'a'], ['', 'é'], ['1', '1.0']]) }
  if (share === 12) return { NS: dice.pick([['1'], ['2.50', '1e3'], ['-0', '12345678901234567890']]) }
  return { BS: dice.pick([['AA=='], ['AQ==', 'Ag=='], ['/w==', '']]) }
}

/** A value in so many levels of lists and maps, itself not counted. */
function nested(dice: Dice, levels: number): Value {
  let value: Value = { S: 'deep' }
  for (let level = 1; level < levels; level += 1) value = dice.chance(0.5) ? { L: [value] } : { M: [['d', value]] }
  return value
}

type Spoil = (dice: Dice, item: Item, options: ItemOptions) => Item | undefined

/** What can be wrong with an item, however it is written. */
const FAULTS: { readonly [kind: string]: Spoil } = {
  'key is text': (dice, item, { key }) => withKey(dice, item, key, () => ({ S: dice.pick(['17', 'x', '1.5 ']) })),
  'key is a number': (dice, item, { key }) => withKey(dice, item, key, () => ({ N: dice.pick(['17', '1.5', '1e3']) })),
  'key is a boolean': (dice, item, { key }) => withKey(dice, item, key, () => ({ BOOL: true })),
  'key is null': (dice, item, { key }) => withKey(dice, item, key, () => ({ NULL: true })),
  'key is a list': (dice, item, { key }) => withKey(dice, item, key, () => ({ L: [{ S: 'x' }] })),
  'key is empty': (dice, item, { key }) =>
    withKey(dice, item, key, ({ type }) => (type === 'B' ? { B: '' } : { S: '' })),
  'key is missing': (dice, item, { key }) => withKey(dice, item, key, () => undefined),
  'key is too long': (dice, item, { key }) => withKey(dice, item, key, () => ({ S: 'é'.repeat(1_025) })),
  'key in another case': (_, item, { key: { partition } }) =>
    item.map(([name, value]) => [name === partition.name ? `${name.toUpperCase()}_` : name, value]),
  'number out of range': (dice, item, { badNumbers }) =>
    badNumbers.length === 0 ? undefined : [...item, ['bad', { N: dice.pick(badNumbers) }]],
  'too deep': (dice, item) => [...item, ['deep', nested(dice, 33 + dice.whole(8))]],
  'half a surrogate pair': (dice, item) => [...item, ['half', { S: dice.pick(['\ud800', 'x\udc00y']) }]],
  'name is empty': (_, item) => [...item, ['', { S: 'x' }]],
  'empty set': (dice, item, { isTyped }) =>
    isTyped ? [...item, ['set', dice.pick<Value>([{ SS: [] }, { NS: [] }, { BS: [] }])]] : undefined,
  'element twice': (dice, item, { isTyped }) =>
    isTyped
      ? [...item, ['set', dice.pick<Value>([{ SS: ['a', 'a'] }, { NS: ['1', '1.0'] }, { BS: ['AA==', 'AA=='] }])]]
      : undefined,
  'not base64': (dice, item, { isTyped }) =>
    isTyped ? [...item, ['bytes', { B: dice.pick(['x', '####', 'AA=A', 'AA']) }]] : undefined,
  'member twice': (dice, item) => {
    const [name] = dice.pick(item)
    return [[name, { S: 'the first of two' }], ...item]
  },
  'name of an envelope': (dice, item) => [
    [dice.pick(['Items', 'Item', 'Count', 'Keys']), { L: [{ M: [['x', { N: '1' }]] }] }],
    ...item.filter(([name]) => !['Items', 'Item', 'Count', 'Keys'].includes(name)),
  ],
  'looks typed': (dice, item) => [
    ...item.filter(([name]) => name !== 'typed'),
    ['typed', { M: [[dice.pick(['S', 'N', 'L', 'BOOL']), { S: '17' }]] }],
  ],
  'too large': (dice, item) => (dice.chance(0.05) ? [...item, ['large', { S: 'x'.repeat(450_000) }]] : undefined),
}

export const ITEM_KINDS: readonly string[] = Object.keys(FAULTS)

function spoil(dice: Dice, item: Item, options: ItemOptions, kinds: string[]): Item {
  const kind = dice.pick(ITEM_KINDS)
  const spoilt = FAULTS[kind]!(dice, item, options)
  if (spoilt === undefined) return item
  kinds.push(kind)
  return spoilt
}

function withKey(
  dice: Dice,
  item: Item,
  key: KeySchema,
  make: (part: KeyAttribute) => Value | undefined,
): Item | undefined {
  const part = dice.pick(keyPartsOf(key))
  const value = make(part)
  return item.flatMap(([name, old]): Member[] =>
    name !== part.name ? [[name, old]] : value === undefined ? [] : [[name, value]],
  )
}
