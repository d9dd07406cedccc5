import { ITEM_BYTES_MAX, NESTING_MAX, type PlainItem } from './attributeValue.ts'
import { base64 } from './base64.ts'
import { ItemError } from './itemError.ts'
import { canonicalNumber, NumberValue, numberSizeBytes, numberText } from './number.ts'

/**
 * Plain JavaScript to DynamoDB JSON text, without AttributeValue objects in between, and the size in bytes by the
 * service's rules in the same pass.
 *
 * Items of one table mostly have the same attributes in the same order, so a map is walked along the *shape* learnt from
 * the first one: comparing an attribute's name with the expected one is a pointer comparison, and `,"name":` is ready
 * made. A map that leaves its shape goes on by looking each name up. Nothing is assumed of types; each value is asked.
 *
 * One encoder serves one stream of similar items. It is not reentrant and keeps no item.
 */
export class ItemEncoder {
  /** Size of what was last encoded, in bytes: names and values (developer guide, "DynamoDB item sizes and formats"). */
  sizeBytes = 0
  /** Whether the text that was last encoded is all ASCII, so that it has as many bytes as characters. */
  ascii = true
  readonly #root: Shape

  /**
   * @param prefix and `suffix` are put around each item's text by {@link encode}, at less than joining them afterwards costs
   */
  constructor(prefix = '', suffix = '') {
    this.#root = new Shape(prefix, suffix)
  }

  /**
   * The item as `{"name":{"S":"…"},…}`, between prefix and suffix.
   *
   * @throws {ItemError} naming the attribute, for what DynamoDB does not store: numbers out of range or of more than 38
   *   digits, empty or mixed sets, nesting deeper than 32, half surrogate pairs, class instances, functions, items
   *   over 400 KB.
   */
  encode(item: PlainItem): string {
    if (item === null || typeof item !== 'object') throw new ItemError('an item is an object of attributes')
    this.sizeBytes = 0
    this.ascii = true
    let text: string
    try {
      text = this.#map(item, this.#root, 0, 0)
    } catch (error) {
      throw error instanceof ItemError ? locate(item, '', error) : error
    }
    if (this.sizeBytes > ITEM_BYTES_MAX) {
      throw new ItemError(`the item has ${this.sizeBytes} bytes; DynamoDB holds ${ITEM_BYTES_MAX}`)
    }
    return text
  }

  /** One value, as `{"S":"…"}`. `sizeBytes` is then the value's alone. Errors as {@link encode}. */
  encodeValue(value: unknown, path = ''): string {
    this.sizeBytes = 0
    this.ascii = true
    try {
      return this.#value(value, NO_SHAPE, 1)
    } catch (error) {
      throw error instanceof ItemError ? locate(value, path, error) : error
    }
  }

