import type { KeySchema } from '../../src/item/itemKey.ts'
import type { Dice } from '../expression/generatedFilters.ts'
import { type GeneratedRecord, generateRecords, NUMBERS_ODD, NUMBERS_OUT_OF_RANGE } from './generatedItems.ts'

/** Tables that files are loaded into: each type of key, with each type of sort key and without, some with odd names. */
export const KEYS: readonly KeySchema[] = [
  { partition: { name: 'id', type: 'S' } },
  { partition: { name: 'id', type: 'N' } },
  { partition: { name: 'id', type: 'B' } },
  { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'S' } },
  { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } },
  { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'B' } },
  { partition: { name: 'pk', type: 'N' }, sort: { name: 'sk', type: 'S' } },
  { partition: { name: 'pk', type: 'B' }, sort: { name: 'sk', type: 'N' } },
  { partition: { name: 'Item', type: 'S' } },
  { partition: { name: 'S', type: 'S' } },
  { partition: { name: 'a.b', type: 'N' } },
  { partition: { name: 'Ünï', type: 'S' }, sort: { name: 'Count', type: 'N' } },
]

export const LINE_ENDS = ['LF', 'CRLF', 'CR', 'mixed line ends'] as const

/** What stands in for bytes that are not UTF-8, until the text becomes bytes. */
const BAD_BYTES: readonly (readonly [string, readonly number[]])[] = [
  ['\ue000', [0xff]],
  ['\ue001', [0xc3, 0x28]],
  ['\ue002', [0xed, 0xa0, 0x80]],
  ['\ue003', [0xf5, 0x80, 0x80, 0x80]],
  ['\ue004', [0xc0, 0xaf]],
  ['\ue005', [0xe2, 0x82]],
]
export const badBytes = (dice: Dice): string => dice.pick(BAD_BYTES)[0]

export function bytesOf(text: string): Buffer {
  const parts = text.split(/([\ue000-\ue005])/).map((part) => {
    const bad = BAD_BYTES.find(([stand]) => stand === part)
    return bad === undefined ? Buffer.from(part) : Buffer.from(bad[1])
  })
  return Buffer.concat(parts)
}

interface TextFault {
  readonly kind: string
  /** Where brackets and quotes bound a record, what it does may reach beyond its own. */
  readonly isStructural?: boolean
  readonly spoil: (text: string, dice: Dice) => string
}

const withMember = (text: string, member: string): string => text.replace('{', () => `{${member},`)

export const TEXT_FAULTS: readonly TextFault[] = [
  { kind: 'bare word', spoil: (text, dice) => withMember(text, `"w":${dice.pick(['nope', 'True', 'undefined'])}`) },
  { kind: 'odd number', spoil: (text, dice) => withMember(text, `"w":${dice.pick(NUMBERS_ODD)}`) },
  { kind: 'trailing comma', spoil: (text) => text.replace(/\}(?=[^}]*$)/, ',}') },
  { kind: 'colon missing', spoil: (text) => text.replace(':', ' ') },
  { kind: 'comma twice', spoil: (text) => text.replace(',', ',,') },
  { kind: 'single quotes', spoil: (text) => withMember(text, `"w":'x'`) },
  { kind: 'control character', spoil: (text) => withMember(text, '"w":"a\u0001b"') },
  { kind: 'bytes not UTF-8', spoil: (text, dice) => withMember(text, `"w":"${badBytes(dice)}"`) },
  { kind: 'bytes not UTF-8', spoil: (text, dice) => withMember(text, `"w${badBytes(dice)}":"x"`) },
  {
    kind: 'not an object',
    spoil: (_, dice) => dice.pick(['5', '"text"', 'null', '[1]', 'true', 'nope', '-1.5e3']),
  },
  {
    kind: 'character lost',
    isStructural: true,
    spoil: (text, dice) => {
      const at = dice.whole(text.length)
      return text.slice(0, at) + text.slice(at + 1)
    },
  },
  {
    kind: 'character added',
    isStructural: true,
    spoil: (text, dice) => {
      const at = dice.whole(text.length + 1)
      return text.slice(0, at) + dice.pick(['{', '}', '[', ']', '"', ',', ':', '\\']) + text.slice(at)
    },
  },
  { kind: 'half a record', isStructural: true, spoil: (text, dice) => text.slice(0, 1 + dice.whole(text.length - 1)) },
]

/** The whole of what is known of a file while it is made. */
export class FileMaker {
  readonly dice: Dice
  readonly key: KeySchema
  readonly kinds = new Set<string>()
  readonly records: GeneratedRecord[] = []
  /** Part of the records that something is wrong with. */
  readonly faultShare: number

  constructor(dice: Dice) {
    this.dice = dice
    this.key = dice.pick(KEYS)
    this.faultShare = dice.chance(0.3) ? 0 : 0.25
  }

  /**
   * @param isTyped its format has all types of DynamoDB
   * @param isWhole all of the records is written
   */
  generate(
    count: number,
    isTyped: boolean,
    badNumbers: readonly string[] = NUMBERS_OUT_OF_RANGE,
    isWhole = true,
  ): GeneratedRecord[] {
    const { key, faultShare } = this
    const records = generateRecords(this.dice, count, this.records.length, { key, isTyped, badNumbers, faultShare })
    if (isWhole) for (const { kinds } of records) for (const kind of kinds) this.kinds.add(kind)
    this.records.push(...records)
    return records
  }

  /** Now and then something is wrong with its text. */
  spoilt(text: string, isBounded: boolean): string {
    const { dice } = this
    if (!dice.chance(this.faultShare * 0.6)) return text
    const fault = dice.pick(TEXT_FAULTS)
    if (fault.isStructural === true && !isBounded && !dice.chance(0.3)) return text
    this.kinds.add(fault.kind)
    if (fault.isStructural === true && !isBounded) this.kinds.add(STRUCTURAL)
    return fault.spoil(text, dice)
  }

  /** What ends the next line. */
  lineEnds(): () => string {
    const { dice } = this
    const kind = dice.pick(LINE_ENDS)
    this.kinds.add(kind)
    const ends = { LF: ['\n'], CRLF: ['\r\n'], CR: ['\r'], 'mixed line ends': ['\n', '\r\n', '\r'] }[kind]
    return () => dice.pick(ends)
  }

  joined(lines: readonly string[], lineEnd: () => string): string {
    const { dice } = this
    let text = ''
    const hasBlanks = dice.chance(0.2)
    for (const [index, line] of lines.entries()) {
      if (hasBlanks && dice.chance(0.3)) {
        this.kinds.add('blank lines')
        text += dice.pick(['', '', ' ', '\t ']) + lineEnd()
      }
      const isLast = index === lines.length - 1
      if (isLast && dice.chance(0.25)) this.kinds.add('no final line end')
      text += line + (isLast && this.kinds.has('no final line end') ? '' : lineEnd())
    }
    return text
  }
}

/** A bracket or quote is wrong where only they say where a record ends. */
export const STRUCTURAL = 'structure broken'
