import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { ItemEncoder } from '../../src/item/encode.ts'
import { ItemError } from '../../src/item/itemError.ts'
import type { KeySchema } from '../../src/item/itemKey.ts'
import { ChangePlanner, changeBatchBody, changeOf } from '../../src/publish/changeBatch.ts'
import { Entry } from '../../src/publish/entry.ts'
import { BodySlab, Slab } from '../../src/publish/slab.ts'
import { valueArbitrary } from '../item/itemArbitrary.ts'

const OWNER = { onStored() {}, onRefused() {}, onConflict() {} }
const SCHEMAS: readonly KeySchema[] = [
  { partition: { name: 'pk', type: 'S' } },
  { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } },
]

/** Values of any type, and missing ones, under few names, so that one update has the names of the one before or not. */
const optionalArbitrary = fc.option(valueArbitrary, { nil: undefined })
const valuesArbitrary = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), optionalArbitrary, { maxKeys: 3 })
const updateArbitrary = fc.record({
  key: fc.record({ pk: fc.string({ minLength: 1 }), sk: fc.integer() }),
  set: fc.option(valuesArbitrary, { nil: undefined }),
  remove: fc.option(fc.uniqueArray(fc.constantFrom('e', 'f'), { maxLength: 2 }), { nil: undefined }),
  expect: valuesArbitrary,
  refused: fc.boolean(),
})

/** The statement and parameters, made the slow and plain way. */
function expected(
  { partition, sort }: KeySchema,
  { key, set = {}, remove = [], expect }: { key: PlainItem; set?: PlainItem; remove?: string[]; expect: PlainItem },
): { Statement: string; Parameters: unknown[] } {
  const encoder = new ItemEncoder()
  const encoded = (value: unknown): unknown => JSON.parse(encoder.encodeValue(value))
  const names = Object.keys(set).filter((name) => set[name] !== undefined)
  const keyNames = sort === undefined ? [partition.name] : [partition.name, sort.name]
  const expectNames = Object.keys(expect)
  const statement = [
    'UPDATE "things"',
    ...names.map((name) => `SET "${name}"=?`),
    remove.length > 0 ? `REMOVE ${remove.map((name) => `"${name}"`).join(' REMOVE ')}` : [],
    `WHERE ${keyNames.map((name) => `"${name}"=?`).join(' AND ')}`,
    ...expectNames.map((name) => `AND "${name}"${expect[name] === undefined ? ' IS MISSING' : '=?'}`),
  ]
  return {
    Statement: statement.flat().join(' '),
    Parameters: [
      ...names.map((name) => encoded(set[name])),
      ...keyNames.map((name) => encoded(key[name])),
      ...expectNames.filter((name) => expect[name] !== undefined).map((name) => encoded(expect[name])),
    ],
  }
}

test('updates go out as they were asked for, wherever a slab ends and whatever was refused between them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SCHEMAS),
      fc.integer({ min: 1, max: 500 }),
      fc.array(updateArbitrary, { minLength: 1, maxLength: 25 }),
      (schema, slabBytes, updates) => {
        const slab = new Slab(slabBytes)
        const planner = new ChangePlanner('things', schema)
        const encoder = new ItemEncoder()
        const entries: Entry[] = []
        const statements: unknown[] = []
        for (const { key, set, remove, expect, refused } of updates) {
          const changes = { ...(set === undefined ? {} : { set }), ...(remove === undefined ? {} : { remove }) }
          const changesNothing =
            (remove ?? []).length === 0 && Object.values(set ?? {}).every((value) => value === undefined)
          if (changesNothing) {
            assert.throws(() => planner.planOfUpdate(changes as object, expect), ItemError)
            continue
          }
          if (refused) {
            const wrong = { ...expect, wrong: Number.NaN }
            const plan = planner.planOfUpdate(changes as object, wrong)
            assert.throws(() => slab.writeParameters(encoder, schema, plan, key, set, wrong), /^ItemError: wrong: /)
            continue
          }
          const entry = new Entry(OWNER, { outstanding: 0, onEmpty: undefined })
          entry.kind = 'change'
          entry.plan = planner.planOfUpdate(changes as object, expect)
          slab.writeParameters(encoder, schema, entry.plan, key, set, expect)
          entry.buffer = slab.buffer
          entry.start = slab.start
          entry.end = slab.end
          entries.push(entry)
          statements.push(expected(schema, { key, ...changes, expect } as never))
        }
        if (entries.length === 0) return
        const body = changeBatchBody(new BodySlab(), entries, 'clauses').toString()
        assert.deepEqual(JSON.parse(body), { Statements: statements, ReturnConsumedCapacity: 'INDEXES' })
        for (const entry of entries) assert.equal(planner.planOf(changeOf(entry, schema)), entry.plan)
      },
    ),
    { numRuns: 500 },
  )
})

test('an update that changes nothing, the key or an attribute twice is refused whatever came before it', () => {
  const planner = new ChangePlanner('things', SCHEMAS[1]!)
  const deletion = {
    key: [],
    deletes: true,
    setNames: [],
    setTexts: [],
    removeNames: [],
    expectNames: [],
    expectTexts: [],
  }
  for (const before of [{ set: { a: 1 }, remove: ['b'] }, { remove: ['b'] }, undefined]) {
    if (before === undefined) planner.planOf(deletion)
    else planner.planOfUpdate(before, {})
    const refused: [object, RegExp][] = [
      [{}, /must set or remove something/],
      [{ set: { a: undefined }, remove: [] }, /must set or remove something/],
      [{ set: { a: 1, pk: 'x' } }, /^ItemError: pk: a key attribute cannot be changed/],
      [{ set: { a: 1 }, remove: ['sk'] }, /^ItemError: sk: a key attribute cannot be removed/],
      [{ set: { a: 1 }, remove: ['a'] }, /^ItemError: a: an attribute cannot be both/],
    ]
    for (const [changes, message] of refused) assert.throws(() => planner.planOfUpdate(changes, {}), message)
  }
})

test('a getter that asks for another update, or gives nothing the second time, puts no value elsewhere', () => {
  const schema = SCHEMAS[0]!
  const planner = new ChangePlanner('things', schema)
  planner.planOfUpdate({ set: { a: 1 } }, {})
  const asking = {
    get a() {
      planner.planOfUpdate({ set: { b: 2 } }, {})
      return 1
    },
  }
  assert.deepEqual(planner.planOfUpdate({ set: asking }, {}).setNames, ['a'])
  let times = 0
  const fading = {
    get a() {
      times += 1
      return times > 1 ? undefined : 1
    },
  }
  planner.planOfUpdate({ set: { a: 1 } }, {})
  const plan = planner.planOfUpdate({ set: fading as never }, {})
  assert.throws(
    () => new Slab().writeParameters(new ItemEncoder(), schema, plan, { pk: 'x' }, fading, {}),
    /^ItemError: a: a undefined cannot be stored/,
  )
  const none = { set: null, remove: ['e'] } as never
  assert.deepEqual(planner.planOfUpdate(none, {}).removeNames, ['e'])
})
