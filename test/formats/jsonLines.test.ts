import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../src/formats/formatError.ts'
import { readRecords } from '../../src/formats/readRecords.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { readAll } from './readAll.ts'

const file = 'users.jsonl'

test('any objects come back as they went, wherever the pieces are cut', async () => {
  const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed())
  const record = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text, { maxLength: 3 })))
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\n\n', '\n \n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (records, newline, closed, pieceBytes) => {
        const lines = records.map((value) => JSON.stringify(value))
        const content = lines.join(newline) + (closed && lines.length > 0 ? newline : '')
        const read = await readAll(content, { file, format: 'jsonl' }, pieceBytes)
        assert.strictEqual(read.failure, undefined)
        assert.deepStrictEqual(read.errors, [])
        assert.deepStrictEqual(read.items, parseJson(`[${lines.join(',')}]`))
        const bytes = Buffer.from(content)
        for (const { place } of read.records) assert.strictEqual(bytes[place.offset], 0x7b)
      },
    ),
    { numRuns: 200 },
  )
})

test('places count lines from 1 and bytes from 0, blank lines and characters of several bytes included', async () => {
  const { records } = await readAll('{"a":"é€😀"}\r\n\n  \n{"b":2}\n{"c":3}', { file })
  assert.deepStrictEqual(
    records.map(({ place }) => [place.line, place.offset]),
    [
      [1, 0],
      [4, 23],
      [5, 31],
    ],
  )
})

test('a bad line is an error record in its place, and the lines around it are read', async () => {
  const read = await readAll('{"a":1}\n{"a":}\r\n[1]\n7\nnull\n{"n":1e400}\n{"a":2}', { file })
  assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }])
  assert.deepStrictEqual(
    read.errors.map(({ error, raw, place }) => [place.line, raw, error]),
    [
      [2, '{"a":}', 'not valid JSON: expected a value at column 6, not "}"'],
      [3, '[1]', 'a record must be a JSON object {…}, not an array'],
      [4, '7', 'a record must be a JSON object {…}, not a number'],
      [5, 'null', 'a record must be a JSON object {…}, not null'],
      [6, '{"n":1e400}', "n: the number 1e400 is outside DynamoDB's range of ±1E-130 to ±9.99E+125"],
    ],
  )
  assert.strictEqual(read.failure, undefined)
})

test('bytes that are no UTF-8 make an error record that names them, never U+FFFD', async () => {
  const content = Buffer.concat([
    Buffer.from('{"a":"good é"}\n{"a":"é'),
    Buffer.from([0xff]),
    Buffer.from('"}\n{"a":"'),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from('"}\n{"a":"also good"}\n'),
  ])
  const read = await readAll(content, { file })
  assert.deepStrictEqual(read.items, [{ a: 'good é' }, { a: 'also good' }])
  assert.deepStrictEqual(
    read.errors.map(({ error, raw, place }) => [place.line, place.offset, error, raw]),
    [
      [2, 16, 'not valid UTF-8: byte 0xff at offset 8 of the record', '{"a":"é\\xff"}'],
      [3, 28, 'not valid UTF-8: byte 0xed at offset 6 of the record', '{"a":"\\xed\\xa0\\x80"}'],
    ],
  )
})

test('a byte order mark of UTF-8 is no part of the first record', async () => {
  const read = await readAll('\ufeff{"a":1}\n', { file }, 1)
  assert.deepStrictEqual(read.items, [{ a: 1 }])
  assert.strictEqual(read.records[0]?.place.offset, 3)
})

test('UTF-16 is refused by name, with a byte order mark or without', async () => {
  for (const content of [Buffer.from('\ufeff{"a":1}', 'utf16le'), Buffer.from('{"a":1}', 'utf16le')]) {
    const read = await readAll(content, { file })
    assert.ok(read.failure instanceof FormatError)
    assert.match(read.failure.message, /^users\.jsonl: the file is UTF-16, little-endian\. .*iconv/)
  }
})

test('a line beyond the limit is one error record, and the next line is read', async () => {
  const long = `{"a":"${'x'.repeat(100_000)}"}`
  for (const pieceBytes of [1000, 1_000_000]) {
    const read = await readAll(`{"a":1}\n${long}\n{"a":2}\n${long}`, { file, lineBytesMax: 5000 }, pieceBytes)
    assert.deepStrictEqual(read.items, [{ a: 1 }, { a: 2 }])
    assert.deepStrictEqual(
      read.errors.map(({ error, place }) => [error, place.line, place.offset]),
      [
        ['the line is longer than 5000 bytes', 2, 8],
        ['the line is longer than 5000 bytes', 4, 100_025],
      ],
    )
    for (const { raw } of read.errors) assert.ok(raw.length <= 65_536 && raw.startsWith('{"a":"xxx'))
  }
})

