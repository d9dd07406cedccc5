import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../src/formats/formatError.ts'
import { IonWriter, loadIon } from '../../src/formats/ion.ts'
import { readRecords } from '../../src/formats/readRecords.ts'
import type { SourceRecord } from '../../src/formats/record.ts'
import { asRead, itemArbitrary } from '../item/itemArbitrary.ts'
import { readAll } from './readAll.ts'

const ion = await loadIon()

test('any items come back from Ion as they were, and in a line each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(itemArbitrary, { minLength: 1, maxLength: 8 }), async (items) => {
      const writer = new IonWriter(ion)
      const lines = items.map((item) => writer.write(item))
      for (const line of lines) assert.equal(line.indexOf('\n'), line.length - 1)
      const { items: read, failure, errors } = await readAll(lines.join(''), { file: 'items.ion' })
      assert.equal(failure, undefined)
      assert.deepEqual(errors, [])
      assert.deepStrictEqual(read, items.map(asRead))
    }),
    { numRuns: 300 },
  )
})

test('what the export of the service writes is read, by its beginning too', async () => {
  // The sample of the developer guide, "DynamoDB table export output format", and the types that it does not show.
  const text =
    '$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",Id:103.,' +
    "InPublication:false,PageCount:6d2,Price:-2.50,'a-b':null,B:{{AAE=}},BS:$dynamodb_BS::[{{AA==}},{{AQ==}}]," +
    'NS:$dynamodb_NS::[1.,2.5],L:["x",[true]],M:{a:{}},Big:12345678901234567890123456789012345678.,Small:1d-130}}\n'
  const item = {
    Authors: new Set(['Author1', 'Author2']),
    Dimensions: '8.5 x 11.0 x 1.5',
    Id: 103,
    InPublication: false,
    PageCount: 600,
    Price: -2.5,
    'a-b': null,
    B: Uint8Array.of(0, 1),
    BS: new Set([Uint8Array.of(0), Uint8Array.of(1)]),
    NS: new Set([1, 2.5]),
    L: ['x', [true]],
    M: { a: {} },
    Big: 12345678901234567890123456789012345678n,
    Small: 1e-130,
  }
  for (const file of ['data.ion', '-', 'unknown']) assert.deepStrictEqual((await readAll(text, { file })).items, [item])
})

test('what is no item is an error in its place, and reading goes on', async () => {
  const bad: [text: string, error: RegExp][] = [
    ['$ion_1_0 {Item:{a:1', /not valid Ion/],
    ['$ion_1_0 {Item:{a:sym}}', /Ion type symbol/],
    ['$ion_1_0 {Item:{a:2020-01-01T}}', /Ion type timestamp/],
    ['$ion_1_0 {Item:{a:1.,a:2.}}', /the field "a" appears twice/],
    ['$ion_1_0 {Item:{a:$dynamodb_SS::[]}}', /empty/],
    ['$ion_1_0 {Item:{a:$dynamodb_SS::["x","x"]}}', /twice/],
    ['$ion_1_0 {Item:{a:$dynamodb_NS::[1.0,1.]}}', /twice/],
    ['$ion_1_0 {Item:{a:$dynamodb_NS::["x"]}}', /another type/],
    ['$ion_1_0 {Item:{a:other::"x"}}', /Ion annotation other/],
    ['$ion_1_0 {Item:{a:123456789012345678901234567890123456789.}}', /38/],
    ['$ion_1_0 {Item:{a:1d999999999}}', /1e999999999/],
    ['$ion_1_0 {Item:{a:nan}}', /NaN/],
    [`$ion_1_0 {Item:{a:${'['.repeat(10_000)}${']'.repeat(10_000)}}}`, /nested deeper/],
    ['$ion_1_0 {Other:{a:"x"}}', /not a record: expected/],
    ['$ion_1_0 {Item:{a:"x"}} {Item:{a:"y"}}', /several values/],
  ]
  for (const [text, pattern] of bad) {
    const content = `$ion_1_0 {Item:{a:"before"}}\n${text}\n$ion_1_0 {Item:{a:"behind"}}\n`
    const { items, errors, failure } = await readAll(content, { file: 'x.ion' })
    assert.equal(failure, undefined)
    assert.deepEqual(items, [{ a: 'before' }, { a: 'behind' }], text.slice(0, 60))
    assert.equal(errors.length, 1)
    assert.match(errors[0]!.error, pattern)
    assert.deepEqual([errors[0]!.place.line, errors[0]!.place.offset], [2, 29])
  }
})

test('names such as __proto__ are names as any others', async () => {
  const { items } = await readAll('$ion_1_0 {Item:{__proto__:{x:true},constructor:"c"}}\n', { file: 'x.ion' })
  const [item] = items as { readonly [name: string]: unknown }[]
  assert.deepEqual(Object.keys(item!), ['__proto__', 'constructor'])
  assert.equal(({} as { x?: unknown }).x, undefined)
})

test('changes of an incremental export, in a Record or not', async () => {
  const text =
    '$ion_1_0 {Record:{Keys:{id:1.},Metadata:{WriteTimestampMicros:1.},NewImage:{id:1.,a:"x"}}}\n' +
    '$ion_1_0 {Keys:{id:2.},OldImage:{id:2.}}\n$ion_1_0 {Record:{}}\n'
  const { items, errors } = await readAll(text, { file: 'x.ion', changes: true })
  assert.deepEqual(items, [{ put: { id: 1, a: 'x' } }, { delete: { id: 2 } }])
  assert.match(errors[0]!.error, /not a change/)
})

test('reading goes on behind any record', async () => {
  const writer = new IonWriter(ion)
  const bytes = Buffer.from(Array.from({ length: 50 }, (_, id) => writer.write({ id, text: 'é\n' })).join(''))
  async function* from(offset: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(offset)
  }
  const { records } = await readAll(bytes, { file: 'x.ion' })
  for (const { place } of records) {
    const rest: SourceRecord[] = []
    const options = { file: 'x.ion', after: place, seek: from }
    for await (const batch of readRecords(from(0), options)) rest.push(...batch)
    assert.deepEqual(
      rest.filter((one) => one.place.offset > place.offset),
      records.slice(place.line),
    )
  }
})

test('binary Ion is told from text', async () => {
  const { failure } = await readAll(ion.dumpBinary({ Item: { a: 1 } }), { file: 'x.ion' })
  assert.ok(failure instanceof FormatError)
  assert.match(failure.message, /binary Ion.*one item per line/)
})
