import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeItem, ItemEncoder } from '../../src/item/encode.ts'
import { attributesBytes, valueBytes } from '../../src/item/valueBytes.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'

test('the text of a plain value tells the bytes that the encoder counts', () => {
  const encoder = new ItemEncoder()
  for (const value of ['', 'text', 'x'.repeat(5_000), 7, 12_345, Buffer.from('123456'), Buffer.alloc(3_000)]) {
    const text = encoder.encodeValue(value, 'a')
    const bytes = valueBytes(text)
    assert.ok(Math.abs(bytes - encoder.sizeBytes) <= 2, `${bytes}, not ${encoder.sizeBytes}: ${text.slice(0, 40)}`)
    assert.equal(valueBytes(`,${text},`, 1, 1 + text.length), bytes)
  }
})

test('an item with lists, maps, sets and escapes counts no less than it is, and not twice as much', () => {
  const item = { pk: 'k', list: Array.from({ length: 99 }, (_, index) => `element ${index}`), quote: '"'.repeat(500) }
  const encoder = new ItemEncoder()
  const text = encoder.encode(item)
  assert.equal(text, encodeItem(item))
  const bytes = attributesBytes(parseJson(text) as { [name: string]: unknown })
  assert.ok(bytes >= encoder.sizeBytes && bytes <= 2 * encoder.sizeBytes, `${bytes}, not ${encoder.sizeBytes}`)
})
