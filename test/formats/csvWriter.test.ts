import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CsvWriter } from '../../src/formats/csvWriter.ts'
import { csvConversion } from '../../src/formats/itemConversion.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { ItemError } from '../../src/item/itemError.ts'
import { NumberValue } from '../../src/item/number.ts'
import { asRead, itemArbitrary } from '../item/itemArbitrary.ts'
import { convert } from './convert.ts'
import { readAll } from './readAll.ts'

async function roundTrip(
  items: readonly PlainItem[],
  form: { readonly safe?: boolean; readonly typedHeader?: boolean } = { typedHeader: true },
): Promise<{ csv: string; items: unknown[]; losses: string[] }> {
  const losses: string[] = []
  const bytes = await convert(csvConversion({ first: ['id'], ...form, onLoss: (text) => losses.push(text) }), items)
  const { items: read, errors, failure } = await readAll(bytes, { file: 'items.csv' })
  assert.equal(failure, undefined)
  assert.deepEqual(errors, [])
  return { csv: bytes.toString(), items: [...read], losses }
}

/** docs/reference/formats.md: what CSV cannot carry. */
function carried(item: PlainItem): { item: unknown; lost: string[] } {
  const kept: [string, unknown][] = []
  const lost: string[] = []
  for (const [name, value] of Object.entries(item)) {
    if (name.trimStart() === name) kept.push([name, value])
    else lost.push(name)
  }
  return { item: asRead(Object.fromEntries(kept)), lost }
}

test('any items come back from CSV as they were, or it was told what they lose', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(itemArbitrary, { minLength: 1, maxLength: 8 }), async (made) => {
      const items = made.map((item, index) =>
        Object.fromEntries([['id', `i${index}`], ...Object.entries(item).filter(([name]) => name !== 'id')]),
      )
      const { items: read, losses } = await roundTrip(items)
      assert.equal(read.length, items.length)
      for (const [index, item] of items.entries()) {
        const { item: expected, lost } = carried(item)
        for (const name of lost)
          assert.ok(
            losses.some((text) => text.startsWith(`${name}: left out`)),
            `${name} is lost in silence`,
          )
        const back = read[index] as { [name: string]: unknown }
        for (const [name, value] of Object.entries(expected as object)) {
          const isEmpty = value === '' || (value instanceof Uint8Array && value.length === 0)
          if (isEmpty && !Object.hasOwn(back, name)) {
            assert.ok(
              losses.some((text) => text.startsWith(`${name}: an empty value`)),
              `${name} is lost in silence`,
            )
          } else assert.deepEqual(Object.hasOwn(back, name) ? back[name] : undefined, value, name)
        }
        for (const name of Object.keys(back))
          assert.ok(Object.hasOwn(expected as object, name), `${name} was not there`)
      }
    }),
    { numRuns: 300 },
  )
})

test('columns are those of the key, then the others by name, with the narrowest types', async () => {
  const { csv, losses } = await roundTrip([
    {
      id: 'a',
      price: 12.5,
      open: true,
      none: null,
      data: new Uint8Array([104, 105]),
      tags: new Set(['x', 'y']),
      more: [1, 'x'],
    },
    { id: 'b', price: new NumberValue('0.12345678901234567890'), open: null, mixed: 'text', 'a:N': 'text' },
    { id: 'c', mixed: 1, price: 9007199254740993n },
  ])
  assert.deepEqual(losses, [])
  assert.deepEqual(csv.split('\n'), [
    'id,a:N:S,data:B,mixed:json,more:json,none:NULL,open:json,price:N,tags:ddb',
    'a,,aGk=,,"[1,""x""]",null,true,12.5,"{""SS"":[""x"",""y""]}"',
    'b,text,,"""text""",,,null,0.1234567890123456789,',
    'c,,,1,,,,9007199254740993,',
    '',
  ])
})

test('a plain header names no types, and says with which flag they come back', async () => {
  const items = [
    { id: 'a', price: 1, open: true, none: null },
    { id: 'b', price: null, open: false, 'a:N': 'text', tags: [1] },
  ]
  const { csv, losses, items: read } = await roundTrip(items, {})
  assert.deepEqual(csv.split('\n'), ['id,a:N:S,none,open,price,tags', 'a,,null,true,1,', 'b,text,,false,,[1]', ''])
  assert.deepEqual(losses, [
    'the header has plain names, without the types of columns. To load the file back with its types, pass ' +
      '--types none=NULL,open=BOOL,price=N,tags=json to headrace load, or export with csv.typedHeader (--typed-header)',
    'price: NULL is written as an empty cell, and loads as a missing attribute',
  ])
  assert.deepEqual(read[1], { id: 'b', 'a:N': 'text', open: 'false', tags: '[1]' })
  const { items: typed } = await readAll(Buffer.from(csv), {
    file: 'items.csv',
    csv: { types: { none: 'NULL', open: 'BOOL', price: 'N', tags: 'json' } },
  })
  assert.deepEqual(typed, [
    { id: 'a', price: 1, open: true, none: null },
    { id: 'b', open: false, 'a:N': 'text', tags: [1] },
  ])
})

