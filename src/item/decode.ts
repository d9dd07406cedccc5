import { parseJson, parseJsonString } from '../runtime/parseJson.ts'
import { NESTING_MAX, type PlainItem } from './attributeValue.ts'
import { bytesFromBase64 } from './base64.ts'
import { ItemError } from './itemError.ts'
import { NumberValue, plainNumber } from './number.ts'
import { jsonFault } from './plainJson.ts'

/**
 * DynamoDB JSON text to plain JavaScript, without AttributeValue objects in between.
 *
 * The items of a page mostly have the same attributes in the same order, and the service writes compact JSON. So the
 * decoder *expects* what came before: after `"pk":{"S":"…"}` of one item it looks for precisely the text
 * `,"name":{"S":"` that followed last time, then for the few others that have followed, and only where none is there reads
 * name and type letter by letter and learns them. Everything is checked: an expectation that fails costs time, never correctness. Text that is not in the
 * service's own compact form (blanks, escapes in names), or wrong, is left to `JSON.parse` and {@link decodeItem}, see
 * `decodeText`.
 *
 * Strings of a page would be slices that keep the whole page alive; {@link ownString} prevents that.
 */
export class ItemDecoder {
  #text = ''
  #position = 0
  /** Where the next backslash is, so that a string without one is known as such at no cost. */
  #nextEscape = 0
  #root: Expectation = new Expectation()
  /** Attributes that the root and all beneath it have learnt. */
  #learnt = 0
  #spans: AttributeSpans | undefined

  /** Where reading stopped: just behind the last item read. */
  get position(): number {
    return this.#position
  }

  /** Begins to read `text`; every `read` goes on from `position`. */
  open(text: string, position = 0): void {
    this.#text = text
    this.#position = position
    this.#nextEscape = -2
  }

  close(): void {
    this.#text = ''
    this.#spans = undefined
  }

  /** From now on until `close`, notes where the attributes of each item stand in the text. */
  record(spans: AttributeSpans): void {
    this.#spans = spans
  }

