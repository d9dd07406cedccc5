import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../src/formats/formatError.ts'
import { type ParquetOptions, parquetConversion } from '../../src/formats/parquetConversion.ts'
import { type ParquetReaderOptions, readParquet } from '../../src/formats/parquetReader.ts'
import type { SourceRecord } from '../../src/formats/record.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { NumberValue } from '../../src/item/number.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { asRead, itemArbitrary } from '../item/itemArbitrary.ts'
import { convert } from './convert.ts'

async function readAll(bytes: Buffer, options: Partial<ParquetReaderOptions> = {}): Promise<SourceRecord[]> {
  const source = {
    sizeBytes: bytes.length,
    read: async (start: number, length: number) => bytes.subarray(start, start + length),
  }
  const records: SourceRecord[] = []
  for await (const batch of readParquet(source, { file: 'items.parquet', ...options })) records.push(...batch)
  return records
}

async function write(
  items: readonly PlainItem[],
  options: Partial<ParquetOptions> = {},
): Promise<{ bytes: Buffer; losses: string[] }> {
  const losses: string[] = []
  const conversion = parquetConversion({ first: ['id'], onLoss: (text) => losses.push(text), ...options })
  return { bytes: await convert(conversion, items), losses }
}

async function roundTrip(items: readonly PlainItem[], options: Partial<ParquetOptions> = {}): Promise<unknown[]> {
  const { bytes, losses } = await write(items, options)
  assert.deepEqual(losses, [])
  return itemsOf(await readAll(bytes))
}

function itemsOf(records: readonly SourceRecord[]): unknown[] {
  return records.map((record) => ('item' in record ? record.item : record.error))
}

/** The columns as whoever knows nothing of us sees them. */
async function columnsOf(bytes: Buffer): Promise<{ [name: string]: string }> {
  const { parquetMetadata } = await import('hyparquet')
  const { schema } = parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  )
  return Object.fromEntries(
    schema
      .slice(1)
      .map(({ name, type, converted_type: converted, precision, scale }) => [
        name,
        `${type}${converted === undefined ? '' : ` ${converted}`}${precision === undefined ? '' : ` ${precision},${scale}`}`,
      ]),
  )
}

test('any items come back from Parquet as they were, whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(itemArbitrary, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(1, 1_000_000),
      async (items, rowGroupBytes) => {
        const named = items.map((item, index) => ({ ...item, id: `i${index}` }))
        // Spreading drops what is called __proto__, so that is added anew.
        for (const [index, item] of items.entries()) {
          if (!Object.hasOwn(item, '__proto__')) continue
          const value: unknown = Object.getOwnPropertyDescriptor(item, '__proto__')!.value
          Object.defineProperty(named[index]!, '__proto__', {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          })
        }
        const read = await roundTrip(named, { rowGroupBytes })
        assert.deepEqual(
          read.map(sorted),
          named.map((item) => sorted(asRead(item))),
        )
      },
    ),
    { numRuns: 300 },
  )
})

/** Attributes have no order. */
function sorted(item: unknown): [string, unknown][] {
  return Object.entries(item as object).sort(([left], [right]) => (left < right ? -1 : 1))
}

test('NULL beside numbers that no column of numbers holds is NULL, and what is missing is missing', async () => {
  const items = [{ id: 'a', much: null }, { id: 'b', much: 10n ** 41n }, { id: 'c' }]
  assert.deepEqual(await roundTrip(items), items.map(asRead))
})

test('each attribute has the narrowest column that holds all its values exactly', async () => {
  const items = [
    {
      id: 'a',
      flag: true,
      whole: 1,
      price: 12.5,
      double: 0.1 + 0.2 + 1000,
      long: 10n ** 37n + 1n,
      huge: 1e125,
      data: new Uint8Array([1]),
      list: [1, 'x'],
      set: new Set(['x']),
      mixed: 1,
      none: null,
      sometimes: 'x',
    },
    {
      id: 'b',
      flag: false,
      whole: -(2n ** 63n),
      price: -100,
      double: 1e-9 / 3,
      long: new NumberValue('0.5'),
      huge: 1e-130,
      mixed: 'x',
      sometimes: null,
    },
  ]
  const { bytes } = await write(items)
  assert.deepEqual(await columnsOf(bytes), {
    id: 'BYTE_ARRAY UTF8',
    data: 'BYTE_ARRAY',
    double: 'DOUBLE',
    flag: 'BOOLEAN',
    huge: 'DOUBLE',
    list: 'BYTE_ARRAY UTF8',
    long: 'BYTE_ARRAY UTF8',
    mixed: 'BYTE_ARRAY UTF8',
    none: 'BYTE_ARRAY UTF8',
    price: 'INT64 DECIMAL 4,1',
    set: 'BYTE_ARRAY UTF8',
    sometimes: 'BYTE_ARRAY UTF8',
    whole: 'INT64',
    'headrace.rest': 'BYTE_ARRAY UTF8',
  })
  assert.deepEqual(
    itemsOf(await readAll(bytes)).map(sorted),
    items.map((item) => sorted(asRead(item))),
  )
})