  /** `overhead` is what DynamoDB adds to each element: 0 for the item itself, 1 inside of maps. */
  #map(map: { readonly [name: string]: unknown }, shape: Shape, depth: number, overhead: number): string {
    if (Object.getPrototypeOf(map) !== Object.prototype && !isPlain(map)) throw new ItemError(describeInstance(map))
    let text = ''
    let index = 0
    let known = true
    // Texts and numbers are left open, without their closing `"}`: the next head begins with it. Each piece that is joined
    // is an object for the garbage collector, and so there are half as many.
    let quoted = false
    for (const name in map) {
      const value = map[name]
      if (known) {
        if (shape.names[index] !== name && !(shape.open && index === shape.names.length && shape.learn(name))) {
          known = false
        } else if (value === undefined) {
          known = false
          continue
        } else {
          const heads = quoted ? shape.headsAfterQuote[index]! : shape.heads[index]!
          const nameBytes = shape.nameBytes[index]!
          this.sizeBytes += nameBytes + overhead
          if (nameBytes !== name.length) this.ascii = false
          if (typeof value === 'string' && isPlainAscii(value)) {
            this.sizeBytes += value.length
            text = text + heads.text + value
            quoted = true
          } else if (typeof value === 'number') {
            const number = numberText(value)
            this.sizeBytes += numberSizeBytes(number)
            text = text + heads.number + number
            quoted = true
          } else {
            text = text + heads.any + this.#value(value, shape, depth + 1, index)
            quoted = false
          }
          index += 1
          continue
        }
      }
      if (value === undefined) continue
      const head = nameHead(name)
      if (quoted) {
        text += '"}'
        quoted = false
      }
      text += text === '' ? `${shape.prefix}{${head.text.slice(1)}` : head.text
      this.sizeBytes += head.bytes + overhead
      if (head.bytes !== name.length) this.ascii = false
      text += this.#value(value, NO_SHAPE, depth + 1)
    }
    if (index > 0) shape.open = false
    if (quoted) return text + shape.endAfterQuote
    return (text === '' ? `${shape.prefix}{` : text) + shape.end
  }

  #value(value: unknown, shape: Shape, depth: number, index = -1): string {
    switch (typeof value) {
      case 'string': {
        if (isPlainAscii(value)) {
          this.sizeBytes += value.length
          return `{"S":"${value}"}`
        }
        return `{"S":${this.#unusualString(value)}}`
      }
      case 'number': {
        const text = numberText(value)
        this.sizeBytes += numberSizeBytes(text)
        return `{"N":"${text}"}`
      }
      case 'boolean':
        this.sizeBytes += 1
        return value ? '{"BOOL":true}' : '{"BOOL":false}'
      case 'bigint': {
        const text = canonicalNumber(`${value}`)
        this.sizeBytes += numberSizeBytes(text)
        return `{"N":"${text}"}`
      }
      case 'object':
        return value === null ? this.#null() : this.#object(value, shape, depth, index)
      default:
        throw new ItemError(`a ${typeof value} can not be stored`)
    }
  }

  #null(): string {
    this.sizeBytes += 1
    return '{"NULL":true}'
  }

  #unusualString(value: string): string {
    if (!value.isWellFormed()) throw new ItemError('the string holds half a surrogate pair, which has no UTF-8 form')
    const bytes = Buffer.byteLength(value)
    if (bytes !== value.length) this.ascii = false
    this.sizeBytes += bytes
    return JSON.stringify(value)
  }

  #object(value: object, shape: Shape, depth: number, index: number): string {
    if (Array.isArray(value)) {
      if (depth >= NESTING_MAX && value.length > 0) throw new ItemError(TOO_DEEP)
      this.sizeBytes += 3
      const length = value.length
      let text = '{"L":['
      let quoted = false
      for (let position = 0; position < length; position += 1) {
        const element = value[position]
        if (element === undefined) throw new ItemError(`element ${position} of the list is undefined`)
        this.sizeBytes += 1
        if (typeof element === 'string' && isPlainAscii(element)) {
          this.sizeBytes += element.length
          text = text + (position === 0 ? '{"S":"' : quoted ? '"},{"S":"' : ',{"S":"') + element
          quoted = true
          continue
        }
        if (position > 0) text += quoted ? '"},' : ','
        quoted = false
        text += this.#value(element, NO_SHAPE, depth + 1)
      }
      return text + (quoted ? '"}]}' : ']}')
    }
    if (value instanceof Uint8Array) {
      this.sizeBytes += value.byteLength
      return `{"B":"${base64(value)}"}`
    }
    if (value instanceof NumberValue) {
      this.sizeBytes += numberSizeBytes(value.text)
      return `{"N":"${value.text}"}`
    }
    if (value instanceof Set) return this.#set(value)
    if (depth >= NESTING_MAX && Object.values(value).some((member) => member !== undefined))
      throw new ItemError(TOO_DEEP)
    this.sizeBytes += 3
    const inner = index === -1 ? NO_SHAPE : shape.child(index)
    return `{"M":${this.#map(value as { readonly [name: string]: unknown }, inner, depth, 1)}}`
  }

  #set(set: ReadonlySet<unknown>): string {
    let kind = ''
    const texts = new Set<string>()
    for (const element of set) {
      let text: string
      let elementKind: string
      if (typeof element === 'string') {
        elementKind = 'SS'
        if (isPlainAscii(element)) {
          this.sizeBytes += element.length
          text = `"${element}"`
        } else {
          text = this.#unusualString(element)
        }
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
        throw new ItemError('a set holds strings, numbers or byte arrays')
      }
      if (kind !== '' && kind !== elementKind) throw new ItemError('a set holds elements of one type, not a mixture')
      kind = elementKind
      if (texts.has(text)) throw new ItemError(`the set holds ${text.slice(0, 60)} twice`)
      texts.add(text)
    }
    if (kind === '') throw new ItemError('an empty set can not be stored')
    return `{"${kind}":[${[...texts].join(',')}]}`
  }
}

