import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { FormatError } from '../../src/formats/formatError.ts'
import { readAll } from './readAll.ts'

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `{"id":${from + index},"text":"${(index * 7919) % 10_007}"}\n`).join(
    '',
  )
const options = { file: 'events.jsonl' }

test('gzip is known by its first bytes, whatever the name', async () => {
  const packed = gzipSync(lines(0, 500))
  for (const file of ['events.jsonl.gz', 'events.jsonl', '-']) {
    for (const pieceBytes of [1, 997, 1_000_000]) {
      const read = await readAll(packed, { file }, pieceBytes)
      assert.strictEqual(read.failure, undefined)
      assert.strictEqual(read.items.length, 500)
    }
  }
})

test('a plain file that is called .gz is read as it is', async () => {
  assert.strictEqual((await readAll(lines(0, 10), { file: 'events.jsonl.gz' })).items.length, 10)
})

test('several members are read one after another, wherever pieces end, and zeros behind them are padding', async () => {
  const first = gzipSync(lines(0, 300))
  const content = Buffer.concat([first, gzipSync(''), gzipSync(lines(300, 500)), Buffer.alloc(3000)])
  for (const pieceBytes of [1, first.length, first.length + 1, 1_000_000]) {
    const read = await readAll(content, options, pieceBytes)
    assert.strictEqual(read.failure, undefined)
    assert.deepStrictEqual(
      read.items.map((item) => (item as { id: number }).id),
      Array.from({ length: 500 }, (_, index) => index),
    )
  }
})

test('a file cut anywhere fails, names the bytes, and has handed out every complete record before the cut', async () => {
  const whole = Buffer.concat([gzipSync(lines(0, 40)), gzipSync(lines(40, 80))])
  const firstBytes = gzipSync(lines(0, 40)).length
  for (let length = 2; length < whole.length; length += 7) {
    const read = await readAll(whole.subarray(0, length), options, 50)
    if (length === firstBytes) continue
    assert.ok(read.failure instanceof FormatError, `cut at ${length}: ${read.failure}`)
    const count =
      ['No record was', 'The one complete record'][read.items.length] ?? `The ${read.items.length} complete records`
    assert.match(
      read.failure.message,
      new RegExp(`after ${length} compressed bytes.*the file is truncated\\..* ${count}`),
    )
    assert.strictEqual(read.failure.filePlace.offset, length)
    if (length > firstBytes) assert.ok(read.items.length >= 40)
    assert.deepStrictEqual(read.errors, [])
  }
})

test('damage fails with its place, after the records before it', async () => {
  const packed = gzipSync(lines(0, 200_000), { level: 1 })
  const damaged = Buffer.from(packed)
  damaged.fill(0xff, 200_000, 200_050)
  const read = await readAll(damaged, options)
  assert.ok(read.failure instanceof FormatError)
  assert.match(read.failure.message, /damaged at about compressed byte \d+ .*Download or create the file again/)
  const offset = read.failure.filePlace.offset ?? 0
  assert.ok(offset >= 190_000 && offset <= 210_000, `${offset}`)
  assert.ok(read.items.length > 10_000 && read.items.length < 200_000)
  assert.match(read.failure.message, new RegExp(`The ${read.items.length} complete records`))
})

test('a checksum that does not match, and anything behind the last member, is damage', async () => {
  const packed = gzipSync(lines(0, 100))
  const wrong = Buffer.from(packed)
  wrong[wrong.length - 6]! ^= 1
  for (const content of [
    wrong,
    Buffer.concat([packed, Buffer.from('garbage')]),
    Buffer.concat([packed, Buffer.alloc(20_000), Buffer.from('x')]),
    Buffer.concat([packed, Buffer.from([0, 0]), packed]),
  ]) {
    for (const pieceBytes of [7, 100_000]) {
      const read = await readAll(content, options, pieceBytes)
      assert.ok(read.failure instanceof FormatError)
      assert.match(read.failure.message, /damaged/)
    }
  }
})
