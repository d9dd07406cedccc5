import { isDeepStrictEqual } from 'node:util'
import { ItemEncoder } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { canonicalNumber } from '../item/number.ts'
import { compareValues } from './compareValues.ts'
import { expressionError } from './expressionError.ts'
import { type Token, tokenize } from './tokenize.ts'
import {
  type AttributeJson,
  type Comparator,
  type Condition,
  type Literal,
  type Operand,
  type Path,
  pathText,
  type Step,
  type Test,
  typeOf,
} from './tree.ts'

const COMPARATORS: ReadonlySet<string> = new Set<Comparator>(['=', '<>', '<', '<=', '>', '>='])
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN'])
const CONSTANTS: ReadonlyMap<string, AttributeJson> = new Map<string, AttributeJson>([
  ['TRUE', { BOOL: true }],
  ['FALSE', { BOOL: false }],
  ['NULL', { NULL: true }],
])
/** Of the functions that hold or do not hold: how many operands. */
const TESTS: { readonly [name in Test]: number } = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
}
const TYPES = ['S', 'N', 'B', 'SS', 'NS', 'BS', 'BOOL', 'NULL', 'L', 'M']
/** What the service takes (developer guide, "Quotas": expression parameters). */
const CHOICES_MAX = 100
/** Deeper than any item; so that a text of nothing but brackets ends in a sentence, and not in a full stack. */
const DEPTH_MAX = 200
/** Places in lists that an item can have, by far. */
const INDEX_MAX = 1_000_000

/** What people write where an operator stands, and what to write in its place. */
const OTHER_OPERATORS: { readonly [word: string]: string } = {
  IS: 'for an attribute that is missing write attribute_not_exists(NAME), for a stored null write NAME = NULL',
  LIKE: "write begins_with(NAME, 'start') or contains(NAME, 'part')",
  CONTAINS: "write contains(NAME, 'part')",
  BEGINS_WITH: "write begins_with(NAME, 'start')",
  EXISTS: 'write attribute_exists(NAME)',
}

/**
 * Reads a filter as people write it, `country = 'NO' and population > 1000 and attribute_exists("my name")`.
 *
 * Strings stand in single quotes ('' is a quote), names with unusual letters in double quotes. Keywords, functions, `true`,
 * `false` and `null` are known in any case. Operators and functions are DynamoDB's (developer guide, "Comparison operator
 * and function reference").
 *
 * @throws {HeadraceError} `CONFIGURATION` that names the character and what is expected there
 */
