import { ITEM_BYTES_MAX, NESTING_MAX, type PlainItem } from './attributeValue.ts'
import { base64 } from './base64.ts'
import { ItemError } from './itemError.ts'
import { canonicalNumber, NumberValue, numberSizeBytes, numberText } from './number.ts'
import { isPlainText, Piece, Utf8Writer } from './utf8Writer.ts'
import { writeNumber } from './writeNumber.ts'

/**
 * Plain JavaScript to DynamoDB JSON, without AttributeValue objects in between, and the size in bytes by the service's
 * rules in the same pass.
 *
 * Items of one table mostly have the same attributes in the same order, so a map is walked along the *shape* learnt from
 * the first one: comparing an attribute's name with the expected one is a pointer comparison, and `"name":` is ready made.
 * A map that leaves its shape goes on by looking each name up. Nothing is assumed of types; each value is asked.
 *
 * Behind each attribute and element a comma is written, and what closes a map or list is written over the last of them.
 *
 * One encoder serves one stream of similar items. It keeps no item.
 */
export class ItemEncoder {
  /** Size of what was last encoded, in bytes: names and values (developer guide, "DynamoDB item sizes and formats"). */
  sizeBytes = 0
  /** Whether the text that was last encoded is all ASCII, so that it has as many bytes as characters. */
  ascii = true
  readonly #root = new Shape()
  #isWriting = false
  readonly #prefix: Piece
  readonly #suffix: Piece

  /** @param prefix and `suffix`, both ASCII, are put around each item's text */
  constructor(prefix = '', suffix = '') {
    this.#prefix = prefix === '' ? BRACE_OPEN : new Piece(`${prefix}{`)
    this.#suffix = suffix === '' ? BRACE_CLOSE : new Piece(`}${suffix}`)
  }

  /**
   * The item as `{"name":{"S":"…"},…}`, between prefix and suffix.
   *
   * @throws {ItemError} naming the attribute, for what DynamoDB does not store: numbers out of range or of more than 38
   *   digits, empty or mixed sets, nesting deeper than 32, half surrogate pairs, class instances, functions, items
   *   over 400 KB.
   */
  encode(item: PlainItem): string {
    const start = scratch.end
    try {
      this.write(item, scratch)
      return this.#textFrom(start)
    } finally {
      leaveScratch(start)
    }
  }

  /** One value, as `{"S":"…"}`. `sizeBytes` is then the value's alone. Errors as {@link encode}. */
  encodeValue(value: unknown, path = ''): string {
    // Keys and what is set are mostly short texts, for which the way through bytes and back is dearer.
    if (typeof value === 'string' && isPlainText(value)) {
      this.sizeBytes = value.length
      this.ascii = true
      return `{"S":"${value}"}`
    }
    const start = scratch.end
    this.#begin()
    try {
      this.#value(scratch, value, undefined, 1)
      scratch.end -= 1
      return this.#textFrom(start)
    } catch (error) {
      throw error instanceof ItemError ? locate(value, path, error) : error
    } finally {
      this.#isWriting = false
      leaveScratch(start)
    }
  }

  /** Writes what {@link encodeValue} returns, as UTF-8, and a comma. Errors as there; then the writer may hold a part of it. */
  writeValue(value: unknown, writer: Utf8Writer, path = ''): void {
    this.#begin()
    try {
      this.#value(writer, value, undefined, 1)
    } catch (error) {
      throw error instanceof ItemError ? locate(value, path, error) : error
    } finally {
      this.#isWriting = false
    }
  }