  /**
   * The one item that `text` is, in any JSON spelling (blanks, escapes). What was learnt is kept for the next text.
   *
   * @throws {ItemError} naming the attribute, for what is not DynamoDB JSON.
   */
  decodeText(text: string): PlainItem {
    // JSON has no bare control characters in strings, and compact JSON has none at all.
    if (!CONTROL_CHARACTER.test(text)) {
      this.open(text)
      try {
        const item = this.readItem()
        if (this.#position === text.length) return item
      } catch (error) {
        if (!(error instanceof UnexpectedText)) throw error
      } finally {
        this.close()
      }
    }
    let attributes: unknown
    try {
      attributes = parseJson(text)
    } catch {
      throw jsonFault(text)
    }
    return decodeItem(attributes)
  }

  /**
   * The item that begins at `position` with `{`.
   *
   * @throws {UnexpectedText} when the text is not compact DynamoDB JSON. `position` is then undefined.
   */
  readItem(): PlainItem {
    if (this.#text.charCodeAt(this.#position) !== BRACE_OPEN) throw new UnexpectedText(this.#position)
    this.#position += 1
    if (this.#learnt > LEARNT_MAX) {
      this.#root = new Expectation()
      this.#learnt = 0
    }
    return this.#map(this.#root, 0)
  }

  /**
   * The items from behind `[` to behind the matching `]`, handed to `take` one by one.
   *
   * @throws {UnexpectedText} as {@link readItem}.
   */
  readItems(take: (item: PlainItem) => void): void {
    const text = this.#text
    if (text.charCodeAt(this.#position) === BRACKET_CLOSE) {
      this.#position += 1
      return
    }
    for (;;) {
      this.#spans?.itemStarts.push(this.#spans.names.length)
      take(this.readItem())
      const code = text.charCodeAt(this.#position)
      this.#position += 1
      if (code === BRACKET_CLOSE) return
      if (code !== COMMA) throw new UnexpectedText(this.#position - 1)
    }
  }

  /** From behind `{` to behind the matching `}`. */
  #map(expectation: Expectation, depth: number): { [name: string]: unknown } {
    const text = this.#text
    const map: { [name: string]: unknown } = {}
    if (text.charCodeAt(this.#position) === BRACE_CLOSE) {
      this.#position += 1
      return map
    }
    let last = expectation.start
    for (;;) {
      let attribute = last.next
      if (attribute === undefined || !text.startsWith(attribute.head, this.#position)) {
        attribute = this.#another(last) ?? this.#unexpected(expectation, last)
      }
      last = attribute
      this.#position += attribute.head.length
      const start = this.#position - attribute.valueOffset
      const value = this.#value(attribute, depth + 1)
      if (depth === 0 && this.#spans !== undefined) {
        this.#spans.names.push(attribute.name)
        this.#spans.starts.push(start)
        this.#spans.ends.push(this.#position)
      }
      if (attribute.dangerous) define(map, attribute.name, value)
      else map[attribute.name] = value
      const code = text.charCodeAt(this.#position)
      if (code === COMMA) continue
      if (code !== BRACE_CLOSE) throw new UnexpectedText(this.#position)
      this.#position += 1
      return map
    }
  }

  /** One of the others that came behind `last` before, which is then the one to expect. */
  #another(last: Attribute): Attribute | undefined {
    const { others } = last
    for (let index = 0; index < others.length; index += 1) {
      const other = others[index]!
      if (this.#text.startsWith(other.head, this.#position)) {
        others[index] = last.next!
        last.next = other
        return other
      }
    }
    return undefined
  }

  /** Reads `,"name":{"S":"`, the comma only where the attribute is not the first, and learns that it may follow. */
  #unexpected(expectation: Expectation, last: Attribute): Attribute {
    const text = this.#text
    const start = this.#position
    const position = last === expectation.start ? start : start + 1
    if (text.charCodeAt(position) !== QUOTE) throw new UnexpectedText(position)
    const nameEnd = text.indexOf('"', position + 1)
    if (nameEnd === -1) throw new UnexpectedText(position)
    const type = this.#type(nameEnd + 1)
    if (type === undefined) throw new UnexpectedText(nameEnd + 1)
    const head = text.slice(start, nameEnd + 1 + type.head.length)
    let attribute = expectation.attributes.get(head)
    if (attribute === undefined) {
      const name = text.slice(position + 1, nameEnd)
      if (name.includes('\\')) throw new UnexpectedText(position)
      attribute = this.#learn(expectation, new Attribute(head, name, type.kind))
    }
    last.follow(attribute)
    return attribute
  }

  #learn(expectation: Expectation, attribute: Attribute): Attribute {
    expectation.attributes.set(attribute.head, attribute)
    this.#learnt += 1
    return attribute
  }

  #type(position: number): TypeHead | undefined {
    for (const type of TYPE_HEADS) if (this.#text.startsWith(type.head, position)) return type
    return undefined
  }

  /** The value whose head has been read, with all that closes it. */
  #value(attribute: Attribute, depth: number): unknown {
    switch (attribute.kind) {
      case 'S': {
        const value = this.#string()
        this.#skip(BRACE_CLOSE)
        return value
      }
      case 'N': {
        const value = this.#number()
        this.#skip(BRACE_CLOSE)
        return value
      }
      case 'BOOL':
        if (this.#text.startsWith('true}', this.#position)) {
          this.#position += 5
          return true
        }
        this.#expect('false}')
        return false
      case 'NULL':
        this.#expect('true}')
        return null
      case 'B': {
        const value = this.#bytes()
        this.#skip(BRACE_CLOSE)
        return value
      }
      case 'M': {
        if (depth >= NESTING_MAX && this.#text.charCodeAt(this.#position) !== BRACE_CLOSE) {
          throw new UnexpectedText(this.#position)
        }
        const value = this.#map(attribute.child(), depth)
        this.#skip(BRACE_CLOSE)
        return value
      }
      case 'L':
        return this.#list(attribute.child(), depth)
      case 'SS':
        return this.#set(() => this.#string())
      case 'NS':
        return this.#set(() => this.#number())
      default:
        return this.#set(() => this.#bytes())
    }
  }

  #list(expectation: Expectation, depth: number): unknown[] {
    const text = this.#text
    const list: unknown[] = []
    if (text.startsWith(']}', this.#position)) {
      this.#position += 2
      return list
    }
    if (depth >= NESTING_MAX) throw new UnexpectedText(this.#position)
    for (;;) {
      // Elements have no names: an element's head is `{"S":"`, and the expectation has one per type met.
      let element = expectation.start.next
      if (element === undefined || !text.startsWith(element.head, this.#position)) {
        element = this.#another(expectation.start) ?? this.#unexpectedElement(expectation)
      }
      this.#position += element.head.length
      list.push(this.#value(element, depth + 1))
      const code = text.charCodeAt(this.#position)
      this.#position += 1
      if (code === COMMA) continue
      if (code !== BRACKET_CLOSE) throw new UnexpectedText(this.#position - 1)
      this.#skip(BRACE_CLOSE)
      return list
    }
  }

  #unexpectedElement(expectation: Expectation): Attribute {
    const type = ELEMENT_HEADS.find(({ head }) => this.#text.startsWith(head, this.#position))
    if (type === undefined) throw new UnexpectedText(this.#position)
    const element =
      expectation.attributes.get(type.head) ?? this.#learn(expectation, new Attribute(type.head, '', type.kind))
    expectation.start.follow(element)
    return element
  }

  #set(read: () => unknown): Set<unknown> {
    const set = new Set<unknown>()
    for (let count = 1; ; count += 1) {
      this.#skip(QUOTE)
      set.add(read())
      if (set.size < count) throw new UnexpectedText(this.#position)
      const code = this.#text.charCodeAt(this.#position)
      this.#position += 1
      if (code === COMMA) continue
      if (code !== BRACKET_CLOSE) throw new UnexpectedText(this.#position - 1)
      this.#skip(BRACE_CLOSE)
      return set
    }
  }

  /** From behind the opening quote to behind the closing one. */
  #string(): string {
    const text = this.#text
    const start = this.#position
    let end = text.indexOf('"', start)
    if (this.#nextEscape !== -1 && this.#nextEscape < start) this.#nextEscape = text.indexOf('\\', start)
    if (this.#nextEscape === -1 || this.#nextEscape > end) {
      if (end === -1) throw new UnexpectedText(start)
      this.#position = end + 1
      return ownString(text, start, end)
    }
    // Escapes inside: find the true end, then let JSON.parse read them.
    end = this.#nextEscape
    for (;;) {
      const code = text.charCodeAt(end)
      if (code === QUOTE) break
      if (Number.isNaN(code)) throw new UnexpectedText(start)
      end += code === BACKSLASH ? 2 : 1
    }
    this.#position = end + 1
    return readString(text.slice(start - 1, end + 1), start)
  }

  #number(): unknown {
    const text = this.#text
    const start = this.#position
    // Small whole numbers, by far the most frequent, need no substring.
    let position = start
    let value = 0
    let code = text.charCodeAt(position)
    while (code >= 48 && code <= 57 && position - start < 15) {
      value = value * 10 + (code - 48)
      position += 1
      code = text.charCodeAt(position)
    }
    if (code === QUOTE && position > start) {
      this.#position = position + 1
      return value
    }
    const end = text.indexOf('"', start)
    if (end === -1) throw new UnexpectedText(start)
    this.#position = end + 1
    try {
      return plainNumber(text.slice(start, end))
    } catch {
      throw new UnexpectedText(start)
    }
  }

  #bytes(): Uint8Array {
    const start = this.#position
    const end = this.#text.indexOf('"', start)
    if (end === -1) throw new UnexpectedText(start)
    this.#position = end + 1
    const bytes = bytesFromBase64(this.#text.slice(start, end))
    if (bytes === undefined) throw new UnexpectedText(start)
    return bytes
  }

  #skip(code: number): void {
    if (this.#text.charCodeAt(this.#position) !== code) throw new UnexpectedText(this.#position)
    this.#position += 1
  }

  #expect(expected: string): void {
    if (!this.#text.startsWith(expected, this.#position)) throw new UnexpectedText(this.#position)
    this.#position += expected.length
  }
}

/**
 * Where the attributes of the items of one text stand in it, so that a value can be sent back as it came. Attributes of
 * item `i` are those from `itemStarts[i]` up to `itemStarts[i + 1]`.
 */
export interface AttributeSpans {
  readonly itemStarts: number[]
  readonly names: string[]
  readonly starts: number[]
  readonly ends: number[]
}

/** The text is not what the service writes; it may still be JSON. */
export class UnexpectedText extends Error {
  override readonly name = 'UnexpectedText'
  constructor(position: number) {
    super(`not compact DynamoDB JSON at character ${position}`)
  }
}

type Kind = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS'

interface TypeHead {
  readonly head: string
  readonly kind: Kind
}

/** What stands between an attribute's name and its value. */
const TYPE_HEADS: readonly TypeHead[] = [
  { head: ':{"S":"', kind: 'S' },
  { head: ':{"N":"', kind: 'N' },
  { head: ':{"BOOL":', kind: 'BOOL' },
  { head: ':{"M":{', kind: 'M' },
  { head: ':{"L":[', kind: 'L' },
  { head: ':{"NULL":', kind: 'NULL' },
  { head: ':{"B":"', kind: 'B' },
  { head: ':{"SS":[', kind: 'SS' },
  { head: ':{"NS":[', kind: 'NS' },
  { head: ':{"BS":[', kind: 'BS' },
]

const VALUE_OFFSETS = Object.fromEntries(TYPE_HEADS.map(({ head, kind }) => [kind, head.length - 1])) as Record<
  Kind,
  number
>

const ELEMENT_HEADS: readonly TypeHead[] = TYPE_HEADS.map(({ head, kind }) => ({ head: head.slice(1), kind }))

class Attribute {
  /** All of the text from the comma before the name to the first character of the value. */
  readonly head: string
  readonly name: string
  readonly kind: Kind
  /** Assigning to it would set the prototype. */
  readonly dangerous: boolean
  /** Characters from the `{` of the AttributeValue to the end of the head. */
  readonly valueOffset: number
  /** What followed last time, and what did before that. */
  next: Attribute | undefined
  readonly others: Attribute[] = []
  #child: Expectation | undefined

  constructor(head: string, name: string, kind: Kind) {
    this.head = ownString(head, 0, head.length)
    this.name = ownString(name, 0, name.length)
    this.kind = kind
    this.dangerous = name === '__proto__'
    this.valueOffset = VALUE_OFFSETS[kind]
  }

  /** From now on `attribute` is expected behind this one. */
  follow(attribute: Attribute): void {
    if (this.next !== undefined) {
      if (this.others.length === OTHERS_MAX) this.others.pop()
      this.others.unshift(this.next)
    }
    this.next = attribute
  }

  child(): Expectation {
    this.#child ??= new Expectation()
    return this.#child
  }
}

/**
 * What maps at one place of the item looked like: attributes, of which each knows what followed it. A table may hold items
 * of several kinds in any order; where one kind ends and another begins to differ, an attribute has several that follow.
 */
class Expectation {
  /** Stands in front of the first. */
  readonly start: Attribute = new Attribute('', '', 'M')
  /** All that were met, by their heads. */
  readonly attributes = new Map<string, Attribute>()
}

/** Of what followed an attribute, how many are kept besides the latest: each costs a comparison before the name is read. */
const OTHERS_MAX = 4

/** Attributes that a decoder learns before it begins anew: names can be data in a map that is used as a dictionary. */
const LEARNT_MAX = 8_192

const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92
const BRACKET_CLOSE = 93
const BRACE_OPEN = 123
const BRACE_CLOSE = 125

/**
 * A substring that does not keep `text` alive. V8 copies substrings of up to twelve characters and makes longer ones
 * point into their parent; joined to another string and cut off again, the parent is that small string.
 */
function ownString(text: string, start: number, end: number): string {
  if (end - start < 13) return text.slice(start, end)
  return ` ${text.slice(start, end)}`.slice(1)
}

function readString(text: string, position: number): string {
  try {
    return parseJsonString(text)
  } catch {
    throw new UnexpectedText(position)
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\0-\x1f]/

function define(map: object, name: string, value: unknown): void {
  Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true })
}

/**
 * One item given as JSON text `{"name":{"S":"…"},…}`, in any JSON spelling (blanks, escapes). For many of the same kind
 * `ItemDecoder.decodeText` is faster.
 *
 * @throws {ItemError} naming the attribute, for what is not DynamoDB JSON.
 */
export function decodeItemText(text: string): PlainItem {
  return new ItemDecoder().decodeText(text)
}

/**
 * One item given as AttributeValue objects, as `JSON.parse` makes them of DynamoDB JSON.
 *
 * @throws {ItemError} naming the attribute, for what is no AttributeValue.
 */
export function decodeItem(attributes: unknown): PlainItem {
  if (attributes === null || typeof attributes !== 'object' || Array.isArray(attributes)) {
    throw new ItemError('an item must be an object of attributes')
  }
  return decodeMap(attributes as { [name: string]: unknown }, 0, '')
}

function decodeMap(attributes: { [name: string]: unknown }, depth: number, path: string): { [name: string]: unknown } {
  const map: { [name: string]: unknown } = {}
  for (const name of Object.keys(attributes)) {
    const value = decodeValue(attributes[name], depth + 1, path === '' ? name : `${path}.${name}`)
    if (name === '__proto__') define(map, name, value)
    else map[name] = value
  }
  return map
}

/** One AttributeValue object, such as `{ S: 'x' }`, in its plain form. Errors as {@link decodeItem}. */
export function decodeValue(attributeValue: unknown, depth = 1, path = ''): unknown {
  if (depth > NESTING_MAX) throw new ItemError(`nested deeper than ${NESTING_MAX} levels`, path)
  const names = attributeValue !== null && typeof attributeValue === 'object' ? Object.keys(attributeValue) : []
  if (names.length !== 1) throw new ItemError('not an AttributeValue such as {"S":"text"}', path)
  const kind = names[0]!
  const content: unknown = (attributeValue as { [kind: string]: unknown })[kind]
  if (kind === 'S' && typeof content === 'string') return content
  if (kind === 'N') return decodeNumber(content, path)
  if (kind === 'BOOL' && typeof content === 'boolean') return content
  if (kind === 'NULL' && content === true) return null
  if (kind === 'B') return decodeBytes(content, path)
  if (kind === 'M' && content !== null && typeof content === 'object' && !Array.isArray(content)) {
    return decodeMap(content as { [name: string]: unknown }, depth, path)
  }
  if (kind === 'L' && Array.isArray(content)) {
    return content.map((element, index) => decodeValue(element, depth + 1, `${path}[${index}]`))
  }
  if ((kind === 'SS' || kind === 'NS' || kind === 'BS') && Array.isArray(content)) {
    return decodeSet(kind, content, path)
  }
  throw new ItemError(`not an AttributeValue: {"${clip(kind)}":${outline(content)}}`, path)
}

function decodeSet(kind: 'SS' | 'NS' | 'BS', elements: readonly unknown[], path: string): Set<unknown> {
  if (elements.length === 0) throw new ItemError('an empty set cannot be stored', path)
  const set = new Set<unknown>()
  const texts = new Set<unknown>()
  for (const element of elements) {
    if (typeof element !== 'string')
      throw new ItemError(`elements of ${kind} must be strings, not ${outline(element)}`, path)
    const value = kind === 'SS' ? element : kind === 'NS' ? decodeNumber(element, path) : decodeBytes(element, path)
    texts.add(value instanceof NumberValue ? value.text : kind === 'BS' ? element : value)
    set.add(value)
  }
  if (texts.size < elements.length) throw new ItemError('the set contains an element twice', path)
  return set
}

function decodeNumber(content: unknown, path: string): unknown {
  if (typeof content !== 'string') throw new ItemError('a number must be a string, as in {"N":"1"}', path)
  try {
    return plainNumber(content)
  } catch (error) {
    throw error instanceof ItemError ? new ItemError(error.message, path) : error
  }
}

function decodeBytes(content: unknown, path: string): Uint8Array {
  const bytes = typeof content === 'string' ? bytesFromBase64(content) : undefined
  if (bytes === undefined) throw new ItemError('binary must be a base64 string', path)
  return bytes
}

/** A JSON value for a message; what is in a list or an object would only hide what is wrong. */
function outline(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '[…]'
  if (value !== null && typeof value === 'object') return '{…}'
  return typeof value === 'string' ? JSON.stringify(clip(value)) : `${value}`
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
