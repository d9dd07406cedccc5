import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../src/formats/formatError.ts'
import { readRecords } from '../../src/formats/readRecords.ts'
import { readAll } from './readAll.ts'

const file = 'cities.csv'

test('well-formed CSV comes back as it was written, wherever the pieces are cut', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é', '😀', ';'), maxLength: 6 })
  const quoted = (text: string, always: boolean) =>
    always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 }),
      fc.boolean(),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 30 }),
      async (rows, always, newline, closed, pieceBytes) => {
        const lines = rows.map((row) => row.map((text) => quoted(text, always)).join(','))
        const content = ['a,b,c', ...lines].join(newline) + (closed ? newline : '')
        const read = await readAll(content, { file }, pieceBytes)
        const expected = rows.map((row) =>
          Object.fromEntries(row.map((text, index) => ['abc'[index], text]).filter(([, text]) => text !== '')),
        )
        assert.strictEqual(read.failure, undefined)
        assert.deepStrictEqual(read.errors, [])
        assert.deepStrictEqual(read.items, expected)
        const bytes = Buffer.from(content)
        for (const { place } of read.records) {
          assert.strictEqual(place.line, bytes.toString('latin1', 0, place.offset).split('\n').length)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('types come from the header or the options, and an empty cell is no attribute', async () => {
  const content =
    'id,price:N,open:BOOL,none:NULL,data:B,tags,xml:lang\n1,12.50,TRUE,null,aGk=,"[1,""x""]",en\n2,,,,,,\n'
  const read = await readAll(content, { file, csv: { types: { id: 'N', tags: 'json' } } })
  assert.deepStrictEqual(read.errors, [])
  assert.deepStrictEqual(read.items, [
    { id: 1, price: 12.5, open: true, none: null, data: new Uint8Array([104, 105]), tags: [1, 'x'], 'xml:lang': 'en' },
    { id: 2 },
  ])
})

test('numbers keep every digit', async () => {
  const read = await readAll('n:N\n12345678901234567890\n-0.5\n1e3\n007\n', { file })
  assert.deepStrictEqual(read.items, [{ n: 12345678901234567890n }, { n: -0.5 }, { n: 1000 }, { n: 7 }])
})

test('a bad cell or a wrong number of cells is an error record with its line', async () => {
  const content = 'id,n:N,b:BOOL\na,1,true\nb,1x,true\nc,1\n"d ""x""",1,true,y\ne,1e400,true\n\nf,1,yes\nh,"2",false\n'
  const read = await readAll(content, { file }, 9)
  assert.deepStrictEqual(read.items, [
    { id: 'a', n: 1, b: true },
    { id: 'h', n: 2, b: false },
  ])
  assert.deepStrictEqual(
    read.errors.map(({ error, raw, place }) => [place.line, raw, error]),
    [
      [3, 'b,1x,true', 'n: "1x" is not a number'],
      [4, 'c,1', '2 cells, but the header has 3'],
      [5, '"d ""x""",1,true,y', '4 cells, but the header has 3'],
      [6, 'e,1e400,true', "n: the number 1e400 is outside DynamoDB's range of ±1E-130 to ±9.99E+125"],
      [8, 'f,1,yes', 'b: "yes" is neither true nor false'],
    ],
  )
})

test('places count every line and byte, also of line ends within quoted cells', async () => {
  const content = 'a,b\r\n"x\r\ny",é\r\n\r\n"1\n2\n\n3","\r"\n4,5'
  for (const pieceBytes of [1, 3, 1000]) {
    const read = await readAll(`\ufeff${content}`, { file }, pieceBytes)
    assert.deepStrictEqual(read.items, [
      { a: 'x\r\ny', b: 'é' },
      { a: '1\n2\n\n3', b: '\r' },
      { a: '4', b: '5' },
    ])
    assert.deepStrictEqual(
      read.records.map(({ place }) => [place.line, place.offset]),
      [
        [2, 8],
        [5, 21],
        [9, 34],
      ],
    )
  }
})

test('a misplaced quote ends the file: every record before it is read, and the error says where and what to do', async () => {
  const tail = '3,c\n'.repeat(1000)
  const cases = [
    ['5" pipe,b\n', '"id" contains a quote but is not quoted. Quote a cell that contains a quote'],
    ['2,"b"x\n', 'there is text after the closing quote of "t". Quote a cell that contains a quote'],
    ['2,"b\n', 'the opening quote of "t" is never closed. Close or remove it.'],
  ] as const
  for (const [bad, message] of cases) {
    for (const pieceBytes of [1, 10, 100_000]) {
      const read = await readAll(`id,t\n1,"a\nb"\n${bad}${tail}`, { file }, pieceBytes)
      assert.deepStrictEqual(read.items, [{ id: '1', t: 'a\nb' }])
      assert.ok(read.failure instanceof FormatError)
      assert.deepStrictEqual(read.failure.filePlace, { file, line: 4, offset: 13 })
      assert.ok(read.failure.message.startsWith(`${file}:4: ${message}`), read.failure.message)
      assert.match(read.failure.message, / The one complete record before it was read\.$/)
    }
  }
})

test('tabs separate in .tsv, and any character that is asked for', async () => {
  assert.deepStrictEqual((await readAll('a\tb\n1\t"2\t3"\n', { file: 'x.TSV.gz' })).items, [{ a: '1', b: '2\t3' }])
  assert.deepStrictEqual((await readAll('a;b\n1;2,5\n', { file, csv: { delimiter: ';' } })).items, [
    { a: '1', b: '2,5' },
  ])
})

test('bytes that are no UTF-8 make an error record, and cells that are come through', async () => {
  const content = Buffer.concat([
    Buffer.from('a,ü\nZürich,é\n'),
    Buffer.from('M\xfcnchen,x\n', 'latin1'),
    Buffer.from('€,ok'),
  ])
  const read = await readAll(content, { file })
  assert.deepStrictEqual(read.items, [
    { a: 'Zürich', ü: 'é' },
    { a: '€', ü: 'ok' },
  ])
  assert.deepStrictEqual(
    read.errors.map(({ error, raw }) => [error, raw]),
    [['a: not valid UTF-8: byte 0xfc at offset 1 of the cell', 'M\\xfcnchen,x']],
  )
})

test('a record beyond the limit ends the file, on one line or in one quoted cell, wherever the pieces are cut', async () => {
  const limit = { file, lineBytesMax: 1000 }
  const message = 'the record that starts here is longer than 1000 bytes. Check whether a quote is missing in it.'
  const record = (bytes: number) => [
    `${'x'.repeat(bytes - 2)},2`,
    `"${'x'.repeat(bytes - 5)}\n",2`,
    `${'x,'.repeat((bytes - 2) / 2)}${'x'.repeat(2 + (bytes % 2))}`,
  ]
  for (const pieceBytes of [1, 100, 100_000]) {
    for (const fits of record(1000)) {
      const read = await readAll(`a,b\r\n1,2\r\n${fits}\r\n3,4`, limit, pieceBytes)
      assert.strictEqual(read.failure, undefined)
      assert.strictEqual(read.records.length, 3)
    }
    for (const tooLong of [...record(1001), ...record(5000)]) {
      const read = await readAll(`a,b\r\n1,2\r\n${tooLong}\r\n3,4`, limit, pieceBytes)
      assert.deepStrictEqual(read.items, [{ a: '1', b: '2' }])
      assert.ok(read.failure instanceof FormatError)
      assert.ok(read.failure.message.startsWith(`${file}:3: ${message}`), read.failure.message)
    }
  }
})

test('a quote that is never closed costs no more memory than the limit', async () => {
  let pieces = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a,b\n1,2\n3,"')
    for (;;) {
      pieces += 1
      yield Buffer.from('x,y\n'.repeat(250))
    }
  }
  const records: unknown[] = []
  await assert.rejects(async () => {
    for await (const batch of readRecords(endless(), { file, lineBytesMax: 10_000 })) records.push(...batch)
  }, /cities\.csv:3: the record that starts here is longer than 10000 bytes/)
  assert.strictEqual(records.length, 1)
  // Up to 1 MiB may be looked at to judge the format, but a whole line is there from the first piece on.
  assert.ok(pieces < 100, `${pieces}`)
})

test('__proto__ is a column like any other', async () => {
  const { items } = await readAll('__proto__,constructor\na,b\n', { file })
  assert.deepStrictEqual(Object.entries(items[0] as object), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
})

test('a header that cannot be used fails, and says why', async () => {
  const failure = async (content: string | Buffer, types = {}) => {
    const read = await readAll(content, { file, csv: { types } })
    assert.ok(read.failure instanceof FormatError)
    return read.failure.message
  }
  assert.match(await failure('a,,b\n1,2,3'), /no name for column 2/)
  assert.match(await failure('a,b,a:N\n1,2,3'), /names "a" twice/)
  assert.match(
    await failure('a,b\n1,2', { c: 'N' }),
    /csv\.types \(--types\) has a type for column "c", which the header does not have: a, b/,
  )
  assert.match(
    await failure('a,"b\n1,2'),
    /cannot read the header line: the opening quote of cell 2 is never closed\..* Is this CSV\?/,
  )
  assert.match(
    await failure(Buffer.from('a,\xfc\n', 'latin1')),
    /cannot read the header line: not valid UTF-8: byte 0xfc at offset 0/,
  )
})