  /**
   * Writes what {@link encode} returns, as UTF-8. Errors as there; then the writer may hold a part of it.
   */
  write(item: PlainItem, writer: Utf8Writer): void {
    if (item === null || typeof item !== 'object') throw new ItemError('an item must be an object of attributes')
    this.#begin()
    try {
      writer.piece(this.#prefix)
      this.#map(writer, item, this.#root, 0, 0)
      writer.piece(this.#suffix)
    } catch (error) {
      throw error instanceof ItemError ? locate(item, '', error) : error
    } finally {
      this.#isWriting = false
    }
    if (this.sizeBytes > ITEM_BYTES_MAX) {
      throw new ItemError(`the item has ${this.sizeBytes} bytes: DynamoDB stores at most ${ITEM_BYTES_MAX}`)
    }
  }

  #begin(): void {
    if (this.#isWriting) throw new ItemError(GETTER_WRITES)
    this.#isWriting = true
    this.sizeBytes = 0
    this.ascii = true
  }

  #textFrom(start: number): string {
    return scratch.buffer.toString(this.ascii ? 'latin1' : 'utf8', start, scratch.end)
  }

  /**
   * Writes the attributes, without braces.
   *
   * @param overhead is what DynamoDB adds to each element: 0 for the item itself, 1 inside of maps
   */
  #map(
    writer: Utf8Writer,
    map: { readonly [name: string]: unknown },
    shape: Shape | undefined,
    depth: number,
    overhead: number,
  ): void {
    if (Object.getPrototypeOf(map) !== Object.prototype && !isPlain(map)) throw new ItemError(describeInstance(map))
    let index = 0
    let known = shape
    let isEmpty = true
    for (const name in map) {
      const value = map[name]
      let head: NameHead
      if (known !== undefined && (known.names[index] === name || known.learn(name, index))) {
        if (value === undefined) {
          known = undefined
          continue
        }
        head = known.heads[index]!
      } else {
        known = undefined
        if (value === undefined) continue
        head = nameHead(name)
      }
      isEmpty = false
      this.sizeBytes += head.bytes + overhead
      if (head.bytes !== name.length) this.ascii = false
      if (typeof value === 'string') {
        writer.piece(head.text)
        this.#string(writer, value)
      } else if (typeof value === 'number') {
        writer.piece(head.number)
        this.sizeBytes += writeNumber(writer, value)
        writer.piece(TEXT_END)
      } else {
        writer.piece(head.any)
        this.#value(writer, value, known, depth + 1, index)
      }
      if (known !== undefined) index += 1
    }
    if (shape !== undefined && index > 0) shape.open = false
    if (!isEmpty) writer.end -= 1
  }

