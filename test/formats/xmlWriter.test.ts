import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { validateXML } from 'xmllint-wasm'
import { type XmlMapping, XmlWriter } from '../../src/formats/xmlWriter.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { ItemError } from '../../src/item/itemError.ts'
import { NumberValue, plainNumber } from '../../src/item/number.ts'
import { itemArbitrary } from '../item/itemArbitrary.ts'

interface Node {
  readonly name: string
  readonly attributes: { readonly [name: string]: string }
  readonly children: Node[]
  text: string
}

/** By a strict parser: anything that is not well-formed throws. */
function parse(document: string): Node {
  const parser = new SaxesParser()
  const top: Node = { name: '', attributes: {}, children: [], text: '' }
  const open = [top]
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const node: Node = { name, attributes: { ...attributes } as Record<string, string>, children: [], text: '' }
    open.at(-1)!.children.push(node)
    open.push(node)
  })
  parser.on('text', (text) => {
    open.at(-1)!.text += text
  })
  parser.on('closetag', () => void open.pop())
  parser.write(document).close()
  return top.children[0]!
}

function nameOf({ name, attributes }: Node): string {
  if (name !== 'attr') return name
  return attributes['name'] ?? Buffer.from(attributes['name-base64']!, 'base64').toString()
}

function textOf({ attributes, text }: Node): string {
  return attributes['encoding'] === 'base64' ? Buffer.from(text, 'base64').toString() : text
}

/** What a reader who goes by the documentation makes of an element. */
function readValue(node: Node): unknown {
  const { attributes, children, text } = node
  switch (attributes['type']) {
    case undefined:
      return textOf(node)
    case 'N':
      return plainNumber(text)
    case 'BOOL':
      return text === 'true'
    case 'NULL':
      return null
    case 'B':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'L':
      return children.map(readValue)
    case 'M':
      return mapOf(children)
    case 'SS':
      return new Set(children.map(textOf))
    case 'NS':
      return new Set(children.map((child) => plainNumber(child.text)))
    case 'BS':
      return new Set(children.map((child) => new Uint8Array(Buffer.from(child.text, 'base64'))))
    default:
      throw new Error(`type ${attributes['type']}`)
  }
}

function mapOf(nodes: readonly Node[]): { [name: string]: unknown } {
  const map: { [name: string]: unknown } = {}
  for (const node of nodes)
    Object.defineProperty(map, nameOf(node), {
      value: readValue(node),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  return map
}

function documentOf(writer: XmlWriter, items: readonly PlainItem[]): string {
  return writer.head + items.map((item) => writer.write(item)).join('') + writer.tail
}

test('whatever the items hold, the document is well-formed and says all of it', () => {
  fc.assert(
    fc.property(fc.array(itemArbitrary, { maxLength: 5 }), (items) => {
      const root = parse(documentOf(new XmlWriter(), items))
      assert.equal(root.name, 'items')
      assert.equal(root.children.length, items.length)
      for (const [index, item] of items.entries()) assertSame(mapOf(root.children[index]!.children), item)
    }),
    { numRuns: 500 },
  )
})

/** Numbers of one value may be spelt in several ways; what is compared is what DynamoDB would hold. */
function assertSame(read: unknown, written: unknown): void {
  assert.deepStrictEqual(normal(read), normal(written))
}

function normal(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return { N: new NumberValue(`${value}`).text }
  if (value instanceof NumberValue) return { N: value.text }
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString('hex') }
  if (value instanceof Set) return { set: Array.from(value, normal) }
  if (Array.isArray(value)) return value.map(normal)
  if (value === null || typeof value !== 'object') return value
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, normal(member)])
}

