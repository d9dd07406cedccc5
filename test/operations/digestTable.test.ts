import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textDigest } from '../../src/item/textDigest.ts'
import { DigestTable } from '../../src/operations/digestTable.ts'

const digest = (value: number) => textDigest(`${value}`)

test('it answers as a map would, whatever is asked in whatever order', () => {
  const record = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3 }))
  fc.assert(
    fc.property(fc.array(record, { maxLength: 200 }), fc.array(record), (records, asked) => {
      const table = new DigestTable(16)
      const model = new Map<number, { value: number; open: boolean }>()
      for (const [key, value] of records) {
        assert.equal(table.set(digest(key), digest(value)), model.has(key))
        model.set(key, { value, open: true })
      }
      for (const [key, value] of asked) {
        const known = model.get(key)
        const answer = table.compare(digest(key), digest(value))
        assert.equal(answer, known === undefined ? 'none' : known.value === value ? 'same' : 'other')
        if (known !== undefined) known.open = known.value !== value
      }
      const open = [...model].filter(([, one]) => one.open)
      assert.equal(table.size, model.size)
      assert.equal(table.open, open.length)
      const settled = new Set<number>()
      for (const [key, value] of records) {
        if (table.settle(digest(key), digest(value)) === undefined) continue
        assert.equal(model.get(key)!.value, value)
        settled.add(key)
      }
      assert.deepEqual([...settled].sort(), open.map(([key]) => key).sort())
      assert.equal(table.open, 0)
    }),
  )
})
