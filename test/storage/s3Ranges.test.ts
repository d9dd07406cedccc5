import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { S3, type S3Object } from '../../src/storage/s3.ts'
import { readS3Object } from '../../src/storage/s3Source.ts'
import { StorageError } from '../../src/storage/storageError.ts'
import { closeServer, listen } from '../support/httpExchange.ts'

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
const ETAG = '"one"'
const ADDRESS = { bucket: 'bucket', key: 'records.jsonl' }
const OBJECT: S3Object = { sizeBytes: CONTENT.length, etag: ETAG }

type Answer = (answer: ServerResponse, start: number, end: number) => void

let server: Server
/** How the next request for a range is answered; rightly where it is undefined. */
let answer: (count: number) => Answer | undefined = () => undefined
let asked = 0

before(async () => {
  server = createServer((sent: IncomingMessage, response: ServerResponse) => {
    asked += 1
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(sent.headers.range ?? '')!
    ;(answer(asked) ?? right)(response, Number(start), Number(end))
  })
  const settings = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  Object.assign(process.env, settings, { AWS_ENDPOINT_URL_S3: await listen(server) })
})

after(() => closeServer(server))

const right: Answer = (response, start, end) => {
  const body = CONTENT.subarray(start, end + 1)
  response.writeHead(206, { etag: ETAG, 'content-range': `bytes ${start}-${end}/${CONTENT.length}` }).end(body)
}

const WRONG: readonly [string, Answer, RegExp][] = [
  [
    'gives half of the bytes',
    (response, start, end) => {
      const half = start + ((end - start) >> 1)
      response
        .writeHead(206, { etag: ETAG, 'content-range': `bytes ${start}-${half}/${CONTENT.length}` })
        .end(CONTENT.subarray(start, half + 1))
    },
    /has the range "bytes 0-/,
  ],
  [
    'gives half of the bytes and says that they are all',
    (response, start, end) =>
      response
        .writeHead(206, { etag: ETAG, 'content-range': `bytes ${start}-${end}/${CONTENT.length}` })
        .end(CONTENT.subarray(start, start + ((end - start) >> 1))),
    /bytes instead of/,
  ],
  [
    'ignores the range',
    (response) => response.writeHead(200, { etag: ETAG }).end(CONTENT),
    /the whole object instead of the requested range/,
  ],
  [
    'gives another range',
    (response, start, end) =>
      response
        .writeHead(206, { etag: ETAG, 'content-range': `bytes ${start + 1}-${end + 1}/${CONTENT.length}` })
        .end(CONTENT.subarray(start + 1, end + 2)),
    /has the range/,
  ],
  [
    'gives another version',
    (response, start, end) =>
      response
        .writeHead(206, { etag: '"two"', 'content-range': `bytes ${start}-${end}/${CONTENT.length}` })
        .end(Buffer.alloc(end + 1 - start, 'x')),
    /has the ETag "two" instead of "one"/,
  ],
  [
    'gives an object of another size',
    (response, start, end) =>
      response
        .writeHead(206, { etag: ETAG, 'content-range': `bytes ${start}-${end}/9999999` })
        .end(CONTENT.subarray(start, end + 1)),
    /9999999/,
  ],
]

async function readAll(s3: S3): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readS3Object(s3, ADDRESS, OBJECT)) pieces.push(piece)
  return Buffer.concat(pieces)
}

for (const [name, wrong, message] of WRONG) {
  test(`E2: a store that ${name} is asked again, and nothing is lost or mixed`, async () => {
    asked = 0
    answer = (count) => (count % 3 === 0 ? undefined : wrong)
    const s3 = new S3()
    try {
      assert.ok((await readAll(s3)).equals(CONTENT))
    } finally {
      await s3.close()
    }
  })

  test(`E2: a store that always ${name} is refused by name`, async () => {
    asked = 0
    answer = () => wrong
    const s3 = new S3()
    try {
      await assert.rejects(readAll(s3), (error: unknown) => {
        assert.ok(error instanceof StorageError)
        assert.match(
          error.message,
          /^cannot read s3:\/\/bucket\/records\.jsonl: gave up after 8 attempts for bytes 0 to/,
        )
        assert.match(error.message, message)
        return true
      })
      assert.ok(asked <= 10, `${asked} requests`)
    } finally {
      await s3.close()
    }
  })
}
