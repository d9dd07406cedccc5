import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LocalStore, startLocal } from '../../src/local/startLocal.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { canonicalText, readAttributes } from '../../src/simulator/attributes.ts'
import type { KeySchema } from '../../src/simulator/primaryKey.ts'
import type { TableOptions } from '../../src/simulator/simulatedTable.ts'
import { call } from '../support/call.ts'
import { startService } from './ask.ts'
import { type GeneratedOperation, Operations } from './generatedOperations.ts'

/** What a service made of an operation, as far as both must agree. */
interface Answered {
  readonly status: number
  /** The error's name; empty for success. */
  readonly error: string
  /** Undefined where it was not told. */
  readonly units: number | undefined
  /** Everything else, in one order. */
  readonly rest: string
}

type Asks = (operation: string, body: object) => Promise<{ status: number; body: unknown }>

/** What the store is known to do otherwise than the service, and the simulator does as the service. */
const KNOWN: readonly {
  readonly name: string
  readonly reason: string
  holds(operation: GeneratedOperation, ours: Answered, theirs: Answered): boolean
}[] = [
  {
    name: 'units of failed statements were not told',
    reason: 'where every statement of a batch fails the store tells no units, though it tells them where some do not',
    holds: ({ operation }, ours, theirs) =>
      operation === 'BatchExecuteStatement' &&
      theirs.units === undefined &&
      ours.rest === theirs.rest &&
      !ours.rest.includes('"made"'),
  },
  {
    name: 'a refused INSERT was charged',
    reason:
      'the store charges an INSERT of an item that it refuses, though it writes nothing; the service charges no ValidationError',
    holds: ({ operation }, ours, theirs) =>
      operation === 'BatchExecuteStatement' &&
      ours.rest === theirs.rest &&
      ours.rest.includes('"ValidationError"') &&
      Number(theirs.units) > Number(ours.units),
  },
]

const capacity = { billing: 'provisioned', readUnitsPerSecond: 30_000, writeUnitsPerSecond: 30_000 } as const
const simple: KeySchema = { partition: { name: 'pk', type: 'S' } }
const sorted: KeySchema = { ...simple, sort: { name: 'sk', type: 'N' } }
const TABLES: readonly TableOptions[] = [
  { name: 'things', key: simple, capacity },
  { name: 'things', key: sorted, capacity },
  {
    name: 'things',
    key: simple,
    capacity,
    indexes: [{ name: 'byGroup', key: { partition: { name: 'group', type: 'S' } }, capacity }],
  },
  {
    name: 'things',
    key: sorted,
    capacity,
    indexes: [
      {
        name: 'bySmall',
        key: { partition: { name: 'group', type: 'S' }, sort: { name: 'small', type: 'N' } },
        projection: 'KEYS_ONLY',
        capacity,
      },
    ],
  },
]
/** `DIFFERENTIAL_SEEDS=100` for more of them. */
const SEEDS = 4
const OPERATIONS = 90

test('the simulator answers, charges and keeps what the embedded store does, whatever it is asked', async (t) => {
  let store: LocalStore
  try {
    store = await startLocal({ kind: 'dynoxide' })
  } catch (error) {
    if (!(error instanceof HeadraceError && error.code === 'LOCAL')) throw error
    t.skip(`nothing to compare with: ${error.message}`)
    return
  }
  const met = new Map<string, number>()
  try {
    for (let seed = 1; seed <= Number(process.env['DIFFERENTIAL_SEEDS'] ?? SEEDS); seed += 1) {
      for (const [kind, table] of TABLES.entries()) await compare(store, table, seed * 10 + kind, met)
    }
  } finally {
    await store.stop()
  }
  for (const { name, reason } of KNOWN) {
    t.diagnostic(`${met.get(name)} times ${name}: ${reason}`)
    assert.ok(met.has(name), `a store that no longer does so (${name}) needs no excuse`)
  }
})