test('a header of text alone loses nothing, so nothing is said', async () => {
  const { losses } = await roundTrip([{ id: 'a', name: 'x' }], {})
  assert.deepEqual(losses, [])
})

test('no items at all: a header of the key', async () => {
  assert.equal((await convert(csvConversion({ first: ['id', 'at'] }), [])).toString(), 'id,at\n')
})

test('reliability 67: formula cells stand as they are, or with a quote in front when that is asked for', async () => {
  const texts = ['=1+1', '+1', '-1', '@x', '\tx', '\rx', 'x=1']
  const items = texts.map((text, index) => ({ id: `i${index}`, text, n: -index }))
  const plain = await roundTrip(items)
  assert.deepEqual(plain.items, items.map(asRead))
  assert.deepEqual(plain.losses, [])

  const safe = await roundTrip(items, { safe: true, typedHeader: true })
  const cells = (safe.items as { text: string }[]).map(({ text }) => text)
  assert.deepEqual(cells, ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", 'x=1'])
  assert.deepEqual(
    safe.items.map((item) => (item as { n: number }).n),
    items.map(({ n }) => asRead(n)),
  )
  assert.deepEqual(safe.losses, [
    "text: a value that starts like a formula is written with a leading ', and loads with it",
  ])
})

test('E9: what a spreadsheet may take for a formula is prefixed, whatever stands in front of it', async () => {
  const texts = ['\nx', '\n=1', '\r\n=1', ' =1', '\u00a0+1', '\u200b=1', '\ufeff=1', '＝1', '＋1', '－1', '＠x', ' ＝1']
  const items = [...texts, 'a=1', ' x'].map((text, index) => ({ id: `i${index}`, text }))
  const safe = await roundTrip(items, { safe: true, typedHeader: true })
  const cells = (safe.items as { text: string }[]).map(({ text }) => text)
  assert.deepEqual(cells, [...texts.map((text) => `'${text}`), 'a=1', ' x'])
})

test('reliability 58: numbers of 38 digits, and integers beyond 2^53, stand in CSV as they are', async () => {
  const numbers = [
    2n ** 53n + 1n,
    -(2n ** 63n) - 1n,
    10n ** 37n + 1n,
    new NumberValue('1.2345678901234567890123456789012345678'),
    1e125,
    1e-130,
  ]
  const items = numbers.map((n, index) => ({ id: `i${index}`, n }))
  const { items: read, losses } = await roundTrip(items)
  assert.deepEqual(read, items.map(asRead))
  assert.deepEqual(losses, [])
})

test('declared columns are written in one pass; what is in none is told of once', async () => {
  const losses: string[] = []
  const writer = new CsvWriter({
    columns: [
      { name: 'id', type: 'S' },
      { name: 'n', type: 'N' },
      { name: 'tags', type: 'ddb' },
      { name: 'list', type: 'json' },
    ],
    delimiter: '\t',
    typedHeader: true,
    onLoss: (text) => losses.push(text),
  })
  assert.equal(writer.head, 'id\tn:N\ttags:ddb\tlist:json\n')
  assert.equal(
    writer.write({ id: 'a\tb', n: 1, tags: new Set([1]), list: new Set(['x']), other: 1 }),
    '"a\tb"\t1\t"{""NS"":[""1""]}"\t"[""x""]"\n',
  )
  assert.equal(writer.write({ id: 7, other: 2 }), '7\t\t\t\n')
  assert.equal(writer.write({ id: '' }), '\t\t\t\n')
  assert.deepEqual(losses, [
    'list: a set is written as a list, and does not load back as it was',
    'other: left out, because the file has no column for it',
    'id: a value of type N is written as text, and loads as text',
  ])
  assert.throws(
    () => writer.write({ id: 'a', n: 'x' }),
    (error: unknown) =>
      error instanceof ItemError && /^n: a value of type S, but the column is n:N/.test(error.message),
  )
})

test('columns that no header line can have are refused', () => {
  assert.throws(() => new CsvWriter({ columns: [] }), TypeError)
  assert.throws(() => new CsvWriter({ columns: [{ name: ' a', type: 'S' }] }), /header line/)
  assert.throws(
    () =>
      new CsvWriter({
        columns: [
          { name: 'a', type: 'S' },
          { name: 'a', type: 'N' },
        ],
      }),
    /twice/,
  )
})
