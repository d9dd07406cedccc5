import { ItemEncoder } from '../item/encode.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

/** A condition, filter or projection with every name and value behind an alias. */
export interface Expression {
  readonly text: string
  /** `#n0` to attribute name. */
  readonly names: { readonly [alias: string]: string }
  /** `:v0` to the value's DynamoDB JSON text. */
  readonly values: { readonly [alias: string]: string }
}

const KEYWORDS = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN'])
const FUNCTIONS = new Set([
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
  'size',
])
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

const TOKEN =
  /\s+|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_][\w-]*)|(<>|<=|>=|=|<|>|\(|\)|,|\.|\[\d+\])|(.)/gsy

/**
 * Reads a filter as people write it, `country = 'NO' and population > 1000 and attribute_exists("my name")`, and puts
 * every name and value behind an alias, so that reserved words and odd names need no care and data can not become syntax.
 *
 * Strings stand in single quotes ('' is a quote), names with unusual letters in double quotes; `true`, `false`, `null` and
 * numbers are values; functions and operators are DynamoDB's (developer guide, "Comparison operator and function
 * reference").
 *
 * @throws {HeadraceError} `CONFIGURATION` naming the place of what is not understood
 */
export function compileExpression(source: string): Expression {
  const encoder = new ItemEncoder()
  const names = new Map<string, string>()
  const values: { [alias: string]: string } = {}
  let text = ''
  let valueCount = 0
  const addValue = (value: unknown): void => {
    const alias = `:v${valueCount}`
    valueCount += 1
    values[alias] = encoder.encodeValue(value)
    text += alias
  }
  const addName = (name: string): void => {
    let alias = names.get(name)
    if (alias === undefined) {
      alias = `#n${names.size}`
      names.set(name, alias)
    }
    text += alias
  }
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(source); match !== null; match = TOKEN.exec(source)) {
    const [whole, string, quotedName, number, word, symbol, other] = match
    if (other !== undefined) {
      throw new HeadraceError(
        'CONFIGURATION',
        `the expression is not understood at character ${match.index + 1}: …${source.slice(match.index, match.index + 20)}`,
      )
    }
    if (string !== undefined) addValue(string.replaceAll("''", "'"))
    else if (quotedName !== undefined) addName(quotedName.replaceAll('""', '"'))
    else if (number !== undefined) text += addNumber(number, values, valueCount++)
    else if (symbol !== undefined) text += symbol
    else if (word === undefined) text += whole.length > 0 ? ' ' : ''
    else if (KEYWORDS.has(word.toUpperCase())) text += word.toUpperCase()
    else if (FUNCTIONS.has(word) && /^\s*\(/.test(source.slice(TOKEN.lastIndex))) text += word
    else if (CONSTANTS.has(word)) addValue(CONSTANTS.get(word))
    else addName(word)
  }
  return { text: text.trim(), names: Object.fromEntries([...names].map(([name, alias]) => [alias, name])), values }
}

function addNumber(number: string, values: { [alias: string]: string }, index: number): string {
  values[`:v${index}`] = `{"N":${JSON.stringify(number)}}`
  return `:v${index}`
}

/** A projection of these attributes, each a top-level name taken literally. */
export function compileProjection(attributes: readonly string[]): Expression {
  const names = Object.fromEntries(attributes.map((name, index) => [`#p${index}`, name]))
  return { text: Object.keys(names).join(', '), names, values: {} }
}
