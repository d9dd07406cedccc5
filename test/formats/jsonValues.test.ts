import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../src/formats/formatError.ts'
import { readRecords } from '../../src/formats/readRecords.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { readAll } from './readAll.ts'

const file = 'users.json'

test('the objects of an array come back as they went, however laid out and cut', async () => {
  const record = fc.dictionary(
    fc.string({ unit: 'binary' }).map((name) => name.toWellFormed()),
    fc.jsonValue({ maxDepth: 3 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 6 }),
      fc.constantFrom(0, 2),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom('', '\ufeff', '\n  '),
      async (records, indent, pieceBytes, before) => {
        const content = `${before}${JSON.stringify(records, undefined, indent)}\n`
        const read = await readAll(content, { file }, pieceBytes)
        assert.strictEqual(read.failure, undefined)
        assert.ok(read.errors.every(({ error }) => /DynamoDB's range/.test(error)))
        if (read.errors.length === 0) assert.deepStrictEqual(read.items, parseJson(JSON.stringify(records)))
        const bytes = Buffer.from(content)
        for (const { place } of read.records) {
          assert.strictEqual(bytes[place.offset], 0x7b)
          assert.strictEqual(place.line, bytes.toString('latin1', 0, place.offset).split('\n').length)
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('a single object, on one line or many, is one record', async () => {
  for (const indent of [0, 2]) {
    const record = { pk: 'x', Items: [1, 2], deep: { a: [{}] } }
    const read = await readAll(JSON.stringify(record, undefined, indent), { file }, 3)
    assert.deepStrictEqual(read.items, [record])
  }
})

test('objects spread over lines and set one after another are read each', async () => {
  const content = [{ a: 1 }, { b: { c: [] } }].map((value) => JSON.stringify(value, undefined, 2)).join('\n')
  const read = await readAll(content, { file }, 4)
  assert.deepStrictEqual(read.items, [{ a: 1 }, { b: { c: [] } }])
})

test('what the AWS command line prints for a scan gives its items, decoded', async () => {
  const output = {
    Items: [
      { pk: { S: 'a' }, n: { N: '12345678901234567890' } },
      { pk: { S: 'b' }, tags: { SS: ['x'] } },
    ],
    Count: 2,
    ScannedCount: 2,
    ConsumedCapacity: null,
  }
  for (const indent of [0, 4]) {
    const read = await readAll(JSON.stringify(output, undefined, indent), { file }, 5)
    assert.strictEqual(read.failure, undefined)
    assert.deepStrictEqual(read.items, [
      { pk: 'a', n: 12345678901234567890n },
      { pk: 'b', tags: new Set(['x']) },
    ])
  }
  const reversed = '{"Count":1,"ScannedCount":1,"Items":[{"pk":{"S":"a"}}]}'
  assert.deepStrictEqual((await readAll(reversed, { file })).items, [{ pk: 'a' }])
})

test('a record that merely has an attribute called Items or Count is a record', async () => {
  for (const content of [
    '{"Count":1,"x":2}',
    '{"Items":[{"a":1}],"pk":"order"}',
    '{\n"Count": 1,\n"x": 2\n}',
    '{\n"Items": [{"a":1}],\n"pk": "order"\n}',
  ]) {
    assert.deepStrictEqual((await readAll(content, { file })).items, [parseJson(content)])
  }
})

test('something like scan output with a stranger among its members is named after its items were read', async () => {
  const padding = ' '.repeat(70_000)
  const read = await readAll(`{\n"Items": [{"a":1}${padding}],\n"pk": "order"\n}`, { file })
  assert.deepStrictEqual(read.items, [{ a: 1 }])
  assert.match(String(read.failure), /has a member "pk"/)
})

test('a bad element is an error record, and the elements around it are read', async () => {
  const read = await readAll('[{"a":1},{"a":},\n7,"x]",[{}],,{"a":[1},{"a":2 "b":3},{"a":"[{"},{"a":9}]', { file }, 6)
  assert.deepStrictEqual(read.items, [{ a: 1 }, { a: '[{' }, { a: 9 }])
  assert.deepStrictEqual(
    read.errors.map(({ raw, place }) => [raw, place.line]),
    [
      ['{"a":}', 1],
      ['7', 2],
      ['"x]"', 2],
      ['[{}]', 2],
      ['', 2],
      ['{"a":[1}', 2],
      ['{"a":2 "b":3}', 2],
    ],
  )
  assert.strictEqual(read.failure, undefined)
})

test('a string that is not closed costs its own line and the one it runs into', async () => {
  const read = await readAll('[\n{"a":1},\n{"a":"x},\n{"a":2},\n{"a":3}\n]', { file })
  assert.deepStrictEqual(read.items, [{ a: 1 }])
  assert.strictEqual(read.errors.length, 1)
  assert.match(read.errors[0]!.raw, /"x\},\n\{"a":2\},\n\{"a":3\}/)
})

test('an array that ends too early fails with its place, after all its complete records', async () => {
  const content = '[{"a":1},\n {"a":2},\n {"a":3'
  for (const pieceBytes of [1, 5, 100]) {
    const read = await readAll(content, { file }, pieceBytes)
    assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }])
    assert.ok(read.failure instanceof FormatError)
    assert.deepStrictEqual(read.failure.filePlace, { file, line: 3, offset: content.indexOf('{"a":3') })
    assert.match(
      read.failure.message,
      /^users\.json:3: the record that starts here is not complete: the file is truncated/,
    )
  }
  assert.match(String((await readAll('[{"a":1}', { file })).failure), /the array is not closed/)
  assert.match(String((await readAll('{\n"a": 1', { file })).failure), /not complete/)
})

test('whatever follows the array is refused, white space apart', async () => {
  assert.strictEqual((await readAll('[{"a":1}] \n\n', { file }, 2)).failure, undefined)
  const read = await readAll('[{"a":1}] x', { file }, 2)
  assert.deepStrictEqual(read.items, [{ a: 1 }])
  assert.match(String(read.failure), /there is text after the end of the array/)
})

test('a record beyond the limit is one error record, and the next is read', async () => {
  const long = `{"a":"${'x'.repeat(50_000)}","b":[{}]}`
  for (const pieceBytes of [1000, 1_000_000]) {
    const read = await readAll(`[{"a":1},${long},{"a":2},${long},{"a":3}]`, { file, lineBytesMax: 3000 }, pieceBytes)
    assert.strictEqual(read.failure, undefined)
    assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }, { a: 3 }])
    assert.deepStrictEqual(
      read.errors.map(({ error }) => error),
      ['the record is longer than 3000 bytes', 'the record is longer than 3000 bytes'],
    )
  }
})

test('ten thousand brackets are one bad record', async () => {
  const read = await readAll(`[{"a":1},${'['.repeat(10_000)}${']'.repeat(10_000)},{"a":2}]`, { file })
  assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }])
  assert.match(read.errors[0]!.error, /nested deeper than 32 levels/)
})

