import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SHAPES } from '../../bench/shapes.ts'
import { encodeItem } from '../../src/item/encode.ts'

const PROGRAM = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('items of each shape are as large as its heading says, on the average and to a tenth', () => {
  for (const [name, { make, itemBytes }] of Object.entries(SHAPES)) {
    let bytes = 0
    for (let index = 0; index < 30_100; index += 301) bytes += Buffer.byteLength(encodeItem(make(index)))
    assert.ok(Math.abs(bytes / 100 / itemBytes - 1) < 0.1, `${name}: ${bytes / 100} bytes, not ${itemBytes}`)
  }
})

test('publish and scan are measured with items of other shapes, and every item is counted', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    PROGRAM,
    '--items=100',
    '--rounds=1',
    '--plain',
    '--clients=headrace,rust',
    '--in-flight=2',
    '--shapes=kinds-mixed,390kb',
  ])
  assert.match(stdout, /^AWS SDK for Rust is not measured: its program knows one shape of items$/m)
  assert.match(stdout, /^publish, kinds-mixed of 210 bytes, plain, 2 in flight, 0 ms .*\nHeadrace +\d+\.\d\d .. /m)
  assert.match(stdout, /^scan, 390kb of 389,500 bytes, plain, 2 in flight, 0 ms .*\nHeadrace +\d+\.\d\d .. /m)
})