  /** Writes the value and a comma. */
  #value(writer: Utf8Writer, value: unknown, shape: Shape | undefined, depth: number, index = 0): void {
    switch (typeof value) {
      case 'string':
        writer.piece(TEXT)
        this.#string(writer, value)
        break
      case 'number':
        writer.piece(NUMBER)
        this.sizeBytes += writeNumber(writer, value)
        writer.piece(TEXT_END)
        break
      case 'boolean':
        this.sizeBytes += 1
        writer.piece(value ? TRUE : FALSE)
        break
      case 'bigint':
        this.#numberText(writer, canonicalNumber(`${value}`))
        break
      case 'object':
        if (value === null) {
          this.sizeBytes += 1
          writer.piece(NULL)
        } else {
          this.#object(writer, value, shape, depth, index)
        }
        break
      default:
        throw new ItemError(`a ${typeof value} cannot be stored`)
    }
  }

  /** Writes the string and what closes it. */
  #string(writer: Utf8Writer, value: string): void {
    if (writer.plain(value)) {
      this.sizeBytes += value.length
    } else {
      requireWellFormed(value)
      let bytes: number
      if (NEEDS_ESCAPE.test(value)) {
        const text = JSON.stringify(value).slice(1, -1)
        // Only ASCII becomes longer, and what it becomes is ASCII.
        bytes = writer.text(text) - (text.length - value.length)
      } else {
        bytes = writer.text(value)
      }
      if (bytes !== value.length) this.ascii = false
      this.sizeBytes += bytes
    }
    writer.piece(TEXT_END)
  }

  #numberText(writer: Utf8Writer, text: string): void {
    this.sizeBytes += numberSizeBytes(text)
    writer.piece(NUMBER)
    writer.ascii(text)
    writer.piece(TEXT_END)
  }

  #object(writer: Utf8Writer, value: object, shape: Shape | undefined, depth: number, index: number): void {
    if (Array.isArray(value)) {
      if (depth >= NESTING_MAX && value.length > 0) throw new ItemError(TOO_DEEP)
      this.sizeBytes += 3
      const length = value.length
      writer.piece(LIST)
      for (let position = 0; position < length; position += 1) {
        const element = value[position]
        if (element === undefined) throw new ItemError(`element ${position} of the list is undefined`)
        this.sizeBytes += 1
        this.#value(writer, element, undefined, depth + 1)
      }
      if (length > 0) writer.end -= 1
      writer.piece(LIST_END)
    } else if (value instanceof Uint8Array) {
      this.sizeBytes += value.byteLength
      const text = base64(value)
      writer.piece(BINARY)
      writer.ascii(text)
      writer.piece(TEXT_END)
    } else if (value instanceof NumberValue) {
      this.#numberText(writer, value.text)
    } else if (value instanceof Set) {
      writer.text(this.#set(value))
    } else {
      if (depth >= NESTING_MAX && Object.values(value).some((member) => member !== undefined))
        throw new ItemError(TOO_DEEP)
      this.sizeBytes += 3
      writer.piece(MAP)
      this.#map(writer, value as { readonly [name: string]: unknown }, shape?.child(index), depth, 1)
      writer.piece(MAP_END)
    }
  }

  /** The text of a set and a comma: rare enough to be a string first, and its elements are compared by theirs. */
  #set(set: ReadonlySet<unknown>): string {
    let kind = ''
    const texts = new Set<string>()
    for (const element of set) {
      let text: string
      let elementKind: string
      if (typeof element === 'string') {
        elementKind = 'SS'
        requireWellFormed(element)
        const bytes = Buffer.byteLength(element)
        if (bytes !== element.length) this.ascii = false
        this.sizeBytes += bytes
        text = JSON.stringify(element)
      } else if (typeof element === 'number' || typeof element === 'bigint' || element instanceof NumberValue) {
        elementKind = 'NS'
        const number = typeof element === 'number' ? numberText(element) : canonicalNumber(`${element}`)
        this.sizeBytes += numberSizeBytes(number)
        text = `"${number}"`
      } else if (element instanceof Uint8Array) {
        elementKind = 'BS'
        this.sizeBytes += element.byteLength
        text = `"${base64(element)}"`
      } else {
        throw new ItemError('a set can contain only strings, numbers or byte arrays')
      }
      if (kind !== '' && kind !== elementKind) throw new ItemError('a set can contain only elements of one type')
      kind = elementKind
      if (texts.has(text)) throw new ItemError(`the set contains ${text.slice(0, 60)} twice`)
      texts.add(text)
    }
    if (kind === '') throw new ItemError('an empty set cannot be stored')
    return `{"${kind}":[${[...texts].join(',')}]},`
  }
}

/** Names of a map's attributes in the order first seen, and what is written for each. */
class Shape {
  readonly names: string[] = []
  readonly heads: NameHead[] = []
  readonly children: (Shape | undefined)[] = []
  /** Still being learnt from its first map. */
  open = true

  /** Whether the name is now the one of this index. */
  learn(name: string, index: number): boolean {
    if (!this.open || index !== this.names.length || index >= SHAPE_NAMES_MAX) return false
    this.heads.push(nameHead(name))
    this.names.push(name)
    this.children.push(undefined)
    return true
  }

  child(index: number): Shape {
    let child = this.children[index]
    if (child === undefined) {
      child = new Shape()
      this.children[index] = child
    }
    return child
  }
}

const SHAPE_NAMES_MAX = 256

/** What stands before a value: with a text's or a number's own beginning, or without. */
interface NameHead {
  /** Of the name alone. */
  readonly bytes: number
  readonly any: Piece
  readonly text: Piece
  readonly number: Piece
}

const BRACE_OPEN = new Piece('{')
const BRACE_CLOSE = new Piece('}')
const TEXT = new Piece('{"S":"')
const NUMBER = new Piece('{"N":"')
const BINARY = new Piece('{"B":"')
const TEXT_END = new Piece('"},')
const TRUE = new Piece('{"BOOL":true},')
const FALSE = new Piece('{"BOOL":false},')
const NULL = new Piece('{"NULL":true},')
const LIST = new Piece('{"L":[')
const LIST_END = new Piece(']},')
const MAP = new Piece('{"M":{')
const MAP_END = new Piece('}},')