test('the records in front of what follows an array are read, whatever the pieces', async () => {
  for (const pieceBytes of [1, 10, 1_000]) {
    const read = await readAll('[{"a":1},{"a":2}]\n[{"a":3}]', { file }, pieceBytes)
    assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }])
    assert.match(
      String(read.failure),
      /there is text after the end of the array.* 2 complete records before it were read/,
    )
  }
})

test('a byte order mark between documents is no record and belongs to none', async () => {
  for (const content of ['{\n"a":1}\ufeff{\n"a":2}\n\ufeff', '{\n"a":1}\n\ufeff\n{\n"a":2}']) {
    const read = await readAll(content, { file })
    assert.deepStrictEqual([read.items, read.errors, read.failure], [[{ a: 1 }, { a: 2 }], [], undefined])
  }
})

test('where the disk fails behind a complete element of an array, that element is read', async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('[{"a":1},{"a":2}')
    throw new Error('EIO: i/o error, read')
  }
  const items: unknown[] = []
  const read = async (): Promise<void> => {
    for await (const records of readRecords(pieces(), { file: 'a.json' }))
      for (const record of records) items.push('item' in record ? record.item : record.error)
  }
  await assert.rejects(read(), /EIO/)
  assert.deepEqual(items, [{ a: 1 }, { a: 2 }])
})
