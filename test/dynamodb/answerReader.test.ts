import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { AnswerError, AnswerReader, BODY_BYTES_MAX } from '../../src/dynamodb/answerReader.ts'
import type { TransportAnswer } from '../../src/dynamodb/transport.ts'

/** An answer and how it is written down. */
interface Written {
  readonly status: number
  readonly body: Buffer
  readonly framing: 'length' | 'chunked' | 'untilClose'
  readonly chunkBytes: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly interim: number
}

/** Any case, and any space around a value (RFC 9112 §5). */
const fieldArbitrary = (name: string, value: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.constantFrom(name, name.toLowerCase(), name.toUpperCase()),
      value,
      fc.constantFrom('', ' ', '  ', '\t'),
      fc.constantFrom('', ' '),
    )
    .map(([spelt, text, before, after]) => [spelt, `${before}${text}${after}`] as const)

const anyFieldsArbitrary = fc.tuple(
  fc.option(fieldArbitrary('Date', fc.constant('Mon, 23 Nov 2026 10:00:00 GMT')), { nil: undefined }),
  fc.option(fieldArbitrary('X-Amz-Crc32', fc.nat().map(String)), { nil: undefined }),
  fc.option(fieldArbitrary('X-Amzn-RequestId', fc.stringMatching(/^[A-Z0-9]{1,60}$/)), { nil: undefined }),
  fc.option(fieldArbitrary('Content-Encoding', fc.constantFrom('identity', 'br')), { nil: undefined }),
  fc.option(fieldArbitrary('X-Amz-Retry-After', fc.nat({ max: 99_999 }).map(String)), { nil: undefined }),
  // Of the lengths that are looked at, and of others.
  fc.array(fieldArbitrary('X-Unknown-Name', fc.stringMatching(/^[!-~]{0,30}$/)), { maxLength: 2 }),
  fc.option(fieldArbitrary('Etag', fc.constant('"a:b"')), { nil: undefined }),
  fc.option(fieldArbitrary('Connection', fc.constant('keep-alive')), { nil: undefined }),
)

const writtenArbitrary: fc.Arbitrary<Written> = fc.record({
  status: fc.constantFrom(200, 400, 404, 413, 500, 503),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  framing: fc.constantFrom('length', 'chunked'),
  chunkBytes: fc.integer({ min: 1, max: 200 }),
  fields: anyFieldsArbitrary.map(([date, crc32, id, encoding, retry, unknown, tag, connection]) =>
    [date, crc32, id, encoding, retry, ...unknown, tag, connection].filter((field) => field !== undefined),
  ),
  interim: fc.nat({ max: 2 }),
})

function bytesOf({ status, body, framing, chunkBytes, fields, interim }: Written): Buffer {
  const head = [`HTTP/1.1 ${status} Some Reason`, ...fields.map(([name, value]) => `${name}:${value}`)]
  if (framing === 'length') head.push(`Content-Length: ${body.length}`)
  if (framing === 'chunked') head.push('Transfer-Encoding: chunked')
  const parts: (string | Buffer)[] = [
    ...Array.from({ length: interim }, () => 'HTTP/1.1 100 Continue\r\nX-Hint: a\r\n\r\n'),
    `${head.join('\r\n')}\r\n\r\n`,
  ]
  if (framing !== 'chunked') parts.push(body)
  else {
    for (let at = 0; at < body.length; at += chunkBytes) {
      const chunk = body.subarray(at, at + chunkBytes)
      parts.push(`${chunk.length.toString(16)}${at % 2 === 0 ? '' : ';name="value"'}\r\n`, chunk, '\r\n')
    }
    parts.push(`0\r\n${body.length % 2 === 0 ? '' : 'Trailer: value\r\n'}\r\n`)
  }
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
}