async function compare(store: LocalStore, table: TableOptions, seed: number, met: Map<string, number>): Promise<void> {
  await call(store.endpoint, 'DeleteTable', { TableName: 'things' })
  await createAt(store.endpoint, table)
  const { ask, service, clock } = startService(table, { dialect: 'commas', random: seededRandom(seed) })
  const operations = new Operations(table, seededRandom(seed))
  const theirs: Asks = (operation, body) => call(store.endpoint, operation, body)
  for (let number = 0; number < OPERATIONS; number += 1) {
    const operation = operations.next()
    const where = `seed ${seed}, operation ${number}: ${readable(operation)}`
    // The store has units for everything at any time.
    await clock.run(sleep(clock, 5_000))
    const [one, other] = [await perform(ask, operation), await perform(theirs, operation)]
    if (canonicalText(one) !== canonicalText(other)) {
      const known = KNOWN.find(({ holds }) => holds(operation, one, other))
      if (known === undefined) assert.deepEqual(one, other, where)
      else met.set(known.name, (met.get(known.name) ?? 0) + 1)
    }
  }
  const { body } = await call(store.endpoint, 'Scan', { TableName: 'things', ConsistentRead: true })
  const stored: string[] = body.Items.map((item: unknown) => readable(readAttributes(item)))
  const simulated = [...service.tables.get('things')!.entries()].map(([, item]) => readable(item))
  assert.deepEqual(simulated.sort(), stored.sort(), `seed ${seed}: the tables differ at the end`)
}

/** In one order, and without what only fills. */
function readable(value: unknown): string {
  return canonicalText(value).replace(/x{20,}/g, (filling) => `${filling.length} x`)
}

async function perform(ask: Asks, { operation, body }: GeneratedOperation): Promise<Answered> {
  return operation === 'Scan' ? scanAll(ask, body) : answered(await ask(operation, body))
}

function answered({ status, body }: { status: number; body: unknown }): Answered {
  // biome-ignore lint/suspicious/noExplicitAny: answers are of many shapes
  const { __type, message: _, Message: __, ConsumedCapacity: told, ...rest } = body as any
  if (status !== 200) return { status, error: `${__type}`.replace(/^.*#/, ''), units: undefined, rest: '' }
  const units = (Array.isArray(told) ? told[0] : told)?.CapacityUnits
  if (rest.Responses !== undefined) {
    rest.Responses = rest.Responses.map(({ Error: error }: { Error?: { Code: string } }) => error?.Code ?? 'made')
  }
  for (const name of ['Item', 'Items']) {
    if (Array.isArray(rest[name])) rest[name] = rest[name].map(readAttributes)
    else if (rest[name] !== undefined) rest[name] = readAttributes(rest[name])
  }
  return { status, error: '', units, rest: readable(rest) }
}

/**
 * Every segment to its end. Hashes are each service's own, so pages and segments are cut elsewhere: what all of them hold
 * together must agree, and the units where it is one page.
 */
async function scanAll(ask: Asks, body: { TotalSegments: number; Limit?: number }): Promise<Answered> {
  const items: string[] = []
  let [count, scanned, pages] = [0, 0, 0]
  let units: number | undefined
  for (let segment = 0; segment < body.TotalSegments; segment += 1) {
    let start: object | undefined
    do {
      const page = { ...body, Segment: segment, ...(start === undefined ? {} : { ExclusiveStartKey: start }) }
      const { status, body: answer } = (await ask('Scan', page)) as Awaited<ReturnType<typeof call>>
      if (status !== 200) return answered({ status, body: answer })
      for (const item of answer.Items ?? []) items.push(readable(readAttributes(item)))
      count += answer.Count
      scanned += answer.ScannedCount
      pages += 1
      units = answer.ConsumedCapacity.CapacityUnits
      start = answer.LastEvaluatedKey
    } while (start !== undefined)
  }
  return {
    status: 200,
    error: '',
    units: pages === 1 ? units : undefined,
    rest: canonicalText({ count, scanned, items: items.sort() }),
  }
}

async function createAt(endpoint: string, { key, indexes = [] }: TableOptions): Promise<void> {
  const schema = ({ partition, sort }: KeySchema) => [
    { AttributeName: partition.name, KeyType: 'HASH' },
    ...(sort === undefined ? [] : [{ AttributeName: sort.name, KeyType: 'RANGE' }]),
  ]
  const parts = [key, ...indexes.map((index) => index.key)].flatMap(({ partition, sort }) =>
    sort === undefined ? [partition] : [partition, sort],
  )
  const { status, body } = await call(endpoint, 'CreateTable', {
    TableName: 'things',
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: schema(key),
    AttributeDefinitions: parts.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
    ...(indexes.length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: schema(index.key),
            Projection: { ProjectionType: index.projection ?? 'ALL' },
          })),
        }),
  })
  assert.equal(status, 200, JSON.stringify(body))
}