/** Memory for texts, one at a time; a text that is made while another is, by an attribute's getter, stands behind that. */
const SCRATCH_BYTES = 16 * 1024
/** What a long text needed is not kept for ever. */
const SCRATCH_BYTES_MAX = 1024 * 1024
let scratch = new Utf8Writer(SCRATCH_BYTES)

function leaveScratch(start: number): void {
  scratch.end = start
  if (start === 0 && scratch.buffer.length > SCRATCH_BYTES_MAX) scratch = new Utf8Writer(SCRATCH_BYTES)
}

/** Attribute names seen so far. Bounded, since names can be data in a map that is used as a dictionary. */
const nameHeads: Map<string, NameHead> = new Map()
const NAME_HEADS_MAX = 4_096
const KEPT_NAME_BYTES_MAX = 255
const NAME_BYTES_MAX = 65_535

function nameHead(name: string): NameHead {
  const known = nameHeads.get(name)
  if (known !== undefined) return known
  if (!name.isWellFormed())
    throw new ItemError('an attribute name contains half a surrogate pair, which is not valid UTF-8')
  if (name === '') throw new ItemError('an attribute has an empty name')
  const bytes = Buffer.byteLength(name)
  if (bytes > NAME_BYTES_MAX)
    throw new ItemError(`an attribute name has ${bytes} bytes: DynamoDB allows at most ${NAME_BYTES_MAX}`)
  const text = `${JSON.stringify(name)}:`
  const head = { bytes, any: new Piece(text), text: new Piece(`${text}{"S":"`), number: new Piece(`${text}{"N":"`) }
  if (nameHeads.size < NAME_HEADS_MAX && bytes <= KEPT_NAME_BYTES_MAX) nameHeads.set(name, head)
  return head
}

/** What JSON writes otherwise, of a well-formed text. */
const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\uffff]/

function requireWellFormed(value: string): void {
  if (!value.isWellFormed()) throw new ItemError('the string contains half a surrogate pair, which is not valid UTF-8')
}

function describeInstance(value: object): string {
  const name = value.constructor?.name ?? 'object'
  if (value instanceof Date) return 'a Date cannot be stored: use its toISOString() or getTime()'
  if (value instanceof Map) return 'a Map cannot be stored: use an object (Object.fromEntries)'
  return `an instance of ${name} cannot be stored: use a plain object`
}

/** The same error, naming the innermost value that can not be encoded on its own. Only ever called after a failure. */
function locate(value: unknown, path: string, error: ItemError): ItemError {
  // A value that is nested too deep has no place within where it is.
  if (value !== null && typeof value === 'object' && (path === '' || error.message !== TOO_DEEP)) {
    const probe = new ItemEncoder()
    const children = Array.isArray(value) ? value.entries() : isPlain(value) ? Object.entries(value) : []
    for (const [key, child] of children) {
      if (child === undefined) continue
      const childPath = typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
      try {
        probe.encodeValue(child, childPath)
      } catch (childError) {
        if (childError instanceof ItemError) return childError
      }
    }
  }
  return new ItemError(error.message, path)
}

/** What is written by a getter, meanwhile, would go into the midst of the item that has it. */
export const GETTER_WRITES = 'a getter of an attribute must not write an item itself'

const TOO_DEEP = `nested deeper than ${NESTING_MAX} levels`

/** Whether a map is an object as literals and `JSON.parse` make them, or one without a prototype; of any realm. */
function isPlain(map: object): boolean {
  const prototype = Object.getPrototypeOf(map)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * One item as DynamoDB JSON, `{"name":{"S":"…"},…}`: every type comes back from it as it was. For many items of one kind
 * an {@link ItemEncoder} of their own is faster.
 *
 * @throws {ItemError} as {@link ItemEncoder.encode}
 */
export function encodeItem(item: PlainItem): string {
  return new ItemEncoder().encode(item)
}
