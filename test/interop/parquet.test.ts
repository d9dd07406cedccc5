import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { csvConversion } from '../../src/formats/itemConversion.ts'
import { parquetConversion } from '../../src/formats/parquetConversion.ts'
import { readParquet } from '../../src/formats/parquetReader.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { decodeItemText } from '../../src/item/decode.ts'
import { NumberValue } from '../../src/item/number.ts'
import { file } from '../../src/operations/file.ts'
import { openRandomAccess } from '../../src/storage/openRandomAccess.ts'
import { scratchDirectory } from '../e2e/command.ts'
import { convert } from '../formats/convert.ts'
import { findPython, runPython } from './python.ts'

const python = findPython(['pyarrow', 'duckdb'])
const skip = python === undefined ? 'no Python with pyarrow and duckdb: node scripts/python.mjs makes one' : false

test('Parquet that pyarrow wrote is read as it was meant, in each of its codecs and pages', { skip }, async () => {
  using directory = scratchDirectory()
  runPython(python!, 'writeParquet.py', [directory.path])
  const wanted = readFileSync(join(directory.path, 'wanted.jsonl'), 'utf8').trim().split('\n').map(decodeItemText)
  for (const name of ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'v1', 'v2']) {
    const items = await itemsOf(join(directory.path, `${name}.parquet`))
    assert.deepEqual(items, wanted, name)
    // As it is read where a row group is larger than is to be in memory.
    await using source = await openRandomAccess(join(directory.path, `${name}.parquet`))
    const parts: PlainItem[] = []
    const options = { file: name, partBytes: 4_000, after: { line: 5, offset: 4 } }
    for await (const records of readParquet(source, options))
      for (const record of records) if ('item' in record) parts.push(record.item)
    assert.deepEqual(parts, wanted.slice(5), `${name}, in parts`)
  }
  const old = await itemsOf(join(directory.path, 'int96.parquet'))
  assert.deepEqual(old[1], { id: 'item1', us: '1970-01-01T00:00:00.000000000' })
})

test('Parquet and CSV that we wrote are read by pyarrow, DuckDB and the csv of Python', { skip }, async () => {
  using directory = scratchDirectory()
  mkdirSync(directory.path, { recursive: true })
  const items = Array.from({ length: 2_000 }, (_, index) => ({
    id: `item${`${index}`.padStart(5, '0')}`,
    big: 2n ** 63n - 1n - BigInt(index),
    price: index / 100,
    wide: new NumberValue(`-1234567890123456789012345678.${`${index}`.padStart(9, '0')}1`),
    double: Math.PI * 1e10 * (index + 1),
    open: index % 2 === 0,
    data: new Uint8Array([index & 255, 0]),
    text: `"${index}",\r\n\té€😀\r'`,
    // Not of all, and NULL of some.
    ...(index % 3 === 0 ? {} : { note: index % 3 === 1 ? null : 'there' }),
    tags: new Set(['a', 'b']),
    list: [1, { x: 'y' }],
  }))
  const first = ['id']
  writeFileSync(
    join(directory.path, 'items.parquet'),
    await convert(parquetConversion({ first, rowGroupBytes: 100_000 }), items, 50),
  )
  writeFileSync(
    join(directory.path, 'items.csv'),
    await convert(csvConversion({ first, typedHeader: true }), items, 50),
  )
  const read = JSON.parse(runPython(python!, 'readColumns.py', [directory.path])) as Read
  assert.ok(read.groups > 3, `${read.groups} row groups`)
  assert.deepEqual(read.pyarrowTypes, {
    id: 'string',
    big: 'int64',
    data: 'binary',
    double: 'double',
    list: 'string',
    note: 'string',
    open: 'bool',
    price: 'decimal128(4, 2)',
    tags: 'string',
    text: 'string',
    wide: 'decimal128(38, 10)',
    'headrace.rest': 'string',
  })
  assert.equal(read.duckdbTypes['price'], 'DECIMAL(4,2)')
  assert.equal(read.duckdbTypes['wide'], 'DECIMAL(38,10)')
  assert.equal(read.sum, '19990.00')
  assert.equal(read.csv.length, items.length)
  for (const [index, item] of items.entries()) {
    const { note = null } = item as { note?: string | null }
    const { double, price, ...pyarrow } = read.pyarrow[index]!
    const { double: duckDouble, price: duckPrice, ...duckdb } = read.duckdb[index]!
    const expected = {
      id: item.id,
      big: `${item.big}`,
      wide: item.wide.text.padEnd('-1234567890123456789012345678.0123456789'.length, '0'),
      open: item.open,
      data: Buffer.from(item.data).toString('hex'),
      text: item.text,
      note,
      tags: '{"SS":["a","b"]}',
      list: '[1,{"x":"y"}]',
      'headrace.rest': index % 3 === 1 ? '{"note":{"NULL":true}}' : null,
    }
    assert.deepEqual(pyarrow, expected)
    assert.deepEqual(duckdb, expected)
    for (const value of [double, duckDouble]) assert.equal(Number(value), item.double)
    for (const value of [price, duckPrice]) assert.equal(Number(value), item.price)
    assert.deepEqual(read.csv[index], {
      id: item.id,
      'big:N': `${item.big}`,
      'data:B': Buffer.from(item.data).toString('base64'),
      'double:N': `${item.double}`,
      'list:json': '[1,{"x":"y"}]',
      'note:json': index % 3 === 0 ? '' : JSON.stringify(note),
      'open:BOOL': `${item.open}`,
      'price:N': `${item.price}`,
      'tags:ddb': '{"SS":["a","b"]}',
      text: item.text,
      'wide:N': item.wide.text,
    })
  }
})

interface Read {
  readonly groups: number
  readonly pyarrow: { readonly [name: string]: unknown }[]
  readonly pyarrowTypes: { readonly [name: string]: string }
  readonly duckdb: { readonly [name: string]: unknown }[]
  readonly duckdbTypes: { readonly [name: string]: string }
  readonly sum: string
  readonly csv: { readonly [name: string]: string }[]
}

async function itemsOf(path: string): Promise<PlainItem[]> {
  const items: PlainItem[] = []
  for await (const records of file(path).records()) {
    for (const record of records) {
      assert.ok('item' in record, 'error' in record ? record.error : '')
      items.push(record.item)
    }
  }
  return items
}
