import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { S3 } from '../../src/storage/s3.ts'
import { S3Upload } from '../../src/storage/s3Upload.ts'
import { StorageError } from '../../src/storage/storageError.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { closeServer, listen } from '../support/httpExchange.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'

const PART_BYTES = 5 * 1024 * 1024
const DIRECTORY = '/jobs/one'
const CONTENT = Buffer.alloc(PART_BYTES * 3 + 1_000, 'content')

/** What becomes of a request on its way; undefined for what is passed on. */
type Fault = (sent: IncomingMessage, count: number) => 'reset' | 'stall' | number | undefined

let server: S3Server
let proxy: Server
let fault: Fault = () => undefined
let count = 0

before(async () => {
  server = await startS3Server()
  proxy = createServer(pass)
  process.env['AWS_ENDPOINT_URL_S3'] = await listen(proxy)
})

after(async () => {
  await closeServer(proxy)
  await server[Symbol.asyncDispose]()
})

function pass(sent: IncomingMessage, answer: ServerResponse): void {
  count += 1
  const what = fault(sent, count)
  if (what === 'stall') return
  if (what === 'reset') {
    sent.socket.resetAndDestroy()
    return
  }
  if (what !== undefined) {
    sent.resume()
    sent.on('end', () => answer.writeHead(what, { 'content-type': 'application/xml' }).end(errorText(what)))
    return
  }
  const { port, hostname } = new URL(server.endpoint)
  const on = request(
    { host: hostname, port, method: sent.method, path: sent.url, headers: sent.headers },
    (answered) => {
      answer.writeHead(answered.statusCode!, answered.headers)
      answered.pipe(answer)
    },
  )
  on.on('error', () => answer.destroy())
  sent.pipe(on)
}

const errorText = (status: number): string =>
  `<?xml version="1.0"?><Error><Code>${status === 403 ? 'AccessDenied' : 'SlowDown'}</Code><Message>no</Message></Error>`

interface Place {
  readonly s3: S3
  readonly upload: (size: number) => S3Upload
  readonly address: { bucket: string; key: string }
}

function place(key: string, disk: SimulatedDisk): Place {
  const s3 = new S3()
  const address = { bucket: server.bucket, key }
  const session = disk.session()
  session.disk.makeDirectory(DIRECTORY)
  const options = { s3, address, directory: DIRECTORY, disk: session.disk, partBytes: PART_BYTES, replaces: false }
  return { s3, address, upload: (size) => S3Upload.open({ ...options, size }) }
}

const newDisk = (): SimulatedDisk => new SimulatedDisk(Math.random, async () => undefined)

test('S3 multipart part fails, is reset, or is answered SlowDown: sent again, and nothing is lost', async () => {
  const { s3, upload, address } = place('again', newDisk())
  let failed = 0
  fault = (sent) => {
    if (!/partNumber/.test(sent.url!) || failed >= 6) return undefined
    failed += 1
    return failed % 3 === 0 ? 'reset' : failed % 3 === 1 ? 503 : 500
  }
  const one = upload(0)
  one.write(CONTENT)
  await one.complete()
  assert.equal(failed, 6)
  assert.equal((await s3.head(address)).sizeBytes, CONTENT.length)
  await s3.close()
})

test('an upload that is denied fails and says what it takes; what is there stays, and it goes on when it may', async () => {
  const disk = newDisk()
  const first = place('denied', disk)
  fault = (sent) => (/partNumber=2/.test(sent.url!) ? 403 : undefined)
  const one = first.upload(0)
  one.write(CONTENT)
  await one.sync()
  await assert.rejects(
    one.complete(),
    (error) => error instanceof StorageError && /access is denied.*s3:PutObject/s.test(error.message),
  )
  assert.equal(await first.s3.find(first.address), undefined, 'nothing is to be seen of it')
  await first.s3.close()
  fault = () => undefined
  const second = place('denied', disk)
  await second.upload(CONTENT.length).complete()
  assert.equal((await second.s3.head(second.address)).sizeBytes, CONTENT.length)
  await second.s3.close()
})

test('upload aborted by somebody: that is said, and nothing is to be seen of it', async () => {
  const { s3, upload, address } = place('aborted', newDisk())
  let uploadId = ''
  fault = (sent) => {
    uploadId = new URL(sent.url!, server.endpoint).searchParams.get('uploadId') ?? uploadId
    return undefined
  }
  const one = upload(0)
  one.write(CONTENT.subarray(0, PART_BYTES * 2))
  while (uploadId === '') await new Promise((resolve) => setTimeout(resolve, 5))
  await s3.abortUpload(address, uploadId)
  one.write(CONTENT.subarray(PART_BYTES * 2))
  await assert.rejects(
    one.complete(),
    (error) => error instanceof StorageError && /upload was aborted/.test(error.message),
  )
  assert.equal(await s3.find(address), undefined)
  await s3.close()
})

test('slow sink: whoever writes is told to wait, and no more is taken than a few parts', async () => {
  const { s3, upload } = place('slow', newDisk())
  fault = (sent) => (/partNumber/.test(sent.url!) ? 'stall' : undefined)
  const one = upload(0)
  let taken = 0
  while (one.room === undefined && taken < PART_BYTES * 100) {
    one.write(CONTENT.subarray(0, PART_BYTES / 4))
    taken += PART_BYTES / 4
    await undefined
  }
  assert.ok(taken <= PART_BYTES * 8, `${taken / PART_BYTES} parts were taken`)
  const aborted = one.abort()
  // Requests that nobody answers end with their client.
  await s3.close()
  await aborted.catch(() => undefined)
})
