import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FormatError } from '../../src/formats/formatError.ts'
import { packNow } from '../../src/formats/packing.ts'
import { readRecords } from '../../src/formats/readRecords.ts'
import { ZstdFrames, zstd } from '../../src/formats/zstd.ts'
import { readAll } from './readAll.ts'

const options = { file: 'events.jsonl.zst' }
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `{"id":${from + index},"text":"${(index * 7919) % 10_007}"}\n`).join(
    '',
  )

const pack = (text: string): Buffer => packNow(Buffer.from(text), 'zstd')

/** A frame of one block as it is, made by hand (RFC 8878, 3.1.1); at most 255 bytes. */
function rawFrame(text: string): Buffer {
  const { length } = text
  const header = (1 | (length << 3)) >>> 0
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length, header & 255, (header >>> 8) & 255, header >>> 16]
  return Buffer.concat([Buffer.from(head), Buffer.from(text, 'latin1')])
}

/** One that holds no data. */
function skippable(bytes: number): Buffer {
  const head = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(bytes, 4)
  return Buffer.concat([head, Buffer.alloc(bytes, 7)])
}

/** @returns whether it was skipped */
function isWithout(t: TestContext): boolean {
  if (zstd === undefined) t.skip(`Node ${process.version} has no zstd; it takes 22.15`)
  return zstd === undefined
}

test('where Node has no zstd, that is said with what to do', async (t) => {
  if (zstd !== undefined) {
    t.skip(`Node ${process.version} has zstd`)
    return
  }
  const { failure } = await readAll(rawFrame('{"id":1}\n'), options)
  assert.ok(failure instanceof FormatError)
  assert.match(failure.message, /compressed with zstd, which needs Node\.js 22\.15 or newer \(this is v.*zstd -dc/)
})

test('the ends of frames are found, wherever pieces end', () => {
  const frames = [rawFrame('hello'), skippable(300), rawFrame(''), rawFrame('x'.repeat(200))]
  const content = Buffer.concat(frames)
  for (const pieceBytes of [1, 3, 7, 1_000]) {
    const walker = new ZstdFrames()
    const ends: number[] = []
    for (let start = 0; start < content.length; start += pieceBytes) {
      const piece = content.subarray(start, start + pieceBytes)
      for (let at = 0; at < piece.length; ) {
        const count = walker.take(piece, at)
        assert.ok(count !== undefined && count > 0)
        at += count
        if (walker.isBetween) ends.push(start + at)
      }
    }
    let end = 0
    assert.deepEqual(
      ends,
      frames.map(({ length }) => (end += length)),
    )
  }
  assert.equal(new ZstdFrames().take(Buffer.from('garbage'), 0), undefined)
})

test('zstd is known by its first bytes, and frames are read one after another', async (t) => {
  if (isWithout(t)) return
  const content = Buffer.concat([
    skippable(20),
    pack(lines(0, 300)),
    pack(''),
    rawFrame('{"id":300}\n'),
    skippable(5),
    pack(lines(301, 500)),
  ])
  for (const file of ['events.jsonl.zst', 'events.jsonl', '-']) {
    for (const pieceBytes of [1, 997, 1_000_000]) {
      const { items, failure } = await readAll(content, { file }, pieceBytes)
      assert.equal(failure, undefined)
      assert.deepEqual(
        items.map((item) => (item as { id: number }).id),
        Array.from({ length: 500 }, (_, id) => id),
      )
    }
  }
})

test('a file cut anywhere fails, and has handed out every complete frame before the cut', async (t) => {
  if (isWithout(t)) return
  const first = pack(lines(0, 40))
  const whole = Buffer.concat([first, pack(lines(40, 80))])
  for (let length = 4; length < whole.length; length += 3) {
    if (length === first.length) continue
    const { items, errors, failure } = await readAll(whole.subarray(0, length), options, 50)
    assert.ok(failure instanceof FormatError, `cut at ${length}: ${failure}`)
    assert.match(failure.message, new RegExp(`after ${length} compressed bytes: the file is truncated`))
    assert.equal(failure.filePlace.offset, length)
    assert.deepEqual(errors, [])
    if (length > first.length) assert.ok(items.length >= 40)
  }
})

test('damage, a wrong checksum, and anything behind the last frame fail', async (t) => {
  if (isWithout(t)) return
  const packed = pack(lines(0, 100))
  const wrong = Buffer.from(packed)
  wrong[wrong.length - 1]! ^= 1
  const damaged = Buffer.from(packed)
  damaged.fill(0xff, 40, 60)
  for (const content of [
    wrong,
    damaged,
    Buffer.concat([packed, Buffer.from('garbage')]),
    Buffer.concat([packed, Buffer.alloc(9)]),
  ]) {
    for (const pieceBytes of [7, 100_000]) {
      const { failure } = await readAll(content, options, pieceBytes)
      assert.ok(failure instanceof FormatError)
      assert.match(failure.message, /damaged at about compressed byte \d+|the file is truncated/)
    }
  }
})

test('what unpacks to far more than it is takes no memory, and may not ask for it', async (t) => {
  if (isWithout(t)) return
  const line = `{"id":1,"text":"${'x'.repeat(100_000)}"}\n`
  const bomb = pack(line.repeat(3_000))
  assert.ok(bomb.length < 500_000)
  async function* once(): AsyncGenerator<Uint8Array> {
    yield bomb
  }
  const before = process.memoryUsage().rss
  let read = 0
  let most = 0
  for await (const records of readRecords(once(), options)) {
    read += records.length
    most = Math.max(most, process.memoryUsage().rss - before)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  assert.equal(read, 3_000)
  assert.ok(most < 150e6, `${(most / 1e6).toFixed(0)} MB more`)

  // A window of 128 MiB.
  const greedy = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3]), Buffer.from([1, 0, 0])])
  const { failure } = await readAll(greedy, options)
  assert.ok(failure instanceof FormatError)
  assert.match(failure.message, /more than 8 MiB of memory/)
})