function assertRead(answer: TransportAnswer, { status, body, fields }: Written): void {
  const value = (name: string) => fields.find(([spelt]) => spelt.toLowerCase() === name)?.[1].trim()
  assert.equal(answer.status, status)
  assert.deepEqual(answer.body, body)
  assert.equal(answer.date, value('date') ?? '')
  assert.equal(answer.requestId, value('x-amzn-requestid') ?? '')
  assert.equal(answer.gzip, false)
  assert.equal(answer.crc32, value('x-amz-crc32') === undefined ? undefined : Number(value('x-amz-crc32')))
  assert.equal(
    answer.retryAfterMs,
    value('x-amz-retry-after') === undefined ? undefined : Number(value('x-amz-retry-after')),
  )
}

/** Cut at these places, in memory that is used for each piece again. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return places.slice(1).map((end, index) => bytes.subarray(places[index]!, end))
}

test('answers one after another are read as they were written, wherever their bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(writtenArbitrary, fc.array(fc.nat({ max: 2_000 }), { maxLength: 12 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (answers) => {
        const reader = new AnswerReader()
        const memory = Buffer.alloc(8_192)
        for (const [written, cuts] of answers) {
          const all = pieces(bytesOf(written), cuts)
          for (const [index, piece] of all.entries()) {
            piece.copy(memory)
            const whole = reader.read(memory.subarray(0, piece.length))
            memory.fill(0xff)
            assert.equal(whole, index === all.length - 1)
          }
          assert.equal(reader.persistent, true)
          assert.equal(reader.begun, true)
          assertRead(reader.take(), written)
          assert.equal(reader.begun, false)
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('each byte alone', () => {
  const written: Written = {
    status: 200,
    body: Buffer.from('{"Items":[]}'),
    framing: 'chunked',
    chunkBytes: 5,
    fields: [['X-Amzn-RequestId', ' R1']],
    interim: 1,
  }
  const reader = new AnswerReader()
  const bytes = bytesOf(written)
  for (const [index, byte] of bytes.entries()) assert.equal(reader.read(Buffer.of(byte)), index === bytes.length - 1)
  assertRead(reader.take(), written)
})

test("Node's own client reads the same of the answers of these tests", async () => {
  let next: Buffer = Buffer.alloc(0)
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(next))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await fc.assert(
      fc.asyncProperty(writtenArbitrary, async (written) => {
        next = bytesOf(written)
        const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
        asked.end()
        const [answer] = await once(asked, 'response')
        const body: Buffer[] = []
        for await (const piece of answer) body.push(piece)
        assert.equal(answer.statusCode, written.status)
        assert.deepEqual(Buffer.concat(body), written.body)
      }),
      { numRuns: 60 },
    )
  } finally {
    server.close()
  }
})

test('without a length the answer ends with the connection, and only then', () => {
  const reader = new AnswerReader()
  assert.equal(reader.read(Buffer.from('HTTP/1.0 200 OK\r\n\r\n{"a"')), false)
  assert.equal(reader.read(Buffer.from(':1}')), false)
  assert.equal(reader.end(), true)
  assert.equal(reader.persistent, false)
  assert.equal(reader.take().body.toString(), '{"a":1}')
  const cut = new AnswerReader()
  cut.read(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc'))
  assert.equal(cut.end(), false)
  assert.equal(new AnswerReader().end(), false)
})

test('whether another answer can follow, and for how long', () => {
  const read = (head: string): AnswerReader => {
    const reader = new AnswerReader()
    assert.equal(reader.read(Buffer.from(`${head}\r\nContent-Length: 0\r\n\r\n`)), true, head)
    return reader
  }
  assert.equal(read('HTTP/1.1 200 OK').persistent, true)
  assert.equal(read('HTTP/1.1 200').persistent, true)
  assert.equal(read('HTTP/1.0 200 OK').persistent, false)
  assert.equal(read('HTTP/1.0 200 OK\r\nConnection: Keep-Alive').persistent, true)
  assert.equal(read('HTTP/1.1 200 OK\r\nConnection: close').persistent, false)
  assert.equal(read('HTTP/1.1 200 OK\r\nconnection: x, CLOSE').persistent, false)
  assert.equal(read('HTTP/1.1 200 OK\r\nConnection: closed').persistent, true)
  assert.equal(read('HTTP/1.1 200 OK').keepAliveMs, undefined)
  assert.equal(read('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100').keepAliveMs, 5_000)
  assert.equal(read('HTTP/1.1 200 OK\r\nkeep-alive: max=100,timeout=7').keepAliveMs, 7_000)
  // Both a length and chunks: the chunks count, and whoever put the length there is not trusted with another request.
  const both = new AnswerReader()
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  assert.equal(both.read(Buffer.from(text)), true)
  assert.equal(both.persistent, false)
  assert.equal(both.take().body.toString(), 'abc')
})

test('bytes behind an answer: it counts, and nothing else is read from there', () => {
  const reader = new AnswerReader()
  assert.equal(reader.read(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200')), true)
  assert.equal(reader.persistent, false)
  assert.equal(reader.take().body.toString(), 'ab')
})

const HOSTILE: readonly (readonly [text: string, says: RegExp])[] = [
  ['HTTP/2 200 OK\r\n\r\n', /starts with "HTTP\/2 200 OK/],
  ['HTTP/1.1 99 Few\r\n\r\n', /starts with/],
  ['HTTP/1.1 2000 OK\r\n\r\n', /starts with/],
  ['HTTP/1.1 200OK\r\n\r\n', /starts with/],
  ['220 mail.example ESMTP\r\n\r\n', /starts with "220 mail/],
  ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n', /another protocol/],
  ['HTTP/1.1 200 OK\r\nno colon\r\n\r\n', /the line "no colon"/],
  ['HTTP/1.1 200 OK\r\n: nameless\r\n\r\n', /the line ": nameless"/],
  ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /content-length is "-1"/],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n', /content-length is "1e3"/],
  ['HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n', /content-length is "5, 5"/],
  ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', /content-length is "6"/],
  [`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES_MAX + 1}\r\n\r\n`, /announces 268435457 bytes/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', /transfer-encoding is "gzip, chunked"/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', /transfer-encoding/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', /size of a chunk is "xyz"/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n', /size of a chunk/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', /longer than announced/],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nab\r\n', /without carriage return/],
  [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, /header is longer than 65536/],
  [
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(70_000)}`,
    /line between its chunks does not end/,
  ],
]

test('what is no HTTP/1.1 is refused in words, however it is cut', () => {
  for (const [text, says] of HOSTILE) {
    for (const step of [text.length, 1_000, 7]) {
      const reader = new AnswerReader()
      assert.throws(
        () => {
          for (let at = 0; at < text.length; at += step) reader.read(Buffer.from(text.slice(at, at + step), 'latin1'))
        },
        (error: unknown) => error instanceof AnswerError && says.test(error.message),
        text.slice(0, 80),
      )
    }
  }
})

test('E10: a chunked body that the end of the connection cuts off is no answer, wherever it is cut', () => {
  for (const connection of ['', 'Connection: close\r\n']) {
    const head = `HTTP/1.1 200 OK\r\n${connection}Transfer-Encoding: chunked\r\n\r\n`
    const whole = `${head}3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n`
    for (let cut = 1; cut < whole.length; cut += 1) {
      const reader = new AnswerReader()
      assert.equal(reader.read(Buffer.from(whole.slice(0, cut), 'latin1')), false)
      assert.equal(reader.end(), false, `ended behind ${JSON.stringify(whole.slice(0, cut))}`)
    }
    const reader = new AnswerReader()
    assert.equal(reader.read(Buffer.from(whole, 'latin1')), true)
  }
})

test('no bytes at all make it do anything but answer, wait or refuse', () => {
  const damagedArbitrary = fc
    .tuple(writtenArbitrary, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }))
    .map(([written, damage]) => {
      const bytes = bytesOf(written)
      for (const [place, byte] of damage) bytes[place % bytes.length] = byte
      return bytes
    })
  fc.assert(
    fc.property(damagedArbitrary, fc.array(fc.nat({ max: 2_000 }), { maxLength: 5 }), (bytes, cuts) => {
      const reader = new AnswerReader()
      try {
        for (const piece of pieces(bytes, cuts)) if (reader.read(piece)) return
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error
      }
    }),
    { numRuns: 2_000 },
  )
})
