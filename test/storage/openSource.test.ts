import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { openSource } from '../../src/storage/openSource.ts'
import { StorageError } from '../../src/storage/storageError.ts'

const directory = mkdtempSync(join(tmpdir(), 'headrace-storage-'))
after(() => rmSync(directory, { recursive: true }))

async function drain(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return chunks
}

function failsWith(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StorageError && message.test(error.message) && error.cause !== undefined
}

test('a file comes in chunks of 64 KiB, whole', async () => {
  const path = join(directory, 'bytes')
  const content = Buffer.alloc(150_000, 'headrace')
  writeFileSync(path, content)
  const chunks = await drain(openSource(path))
  assert.deepStrictEqual(
    chunks.map((chunk) => chunk.length),
    [65_536, 65_536, 18_928],
  )
  assert.ok(Buffer.concat(chunks).equals(content))
})

test('- is the stream that the caller hands in, and nothing without one', async () => {
  const chunks = await drain(openSource('-', { stdin: Readable.from([Buffer.from('a'), Buffer.from('b')]) }))
  assert.strictEqual(Buffer.concat(chunks).toString(), 'ab')
  assert.throws(() => openSource('-'), /requires options\.stdin/)
})

test('a missing file, a directory and a forbidden file are each told in a sentence', async (context) => {
  await assert.rejects(
    drain(openSource(join(directory, 'no.jsonl'))),
    failsWith(/^There is no file ".*no\.jsonl" \(looked/),
  )
  await assert.rejects(drain(openSource(directory)), failsWith(/is a directory\. Name a file in it\.$/))
  if (process.getuid?.() === 0) return context.diagnostic('the superuser may read everything')
  const path = join(directory, 'secret')
  writeFileSync(path, 'x')
  chmodSync(path, 0)
  await assert.rejects(drain(openSource(path)), failsWith(/You have no permission to read/))
})

test('a stream that fails half-way is told like a file that does, after what came before', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a')
    throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
  }
  for (const [source, message] of [
    [openSource('-', { stdin: failing() }), /^Cannot read standard input: EIO/],
    [openSource('disk.jsonl', { open: failing }), /^Cannot read "disk\.jsonl": EIO/],
  ] as const) {
    const chunks: string[] = []
    const drained = (async () => {
      for await (const chunk of source) chunks.push(Buffer.from(chunk).toString())
    })()
    await assert.rejects(drained, failsWith(message))
    assert.deepStrictEqual(chunks, ['a'])
  }
})

test('leaving the loop closes the file', async () => {
  const path = join(directory, 'long')
  writeFileSync(path, Buffer.alloc(3_000_000))
  for await (const chunk of openSource(path)) {
    assert.strictEqual(chunk.length, 65_536)
    break
  }
})
