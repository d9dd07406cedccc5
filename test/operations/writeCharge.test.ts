import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeItem, type PlainItem } from '../../src/index.ts'
import { WriteCharge } from '../../src/operations/plan/writeCharge.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { indexParts, writeUnits } from '../../src/simulator/applyWrite.ts'
import { itemSize, readAttributes } from '../../src/simulator/attributes.ts'
import { SimulatedTable } from '../../src/simulator/simulatedTable.ts'

const KEY = { partition: { name: 'pk', type: 'S' }, sort: undefined } as const
const charge = (more: Partial<ConstructorParameters<typeof WriteCharge>[0]>): WriteCharge =>
  new WriteCharge({ key: KEY, indexes: [], localIndexes: [], ...more })
const CAPACITY = {
  readUnitsPerSecond: 0,
  writeUnitsPerSecond: 0,
  readUnitsPerSecondMax: undefined,
  writeUnitsPerSecondMax: undefined,
  warmReadUnitsPerSecond: 0,
  warmWriteUnitsPerSecond: 0,
  itemCount: 0,
  sizeBytes: 0,
  status: 'ACTIVE',
  isBackfilling: false,
}

const text = (longest: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.nat(longest).map((length) => 'ü'.repeat(length)),
  )
const item: fc.Arbitrary<PlainItem> = fc
  .record(
    {
      group: fc.constantFrom('a', 'b'),
      at: fc.constantFrom(1, 2),
      body: text(3_000),
      more: fc.oneof(text(100), fc.array(fc.nat(9)), fc.constant(new Set(['x', 'y']))),
    },
    { requiredKeys: [] },
  )
  .map((attributes) => ({ pk: 'key', ...attributes }))

test('what a write takes is what the simulated service takes, of the table and of each index', () => {
  const byGroup = { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } } } as const
  const byBoth = {
    name: 'byBoth',
    key: { partition: { name: 'group', type: 'S' }, sort: { name: 'at', type: 'N' } },
    projection: 'KEYS_ONLY',
  } as const
  const capacity = { billing: 'on demand' } as const
  const simulated = new SimulatedTable(
    {
      name: 'things',
      key: KEY,
      capacity,
      indexes: [
        { ...byGroup, capacity },
        { ...byBoth, capacity },
      ],
    },
    0,
  )
  const planned = charge({
    indexes: [
      { ...CAPACITY, name: 'byGroup', keyNames: ['group'], projection: 'all' },
      { ...CAPACITY, name: 'byBoth', keyNames: ['group', 'at'], projection: 'keys' },
    ],
  })
  const option = fc.option(item, { nil: undefined })
  fc.assert(
    fc.property(option, option, (before, after) => {
      fc.pre(before !== undefined || after !== undefined)
      const attributes = (one: PlainItem | undefined) => one && readAttributes(parseJson(encodeItem(one)))
      const [old, fresh] = [attributes(before), attributes(after)]
      const size = (one: ReturnType<typeof attributes>): number => (one === undefined ? 0 : itemSize(one))
      const units = [
        writeUnits(Math.max(size(old), size(fresh))),
        ...simulated.indexes.map((index) =>
          indexParts(index, KEY, old, fresh).reduce((sum, part) => sum + part.units, 0),
        ),
      ]
      assert.deepEqual(planned.unitsOf({ before, after }), units)
    }),
    { numRuns: 2_000 },
  )
})

test('the rules of the developer guide, one by one', () => {
  const body = 'x'.repeat(2_500)
  const all = { ...CAPACITY, name: 'all', keyNames: ['group'], projection: 'all' } as const
  const some = { ...CAPACITY, name: 'some', keyNames: ['group'], projection: ['state'] } as const
  const both = charge({ indexes: [all, some] })
  const before = { pk: 'a', group: 'g', state: 1, body }
  // A write counts by the larger of the two items; 2.5 KB are 3 units.
  assert.deepEqual(both.unitsOf({ before, after: { pk: 'a' } }), [3, 3, 1])
  // Another key of an index: the old entry goes, a new one comes.
  assert.deepEqual(both.unitsOf({ before, after: { ...before, group: 'h' } }), [3, 6, 2])
  // What an index does not hold costs nothing there.
  assert.deepEqual(both.unitsOf({ before, after: { ...before, other: 1 } }), [3, 3, 0])
  assert.deepEqual(both.unitsOf({ before, after: { ...before, state: 2 } }), [3, 3, 1])
  // An item like the one that is there.
  assert.deepEqual(both.unitsOf({ before, after: { ...before } }), [3, 0, 0])
  assert.deepEqual(both.unitsOf({ after: { pk: 'a', body } }), [3, 0, 0])
  assert.deepEqual(both.unitsOf({ before }), [3, 3, 1])
  // Local indexes are the table's.
  assert.deepEqual(charge({ localIndexes: [all] }).unitsOf({ after: before }), [6])
})
