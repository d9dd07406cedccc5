import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FormatError } from '../../src/formats/formatError.ts'
import { files } from '../../src/operations/files.ts'
import { S3 } from '../../src/storage/s3.ts'
import { StorageError } from '../../src/storage/storageError.ts'
import { EXPORT_ID, nativeExport } from '../support/nativeExport.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'

let server: S3Server
let s3: S3

before(async () => {
  server = await startS3Server()
  s3 = new S3()
})

after(async () => {
  await s3.close()
  await server[Symbol.asyncDispose]()
})

const lines = (count: number) => Array.from({ length: count }, (_, index) => `{"Item":{"id":{"N":"${index}"}}}`)

async function upload(prefix: string, made: ReadonlyMap<string, Buffer>): Promise<string> {
  for (const [key, bytes] of made) await s3.put({ bucket: server.bucket, key: `${prefix}/${key}` }, bytes, true)
  return `s3://${server.bucket}/${prefix}`
}

test('an export in S3 is read by its prefix, by one of its manifests, and by a prefix around it', async () => {
  const url = await upload('one', nativeExport({ files: [lines(30), lines(20)] }))
  const at = `${url}/backups/AWSDynamoDB/${EXPORT_ID}`
  await s3.put({ bucket: server.bucket, key: 'one/more.jsonl' }, Buffer.from('{"id":7}\n'), true)
  for (const [path, count] of [
    [`${at}/`, 50],
    [at, 50],
    [`${at}/manifest-summary.json`, 50],
    [`${at}/manifest-files.json`, 50],
    [`${url}/`, 51],
  ] as const) {
    let read = 0
    let checked = 0
    const sources = await files([path], {
      onVerify: (number) => {
        checked += number
      },
    })
    for (const source of sources) for await (const records of source.records()) read += records.length
    assert.equal(read, count, path)
    assert.equal(checked, 2)
  }
})

test('an export in S3 that lacks a file, or has another, is refused', async () => {
  const data = `backups/AWSDynamoDB/${EXPORT_ID}/data/sxq2l30zg4.json.gz`
  const missing = nativeExport({ files: [lines(3)] })
  missing.delete(data)
  await assert.rejects(
    files([`${await upload('missing', missing)}/`]),
    (error) => error instanceof StorageError && /s3:.*sxq2l30zg4\.json\.gz is missing/.test(error.message),
  )
  const damaged = nativeExport({ files: [lines(3)] })
  damaged.set(data, nativeExport({ files: [lines(4)] }).get(data)!)
  await assert.rejects(
    files([`${await upload('damaged', damaged)}/`]),
    (error) => error instanceof FormatError && /s3:.*sxq2l30zg4\.json\.gz: its MD5 is/.test(error.message),
  )
})

test('the data of incremental exports lies beside their directories', async () => {
  const change = '{"Keys":{"id":{"N":"1"}},"NewImage":{"id":{"N":"1"},"a":{"S":"x"}}}'
  const url = await upload('inc', nativeExport({ isIncremental: true, files: [[change]] }))
  const [source] = await files([`${url}/backups/AWSDynamoDB/${EXPORT_ID}/`])
  assert.ok(source?.isChanges)
  const read: unknown[] = []
  for await (const records of source.records()) read.push(...records.map((record) => 'item' in record && record.item))
  assert.deepEqual(read, [{ put: { id: 1, a: 'x' } }])
})