/** Names of a map's attributes in the order first seen, and what is written for each. */
class Shape {
  readonly names: string[] = []
  readonly heads: Heads[] = []
  readonly headsAfterQuote: Heads[] = []
  readonly nameBytes: number[] = []
  readonly children: (Shape | undefined)[] = []
  /** Still being learnt from its first map. */
  open = true
  /** What stands before the map, and what closes it. */
  readonly prefix: string
  readonly end: string
  readonly endAfterQuote: string

  constructor(prefix = '', suffix = '') {
    this.prefix = prefix
    this.end = `}${suffix}`
    this.endAfterQuote = `"}}${suffix}`
  }

  learn(name: string): boolean {
    if (this === NO_SHAPE || this.names.length >= 256) return false
    const head = nameHead(name)
    const start = this.names.length === 0 ? `${this.prefix}{${head.text.slice(1)}` : head.text
    this.heads.push(headsOf(start))
    this.headsAfterQuote.push(headsOf(`"}${start}`))
    this.names.push(name)
    this.nameBytes.push(head.bytes)
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

const NO_SHAPE: Shape = new Shape()
NO_SHAPE.open = false

/** What stands before a value: with a text's or a number's own beginning, or without. */
interface Heads {
  readonly any: string
  readonly text: string
  readonly number: string
}

function headsOf(start: string): Heads {
  return { any: start, text: `${start}{"S":"`, number: `${start}{"N":"` }
}

interface NameHead {
  /** `,"name":` */
  readonly text: string
  readonly bytes: number
}

/** Attribute names seen so far. Bounded, since names can be data in a map that is used as a dictionary. */
const nameHeads: Map<string, NameHead> = new Map()
const NAME_HEADS_MAX = 4_096
const NAME_BYTES_MAX = 65_535

function nameHead(name: string): NameHead {
  const known = nameHeads.get(name)
  if (known !== undefined) return known
  if (!name.isWellFormed())
    throw new ItemError('an attribute name holds half a surrogate pair, which has no UTF-8 form')
  if (name === '') throw new ItemError('an attribute has an empty name')
  const bytes = Buffer.byteLength(name)
  if (bytes > NAME_BYTES_MAX)
    throw new ItemError(`an attribute name has ${bytes} bytes; DynamoDB holds ${NAME_BYTES_MAX}`)
  const head = { text: `,${JSON.stringify(name)}:`, bytes }
  if (nameHeads.size < NAME_HEADS_MAX) nameHeads.set(name, head)
  return head
}

const NEEDS_CARE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** Printable ASCII without quote and backslash: JSON text is the string itself, and bytes are its length. */
function isPlainAscii(value: string): boolean {
  const length = value.length
  // Below about this length a loop beats the regular expression's call.
  if (length > 24) return !NEEDS_CARE.test(value)
  for (let index = 0; index < length; index += 1) {
    const code = value.charCodeAt(index)
    if (code < 32 || code > 126 || code === 34 || code === 92) return false
  }
  return true
}

function describeInstance(value: object): string {
  const name = value.constructor?.name ?? 'object'
  if (value instanceof Date) return 'a Date can not be stored; give its toISOString() or getTime()'
  if (value instanceof Map) return 'a Map can not be stored; give an object (Object.fromEntries)'
  return `an instance of ${name} can not be stored; give a plain object`
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
