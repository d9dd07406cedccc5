import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readRecords } from '../../src/formats/readRecords.ts'
import type { ReadOptions, RecordPosition, SourceRecord } from '../../src/formats/record.ts'
import { readAll } from './readAll.ts'

async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes)
}

/** What comes behind a place, as a load takes it. */
async function behind(bytes: Buffer, options: ReadOptions, after: RecordPosition, pieceBytes: number) {
  const sought: number[] = []
  const seek = (offset: number): AsyncIterable<Uint8Array> => {
    sought.push(offset)
    return pieces(bytes.subarray(offset), pieceBytes)
  }
  const records: SourceRecord[] = []
  for await (const batch of readRecords(pieces(bytes, pieceBytes), { ...options, after, seek })) records.push(...batch)
  return { records: records.filter(({ place }) => place.offset > after.offset), sought }
}

const FILES: { readonly [name: string]: (records: readonly object[]) => string | Buffer } = {
  'a.jsonl': (records) => records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  'blank.jsonl': (records) => `\ufeff\n${records.map((record) => ` ${JSON.stringify(record)}\r\n\n`).join('')}{"cut`,
  'a.jsonl.gz': (records) => gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join('')),
  'a.json': (records) => JSON.stringify(records, undefined, 1),
  'a.csv': (records) => `id,text\n${records.map((_, index) => `k${index},"é,""\n${index}"\n`).join('')}`,
}

for (const [file, write] of Object.entries(FILES)) {
  test(`${file} is gone on with behind any record: the same records come, with the same places`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.nat(11), fc.integer({ min: 1, max: 50 }), async (count, at, pieceBytes) => {
        const bytes = Buffer.from(write(Array.from({ length: count + 1 }, (_, index) => ({ id: `é${index}` }))))
        const { records: all } = await readAll(bytes, { file }, pieceBytes)
        const from = all[at % all.length]!.place
        const { records, sought } = await behind(bytes, { file }, { line: from.line, offset: from.offset }, pieceBytes)
        assert.deepEqual(records, all.slice((at % all.length) + 1))
        assert.deepEqual(sought, /^\w+\.jsonl$/.test(file) ? [from.offset] : [], 'what can be passed over is')
      }),
      { numRuns: 100 },
    )
  })
}

test('rejects are read as they were written: items, and text that somebody has put right', async () => {
  const lines = [
    '{"code":"ValidationException","message":"no","place":"a:1","item":{"id":{"S":"a"},"n":{"N":"12345678901234567890123"}}}',
    '{"code":"InvalidRecord","message":"no","place":"a:2","raw":"{\\"id\\":\\"b\\",\\"n\\":1}"}',
    '{"code":"InvalidRecord","message":"no","place":"a:3","raw":"{\\"id"}',
    '{"id":"c"}',
    'no',
  ]
  const { items, errors } = await readAll(lines.join('\n'), { file: 'rejects.jsonl', format: 'rejects' })
  assert.deepEqual(items, [{ id: 'a', n: 12345678901234567890123n }, { id: 'b', n: 1 }, { id: 'c' }])
  assert.deepEqual(
    errors.map(({ place, error }) => [place.line, error.split(/[,:]/)[0]]),
    [
      [3, errors[0]!.error.split(/[,:]/)[0]],
      [5, 'the format of this record is unknown'],
    ],
  )
})
