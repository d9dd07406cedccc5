import { type Attributes, type AttributeValue, isSame } from './attributes.ts'
import { compareNumbers } from './decimal.ts'
import { invalid } from './serviceError.ts'

/** What an expression's aliases stand for. */
export interface Aliases {
  readonly names: { readonly [alias: string]: string }
  readonly values: { readonly [alias: string]: AttributeValue }
}

/** Whether a condition or filter holds for an item; for no item it sees one without attributes. */
export type Condition = (item: Attributes) => boolean

const TOKEN = /\s*(#\w+|:\w+|[A-Za-z_]\w*|<>|<=|>=|[=<>(),])/y

/**
 * Reads the part of the expression language that bulk work needs: comparisons of top-level attributes with values,
 * `attribute_exists`, `attribute_not_exists`, `begins_with`, AND, OR, NOT and parentheses.
 *
 * @throws {ServiceError} for anything else, rather than to get it wrong
 */
export function readCondition(expression: string, aliases: Aliases): Condition {
  const reader = new Reader(expression, aliases)
  const condition = reader.either()
  reader.end()
  return condition
}

class Reader {
  readonly #tokens: string[] = []
  readonly #aliases: Aliases
  #next = 0

  constructor(expression: string, aliases: Aliases) {
    this.#aliases = aliases
    TOKEN.lastIndex = 0
    let end = 0
    for (let match = TOKEN.exec(expression); match !== null; match = TOKEN.exec(expression)) {
      this.#tokens.push(match[1]!)
      end = TOKEN.lastIndex
    }
    if (expression.slice(end).trim() !== '') throw invalid(`Invalid expression: Syntax error; near: ${expression}`)
  }

  end(): void {
    if (this.#next < this.#tokens.length) throw invalid(`Invalid expression: Syntax error; token: ${this.#peek()}`)
  }

  either(): Condition {
    let left = this.#both()
    while (this.#takeWord('OR')) {
      const [one, other] = [left, this.#both()]
      left = (item) => one(item) || other(item)
    }
    return left
  }

  #both(): Condition {
    let left = this.#single()
    while (this.#takeWord('AND')) {
      const [one, other] = [left, this.#single()]
      left = (item) => one(item) && other(item)
    }
    return left
  }

  #single(): Condition {
    if (this.#takeWord('NOT')) {
      const inner = this.#single()
      return (item) => !inner(item)
    }
    if (this.#take('(')) {
      const inner = this.either()
      this.#expect(')')
      return inner
    }
    const token = this.#peek()
    if (/^(?:attribute_exists|attribute_not_exists|begins_with)$/.test(token)) return this.#call(token)
    const left = this.#operand()
    const operator = this.#pop()
    const right = this.#operand()
    return (item) => compare(left(item), operator, right(item))
  }

  #call(name: string): Condition {
    this.#next += 1
    this.#expect('(')
    const operand = this.#operand()
    if (name === 'begins_with') {
      this.#expect(',')
      const start = this.#operand()
      this.#expect(')')
      return (item) => {
        const [one, other] = [bytesOf(operand(item)), bytesOf(start(item))]
        return (
          one?.type === other?.type &&
          one !== undefined &&
          one.bytes.subarray(0, other!.bytes.length).equals(other!.bytes)
        )
      }
    }
    this.#expect(')')
    return (item) => (operand(item) !== undefined) === (name === 'attribute_exists')
  }

  #operand(): (item: Attributes) => AttributeValue | undefined {
    const token = this.#pop()
    if (token.startsWith(':')) {
      const value = this.#aliases.values[token]
      if (value === undefined) throw invalid(`Invalid expression: a value used in it is not defined: ${token}`)
      return () => value
    }
    const name = token.startsWith('#') ? this.#aliases.names[token] : token
    if (name === undefined || !/^[#A-Za-z_]/.test(token)) {
      throw invalid(`Invalid expression: a name used in it is not defined: ${token}`)
    }
    return (item) => item[name]
  }

  #peek(): string {
    return this.#tokens[this.#next] ?? '<EOF>'
  }

  #pop(): string {
    const token = this.#peek()
    this.#next += 1
    return token
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#next += 1
    return true
  }

  #takeWord(word: string): boolean {
    return this.#peek().toUpperCase() === word && this.#take(this.#peek())
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw invalid(`Invalid expression: Syntax error; token: ${this.#peek()}`)
  }
}

function compare(left: AttributeValue | undefined, operator: string, right: AttributeValue | undefined): boolean {
  if (operator === '=' || operator === '<>') {
    const same = left !== undefined && right !== undefined && isSame(left, right)
    return same === (operator === '=')
  }
  if (!/^[<>]=?$/.test(operator)) throw invalid(`Invalid expression: Syntax error; token: ${operator}`)
  const type = left === undefined ? '' : Object.keys(left)[0]!
  const one = left?.[type]
  const other = right?.[type]
  if (typeof one !== 'string' || typeof other !== 'string') return false
  const encoding = type === 'B' ? 'base64' : 'utf8'
  const order =
    type === 'N' ? compareNumbers(one, other) : Buffer.compare(Buffer.from(one, encoding), Buffer.from(other, encoding))
  if (order === 0) return operator.length === 2
  return order < 0 === operator.startsWith('<')
}

/** Of a string or binary; undefined for anything else. */
function bytesOf(value: AttributeValue | undefined): { readonly type: string; readonly bytes: Buffer } | undefined {
  const { S: text, B: binary } = value ?? {}
  if (typeof text === 'string') return { type: 'S', bytes: Buffer.from(text) }
  return typeof binary === 'string' ? { type: 'B', bytes: Buffer.from(binary, 'base64') } : undefined
}