test('characters that XML does not have, names that are none, and what ends a section', () => {
  const item = {
    '1 a<b': 'x',
    'a\u0000b': 'y',
    xmlns: 'kept for XML itself',
    attr: 'ours',
    'a:b': 'a colon',
    text: ']]>&<>"\r\n\t',
    control: 'a\u0001\u0000b',
    unassigned: '\ufffe\uffff',
    empty: '',
    blank: ' \n ',
    '\u{1f600}': '\u{10ffff}',
  }
  const document = documentOf(new XmlWriter(), [item])
  assertSame(mapOf(parse(document).children[0]!.children), item)
  assert.match(document, /<attr name="1 a&lt;b">x<\/attr>/)
  assert.match(document, /<control encoding="base64">YQEAYg==<\/control>/)
  assert.throws(() => new XmlWriter().write({ text: 'half \ud800 a pair' }), ItemError)
})

test("libxml2's xmllint finds nothing to say about it", async () => {
  const items = [...fc.sample(itemArbitrary, { numRuns: 200, seed: 7 }), { 'a\u0001': '\ufffe', b: ']]>' }]
  const writers = [new XmlWriter(), new XmlWriter({ root: 'catalogue', item: 'entry', attributes: ['pk', 'name'] })]
  for (const writer of writers) {
    const contents = documentOf(writer, items)
    const { valid, errors } = await validateXML({
      xml: [{ fileName: 'items.xml', contents }],
      normalization: 'c14n',
      extension: 'schema',
      schema: ANYTHING,
    } as never)
    assert.deepEqual([valid, errors], [true, []])
  }
})

const ANYTHING = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="items" type="any"/><xs:element name="catalogue" type="any"/>
  <xs:complexType name="any" mixed="true"><xs:sequence>
    <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType>
</xs:schema>`

test('root, element and attributes can be chosen', () => {
  const writer = new XmlWriter({ root: 'catalogue', item: 'book', attributes: ['id', 'price', 'open', 'data', 'gone'] })
  const text = writer.write({ id: 'a"<&\n', price: 12.5, open: true, data: new Uint8Array([1]), title: 'T' })
  assert.equal(
    text,
    '<book id="a&quot;&lt;&amp;&#10;" price="12.5" open="true"><data type="B">AQ==</data><title>T</title></book>\n',
  )
  assert.throws(() => new XmlWriter({ root: 'a b' }), /xml.root: "a b" is not a valid XML name/)
  assert.throws(() => new XmlWriter({ attributes: ['ok', 'xml:lang'] }), /xml.attributes: "xml:lang"/)
})

test('a mapping gives a schema of its own, and what it gives is checked', () => {
  const book: XmlMapping = ({ id, title, tags }) => ({
    name: 'book',
    attributes: { isbn: id, gone: undefined },
    children: [
      { name: 'title', children: [title] },
      ...[...(tags ?? [])].map((tag: string) => ({ name: 'tag', children: [tag] })),
    ],
  })
  const writer = new XmlWriter({ root: 'books', mapping: book })
  assert.equal(
    documentOf(writer, [{ id: '1', title: 'A & B', tags: new Set(['x']) }]),
    '<?xml version="1.0" encoding="UTF-8"?>\n<books>\n<book isbn="1"><title>A &amp; B</title><tag>x</tag></book>\n</books>\n',
  )
  const faults: [unknown, RegExp][] = [
    [null, /must return an element \{ name, attributes, children \}, not null/],
    ['text', /children }, not "text"/],
    [{ name: '1' }, /"1" is not a valid XML element name/],
    [{ name: 'a', attributes: { 'b c': 1 } }, /"b c" is not a valid XML attribute name/],
    [{ name: 'a', children: ['\u0000'] }, /the text of a contains a character that XML does not allow/],
    [{ name: 'a', children: 'b' }, /children of <a> must be an array/],
    [{ name: 'a', children: [5] }, /children }, not number/],
  ]
  for (const [made, message] of faults) {
    const bad = new XmlWriter({ mapping: (() => made) as never })
    assert.throws(
      () => bad.write({}),
      (error: Error) => error instanceof ItemError && message.test(error.message),
    )
  }
})
