import type { PlainItem } from '../item/attributeValue.ts'
import { ItemError } from '../item/itemError.ts'
import { NumberValue, numberText } from '../item/number.ts'

/** An element, for those who need a schema of their own. Its text is escaped; names must be XML names. */
export interface XmlElement {
  readonly name: string
  readonly attributes?: { readonly [name: string]: string | number | bigint | boolean | undefined }
  readonly children?: readonly (XmlElement | string)[] | undefined
}

/** Makes of an item the element, or elements, that stand for it. */
export type XmlMapping = (item: PlainItem) => XmlElement | readonly XmlElement[]

export interface XmlWriterOptions {
  /** The element around all. Default `items`. */
  readonly root?: string | undefined
  /** The element of each item. Default `item`. */
  readonly item?: string | undefined
  /** Attributes of items, of text, number or truth, that become XML attributes of the item's element. Default: none. */
  readonly attributes?: readonly string[] | undefined
  /** In place of all of these but `root`. */
  readonly mapping?: XmlMapping | undefined
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

/**
 * One XML document of items, an element a line:
 *
 * ```xml
 * <item><id>a</id><price type="N">12.5</price><tags type="SS"><value>x</value><value>y</value></tags></item>
 * ```
 *
 * Text has no `type`; all else has that of DynamoDB's own notation (`N`, `BOOL`, `NULL`, `B`, `L`, `M`, `SS`, `NS`, `BS`). The
 * document is well-formed whatever the items hold: a name that is no XML name is written `<attr name="1 a">`, and text
 * with characters that XML 1.0 does not have (2.2 of the recommendation) as base64 of its UTF-8, `encoding="base64"`.
 */
export class XmlWriter {
  readonly head: string
  readonly tail: string
  readonly #item: string
  readonly #attributes: ReadonlySet<string>
  readonly #mapping: XmlMapping | undefined

  /** @throws {TypeError} for a name that is no XML name */
  constructor(options: XmlWriterOptions = {}) {
    const { root = 'items', item = 'item', attributes = [], mapping } = options
    for (const [option, name] of [
      ['root', root],
      ['item', item],
      ...attributes.map((attribute) => ['attributes', attribute] as const),
    ] as const) {
      if (!isName(name)) throw new TypeError(`xml.${option}: ${JSON.stringify(name)} is not a valid XML name`)
    }
    this.head = `${DECLARATION}<${root}>\n`
    this.tail = `</${root}>\n`
    this.#item = item
    this.#attributes = new Set(attributes)
    this.#mapping = mapping
  }