export function parseCondition(source: string): Condition {
  const parser = new Parser(source)
  return parser.whole()
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  readonly #encoder = new ItemEncoder()
  #next = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = tokenize(source)
  }

  whole(): Condition {
    if (this.#isEnd()) throw this.#error("write a condition, such as country = 'NO'")
    const condition = this.#either()
    if (!this.#isEnd()) {
      throw this.#error(this.#isSymbol(')') ? 'this ) has no matching (' : 'expected AND, OR or the end')
    }
    return condition
  }

  #either(): Condition {
    const parts = [this.#both()]
    while (this.#takeKeyword('OR')) parts.push(this.#both())
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #both(): Condition {
    const parts = [this.#single()]
    while (this.#takeKeyword('AND')) parts.push(this.#single())
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }

  #single(): Condition {
    this.#depth += 1
    if (this.#depth > DEPTH_MAX) throw this.#error('NOT or ( is nested too deeply')
    try {
      if (this.#takeKeyword('NOT')) return { kind: 'not', part: this.#single() }
      if (this.#takeSymbol('(')) {
        const condition = this.#either()
        if (!this.#takeSymbol(')')) throw this.#error('expected AND, OR or )')
        return condition
      }
      const test = this.#functionHere()
      if (test !== undefined && test !== 'size') return this.#test(test)
      return this.#comparison()
    } finally {
      this.#depth -= 1
    }
  }

  #comparison(): Condition {
    const operand = this.#operand('a condition')
    const token = this.#token
    if (token.kind === 'symbol' && COMPARATORS.has(token.text)) {
      this.#next += 1
      const right = this.#operand('a value or a name')
      const operator = token.text as Comparator
      this.#checkDistinct(operand, [right], operator)
      if (operator !== '=' && operator !== '<>') for (const side of [operand, right]) this.#checkOrdered(side, operator)
      return { kind: 'comparison', operator, left: operand, right }
    }
    if (this.#takeKeyword('BETWEEN')) return this.#between(operand)
    if (this.#takeKeyword('IN')) return this.#in(operand)
    const hint = token.kind === 'word' ? OTHER_OPERATORS[token.text.toUpperCase()] : undefined
    throw this.#error(hint ?? 'expected an operator: =, <>, <, <=, >, >=, BETWEEN or IN')
  }

  #between(operand: Operand): Condition {
    const low = this.#operand('the lower bound')
    if (!this.#takeKeyword('AND')) throw this.#error('expected AND and the upper bound')
    const high = this.#operand('the upper bound')
    this.#checkDistinct(operand, [low, high], 'BETWEEN')
    for (const bound of [operand, low, high]) this.#checkOrdered(bound, 'BETWEEN')
    if (low.kind === 'literal' && high.kind === 'literal') {
      if (typeOf(low.value) !== typeOf(high.value)) {
        throw this.#error('both bounds of BETWEEN must have the same type', high.position)
      }
      if (compareValues(low.value, high.value)! > 0) {
        throw this.#error('the upper bound of BETWEEN is below the lower one', high.position)
      }
    }
    return { kind: 'between', operand, low, high }
  }

  #in(operand: Operand): Condition {
    if (!this.#takeSymbol('(')) throw this.#error("expected a list of values, such as ('a', 'b')")
    const choices = [this.#operand('a value')]
    while (this.#takeSymbol(',')) choices.push(this.#operand('a value'))
    if (!this.#takeSymbol(')')) throw this.#error('expected , or )')
    if (choices.length > CHOICES_MAX) {
      const message = `IN takes at most ${CHOICES_MAX} values, not ${choices.length}: join several IN with OR`
      throw this.#error(message, choices[CHOICES_MAX]!.position)
    }
    this.#checkDistinct(operand, choices, 'IN')
    return { kind: 'in', operand, choices }
  }

  #test(test: Test): Condition {
    const { position } = this.#token
    this.#next += 2
    const count = TESTS[test]
    const operands: Operand[] = []
    for (let index = 0; index < count; index += 1) {
      if (index > 0 && !this.#takeSymbol(',')) throw this.#error(`expected , and a second operand of ${test}`)
      operands.push(this.#operand(index === 0 ? 'a name' : 'a value'))
    }
    if (!this.#takeSymbol(')')) throw this.#error('expected )')
    const [first, second] = operands as [Operand, Operand | undefined]
    const needsPath = test !== 'begins_with' && test !== 'contains'
    if (needsPath && first.kind !== 'path') throw this.#error(`${test} takes an attribute name`, first.position)
    if (second !== undefined) this.#checkDistinct(first, [second], test)
    if (test === 'attribute_type') this.#checkType(second!)
    if (test === 'begins_with') {
      for (const operand of operands) {
        if (operand.kind === 'literal' && typeOf(operand.value) !== 'S') {
          throw this.#error("begins_with compares strings: write the start as 'text'", operand.position)
        }
        if (operand.kind === 'size') throw this.#error('begins_with compares strings, and size is a number', position)
      }
    }
    return { kind: 'test', test, operands }
  }

  /** Of what comes next, if that is the name of a function and a parenthesis. */
  #functionHere(): Test | 'size' | undefined {
    const { kind, text } = this.#token
    const after = this.#tokens[this.#next + 1]!
    if (kind !== 'word' || after.kind !== 'symbol' || after.text !== '(' || KEYWORDS.has(text.toUpperCase()))
      return undefined
    const name = text.toLowerCase()
    if (name === 'size' || Object.hasOwn(TESTS, name)) return name as Test | 'size'
    throw this.#error(`there is no function ${text}: use size, ${Object.keys(TESTS).join(', ')}`)
  }

  #operand(expected: string): Operand {
    const token = this.#token
    const { kind, text, position } = token
    if (kind === 'string') {
      this.#next += 1
      // For what no string may hold.
      return this.#literal(() => {
        this.#encoder.encodeValue(text)
        return { S: text }
      }, position)
    }
    if (kind === 'number') {
      this.#next += 1
      return this.#literal(() => ({ N: canonicalNumber(text) }), position)
    }
    const called = this.#functionHere()
    if (called === 'size') {
      this.#next += 2
      const inner = this.#operand('a name')
      if (inner.kind !== 'path') throw this.#error('size takes an attribute name', inner.position)
      if (!this.#takeSymbol(')')) throw this.#error('expected )')
      return { kind: 'size', path: inner, position }
    }
    if (called !== undefined) throw this.#error(`${called} is a condition, not a value`)
    const constant = kind === 'word' ? CONSTANTS.get(text.toUpperCase()) : undefined
    if (constant !== undefined) {
      this.#next += 1
      const after = this.#token
      if (after.kind === 'index' || (after.kind === 'symbol' && after.text === '.')) {
        throw this.#error(`${text} is a constant here: write an attribute with that name in double quotes`, position)
      }
      return { kind: 'literal', value: constant, position }
    }
    if (kind === 'name' || (kind === 'word' && !KEYWORDS.has(text.toUpperCase()))) return this.#path()
    if (kind === 'word') {
      throw this.#error(`expected ${expected}: write an attribute called ${text} in double quotes, "${text}"`)
    }
    throw this.#error(`expected ${expected}`)
  }

  #path(): Path {
    const { position } = this.#token
    const steps: Step[] = [this.#name()]
    for (;;) {
      if (this.#takeSymbol('.')) {
        const { kind } = this.#token
        if (kind !== 'name' && kind !== 'word') {
          throw this.#error('expected a name after the dot: write a name that starts with a digit in double quotes')
        }
        steps.push(this.#name())
      } else if (this.#token.kind === 'index') {
        const index = Number(this.#token.text)
        if (index > INDEX_MAX) throw this.#error(`${this.#token.text} is not a valid list index`)
        steps.push(index)
        this.#next += 1
      } else {
        return { kind: 'path', steps: steps as [string, ...Step[]], position }
      }
    }
  }

  #name(): string {
    const { text } = this.#token
    if (text === '') throw this.#error('a name cannot be empty: write an empty string in single quotes')
    this.#next += 1
    return text
  }

  #literal(make: () => AttributeJson, position: number): Literal {
    try {
      return { kind: 'literal', value: make(), position }
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      throw this.#error(error.message, position)
    }
  }

  #checkType(operand: Operand): void {
    if (operand.kind === 'literal' && TYPES.includes((operand.value as { S?: string }).S ?? '')) return
    const types = TYPES.map((type) => `'${type}'`).join(', ')
    throw this.#error(`expected a type in single quotes: ${types}`, operand.position)
  }

  /** The service refuses an operand that is compared with itself, and it is never what was meant. */
  #checkDistinct(first: Operand, rest: readonly Operand[], operator: string): void {
    if (first.kind === 'literal') return
    for (const other of rest) {
      if (other.kind !== first.kind || !isDeepStrictEqual(stepsOf(first), stepsOf(other))) continue
      const name = pathText(stepsOf(first))
      throw this.#error(
        `${operator} compares ${name} with itself: write a string in single quotes, '${name}'`,
        other.position,
      )
    }
  }

  #checkOrdered(operand: Operand, operator: string): void {
    if (operand.kind !== 'literal') return
    const type = typeOf(operand.value)
    if (type === 'S' || type === 'N') return
    const name = type === 'BOOL' ? 'true or false' : 'null'
    throw this.#error(`${operator} compares strings and numbers, not ${name}`, operand.position)
  }

  get #token(): Token {
    return this.#tokens[this.#next]!
  }

  #isEnd(): boolean {
    return this.#token.kind === 'end'
  }

  #isSymbol(text: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === text
  }

  #takeSymbol(text: string): boolean {
    if (!this.#isSymbol(text)) return false
    this.#next += 1
    return true
  }

  #takeKeyword(word: string): boolean {
    const { kind, text } = this.#token
    if (kind !== 'word' || text.toUpperCase() !== word) return false
    this.#next += 1
    return true
  }

  #error(problem: string, position: number = this.#token.position): Error {
    return expressionError(this.#source, position, problem)
  }
}

function stepsOf(operand: Operand): readonly Step[] {
  return operand.kind === 'path' ? operand.steps : operand.kind === 'size' ? operand.path.steps : []
}
