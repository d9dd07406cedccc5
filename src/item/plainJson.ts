import { parseJson, parseJsonString } from '../runtime/parseJson.ts'
import { NESTING_MAX, type PlainValue } from './attributeValue.ts'
import { ItemError } from './itemError.ts'
import { plainNumber } from './number.ts'

/**
 * Parses ordinary JSON text to plain values, exactly: a number that a double can not hold becomes a `bigint` or a
 * `NumberValue`. Names such as `__proto__` and `constructor` are data like any other; of a name given twice the last
 * value counts.
 *
 * @throws {ItemError} for text that is not JSON (the message names the column, counted from 1), for nesting that
 *   DynamoDB does not store, and for numbers that it does not hold.
 */
export function parsePlainJson(text: string): PlainValue {
  // Almost every record is safe in the hands of JSON.parse; what is not, or fails there, goes the exact road.
  if (!losesDigits(text) && !mayNestTooDeep(text)) {
    try {
      return parseJson(text) as PlainValue
    } catch {
      // The exact road finds the same fault and words it for people.
    }
  }
  return new ExactParser(text, NESTING_MAX).document()
}

/** What keeps `JSON.parse` from reading this text, in the words of {@link parsePlainJson}. */
export function jsonFault(text: string): ItemError {
  try {
    new ExactParser(text, FAULT_LEVELS_MAX).document()
  } catch (error) {
    if (error instanceof ItemError) return error
    throw error
  }
  return new ItemError('not valid JSON')
}

/** More than DynamoDB JSON of any storable depth has, which takes several brackets a level. */
const FAULT_LEVELS_MAX = 200

/**
 * Numbers that a double could change: 16 digits or more, or an exponent of three digits or more. Fewer digits always
 * survive text -> double -> text, and with a smaller exponent they stay within DynamoDB's range. It also matches inside
 * of strings; that only costs time.
 */
const RISKY_NUMBER = /[\s,:[]-?(?:[\d.]{16,}|[\d.]+[eE][+-]?\d{3})[\d.eE+-]*/g

function losesDigits(text: string): boolean {
  // A text may be a number alone. A lookbehind would find it, and takes twice the time on every record.
  const searched = text.charCodeAt(0) === OPEN_BRACE ? text : ` ${text}`
  RISKY_NUMBER.lastIndex = 0
  for (let match = RISKY_NUMBER.exec(searched); match !== null; match = RISKY_NUMBER.exec(searched)) {
    const token = match[0].slice(1)
    // What JavaScript prints back unchanged it holds exactly: coordinates and such, written by another double.
    if (`${+token}` !== token || token.includes('e')) return true
  }
  return false
}

/** Whether more brackets are open at once than values may nest: then something may stand too deep. */
function mayNestTooDeep(text: string): boolean {
  let brackets = 0
  for (let at = text.indexOf('{'); at !== -1 && brackets <= NESTING_MAX; at = text.indexOf('{', at + 1)) brackets += 1
  for (let at = text.indexOf('['); at !== -1 && brackets <= NESTING_MAX; at = text.indexOf('[', at + 1)) brackets += 1
  if (brackets <= NESTING_MAX) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at += 1
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) {
      inString = true
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1
      if (depth > NESTING_MAX) return true
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1
    }
  }
  return false
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** The exact road: recursive descent, its depth bounded by what DynamoDB stores. */
class ExactParser {
  readonly #text: string
  readonly #levelsMax: number
  readonly #path: (string | number)[] = []
  #at = 0
  #depth = 0

  /** @param levelsMax how deep values may stand, the document being level 0 */
  constructor(text: string, levelsMax: number) {
    this.#text = text
    this.#levelsMax = levelsMax
  }

