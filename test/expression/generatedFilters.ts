import type { Random } from '../../src/runtime/random.ts'

// Items and filters from a seed. A filter is written twice, from a tree of its own: as people write it, and with aliases as
// the service reads it. So parser and evaluator of the product are held against the service's, and share nothing with it.

/** A value in DynamoDB JSON. */
export type Value = { readonly [type: string]: unknown }
export type Item = { readonly [name: string]: Value }

type Step = string | number

export type GeneratedOperand =
  | { readonly kind: 'path' | 'size'; readonly steps: readonly Step[] }
  | { readonly kind: 'literal'; readonly value: Value; readonly source: string }

/** One comparison or function call. */
interface Leaf {
  readonly operator: string
  readonly operands: readonly GeneratedOperand[]
}

export interface GeneratedFilter {
  /** As people write it. */
  readonly source: string
  readonly text: string
  readonly names: { readonly [alias: string]: string }
  readonly values: { readonly [alias: string]: Value }
  readonly leaves: readonly Leaf[]
}

export const OPERATORS = [
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'BETWEEN',
  'IN',
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
] as const
export const TYPES = ['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'] as const

/** In the order of their UTF-8 bytes; the last two are the other way round in UTF-16. */
const STRINGS = ['', "'", 'A', 'a', 'ab', 'abc', 'b', 'é', '\ud7ff', '\ue000', '\uffee', '😀', '🙈x']
/** Ascending, several notations of one number next to each other. */
const NUMBERS = [
  '-9.9999999999999999999999999999999999999E+125',
  '-10',
  '-1.5',
  '-1',
  '-1E-130',
  '0',
  '-0',
  '0.0',
  '1E-130',
  '0.1',
  '1',
  '1.0',
  '1e0',
  '1.0000000000000000000000000000000000001',
  '2',
  '3',
  '10',
  '9007199254740992',
  '9007199254740993',
  '9007199254740993.0',
  '12345678901234567890123456789012345678',
  '12345678901234567890123456789012345679',
  '1E125',
]
const BYTES = ['', 'AA==', 'AQ==', 'AQI=', 'AQID', 'Ag==', 'fw==', 'gA==', '/w==', '//8=']
/** Attributes, some with names that are words of the language. */
const NAMES = ['a', 'b', 'c', 'd', 'size', 'my name', 'a.b', 'true', 'Ünï', 'AND']
const MEMBERS = ['a', 'b', 'x.y', 'not']

export class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  whole(below: number): number {
    return Math.floor(this.#random() * below)
  }

  pick<Element>(elements: readonly Element[]): Element {
    return elements[this.whole(elements.length)]!
  }

  chance(share: number): boolean {
    return this.#random() < share
  }
}

/** Items with the key `id`, `i0` and on, whose other attributes are there or not, of any type. */
export function generateItems(dice: Dice, count: number): Item[] {
  return Array.from({ length: count }, (_, index) => {
    const item: { [name: string]: Value } = { id: { S: `i${index}` } }
    // Each attribute leans to a type, so that values are often comparable.
    for (const [place, name] of NAMES.entries()) {
      if (dice.chance(0.3)) continue
      const type = dice.chance(0.5) ? TYPES[place % TYPES.length]! : dice.pick(TYPES)
      item[name] = generateValue(dice, type, 1)
    }
    return item
  })
}

function generateValue(dice: Dice, type: (typeof TYPES)[number], depth: number): Value {
  switch (type) {
    case 'S':
      return { S: dice.pick(STRINGS) }
    case 'N':
      return { N: dice.pick(NUMBERS) }
    case 'B':
      return { B: dice.pick(BYTES) }
    case 'BOOL':
      return { BOOL: dice.chance(0.5) }
    case 'NULL':
      return { NULL: true }
    case 'SS':
      return { SS: subset(dice, ['a', 'ab', 'b', '😀']) }
    case 'NS':
      return { NS: subset(dice, ['-1.5', '1', '2', '12345678901234567890123456789012345678']) }
    case 'BS':
      return { BS: subset(dice, ['AQ==', 'AQI=', '/w==']) }
    case 'L':
      return { L: Array.from({ length: dice.whole(4) }, () => inner(dice, depth)) }
    default: {
      const names = MEMBERS.filter(() => dice.chance(0.5))
      // Equal maps whose members come in another order.
      if (dice.chance(0.5)) names.reverse()
      return { M: Object.fromEntries(names.map((name) => [name, inner(dice, depth)])) }
    }
  }
}