  /** @throws {ItemError} for values that DynamoDB has no type for, and for what a mapping gives that is no element */
  write(item: PlainItem): string {
    if (this.#mapping !== undefined) return mapped(this.#mapping, item)
    let head = `<${this.#item}`
    let body = ''
    for (const name of Object.keys(item)) {
      const value: unknown = item[name]
      if (value === undefined) continue
      if (this.#attributes.has(name)) {
        const text = attributeText(value)
        if (text !== undefined) {
          head += ` ${name}="${text}"`
          continue
        }
      }
      body += element(name, value)
    }
    return `${head}>${body}</${this.#item}>\n`
  }
}

function mapped(mapping: XmlMapping, item: PlainItem): string {
  let made: XmlElement | readonly XmlElement[]
  try {
    made = mapping(item)
  } catch (error) {
    throw new ItemError(`the XML mapping failed: ${error instanceof Error ? error.message : error}`)
  }
  const elements = Array.isArray(made) ? (made as readonly XmlElement[]) : [made as XmlElement]
  let text = ''
  for (const one of elements) text += `${mappedElement(one, 0)}\n`
  return text
}

/** Deeper than anything that is meant. */
const DEPTH_MAX = 100

function mappedElement(made: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new ItemError(`the XML mapping nests elements deeper than ${DEPTH_MAX} levels`)
  if (made === null || typeof made !== 'object' || typeof (made as XmlElement).name !== 'string') {
    throw new ItemError(`the XML mapping must return an element { name, attributes, children }, not ${describe(made)}`)
  }
  const { name, attributes = {}, children = [] } = made as XmlElement
  if (!isName(name)) throw new ItemError(`the XML mapping: ${JSON.stringify(name)} is not a valid XML element name`)
  let text = `<${name}`
  for (const attribute of Object.keys(attributes)) {
    const value = attributes[attribute]
    if (value === undefined) continue
    if (!isName(attribute)) {
      throw new ItemError(`the XML mapping: ${JSON.stringify(attribute)} is not a valid XML attribute name`)
    }
    text += ` ${attribute}="${checked(`${value}`, attribute, escapeAttribute)}"`
  }
  if (!Array.isArray(children)) throw new ItemError(`the XML mapping: the children of <${name}> must be an array`)
  if (children.length === 0) return `${text}/>`
  text += '>'
  for (const child of children as readonly (XmlElement | string)[]) {
    text += typeof child === 'string' ? checked(child, name, escapeText) : mappedElement(child, depth + 1)
  }
  return `${text}</${name}>`
}

/** What a mapping gives goes where it says, so it can not be written in another way. */
function checked(text: string, name: string, escaped: (text: string) => string): string {
  if (!ILLEGAL.test(text)) return escaped(text)
  throw new ItemError(`the XML mapping: the text of ${name} contains a character that XML does not allow`)
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : `${typeof value}`
}

function element(name: string, value: unknown): string {
  const isPlain = isName(name)
  const open = isPlain ? name : `attr ${nameAttribute(name)}`
  const close = isPlain ? name : 'attr'
  if (typeof value === 'string') {
    if (value === '') return `<${open}/>`
    if (ILLEGAL.test(value)) return `<${open} encoding="base64">${base64(value)}</${close}>`
    return `<${open}>${escapeText(value)}</${close}>`
  }
  const [type, content] = typed(value, name)
  return content === '' ? `<${open} type="${type}"/>` : `<${open} type="${type}">${content}</${close}>`
}

function typed(value: unknown, name: string): [type: string, content: string] {
  switch (typeof value) {
    case 'number':
      return ['N', numberText(value)]
    case 'bigint':
      return ['N', new NumberValue(`${value}`).text]
    case 'boolean':
      return ['BOOL', `${value}`]
    case 'object':
      return typedObject(value, name)
    default:
      throw new ItemError(`a ${typeof value} cannot be stored`, name)
  }
}

function typedObject(value: object | null, name: string): [type: string, content: string] {
  if (value === null) return ['NULL', '']
  if (value instanceof NumberValue) return ['N', value.text]
  if (value instanceof Uint8Array) return ['B', Buffer.from(value).toString('base64')]
  if (value instanceof Set) return setOf(value, name)
  let content = ''
  if (Array.isArray(value)) {
    for (const member of value) content += element('value', member)
    return ['L', content]
  }
  for (const key of Object.keys(value)) {
    const member = (value as { [key: string]: unknown })[key]
    if (member !== undefined) content += element(key, member)
  }
  return ['M', content]
}

function setOf(values: ReadonlySet<unknown>, name: string): [type: string, content: string] {
  let type: string | undefined
  let content = ''
  for (const value of values) {
    // Of their own type they say nothing: the set does.
    const [own, text] = typeof value === 'string' ? ['S', ''] : typed(value, name)
    if (type !== undefined && own !== type) throw new ItemError('a set of mixed types cannot be stored', name)
    type = own
    content += own === 'S' ? element('value', value) : `<value>${text}</value>`
  }
  if (type === undefined) throw new ItemError('an empty set cannot be stored', name)
  return [`${type}S`, content]
}

/** Undefined for what has no place in an attribute of XML. */
function attributeText(value: unknown): string | undefined {
  if (typeof value === 'string') return ILLEGAL.test(value) ? undefined : escapeAttribute(value)
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'bigint') return new NumberValue(`${value}`).text
  if (typeof value === 'boolean') return `${value}`
  return value instanceof NumberValue ? value.text : undefined
}

function nameAttribute(name: string): string {
  return ILLEGAL.test(name) ? `name-base64="${base64(name)}"` : `name="${escapeAttribute(name)}"`
}

function base64(text: string): string {
  if (!text.isWellFormed()) throw new ItemError('the string contains half a surrogate pair, which is not valid UTF-8')
  return Buffer.from(text).toString('base64')
}

/**
 * What XML 1.0 calls a name, without colons, which are for namespaces (2.3 of the recommendation), and without those that
 * begin with `xml`, which it keeps for itself; `attr` is ours.
 */
const NAME_START =
  'A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f' +
  '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}'
const NAME = new RegExp(`^[${NAME_START}][-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040${NAME_START}]*$`, 'u')
const KNOWN_NAMES_MAX = 10_000
const knownNames = new Map<string, boolean>()

/** Names come again and again: what was found of them is kept, up to a bound. */
function isName(name: string): boolean {
  let known = knownNames.get(name)
  if (known === undefined) {
    known = NAME.test(name) && !/^xml/i.test(name) && name !== 'attr'
    if (knownNames.size < KNOWN_NAMES_MAX) knownNames.set(name, known)
  }
  return known
}

/** A character that XML 1.0 does not have (2.2 of the recommendation), half a pair of surrogates among them. */
const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

const SPECIAL = /[&<>\r]/
const SPECIALS = /[&<>\r]/g
const ATTRIBUTE_SPECIALS = /[&<>"\r\n\t]/g
const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As they are, parsers make other white space of them.
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
}

function escapeText(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, (character) => ENTITIES[character]!) : text
}

function escapeAttribute(text: string): string {
  return text.replace(ATTRIBUTE_SPECIALS, (character) => ENTITIES[character]!)
}
