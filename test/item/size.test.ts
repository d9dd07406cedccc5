import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { ITEM_BYTES_MAX } from '../../src/item/attributeValue.ts'
import { ItemEncoder } from '../../src/item/encode.ts'
import { NumberValue } from '../../src/item/number.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { sleep, systemClock } from '../../src/runtime/clock.ts'
import { nameArbitrary, textArbitrary } from './itemArbitrary.ts'

const dynoItemSize: (item: object) => number = createRequire(import.meta.url)('dyno-item-size')

const encoder = new ItemEncoder()

function sizeBytes(item: PlainItem): number {
  encoder.encode(item)
  return encoder.sizeBytes
}

test('names, strings, bytes, booleans, nulls, whole positive numbers and empty lists and maps are as dyno-item-size counts them', () => {
  const value = fc.oneof(
    textArbitrary,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1 }),
    fc.integer({ min: 1, max: 99 }).map((digits) => digits * 10 ** 12),
    fc.constantFrom([], {}),
  )
  fc.assert(
    fc.property(fc.dictionary(nameArbitrary, value, { noNullPrototype: true }), (item) => {
      assert.strictEqual(sizeBytes(item), dynoItemSize(item))
    }),
    { numRuns: 500 },
  )
})

/**
 * The embedded store refuses by the same count as ours at the very byte (below), so where dyno-item-size says less, it
 * is short: it forgets the byte that each element of a list or map costs, a number's sign, and that digits left and
 * right of the point are packed apart. It knows no sets and no numbers beyond a double.
 */
test('where dyno-item-size counts otherwise, it differs by what it forgets', () => {
  const less: [PlainItem, number][] = [
    [{ a: ['x', 'y'] }, 2],
    [{ a: { b: { c: 1 } } }, 2],
    [{ a: -7 }, 1],
    [{ a: 1.5 }, 1],
    [{ a: 0.05 }, 0],
    [{ a: 12.34 }, 0],
    [{ a: 0 }, 0],
  ]
  for (const [item, missing] of less) assert.strictEqual(sizeBytes(item) - dynoItemSize(item), missing)
})

/** An item of exactly so many bytes by our count: `attributes`, a key, and padding. */
function itemText(attributes: PlainItem, bytes: number): string {
  const bare = sizeBytes({ pk: 'key', ...attributes, pad: '' })
  const text = encoder.encode({ pk: 'key', ...attributes, pad: 'x'.repeat(Math.min(bytes, ITEM_BYTES_MAX) - bare) })
  // What is beyond the limit the encoder refuses.
  return text.replace('"pad":{"S":"', `"pad":{"S":"${'x'.repeat(Math.max(0, bytes - ITEM_BYTES_MAX))}`)
}

test('the embedded store takes an item of 409,600 bytes by our count and refuses one byte more, whatever is in it', {
  timeout: 60_000,
}, async (context) => {
  const store = await startLocal().catch(() => undefined)
  if (store === undefined) return context.skip('no embedded store is installed')
  if (store.kind !== 'dynoxide') {
    await store.stop()
    return context.skip('only dynoxide counts as the service does')
  }
  const send = async (operation: string, body: string): Promise<number> => {
    const response = await fetch(store.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0',
      },
      body,
    })
    await response.arrayBuffer()
    return response.status
  }
  const put = (itemJson: string) => send('PutItem', `{"TableName":"sizes","Item":${itemJson}}`)
  try {
    const key = {
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    }
    await send('CreateTable', JSON.stringify({ TableName: 'sizes', ...key, BillingMode: 'PAY_PER_REQUEST' }))
    const smallest = '{"pk":{"S":"key"}}'
    while ((await put(smallest)) !== 200) await sleep(systemClock, 20)

    const numbers = [
      0, 1, 12, 123, 100, 1230, 1e20, -1, -12, -100, 1.5, 12.34, 0.5, 0.05, 0.00125, -1.25, 100.25, 1e125, 1e-130,
    ]
    const many = [...numbers, 0.1 + 0.2, 10n ** 38n - 1n, new NumberValue('-0.12345678901234567890123456789012345678')]
    const shapes: { [name: string]: PlainItem } = {
      strings: { a: '', é: 'é€😀', [`${'long'.repeat(50)}`]: '"\\\n' },
      lists: { list: ['a', ['b', []], {}, null, true] },
      maps: { map: { a: 'x', é: { deeper: {}, list: [1] }, z: false } },
      sets: {
        ss: new Set(['a', 'éé']),
        ns: new Set([1, -2.5, 300]),
        bs: new Set([new Uint8Array(7), new Uint8Array(2)]),
      },
      binary: { none: new Uint8Array(), some: new Uint8Array(100_000) },
      'many attributes': Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`attribute${index}`, index])),
      ...Object.fromEntries(many.map((number) => [`${number}`, { list: Array.from({ length: 50 }, () => number) }])),
    }
    for (const [name, attributes] of Object.entries(shapes)) {
      assert.strictEqual(await put(itemText(attributes, ITEM_BYTES_MAX)), 200, name)
      assert.strictEqual(await put(itemText(attributes, ITEM_BYTES_MAX + 1)), 400, name)
    }

    const nested = (levels: number, leaf: string) => {
      const lists = levels - 1
      return `{"pk":{"S":"deep"},"a":${'{"L":['.repeat(lists)}${leaf}${']}'.repeat(lists)}}`
    }
    for (const leaf of ['{"S":"x"}', '{"M":{}}']) {
      assert.strictEqual(await put(nested(32, leaf)), 200)
      assert.strictEqual(await put(nested(33, leaf)), 400)
    }
  } finally {
    await store.stop()
  }
})