function inner(dice: Dice, depth: number): Value {
  if (depth >= 3 || dice.chance(0.6))
    return dice.pick([{ S: 'a' }, { N: '1' }, { N: '1.0' }, { BOOL: true }, { S: '1' }])
  return generateValue(dice, dice.pick(TYPES), depth + 1)
}

function subset(dice: Dice, elements: readonly string[]): string[] {
  const chosen = elements.filter(() => dice.chance(0.5))
  if (chosen.length === 0) chosen.push(elements[0]!)
  // In no order.
  if (dice.chance(0.5)) chosen.reverse()
  return chosen
}

export function generateFilter(dice: Dice): GeneratedFilter {
  return new FilterWriter(dice).write()
}

class FilterWriter {
  readonly #dice: Dice
  readonly #aliases = new Map<string, string>()
  readonly #values: { [alias: string]: Value } = {}
  readonly #leaves: Leaf[] = []
  #source = ''
  #text = ''

  constructor(dice: Dice) {
    this.#dice = dice
  }

  write(): GeneratedFilter {
    this.#either(2)
    return {
      source: this.#source,
      text: this.#text,
      names: Object.fromEntries(Array.from(this.#aliases, ([name, alias]) => [alias, name])),
      values: this.#values,
      leaves: this.#leaves,
    }
  }

  #either(depth: number): void {
    this.#both(depth)
    while (depth > 0 && this.#dice.chance(0.25)) {
      this.#word('OR')
      this.#both(depth)
    }
  }

  #both(depth: number): void {
    this.#single(depth)
    while (depth > 0 && this.#dice.chance(0.25)) {
      this.#word('AND')
      this.#single(depth)
    }
  }

  #single(depth: number): void {
    if (this.#dice.chance(0.2)) this.#word('NOT')
    if (depth > 0 && this.#dice.chance(0.25)) {
      // People write as many as they like; the service refuses those that are redundant.
      const spare = this.#dice.chance(0.3) ? 1 : 0
      this.#sign('(', `${'('.repeat(spare + 1)}`)
      // Two parts at least, or the service calls these redundant, too.
      this.#both(depth - 1)
      this.#word(this.#dice.pick(['AND', 'OR']))
      this.#both(depth - 1)
      this.#sign(')', `${')'.repeat(spare + 1)}`)
      return
    }
    this.#leaf()
  }

