import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type JoinedPart, joinObjects } from '../../src/storage/joinObjects.ts'
import { S3 } from '../../src/storage/s3.ts'
import { S3Piece } from '../../src/storage/s3Piece.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { findPython } from './python.ts'

// What S3 copies by itself, and what it does with a write that must not replace anything: as an S3 that is not ours has it.

const python = findPython(['moto.server'])
const skip = python === undefined ? 'no Python with moto: node scripts/python.mjs makes one' : false
const MIB = 1024 * 1024
const bucket = 'headrace-test'
let moto: Moto
let s3: S3

before(async () => {
  if (python === undefined) return
  moto = await startMoto(python)
  const environment = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  Object.assign(process.env, environment, { AWS_ENDPOINT_URL_S3: moto.endpoint })
  await fetch(`${moto.endpoint}/${bucket}`, { method: 'PUT' })
  s3 = new S3()
})
after(async () => {
  await s3?.close()
  await moto?.[Symbol.asyncDispose]()
})

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that are nowhere the same. */
function bytesOf(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((Math.imul(at + seed, 0x9e3779b1) ^ seed) >>> 0, at)
  return bytes
}

async function partOf(key: string, content: Buffer): Promise<JoinedPart> {
  await s3.put({ bucket, key }, content, true)
  return { bucket, key, ...(await s3.head({ bucket, key })) }
}

test('objects of all sizes are joined in their order: large ones by copies, small ones together', {
  skip,
}, async () => {
  const sizes = [10, 6 * MIB, 100, 5 * MIB + 99, 5 * MIB - 1, 12 * MIB, 1, 3 * MIB, 3 * MIB, 0, 7]
  const contents = sizes.map((size, index) => bytesOf(size, index + 1))
  const parts: JoinedPart[] = []
  for (const [index, content] of contents.entries()) parts.push(await partOf(`a piece/ü+${index}`, content))
  const ends = [Buffer.from('<head>\n'), Buffer.from('</head>\n')]
  const address = { bucket, key: 'joined' }
  await joinObjects(s3, address, [{ bytes: ends[0]! }, ...parts, { bytes: ends[1]! }], false)
  const joined = (await s3.get(address))!
  assert.equal(digestOf(joined), digestOf(Buffer.concat([ends[0]!, ...contents, ends[1]!])))
  // Parts there were, of which S3 has copied some.
  assert.match((await s3.head(address)).etag, /-[3-9]"$/)
})

test('nothing takes the place of an object unless it shall, and of many that make one, one does', {
  skip,
}, async () => {
  const address = { bucket, key: 'there' }
  const part = await partOf('piece', bytesOf(6 * MIB, 5))
  await joinObjects(s3, address, [part], false)
  await assert.rejects(joinObjects(s3, address, [part], false), /the object already exists/)
  await joinObjects(s3, address, [part], true)
  assert.equal(await s3.putNew(address, Buffer.from('new')), false)
  const made = await Promise.all(
    Array.from({ length: 8 }, (_, index) => s3.putNew({ bucket, key: 'race' }, Buffer.from(`${index}`))),
  )
  assert.equal(made.filter(Boolean).length, 1)
})

test('a piece is written in parts as it comes, and is not there before it is complete', { skip }, async () => {
  const address = { bucket, key: 'long piece' }
  const piece = new S3Piece(s3, address)
  const content = bytesOf(20 * MIB, 9)
  for (let at = 0; at < content.length; at += MIB) {
    piece.write(content.subarray(at, at + MIB))
    await piece.room
  }
  assert.equal(await s3.find(address), undefined)
  await piece.complete()
  assert.equal(digestOf((await s3.get(address))!), digestOf(content))
  const other = new S3Piece(s3, { bucket, key: 'given up' })
  other.write(content)
  await other.abort()
  assert.equal(await s3.find({ bucket, key: 'given up' }), undefined)
})
