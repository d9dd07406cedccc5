import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAll } from './readAll.ts'

const ddb = '{"pk":{"S":"a"},"n":{"N":"1"}}\n{"pk":{"S":"b"}}\n'
const wrapped = '{"Item":{"pk":{"S":"a"},"n":{"N":"1"}}}\n{ "Item" : {"pk":{"S":"b"}} }\n'
const plain = '{"pk":"a","n":1}\n{"pk":"b"}\n'
const expected = [{ pk: 'a', n: 1 }, { pk: 'b' }]

test('lines of JSON and of DynamoDB JSON, bare or within Item, are told apart by the first, whatever the name', async () => {
  for (const file of ['-', 'data', 'a.jsonl', 'a.ndjson.gz', 'a.json', 'a.JSON.gz']) {
    for (const content of [plain, ddb, wrapped]) {
      assert.deepStrictEqual((await readAll(content, { file }, 10)).items, expected, `${file} ${content}`)
    }
  }
})

test('arrays of either spelling are known by their bracket', async () => {
  for (const content of ['[{"pk":"a","n":1},{"pk":"b"}]', ' \n[{"pk":{"S":"a"},"n":{"N":"1"}},{"pk":{"S":"b"}}]']) {
    for (const file of ['-', 'a.json']) assert.deepStrictEqual((await readAll(content, { file }, 10)).items, expected)
  }
})

test('a bad first line does not hide what the file is', async () => {
  for (const content of [plain, ddb, wrapped]) {
    const read = await readAll(`{"oops\n${content}`, { file: '-' })
    assert.deepStrictEqual(read.items, expected)
    assert.deepStrictEqual(
      read.errors.map(({ place }) => place.line),
      [1],
    )
  }
})

test('a format that is named is taken at its word', async () => {
  assert.deepStrictEqual((await readAll('{"pk":{"S":"a"}}', { file: 'a.csv', format: 'jsonl' })).items, [
    { pk: { S: 'a' } },
  ])
  assert.deepStrictEqual((await readAll(wrapped, { file: '-', format: 'ddb-json' })).items, expected)
  assert.deepStrictEqual((await readAll('[{"pk":{"S":"a"}}]', { file: '-', format: 'ddb-json' })).items, [{ pk: 'a' }])
  assert.deepStrictEqual((await readAll('a\n1', { file: 'a.json', format: 'csv' })).items, [{ a: '1' }])
  const read = await readAll('{"pk":"a"}\n{"pk":{"S":"b"}}\n', { file: 'a.jsonl', format: 'ddb-json' })
  assert.deepStrictEqual(read.items, [{ pk: 'b' }])
  assert.strictEqual(read.errors.length, 1)
})

test('records that only look a little like DynamoDB JSON are plain', async () => {
  for (const record of [
    { Item: { name: 'x' } },
    { a: { S: 'x' }, b: 1 },
    { a: { S: 1 } },
    { a: { S: 'x', N: '1' } },
    {},
  ]) {
    assert.deepStrictEqual((await readAll(JSON.stringify(record), { file: '-' })).items, [record])
  }
  const named = { Item: { S: 'an attribute called Item' } }
  assert.deepStrictEqual((await readAll(JSON.stringify(named), { file: '-' })).items, [{ Item: named.Item.S }])
})

test('a record without its wrapping among wrapped ones is an error record', async () => {
  const read = await readAll(`${wrapped}{"pk":{"S":"c"}}\n`, { file: '-' })
  assert.deepStrictEqual(read.items, expected)
  assert.match(read.errors[0]!.error, /this record does not look like \{"Item".*, as most records of this file do/)
})

test('a first line of half a megabyte is seen whole', async () => {
  const line = JSON.stringify({ pk: { S: 'a' }, text: { S: 'x'.repeat(500_000) } })
  const read = await readAll(`${line}\n${line}\n`, { file: '-' }, 1000)
  assert.deepStrictEqual(
    read.items.map((item) => (item as { pk: string }).pk),
    ['a', 'a'],
  )
})

test('what nothing tells is asked for, and what is no text is named', async () => {
  assert.match(
    String((await readAll('a,b\n1,2', { file: 'data' })).failure),
    /cannot detect the format .*Set format \(--format\): jsonl, json/,
  )
  assert.match(String((await readAll(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), { file: 'a.jsonl' })).failure), /zstd/)
  assert.match(String((await readAll('PK\u0003\u0004', { file: 'a.csv' })).failure), /a ZIP archive/)
})

test('DynamoDB JSON between mixed line ends is known as such', async () => {
  const content = ' \r\n{"pk":{"S":"a"},"n":{"N":"1"}}\r{"pk":{"S":"b"}}\n'
  for (const file of ['-', 'a.jsonl']) assert.deepStrictEqual((await readAll(content, { file }, 10)).items, expected)
})

test('documents that do not keep to their lines are read each, also behind one that does', async () => {
  for (const content of ['{"pk":"a","n":1}\n{\n  "pk": "b"\n}\n', '{"pk":"a"}\n{"pk":"b"}{"pk":"c"}\n{"pk":"d"}\n']) {
    const read = await readAll(content, { file: 'a.json' })
    assert.deepStrictEqual(
      [read.items.length, read.errors, read.failure],
      [content.split('pk').length - 1, [], undefined],
    )
  }
})

test('a line that is cut is a reject where the others are a record each', async () => {
  const read = await readAll(`${plain}{"pk":"c`, { file: 'a.json' })
  assert.deepStrictEqual([read.items, read.errors.length, read.failure], [expected, 1, undefined])
})

test('a first line that is no record hides nothing, whatever is wrong with it', async () => {
  for (const first of ['nope', '5', '{"pk":nope}', '"text"']) {
    const read = await readAll(`${first}\n${ddb}{"pk":{"S":"c"}}\n{"pk":{"S":"d"}\n{"pk":{"S":"e"}}\n`, { file: '-' })
    assert.deepStrictEqual(read.items, [...expected, { pk: 'c' }, { pk: 'e' }], first)
    assert.deepStrictEqual(
      read.errors.map(({ place }) => place.line),
      [1, 5],
    )
  }
})

test('Ion is known behind blank lines and behind a bad one', async () => {
  for (const first of ['\n\t\n', 'nope\n']) {
    const read = await readAll(`${first}$ion_1_0 {Item:{pk:"a",n:1}}\n\ufeff$ion_1_0 {Item:{pk:"b"}}\n`, { file: '-' })
    assert.deepStrictEqual(read.items, expected)
  }
})