  #leaf(): void {
    const dice = this.#dice
    const operator = dice.pick(OPERATORS)
    const operands = this.#operandsFor(operator)
    this.#leaves.push({ operator, operands })
    const [first, ...rest] = operands as [GeneratedOperand, ...GeneratedOperand[]]
    if (operator.includes('_') || operator === 'contains') {
      this.#sign(operator, dice.chance(0.2) ? operator.toUpperCase() : operator)
      this.#sign('(')
      this.#list(operands)
      this.#sign(')')
      return
    }
    this.#operand(first)
    if (operator === 'IN') {
      this.#word('IN')
      this.#sign('(')
      this.#list(rest)
      this.#sign(')')
    } else if (operator === 'BETWEEN') {
      this.#word('BETWEEN')
      this.#operand(rest[0]!)
      this.#word('AND')
      this.#operand(rest[1]!)
    } else {
      this.#blank()
      this.#sign(operator)
      this.#blank()
      this.#operand(rest[0]!)
    }
  }

  #operandsFor(operator: (typeof OPERATORS)[number]): GeneratedOperand[] {
    const dice = this.#dice
    switch (operator) {
      case 'attribute_exists':
      case 'attribute_not_exists':
        return [this.#path()]
      case 'attribute_type':
        return [this.#path(), quoted(dice.pick(TYPES))]
      case 'begins_with':
        return this.#distinct(() => [
          dice.chance(0.9) ? this.#path() : quoted(dice.pick(STRINGS)),
          dice.chance(0.7) ? quoted(dice.pick(STRINGS.slice(0, 6))) : this.#path(),
        ])
      case 'contains':
        return this.#distinct(() => [
          dice.chance(0.9) ? this.#path() : quoted(dice.pick(STRINGS)),
          dice.chance(0.6) ? this.#literal(true) : this.#pathOrSize(),
        ])
      case 'BETWEEN': {
        if (dice.chance(0.3)) return this.#distinct(() => [this.#pathOrSize(), this.#path(), this.#path()])
        const isText = dice.chance(0.5)
        const pool = isText ? STRINGS : NUMBERS
        const [one, other] = [dice.whole(pool.length), dice.whole(pool.length)]
        const make = isText ? quoted : numeric
        const bounds = [make(pool[Math.min(one, other)]!), make(pool[Math.max(one, other)]!)]
        return [dice.chance(0.9) ? this.#pathOrSize() : numeric(dice.pick(NUMBERS)), ...bounds]
      }
      case 'IN':
        return this.#distinct(() => [
          dice.chance(0.9) ? this.#pathOrSize() : this.#literal(true),
          ...Array.from({ length: 1 + dice.whole(4) }, () =>
            dice.chance(0.7) ? this.#literal(true) : this.#pathOrSize(),
          ),
        ])
      default: {
        const isOrdered = operator !== '=' && operator !== '<>'
        return this.#distinct(() => {
          const left = dice.chance(0.85) ? this.#pathOrSize() : this.#literal(!isOrdered)
          const right = dice.chance(0.65) ? this.#literal(!isOrdered) : this.#pathOrSize()
          return [left, right]
        })
      }
    }
  }

  /** The service refuses what is compared with itself. */
  #distinct(make: () => GeneratedOperand[]): GeneratedOperand[] {
    for (;;) {
      const operands = make()
      const [first, ...rest] = operands.map((operand) => JSON.stringify(operand))
      if (operands[0]!.kind === 'literal' || !rest.includes(first!)) return operands
    }
  }

  #pathOrSize(): GeneratedOperand {
    return this.#dice.chance(0.2) ? { ...this.#path(), kind: 'size' } : this.#path()
  }

  #path(): { kind: 'path'; steps: Step[] } {
    const dice = this.#dice
    const steps: Step[] = [dice.chance(0.05) ? 'nowhere' : dice.pick(NAMES)]
    while (steps.length < 4 && dice.chance(0.15)) {
      steps.push(dice.chance(0.5) ? dice.whole(4) : dice.chance(0.1) ? 'nowhere' : dice.pick(MEMBERS))
    }
    return { kind: 'path', steps }
  }

  #literal(isAny: boolean): GeneratedOperand {
    const dice = this.#dice
    const kind = dice.whole(isAny ? 8 : 6)
    if (kind < 3) return quoted(dice.pick(STRINGS))
    if (kind < 6) return numeric(dice.pick(NUMBERS))
    const word =
      kind === 6 ? dice.pick(['true', 'TRUE', 'True', 'false', 'FALSE']) : dice.pick(['null', 'NULL', 'Null'])
    const value = kind === 6 ? { BOOL: word.toLowerCase() === 'true' } : { NULL: true }
    return { kind: 'literal', value, source: word }
  }

  #list(operands: readonly GeneratedOperand[]): void {
    for (const [index, operand] of operands.entries()) {
      if (index > 0) this.#sign(',')
      this.#blank()
      this.#operand(operand)
      this.#blank()
    }
  }

  #operand(operand: GeneratedOperand): void {
    if (operand.kind === 'literal') {
      const alias = `:x${Object.keys(this.#values).length}`
      this.#values[alias] = operand.value
      this.#sign(alias, operand.source)
      return
    }
    if (operand.kind === 'size') this.#sign('size(', this.#dice.chance(0.3) ? 'SIZE (' : 'size(')
    for (const [index, step] of operand.steps.entries()) {
      if (typeof step === 'number') this.#sign(`[${step}]`)
      else {
        if (index > 0) this.#sign('.')
        this.#name(step, index > 0)
      }
    }
    if (operand.kind === 'size') this.#sign(')')
  }

  #name(name: string, isMember: boolean): void {
    let alias = this.#aliases.get(name)
    if (alias === undefined) {
      alias = `#x${this.#aliases.size}`
      this.#aliases.set(name, alias)
    }
    const isPlain = /^[\p{L}_]+$/u.test(name) && (isMember || (name !== 'true' && name !== 'AND'))
    this.#sign(alias, isPlain && this.#dice.chance(0.7) ? name : `"${name}"`)
  }

  /** A keyword, in any case and with room around it. */
  #word(word: string): void {
    const source = this.#dice.pick([word, word.toLowerCase(), word[0]! + word.slice(1).toLowerCase()])
    this.#source += ` ${source} `
    this.#text += ` ${word} `
  }

  #sign(text: string, source: string = text): void {
    this.#source += source
    this.#text += text
  }

  #blank(): void {
    if (this.#dice.chance(0.5)) this.#source += this.#dice.pick([' ', '\n', '  '])
  }
}

function quoted(text: string): GeneratedOperand {
  return { kind: 'literal', value: { S: text }, source: `'${text.replaceAll("'", "''")}'` }
}

function numeric(text: string): GeneratedOperand {
  return { kind: 'literal', value: { N: text }, source: text }
}
