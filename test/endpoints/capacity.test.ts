import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Summary, updateAll } from '../../src/index.ts'
import { startScriptedServer } from '../support/scriptedServer.ts'

const TABLE = {
  TableName: 'things',
  TableStatus: 'ACTIVE',
  ItemCount: 'many',
  TableSizeBytes: null,
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  ProvisionedThroughput: { ReadCapacityUnits: 1000, WriteCapacityUnits: 1000 },
}
const ITEMS = 100

/** What an endpoint may say in place of a number of units. */
const REPORTS: readonly [string, (units: unknown) => object][] = [
  ['nothing at all', () => ({})],
  ['null', () => ({ ConsumedCapacity: null })],
  ...([undefined, null, 'NaN', '5', 0, -3, 1e300, {}, []] as const).map(
    (value): [string, (wrap: unknown) => object] => [
      `CapacityUnits ${JSON.stringify(value)}`,
      (many) => {
        const one = { TableName: 'things', CapacityUnits: value }
        return { ConsumedCapacity: many === true ? [one] : one }
      },
    ],
  ),
  [
    'units of an index that are none',
    (many) => {
      const one = { TableName: 'things', CapacityUnits: 'x', GlobalSecondaryIndexes: { byName: { CapacityUnits: -1 } } }
      return { ConsumedCapacity: many === true ? [one] : one }
    },
  ],
]

function assertFigures(summary: Summary, name: string): void {
  for (const [field, value] of Object.entries(summary)) {
    assert.ok(typeof value !== 'number' || !Number.isNaN(value), `${name}: ${field} is ${value}`)
  }
}

for (const [name, report] of REPORTS) {
  test(`C2: with ${name} the estimate stands in, and it is said once`, async () => {
    await using server = await startScriptedServer(({ operation, body }) => {
      if (operation === 'DescribeTable') return { body: { Table: TABLE } }
      if (operation === 'BatchWriteItem') return { body: { UnprocessedItems: {}, ...report(true) } }
      if (operation === 'BatchExecuteStatement')
        return { body: { Responses: body.Statements.map(() => ({ TableName: 'things' })), ...report(true) } }
      const Items = Array.from({ length: ITEMS }, (_, index) => ({
        pk: { S: `k${index}` },
        t: { S: 'x'.repeat(4_000) },
      }))
      return { body: { Items, Count: ITEMS, ScannedCount: ITEMS, ...report(false) } }
    })
    await using database = connect({ endpoint: server.endpoint })
    const table = database.table('things')
    const warnings: string[] = []
    const job = updateAll(table, () => ({ set: { n: 1 } }), { segments: 1 })
    const summary = await job.run({ onWarning: (text) => warnings.push(text) })
    assertFigures(summary, name)
    assert.equal(summary.written, ITEMS)
    // 400 KB, read eventually consistent or strongly.
    assert.ok(summary.readUnits >= 40 && summary.readUnits <= 110, `${summary.readUnits} read units`)
    assert.equal(warnings.filter((text) => /consumed capacity.*estimate/.test(text)).length, 1, `${warnings}`)
  })
}

test('C2: a rate of writes holds where the endpoint reports nonsense', async () => {
  let written = 0
  const times: number[] = []
  await using server = await startScriptedServer(({ operation, body }) => {
    if (operation === 'DescribeTable') return { body: { Table: TABLE } }
    written += body.RequestItems.things.length
    times.push(performance.now())
    return { body: { UnprocessedItems: {}, ConsumedCapacity: [{ TableName: 'things', CapacityUnits: null }] } }
  })
  await using database = connect({ endpoint: server.endpoint })
  await using publisher = database.table('things').publisher({ writeUnitsPerSecond: 200 })
  for (let index = 0; index < 600; index += 1) if (!publisher.put({ pk: `k${index}` })) await publisher.ready
  await publisher.close()
  assert.equal(written, 600)
  // At 200 units a second 600 items take two seconds at least, whatever may be saved at the start.
  assert.ok(times.at(-1)! - times[0]! > 1_500, `${times.at(-1)! - times[0]!} ms`)
})
