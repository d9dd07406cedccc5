import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ItemEncoder } from '../../src/item/encode.ts'
import { ItemError } from '../../src/item/itemError.ts'
import { Entry, entryEncoder, unwrapEntry } from '../../src/publish/entry.ts'
import { BodySlab, Slab } from '../../src/publish/slab.ts'
import { writeBatchBody, writeBatchHead } from '../../src/publish/writeBatch.ts'
import { itemArbitrary } from '../item/itemArbitrary.ts'

const OWNER = { onStored() {}, onRefused() {}, onConflict() {} }

/** The entry of what was written last. */
function entryOf(slab: Slab): Entry {
  const entry = new Entry(OWNER, { outstanding: 0, onEmpty: undefined })
  entry.buffer = slab.buffer
  entry.start = slab.start
  entry.end = slab.end
  return entry
}

test('entries are whole wherever a slab ends, with refused items and deletions between them, and so is their batch', () => {
  const refused = itemArbitrary.map((item) => ({ ...item, last: Number.NaN }))
  const long = fc.integer({ min: 0, max: 3_000 }).map((length) => ({ pk: 'long', text: 'x'.repeat(length), end: true }))
  const step = fc.oneof(
    itemArbitrary.map((item) => ({ item, kind: 'put' as const })),
    long.map((item) => ({ item, kind: 'put' as const })),
    refused.map((item) => ({ item, kind: 'refused' as const })),
    itemArbitrary.map((item) => ({ item, kind: 'delete' as const })),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(step, { minLength: 1, maxLength: 25 }), (bytes, steps) => {
      const slab = new Slab(bytes)
      const puts = entryEncoder('put')
      const deletes = entryEncoder('delete')
      const entries: Entry[] = []
      const texts: string[] = []
      for (const { item, kind } of steps) {
        const text = () => new ItemEncoder().encode(item)
        if (kind === 'refused') {
          assert.throws(() => slab.writeItem(puts, item), ItemError)
          continue
        }
        if (kind === 'put') {
          slab.writeItem(puts, item)
          texts.push(`{"PutRequest":{"Item":${text()}}}`)
        } else {
          const deletion = deletes.encode(item)
          slab.write(deletion, Buffer.byteLength(deletion))
          texts.push(`{"DeleteRequest":{"Key":${text()}}}`)
        }
        entries.push(entryOf(slab))
      }
      if (entries.length === 0) return
      const body = writeBatchBody(new BodySlab(), writeBatchHead('things'), entries)
      assert.strictEqual(
        body.toString(),
        `{"RequestItems":{"things":[${texts.join(',')}]},"ReturnConsumedCapacity":"INDEXES"}`,
      )
    }),
    { numRuns: 500 },
  )
})

test('neighbours lie side by side, also when items between them were refused, however long those are', () => {
  const slab = new Slab(1_000)
  const encoder = entryEncoder('put')
  const put = (item: object) => {
    slab.writeItem(encoder, item)
    return entryOf(slab)
  }
  const first = put({ pk: 'first' })
  for (const length of [1, 500, 5_000, 400_000]) {
    const item = { pk: 'refused', text: 'x'.repeat(length), more: Array(50).fill('element'), last: new Date(0) }
    assert.throws(() => slab.writeItem(encoder, item), /^ItemError: last: a Date cannot be stored/)
  }
  const second = put({ pk: 'second' })
  assert.strictEqual(second.buffer, first.buffer)
  assert.strictEqual(second.start, first.end + 1)
  assert.strictEqual(first.buffer!.toString('utf8', first.end, second.start), ',')
  assert.strictEqual(
    unwrapEntry('put', second.buffer!.toString('utf8', second.start, second.end)),
    '{"pk":{"S":"second"}}',
  )
})

test('an item longer than a slab has one of its own, and an entry that was before it stays as it was', () => {
  const slab = new Slab(100)
  const encoder = entryEncoder('put')
  const items = [
    { pk: 'short' },
    { pk: 'one text', text: 'x'.repeat(390_000) },
    { pk: 'many texts', texts: Array.from({ length: 30_000 }, (_, index) => `é${index}`) },
    { pk: 'short again' },
  ]
  const entries = items.map((item) => {
    slab.writeItem(encoder, item)
    return entryOf(slab)
  })
  for (const [index, entry] of entries.entries())
    assert.strictEqual(entry.text, new ItemEncoder().encode(items[index]!))
  assert.ok(entries[1]!.buffer!.length < 400_000, 'a slab as long as its item')
})