  document(): PlainValue {
    const value = this.#value()
    if (!Number.isNaN(this.#peek())) this.#fail('the end of the text')
    return value
  }

  #value(): PlainValue {
    const code = this.#peek()
    if (this.#depth > this.#levelsMax && !Number.isNaN(code)) {
      throw new ItemError(`nested deeper than ${NESTING_MAX} levels (at column ${this.#at + 1})`)
    }
    if (code === OPEN_BRACE) return this.#object()
    if (code === OPEN_BRACKET) return this.#array()
    if (code === QUOTE) return this.#string()
    if (this.#take('true')) return true
    if (this.#take('false')) return false
    if (this.#take('null')) return null
    return this.#number()
  }

  #object(): PlainValue {
    this.#enter()
    const value: Record<string, PlainValue> = {}
    if (this.#peek() === CLOSE_BRACE) return this.#leave(value)
    for (;;) {
      if (this.#peek() !== QUOTE) this.#fail('a name in double quotes')
      const name = this.#string()
      if (this.#peek() !== COLON) this.#fail('":"')
      this.#at += 1
      this.#path.push(name)
      const member = this.#value()
      this.#path.pop()
      // Assigning to __proto__ would change what the object is instead of what it holds.
      if (name === '__proto__') {
        Object.defineProperty(value, name, { value: member, enumerable: true, configurable: true, writable: true })
      } else {
        value[name] = member
      }
      const code = this.#peek()
      if (code === CLOSE_BRACE) return this.#leave(value)
      if (code !== COMMA) this.#fail('"," or "}"')
      this.#at += 1
    }
  }

  #array(): PlainValue {
    this.#enter()
    const value: PlainValue[] = []
    if (this.#peek() === CLOSE_BRACKET) return this.#leave(value)
    for (;;) {
      this.#path.push(value.length)
      value.push(this.#value())
      this.#path.pop()
      const code = this.#peek()
      if (code === CLOSE_BRACKET) return this.#leave(value)
      if (code !== COMMA) this.#fail('"," or "]"')
      this.#at += 1
    }
  }

  #enter(): void {
    this.#depth += 1
    this.#at += 1
  }

  #leave<Value extends PlainValue>(value: Value): Value {
    this.#depth -= 1
    this.#at += 1
    return value
  }

  #string(): string {
    const start = this.#at
    let end = start + 1
    for (;;) {
      const code = this.#text.charCodeAt(end)
      if (code === QUOTE) break
      if (Number.isNaN(code)) {
        throw new ItemError(`not valid JSON: the text ends inside the string that starts at column ${start + 1}`)
      }
      end += code === BACKSLASH ? 2 : 1
    }
    this.#at = end + 1
    try {
      // Unescapes, refuses control characters, and copies, so that the string does not keep the whole text alive.
      return parseJsonString(this.#text.slice(start, end + 1))
    } catch {
      throw new ItemError(
        `not valid JSON: the string that starts at column ${start + 1} contains a control character or an invalid escape`,
      )
    }
  }

  #number(): PlainValue {
    NUMBER.lastIndex = this.#at
    const token = NUMBER.exec(this.#text)?.[0]
    if (token === undefined) this.#fail('a value')
    this.#at += token.length
    if (token.length <= 15 && !/[eE]/.test(token)) return +token
    try {
      return plainNumber(token)
    } catch (error) {
      throw new ItemError((error as Error).message, this.#pathText())
    }
  }

  /** The next character that is not white space, left where it is; NaN at the end. */
  #peek(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return code
      this.#at += 1
    }
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #fail(expected: string): never {
    const found = this.#text.codePointAt(this.#at)
    throw new ItemError(
      found === undefined
        ? `not valid JSON: expected ${expected} at column ${this.#at + 1}, but the text ends`
        : `not valid JSON: expected ${expected} at column ${this.#at + 1}, not ${JSON.stringify(String.fromCodePoint(found))}`,
    )
  }

  #pathText(): string {
    let text = ''
    for (const step of this.#path) {
      if (typeof step === 'number') text += `[${step}]`
      else text += text === '' ? step : `.${step}`
    }
    return text
  }
}