test('reliability 70: null columns, integers beyond 2^53 and decimals of 38 digits are exact', async () => {
  const big = [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
  const decimals = ['99999999999999999999999999999999999999', '-0.1234567890123456789', '1'].map(
    (text) => new NumberValue(text),
  )
  const scaled = ['1234567890123456789012345678.0123456789', '-9999999999999999999999999999.9999999999', '0.0000000001']
  const items = big.map((n, index) => ({
    id: `i${index}`,
    big: n,
    scaled: new NumberValue(scaled[index]!),
    wide: decimals[index]!,
    none: null,
  }))
  const { bytes } = await write(items)
  assert.equal((await columnsOf(bytes))['scaled'], 'FIXED_LEN_BYTE_ARRAY DECIMAL 38,10')
  assert.deepEqual(
    itemsOf(await readAll(bytes)).map(sorted),
    items.map((item) => sorted(asRead(item))),
  )
})

test('reliability 70: a file that is cut, or whose footer is broken, is refused before its first row', async () => {
  const { bytes } = await write(Array.from({ length: 50 }, (_, index) => ({ id: `i${index}`, n: index })))
  const footerBytes = bytes.readUInt32LE(bytes.length - 8) + 8
  const random = seededRandom(67)
  const flips = Array.from({ length: 400 }, () => bytes.length - 1 - Math.floor(random() * footerBytes))
  let refused = 0
  for (const cut of [0, 3, 8, 11, 12, 100, bytes.length - 1, bytes.length - 9, bytes.length >> 1]) {
    await assert.rejects(
      readAll(bytes.subarray(0, cut)),
      (error: unknown) =>
        error instanceof FormatError &&
        /items\.parquet: .+No record was read|Download the file again/.test(error.message),
    )
  }
  for (const at of flips) {
    const damaged = Buffer.from(bytes)
    damaged[at] = Math.floor(random() * 256)
    // Some bytes say nothing that matters, such as who wrote it; none may bring anything but an answer or a clear refusal.
    try {
      await readAll(damaged)
    } catch (error) {
      assert.ok(error instanceof FormatError, `${error}`)
      refused += 1
    }
  }
  assert.ok(refused > 200, `${refused} of ${flips.length}`)
  const other = Buffer.from(bytes)
  other.write('PARE', 0)
  await assert.rejects(readAll(other), /encrypted/)
})

test('a page that is damaged ends the file, after the row groups in front of it', async () => {
  const items = Array.from({ length: 9 }, (_, index) => ({ id: `i${index}`, text: `text ${index} `.repeat(20) }))
  const { bytes } = await write(items, { rowGroupBytes: 1 })
  const { parquetMetadata } = await import('hyparquet')
  const { row_groups: groups } = parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  )
  assert.equal(groups.length, 3)
  const damaged = Buffer.from(bytes)
  damaged.fill(
    0xff,
    Number(groups[1]!.columns[1]!.meta_data!.data_page_offset),
    Number(groups[1]!.columns[1]!.meta_data!.data_page_offset) + 20,
  )
  await assert.rejects(
    readAll(damaged),
    (error: unknown) =>
      error instanceof FormatError && /The 3 complete records before it were read/.test(error.message),
  )
})

test('reading goes on behind any row, and in parts of a row group, as it would have', async () => {
  const items = Array.from({ length: 40 }, (_, index) => ({
    id: `i${index}`,
    n: index,
    text: index % 3 === 0 ? 'x' : `t${index}`,
  }))
  const { bytes } = await write(items, { rowGroupBytes: 500 })
  const all = await readAll(bytes)
  assert.deepEqual(
    itemsOf(all).map(sorted),
    items.map((item) => sorted(item)),
  )
  assert.deepEqual(
    all.map(({ place }) => place),
    items.map((_, index) => ({ file: 'items.parquet', line: index + 1, offset: index })),
  )
  assert.deepEqual(await readAll(bytes, { partBytes: 64 }), all)
  for (const last of [0, 2, 3, 17, 38, 39]) {
    const after = { line: last + 1, offset: last }
    assert.deepEqual(await readAll(bytes, { after }), all.slice(last + 1), `after ${last}`)
    assert.deepEqual(await readAll(bytes, { after, partBytes: 64 }), all.slice(last + 1), `after ${last}, in parts`)
  }
})

test('columns may be chosen by name; what is in none is told of once', async () => {
  const items = [
    { id: 'a', n: 1, other: 'x' },
    { id: 'b', other: null },
  ]
  const { bytes, losses } = await write(items, { columns: ['n', 'id', 'gone'] })
  assert.deepEqual(Object.keys(await columnsOf(bytes)), ['n', 'id', 'gone'])
  assert.deepEqual(itemsOf(await readAll(bytes)), [{ n: 1, id: 'a' }, { id: 'b' }])
  assert.deepEqual(losses, ['other: left out, because the file has no column for it'])
})

test('no items at all: a file with the columns of the key, and no rows', async () => {
  const { bytes } = await write([])
  assert.deepEqual(await columnsOf(bytes), { id: 'BYTE_ARRAY UTF8' })
  assert.deepEqual(await readAll(bytes), [])
})