test('a line of exactly the limit is read', async () => {
  const line = JSON.stringify({ a: 'x'.repeat(92) })
  assert.strictEqual(line.length, 100)
  const read = await readAll(`${line}\n${line}`, { file, lineBytesMax: 100 }, 7)
  assert.strictEqual(read.items.length, 2)
})

test('an empty file has no records', async () => {
  for (const name of ['a.jsonl', 'a.json', 'a.csv', '-']) {
    for (const content of ['', '\n \n']) {
      assert.deepStrictEqual((await readAll(content, { file: name })).records, [])
      assert.strictEqual((await readAll(content, { file: name })).failure, undefined, `${name} ${content}`)
    }
  }
})

test('breaking out of the loop releases the stream', async () => {
  let released = false
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('{"a":1}\n'.repeat(10_000))
    } finally {
      released = true
    }
  }
  for await (const batch of readRecords(pieces(), { file })) {
    assert.ok(batch.length > 0)
    break
  }
  assert.ok(released)
})

test('the first record of a slow producer does not wait for the second', async () => {
  const second = deferred()
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":1}\n')
    await second.promise
    yield Buffer.from('{"a":2}\n')
  }
  const records = readRecords(pieces(), { file: '-' })
  assert.strictEqual((await records.next()).value?.length, 1)
  second.resolve()
  assert.strictEqual((await records.next()).value?.length, 1)
  assert.ok((await records.next()).done)
})

test('a failure of the stream comes through as it is, after the records before it', async () => {
  const failure = new Error('disk on fire')
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":1}\n{"a":')
    throw failure
  }
  const items: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const batch of readRecords(pieces(), { file })) items.push(...batch)
    },
    (error) => error === failure,
  )
  assert.strictEqual(items.length, 1)
})

test('options that make no sense are refused at once', () => {
  async function* none(): AsyncGenerator<Uint8Array> {}
  assert.throws(() => readRecords(none(), { file, lineBytesMax: 0 }), /lineBytesMax must be .*at least 1, not 0/)
  assert.throws(() => readRecords(none(), { file, csv: { delimiter: ';;' } }), /csv\.delimiter must be .*, not ";;"/)
  assert.throws(
    () => readRecords(none(), { file, csv: { types: { a: 'X' as 'S' } } }),
    /"X" is not a valid type for column "a": use one of S, N/,
  )
})

test('records between any line ends are read, whichever comes first and however the pieces are cut', async () => {
  const items = [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]
  for (const content of ['{"a":1}\r{"a":2}\n{"a":3}\r\n{"a":4}\r', '{"a":1}\n{"a":2}\r{"a":3}\r{"a":4}\n']) {
    for (const pieceBytes of [1, 5, 9, 100]) {
      const read = await readAll(content, { file }, pieceBytes)
      assert.deepStrictEqual([read.items, read.errors], [items, []], `${JSON.stringify(content)} ${pieceBytes}`)
    }
  }
})

test('what is too long for one line and is many, with CR between them, is read', async () => {
  const content = `{"a":0}\n${Array.from({ length: 100 }, (_, index) => `{"a":${index}}\r`).join('')}`
  for (const pieceBytes of [7, 100, 10_000]) {
    const read = await readAll(content, { file, lineBytesMax: 60 }, pieceBytes)
    assert.deepStrictEqual([read.items.length, read.errors], [101, []], `${pieceBytes}`)
  }
})

test('what follows a line that is too long is read, whatever ends that line', async () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const content = `{"a":0}\n{"long":"${'x'.repeat(500)}"}${end}{"a":1}\r{"a":2}\n`
    const read = await readAll(content, { file, lineBytesMax: 100 }, 60)
    assert.deepStrictEqual([read.items, read.errors.length], [[{ a: 0 }, { a: 1 }, { a: 2 }], 1], JSON.stringify(end))
  }
})

test('a byte order mark in front of a record does not belong to it, where files were put together', async () => {
  for (const content of ['\ufeff{"a":1}\n\ufeff{"a":2}\n\ufeff', '{"a":1}\r\ufeff{"a":2}\r']) {
    const read = await readAll(content, { file })
    assert.deepStrictEqual([read.items, read.errors], [[{ a: 1 }, { a: 2 }], []])
  }
})
