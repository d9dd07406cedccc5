import { expressionError } from './expressionError.ts'
import type { Condition, Operand, Path } from './tree.ts'

/** A condition, filter or projection with every name and value behind an alias. */
export interface ServiceExpression {
  readonly text: string
  /** `#n0` to attribute name. */
  readonly names: { readonly [alias: string]: string }
  /** `:v0` to the value's DynamoDB JSON text. */
  readonly values: { readonly [alias: string]: string }
}

/** What the service takes (developer guide, "Quotas": expression parameters). */
const TEXT_BYTES_MAX = 4_096
const OPERATORS_MAX = 300

/**
 * Writes a condition as the service reads it. Every name and value stands behind an alias, so that reserved words and odd
 * names need no care and data cannot become syntax; and no parenthesis is written that the service would call redundant.
 *
 * @throws {HeadraceError} `CONFIGURATION` for a condition that is longer than the service takes
 */
export function compileForService(source: string, condition: Condition): ServiceExpression {
  const writer = new Writer()
  const text = writer.condition(condition, 0)
  if (text.length > TEXT_BYTES_MAX || writer.operators > OPERATORS_MAX) {
    throw expressionError(
      source,
      0,
      `it is too long for DynamoDB: ${writer.operators} operators (at most ${OPERATORS_MAX}) in ` +
        `${text.length} bytes (at most ${TEXT_BYTES_MAX}). Split it into several jobs`,
    )
  }
  return { text, names: Object.fromEntries(writer.names), values: Object.fromEntries(writer.values) }
}

/** A projection of these attributes, each a top-level name taken literally. */
export function compileProjection(attributes: readonly string[]): ServiceExpression {
  const names = Object.fromEntries(attributes.map((name, index) => [`#p${index}`, name]))
  return { text: Object.keys(names).join(', '), names, values: {} }
}

/** How tightly each kind binds. */
const RANKS = { or: 1, and: 2, not: 3, comparison: 4, between: 4, in: 4, test: 4 }

class Writer {
  readonly #aliases = new Map<string, string>()
  readonly values: [string, string][] = []
  operators = 0

  get names(): [string, string][] {
    return Array.from(this.#aliases, ([name, alias]) => [alias, name])
  }

  condition(condition: Condition, outer: number): string {
    const rank = RANKS[condition.kind]
    const text = this.#inner(condition, rank)
    return rank < outer ? `(${text})` : text
  }

  #inner(condition: Condition, rank: number): string {
    this.operators += 1
    switch (condition.kind) {
      case 'and':
      case 'or': {
        this.operators += condition.parts.length - 2
        const word = condition.kind === 'and' ? ' AND ' : ' OR '
        return condition.parts.map((part) => this.condition(part, rank + 1)).join(word)
      }
      case 'not':
        return `NOT ${this.condition(condition.part, rank + 1)}`
      case 'comparison':
        return `${this.#operand(condition.left)} ${condition.operator} ${this.#operand(condition.right)}`
      case 'between': {
        const { operand, low, high } = condition
        return `${this.#operand(operand)} BETWEEN ${this.#operand(low)} AND ${this.#operand(high)}`
      }
      case 'in':
        return `${this.#operand(condition.operand)} IN (${this.#operands(condition.choices)})`
      default:
        return `${condition.test}(${this.#operands(condition.operands)})`
    }
  }

  #operands(operands: readonly Operand[]): string {
    return operands.map((operand) => this.#operand(operand)).join(', ')
  }

  #operand(operand: Operand): string {
    if (operand.kind === 'path') return this.#path(operand)
    if (operand.kind === 'size') {
      this.operators += 1
      return `size(${this.#path(operand.path)})`
    }
    const alias = `:v${this.values.length}`
    this.values.push([alias, JSON.stringify(operand.value)])
    return alias
  }

  #path({ steps }: Path): string {
    let text = ''
    for (const step of steps) {
      if (typeof step === 'number') text += `[${step}]`
      else text += `${text === '' ? '' : '.'}${this.#alias(step)}`
    }
    return text
  }

  #alias(name: string): string {
    let alias = this.#aliases.get(name)
    if (alias === undefined) {
      alias = `#n${this.#aliases.size}`
      this.#aliases.set(name, alias)
    }
    return alias
  }
}
