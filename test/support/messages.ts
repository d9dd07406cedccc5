import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A text that the product shows a person, as its source has it. */
export interface Message {
  /** Below the root of the project, such as `src/job/tally.ts`. */
  readonly file: string
  /** Where the text starts, from 1 on. */
  readonly line: number
  /** Without quotes; what `+` joins is one text, and each `${…}` one word. */
  readonly text: string
}

interface Literal {
  readonly text: string
  /** Behind its closing quote. */
  readonly end: number
}

/** Stands for a value that only a run knows. */
const VALUE = 'VALUE'
/** The calls whose arguments people read. Not those of the simulated service: it repeats what AWS says. */
const CALL =
  /\bnew (?!ServiceError\b)(?:[A-Z]\w*)?Error\(|(?<!\bfunction )\b(?:say|tell|warn|notice|onWarning|onNotice|onIncomplete|refuse|refused|sentence|broken|fail|unreadable|faultOf|expressionError|error|push)(?:\?\.)?\(/g
/** A text of fewer words is a name or the end of another text. */
const WORDS_MIN = 3

/**
 * Collects the texts of errors, warnings and notices: the literals in the arguments of the calls that show them. A simple
 * scanner, which knows strings, templates, comments and brackets, and no more of the language.
 *
 * @param root of the project
 */
export function messagesOf(root: string): readonly Message[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => messagesIn(file, readFileSync(join(root, file), 'utf8')))
}

/** Collects those of one source. */
export function messagesIn(file: string, source: string): readonly Message[] {
  const code = withoutComments(source)
  const found = new Map<number, string>()
  for (const { 0: call, index } of code.matchAll(CALL)) {
    for (const [start, text] of textsBehind(code, index + call.length))
      if (text.split(/\s+/).filter((word) => /\p{L}{2}/u.test(word)).length >= WORDS_MIN) found.set(start, text)
  }
  return [...found]
    .sort(([one], [other]) => one - other)
    .map(([start, text]) => ({ file, line: code.slice(0, start).split('\n').length, text }))
}

/** The texts between here and the bracket that closes the call, by where they start. */
function textsBehind(code: string, from: number): Map<number, string> {
  const texts = new Map<number, string>()
  let depth = 1
  for (let at = from; at < code.length && depth > 0; ) {
    const character = code[at]!
    if (isQuote(character)) {
      const start = at
      let { text, end } = literalAt(code, at)
      for (let next = joinedAt(code, end); next !== undefined; next = joinedAt(code, end)) {
        const more = literalAt(code, next)
        text += more.text
        end = more.end
      }
      texts.set(start, text)
      at = end
      continue
    }
    if ('([{'.includes(character)) depth += 1
    if (')]}'.includes(character)) depth -= 1
    at += 1
  }
  return texts
}

/** Where the literal starts that `+` joins to the one that ends here; undefined if there is none. */
function joinedAt(code: string, end: number): number | undefined {
  const plus = /\s*\+\s*(?=['"`])/y
  plus.lastIndex = end
  return plus.test(code) ? plus.lastIndex : undefined
}

function literalAt(code: string, start: number): Literal {
  const quote = code[start]!
  let text = ''
  let at = start + 1
  while (at < code.length && code[at] !== quote) {
    if (code[at] === '\\') {
      text += code[at + 1] === 'n' ? '\n' : code[at + 1]
      at += 2
    } else if (quote === '`' && code.startsWith('${', at)) {
      at = placeholderEnd(code, at + 2)
      text += VALUE
    } else {
      text += code[at]
      at += 1
    }
  }
  return { text, end: at + 1 }
}

/** Behind the brace that closes it; literals and braces may stand within. */
function placeholderEnd(code: string, from: number): number {
  let depth = 1
  let at = from
  while (at < code.length && depth > 0) {
    const character = code[at]!
    if (isQuote(character)) {
      at = literalAt(code, at).end
      continue
    }
    if (character === '{') depth += 1
    if (character === '}') depth -= 1
    at += 1
  }
  return at
}

function isQuote(character: string): boolean {
  return character === "'" || character === '"' || character === '`'
}

/** The same lines and places. Only comments that have a line, or its end, to themselves: others look like addresses. */
function withoutComments(source: string): string {
  return source.replace(/\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm, (comment) => comment.replace(/[^\n]/g, ' '))
}
