import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { files } from '../../src/operations/files.ts'
import { S3 } from '../../src/storage/s3.ts'
import { StorageError } from '../../src/storage/storageError.ts'
import { readWildcard } from '../../src/storage/wildcard.ts'
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

const url = (key: string): string => `s3://${server.bucket}/${key}`

async function put(key: string, content: string | Uint8Array): Promise<void> {
  await s3.put({ bucket: server.bucket, key }, Buffer.from(content), true)
}

async function itemsOf(...paths: string[]): Promise<unknown[]> {
  const items: unknown[] = []
  for (const source of await files(paths)) {
    for await (const records of source.records())
      for (const record of records) items.push('item' in record ? record.item['id'] : record.error)
  }
  return items
}

test('objects are read as files are: by key, below a prefix, and by a pattern, sorted by their keys', async () => {
  await put('in/b.jsonl', '{"id":2}\n')
  await put('in/a.csv', 'id:N\n1\n')
  await put('in/deep/c.jsonl.gz', gzipSync('{"id":3}\n'))
  await put('in/readme.txt', 'no records')
  await put('in/plain', '{"id":9}\n')
  assert.deepEqual(await itemsOf(url('in/')), [1, 2, 3])
  assert.deepEqual(await itemsOf(url('in')), [1, 2, 3])
  assert.deepEqual(await itemsOf(url('in/plain')), [9])
  assert.deepEqual(await itemsOf(url('in/*.jsonl')), [2])
  assert.deepEqual(await itemsOf(url('in/**.gz'), url('in/plain'), url('in/**')).catch(() => 'text'), 'text')
  assert.deepEqual(await itemsOf(url('in/b.jsonl'), url('in/')), [2, 1, 3])
})

test('what is not there is told in a sentence, and so is what is no address', async () => {
  const told = (message: RegExp) => (error: unknown) => error instanceof StorageError && message.test(error.message)
  await assert.rejects(itemsOf(url('nowhere.jsonl')), told(/There is no object s3:\/\/headrace-test\/nowhere\.jsonl/))
  await assert.rejects(itemsOf(url('none/*.csv')), told(/No object matches/))
  await assert.rejects(itemsOf('s3://no-such-bucket/a'), told(/no-such-bucket/))
  await assert.rejects(itemsOf('s3://Upper/a'), TypeError)
})

test('a large object comes in order, over many ranges, and from any place on', async () => {
  const lines = Array.from({ length: 120_000 }, (_, index) => `{"id":${index},"text":"${'x'.repeat(index % 90)}"}\n`)
  await put('large.jsonl', lines.join(''))
  const [source] = await files([url('large.jsonl')])
  let expected = 0
  let half: { line: number; offset: number } | undefined
  for await (const records of source!.records()) {
    for (const record of records) {
      assert.ok('item' in record && record.item['id'] === expected)
      if (expected === 60_000) half = record.place
      expected += 1
    }
  }
  assert.equal(expected, 120_000)
  let next = 0
  for await (const records of source!.records(half)) {
    for (const record of records) {
      if (record.place.offset <= half!.offset) continue
      if (next === 0) assert.ok('item' in record && record.item['id'] === 60_001)
      next += 1
    }
  }
  assert.equal(next, 59_999)
})

test('an object that is replaced while it is read ends the reading, and one that was is known as another', async () => {
  const content = `${'{"id":1}\n'.repeat(400_000)}`
  await put('changing.jsonl', content)
  const [source] = await files([url('changing.jsonl')])
  const before = await source!.describe!()
  let seen = 0
  await assert.rejects(
    async () => {
      for await (const records of source!.records()) {
        if (seen === 0) await put('changing.jsonl', content.replaceAll('1', '2'))
        seen += records.length
      }
    },
    (error: unknown) => error instanceof StorageError && /was replaced while it was read/.test(error.message),
  )
  assert.ok(seen > 0 && seen < 400_000)
  const [again] = await files([url('changing.jsonl')])
  assert.notEqual((await again!.describe!()).digest, before.digest)
})

test('Parquet is read from the end of an object and from anywhere', async () => {
  const { parquetWriteBuffer } = await import('hyparquet-writer')
  const ids = Array.from({ length: 5_000 }, (_, index) => `row-${index}`)
  const columnData = [{ name: 'id', data: ids, type: 'STRING' as const }]
  await put('rows.parquet', new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 700 })))
  assert.deepEqual(await itemsOf(url('rows.parquet')), ids)
})

test('* and ? stop at a slash, ** does not', () => {
  const matches = (pattern: string, name: string) => readWildcard(pattern)!.matches(name)
  assert.ok(matches('a/*.csv', 'a/b.csv'))
  assert.ok(!matches('a/*.csv', 'a/b/c.csv'))
  assert.ok(matches('a/**.csv', 'a/b/c.csv'))
  assert.ok(matches('a/?(1).csv', 'a/b(1).csv'))
  assert.ok(!matches('a/?.csv', 'a/bc.csv'))
  assert.equal(readWildcard('a/b.csv'), undefined)
  assert.equal(readWildcard('a/b*c')!.prefix, 'a/b')
})
