import { expressionError } from './expressionError.ts'

/** One word or sign of an expression. */
export interface Token {
  /** `name` is a word in double quotes; `word` is bare, and may be a name, a keyword, a constant or a function. */
  readonly kind: 'string' | 'name' | 'number' | 'word' | 'symbol' | 'index' | 'end'
  /** Without quotes; of an index the digits. */
  readonly text: string
  /** Of its first character in the source, from 0 on. */
  readonly position: number
}

const BLANK = /\s+/y
const STRING = /'((?:[^']|'')*)'/y
const NAME = /"((?:[^"]|"")*)"/y
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.])/uy
const WORD = /[\p{L}_][\p{L}\p{N}_-]*/uy
const INDEX = /\[\s*(\d+)\s*\]/y
const SYMBOL = /<>|<=|>=|[=<>(),.]/y

/** What people write out of habit, and what stands here in its place. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/'/y, "this string is not closed: add a closing ' (a quote inside a string is written '')"],
  [/"/y, 'this name is not closed: add a closing " (a quote inside a name is written "")'],
  [/!=/y, 'write <> for "not equal"'],
  [/&&?/y, 'write AND'],
  [/\|\|?/y, 'write OR'],
  [/!/y, 'write NOT'],
  [/[‘’“”„«»]/y, `use straight quotes: '…' for a string, "…" for a name`],
  [/`/y, 'write names in double quotes, "…", and strings in single quotes'],
  [/:/y, "write the value itself, such as 'text' or 12: Headrace makes the aliases"],
  [/#/y, 'write the name itself, in double quotes if it has special characters: Headrace makes the aliases'],
  [/\[/y, 'a list index is a whole number, such as [0]'],
  [/[+-]?[\d.]/y, 'expected a number such as 12 or 0.5: write names that start with a digit in double quotes'],
]

/**
 * Cuts an expression into words and signs; the last token has the kind `end`.
 *
 * @throws {HeadraceError} `CONFIGURATION` for what is none of them
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    return pattern.exec(source)
  }
  const take = (kind: Token['kind'], pattern: RegExp, textOf: (found: RegExpExecArray) => string): boolean => {
    const found = match(pattern)
    if (found === null) return false
    tokens.push({ kind, text: textOf(found), position })
    position += found[0].length
    return true
  }
  while (position < source.length) {
    const blank = match(BLANK)
    if (blank !== null) {
      position += blank[0].length
      continue
    }
    const isTaken =
      take('string', STRING, (found) => found[1]!.replaceAll("''", "'")) ||
      take('name', NAME, (found) => found[1]!.replaceAll('""', '"')) ||
      // Behind a name a point leads to a member of a map, and is no decimal point.
      (!endsPath(source, position, tokens) && take('number', NUMBER, (found) => found[0])) ||
      take('word', WORD, (found) => found[0]) ||
      take('index', INDEX, (found) => found[1]!) ||
      take('symbol', SYMBOL, (found) => found[0])
    if (!isTaken) {
      const habit = HABITS.find(([pattern]) => match(pattern) !== null)
      throw expressionError(source, position, habit?.[1] ?? 'expected a name, a value or an operator')
    }
  }
  tokens.push({ kind: 'end', text: '', position: source.length })
  return tokens
}

function endsPath(source: string, position: number, tokens: readonly Token[]): boolean {
  if (source[position] !== '.') return false
  const last = tokens.at(-1)?.kind
  return last === 'word' || last === 'name' || last === 'index'
}
