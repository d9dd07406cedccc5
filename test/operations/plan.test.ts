import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  BUILT_IN_PRICES,
  connect,
  copy,
  type Database,
  encodeItem,
  file,
  load,
  type PlainItem,
  type Plan,
  type PriceTable,
  planTable,
  type Summary,
  type Table,
  type Transform,
  updateAll,
  type Visitor,
} from '../../src/index.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { readAttributes } from '../../src/simulator/attributes.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { IndexOptions, TableOptions } from '../../src/simulator/simulatedTable.ts'
import { type Started, start } from '../simulation/start.ts'

const AT_AWS = {
  endpoint: 'https://dynamodb.us-east-1.amazonaws.com',
  region: 'us-east-1',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
}
const ON_DEMAND: CapacityOptions = { billing: 'on demand' }
const INDEXES: readonly IndexOptions[] = [
  { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } }, capacity: ON_DEMAND },
  {
    name: 'byState',
    key: { partition: { name: 'state', type: 'S' }, sort: { name: 'at', type: 'N' } },
    projection: 'KEYS_ONLY',
    capacity: ON_DEMAND,
  },
]

/** A table at AWS with these items. */
async function startWith(
  items: readonly PlainItem[],
  table: Partial<TableOptions> = {},
  changed: (description: Answer) => void = () => undefined,
  answers: { readonly [operation: string]: readonly [status: number, body: object] } = {},
): Promise<Started> {
  const at = await start(
    {},
    {
      table: { capacity: ON_DEMAND, indexes: INDEXES, ...table },
      connection: (service, clock) => ({
        ...AT_AWS,
        transport: {
          send: (headers, body, receiver) => {
            const operation = headers[headers.indexOf('x-amz-target') + 1]!.replace('DynamoDB_20120810.', '')
            const [status, given] = answers[operation] ?? []
            if (status !== undefined) {
              const text = Buffer.from(JSON.stringify(given))
              const answer = { status, body: text, crc32: undefined, requestId: '', gzip: false, date: '' }
              const timer = clock.setTimer(() => receiver.onAnswer({ ...answer, retryAfterMs: undefined }), 1)
              return () => timer.clear()
            }
            return service.send(headers, body, {
              onFailure: (failure) => receiver.onFailure(failure),
              onAnswer: (answer) => {
                const text = answer.body.toString()
                if (!text.startsWith('{"Table":')) return receiver.onAnswer(answer)
                const described = parseJson(text) as { Table: Answer }
                changed(described.Table)
                receiver.onAnswer({ ...answer, body: Buffer.from(JSON.stringify(described)), crc32: undefined })
              },
            })
          },
          close: () => service.close(),
        },
      }),
    },
  )
  at.simulated.fill(items.map((item) => readAttributes(parseJson(encodeItem(item)))))
  return at
}

type Answer = { [name: string]: unknown; ItemCount: number; TableSizeBytes: number }

/** Sizes as real tables have them: most items small, a few hundred times larger (lognormal), some in one index, or both, or none. */
function skewedItems(count: number, seed: number): PlainItem[] {
  const random = seededRandom(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Array.from({ length: count }, (_, index) => ({
    pk: `item ${index}`,
    body: 'x'.repeat(Math.min(200_000, Math.round(Math.exp(6 + 1.2 * normal())))),
    ...(random() < 0.7 ? { group: `group ${Math.floor(random() * 1_000)}` } : {}),
    ...(random() < 0.5 ? { state: random() < 0.3 ? 'open' : 'closed', at: Math.floor(random() * 1e9) } : {}),
    score: Math.floor(random() * 100),
  }))
}

/** Of an item its size after it was looked at, a new key of an index, or nothing. */
const visitor: Visitor = (item) => {
  if (item['score'] < 25) return undefined
  if (item['score'] < 50) return { set: { note: 'n'.repeat(item['score'] * 20) } }
  if (item['score'] < 75) return { set: { state: 'archived' } }
  if (item['score'] < 90) return { remove: ['group'] }
  return 'delete'
}

function near(found: number, expected: number, what: string, share = 0.05): void {
  const off = Math.abs(found - expected) / Math.max(expected, 1)
  assert.ok(off <= share, `${what}: ${found} and not ${expected}, ${(off * 100).toFixed(1)} % off`)
}

function assertAsRun(plan: Plan, summary: Summary): void {
  near(plan.items.value, summary.read, 'items')
  near(plan.changes!.value, summary.written, 'changes')
  near(plan.readUnits.value, summary.readUnits, 'read units')
  near(plan.writeUnits.value, summary.writeUnits, 'write units')
  near(plan.cost!.amount, summary.cost!.amount, 'price')
}

const sizes: [what: string, count: number, seed: number][] = [
  ['a small table, read whole', 3_000, 1],
  ['a table of which a sample is read', 60_000, 2],
  ['another', 90_000, 3],
]
for (const [what, count, seed] of sizes) {
  test(`a plan of an update is within 5 % of what its run uses: ${what}`, async () => {
    const at = await startWith(skewedItems(count, seed))
    const job = updateAll(at.table, visitor)
    const writesBefore = at.service.log.counts.writes
    const plan = await at.clock.run(job.plan())
    assert.equal(at.service.log.counts.writes, writesBefore, 'a plan writes nothing')
    assert.ok(plan.sample.readUnits <= 4_096, `${plan.sample.readUnits} units for a sample`)
    assert.equal(plan.sample.whole, count < 30_000)
    if (plan.sample.whole) assert.equal(plan.items.low, plan.items.high)
    assertAsRun(plan, await at.clock.run(job.run()))
  })
}

test('little is read of a table that gives little', async () => {
  const capacity: CapacityOptions = { billing: 'provisioned', readUnitsPerSecond: 5, writeUnitsPerSecond: 5 }
  const at = await startWith(skewedItems(30_000, 13), { capacity, indexes: [] })
  const before = at.clock.now()
  const plan = await at.clock.run(updateAll(at.table, visitor).plan())
  const seconds = (at.clock.now() - before) / 1_000
  assert.ok(seconds < 45, `${seconds} s`)
  assert.ok(plan.sample.readUnits < 160, `${plan.sample.readUnits} units`)
  assert.ok(plan.items.low <= 30_000 && plan.items.high >= 30_000, `${plan.items.low} to ${plan.items.high}`)
})

test('figures of the service that are hours old are corrected by the sample', async () => {
  for (const factor of [0, 0.01, 0.4, 8]) {
    const at = await startWith(skewedItems(50_000, 4), {}, (table) => {
      table.ItemCount = Math.round(table.ItemCount * factor)
      table.TableSizeBytes = Math.round(table.TableSizeBytes * factor)
    })
    const plan = await at.clock.run(updateAll(at.table, visitor).plan())
    const { items, bytes, sample } = plan
    assert.ok(sample.readUnits <= 4_600, `${sample.readUnits} units for a sample, told ${factor} of it`)
    near(items.value, 50_000, `items, told ${factor} of them`, 0.12)
    near(bytes.value, at.simulated.sizeBytes, `bytes, told ${factor} of them`, 0.2)
    assert.ok(items.low <= 50_000 && items.high >= 50_000, `${items.low} to ${items.high}`)
  }
})

test('a filter saves no read units, and what it hides is not written', async () => {
  const at = await startWith(skewedItems(40_000, 5))
  const job = updateAll(at.table, () => ({ set: { seen: true } }), { filter: "state = 'open'" })
  const plan = await at.clock.run(job.plan())
  const summary = await at.clock.run(job.run())
  near(plan.readUnits.value, summary.readUnits, 'read units')
  // A tenth and a half of the items: what is drawn of so few is less sure.
  near(plan.changes!.value, summary.written, 'changes', 0.12)
  assert.ok(plan.changes!.low <= summary.written && summary.written <= plan.changes!.high)
  near(plan.items.value, 40_000, 'items')
})

test('a plan of a provisioned table lasts as long as the slowest of it and its indexes', async () => {
  const provisioned = (units: number): CapacityOptions => ({
    billing: 'provisioned',
    readUnitsPerSecond: 1_000,
    writeUnitsPerSecond: units,
    burstSeconds: 0,
  })
  const at = await startWith(skewedItems(4_000, 6), {
    capacity: provisioned(1_000),
    indexes: [
      { ...INDEXES[0]!, capacity: provisioned(200) },
      { ...INDEXES[1]!, capacity: provisioned(1_000) },
    ],
  })
  const job = updateAll(at.table, () => ({ set: { seen: true } }))
  const plan = await at.clock.run(job.plan())
  assert.equal(plan.write!.why, '80 % of the 200 WCU/s of index byGroup')
  assert.equal(plan.cost!.billing, 'provisioned')
  const summary = await at.clock.run(job.run())
  assertAsRun(plan, summary)
  near(plan.durationMs!, summary.durationMs, 'duration', 0.15)

  const asked = updateAll(at.table, () => ({ set: { seen: false } }), {
    writeUnitsPerSecond: 100,
    readUnitsPerSecond: '100%',
  })
  const slower = await at.clock.run(asked.plan())
  assert.match(slower.write!.why, /^your rate limit, 100 for the table and its indexes together$/)
  near(slower.durationMs!, slower.writeUnits.value * 10, 'duration')
  assert.match(slower.warnings.join(), /This rate uses all provisioned read capacity of things/)
  const more = updateAll(at.table, () => ({ set: { seen: false } }), { writeUnitsPerSecond: 5_000 })
  const { warnings } = await at.clock.run(more.plan())
  assert.match(warnings.join(), /Your rate limit of 5,000 WCU\/s exceeds the capacity: things has 1,000 WCU\/s\./)
})

test('a price of a region or a class that is not known is left out, and nothing fails', async () => {
  for (const prices of [{ ...BUILT_IN_PRICES, regions: {} }, BUILT_IN_PRICES]) {
    const at = await startWith(skewedItems(300, 7), {}, (table) => {
      if (prices === BUILT_IN_PRICES) table['TableClassSummary'] = { TableClass: 'GLACIAL' }
    })
    const job = updateAll(at.table, visitor, { prices })
    const plan = await at.clock.run(job.plan())
    assert.equal(plan.cost, undefined)
    assert.ok(plan.writeUnits.value > 0)
    assert.equal((await at.clock.run(job.run())).cost, undefined)
  }
})

test('other prices are taken where they are given, and a global table pays in each region', async () => {
  const prices: PriceTable = {
    asOf: '2027-01-01',
    currency: 'EUR',
    regions: {
      'us-east-1': {
        classes: {
          STANDARD: {
            onDemandReadsPerMillion: 1_000_000,
            onDemandWritesPerMillion: 2_000_000,
            replicatedWritesPerMillion: 3_000_000,
            provisionedReadUnitHour: 1,
            provisionedWriteUnitHour: 1,
          },
        },
      },
    },
  }
  const at = await startWith(skewedItems(300, 8), {}, (table) => {
    table['Replicas'] = [{ RegionName: 'us-east-1' }, { RegionName: 'eu-west-1' }]
    table['StreamSpecification'] = { StreamEnabled: true }
  })
  const plan = await at.clock.run(updateAll(at.table, visitor, { prices }).plan())
  assert.equal(plan.cost!.currency, 'EUR')
  near(plan.cost!.amount, plan.readUnits.value + 6 * plan.writeUnits.value, 'price', 1e-9)
  assert.match(plan.warnings.join('\n'), /is a global table: AWS also makes and charges each write in eu-west-1/)
  assert.match(plan.warnings.join('\n'), /has a stream/)
})

test('items are shown as they are and as they would be, from all over the table', async () => {
  const at = await startWith(skewedItems(5_000, 9))
  const job = updateAll(at.table, (item) => (item['score'] === 7 ? 'delete' : { set: { a: 1 }, remove: ['score'] }))
  const { samples } = await at.clock.run(job.plan({ samples: 20 }))
  assert.equal(samples.length, 20)
  for (const { before, after } of samples) {
    const { score: _, ...rest } = before as { score: number }
    assert.deepEqual(after, { ...rest, a: 1 })
  }
  assert.deepEqual((await at.clock.run(job.plan({ samples: 0 }))).samples, [])
  await assert.rejects(at.clock.run(job.plan({ samples: 101 })), TypeError)
  await assert.rejects(at.clock.run(job.plan({ samples: 1.5 })), TypeError)
})

test('a visitor that fails, or never settles, is told of and ends no plan', async () => {
  const at = await startWith(skewedItems(300, 10))
  const failing = updateAll(at.table, (item) => {
    if (item['score'] < 50) throw new Error('no such thing')
    return { set: { a: 1 } }
  })
  const plan = await at.clock.run(failing.plan())
  assert.match(plan.unknown.join('\n'), /\d+ of the 300 items tried cannot \(the first: no such thing\)/)
  assert.ok(plan.changes!.value > 100 && plan.changes!.value < 200)
  const hanging = updateAll(at.table, () => new Promise<undefined>(() => undefined), { visitTimeoutMs: 1_000 })
  assert.match((await at.clock.run(hanging.plan())).unknown.join('\n'), /did not settle within 1 s/)
  const stuck = updateAll(at.table, () => new Promise<undefined>(() => undefined))
  assert.match((await at.clock.run(stuck.plan())).unknown.join('\n'), /the visitor is slow/)
})

test('what an endpoint does not tell of a table is a line, and an empty table is no trouble', async () => {
  const at = await startWith([])
  const plan = await at.clock.run(updateAll(at.table, visitor).plan())
  assert.equal(plan.items.value, 0)
  assert.equal(plan.writeUnits.high, 0)
  assert.match(
    plan.unknown.join('\n'),
    /Whether point-in-time recovery is on, and whether .*: the endpoint does not report it\./,
  )
})

test('whether a table can be brought back is asked, and a right that is missing is a line', async () => {
  const recovery = (status: string) =>
    [
      200,
      { ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: status } } },
    ] as const
  const denied = [400, { __type: 'com.amazon.coral.service#AccessDeniedException', Message: 'no' }] as const
  const streams = [200, { KinesisDataStreamDestinations: [{ DestinationStatus: 'ACTIVE' }] }] as const
  const plan = async (backups: readonly [number, object], kinesis: readonly [number, object]): Promise<Plan> => {
    const at = await startWith(skewedItems(50, 14), {}, undefined, {
      DescribeContinuousBackups: backups,
      DescribeKinesisStreamingDestination: kinesis,
    })
    return at.clock.run(updateAll(at.table, visitor).plan())
  }
  const off = await plan(recovery('DISABLED'), streams)
  assert.match(off.warnings.join('\n'), /Point-in-time recovery of things is off/)
  assert.match(off.warnings.join('\n'), /A Kinesis stream receives each write to things/)
  assert.deepEqual(off.unknown, [])
  const on = await plan(recovery('ENABLED'), [200, { KinesisDataStreamDestinations: [] }])
  assert.deepEqual(on.warnings, [])
  const refused = await plan(denied, denied)
  assert.match(
    refused.unknown.join('\n'),
    /^Whether point-in-time recovery is on, .*: this identity has no permission to ask\.$/,
  )
})

test('a delete, a copy and a count are planned by what they write', async () => {
  const at = await startWith(skewedItems(2_000, 11))
  const units = (plan: Plan): number => Math.round(plan.writeUnits.value)
  const count = await at.clock.run(planTable({ operation: 'count', table: at.table }))
  assert.equal(count.changes, undefined)
  assert.equal(count.write, undefined)
  assert.equal(units(count), 0)
  const deleting = await at.clock.run(
    planTable({ operation: 'delete', table: at.table, writes: { table: at.table, of: (before) => ({ before }) } }),
  )
  assert.equal(deleting.changes!.value, 2_000)
  const run = await at.clock.run(updateAll(at.table, () => 'delete').run())
  assert.equal(units(deleting), Math.round(run.writeUnits))
  const exporting = await at.clock.run(planTable({ operation: 'export', table: at.table, native: ['export'] }))
  assert.match(exporting.native[0]!.limits, /whether that is on is unknown/)
})

test('a plan of a copy counts each of several items that are made of one', async () => {
  const at = await startWith(skewedItems(20_000, 12))
  at.service.addTable({
    name: 'target',
    key: { partition: { name: 'pk', type: 'S' } },
    capacity: ON_DEMAND,
    indexes: INDEXES,
  })
  for (const isLater of [false, true]) {
    const transform: Transform = (item) => {
      const copies = item['score'] < 25 ? 0 : item['score'] < 60 ? 1 : 4
      const made = Array.from({ length: copies }, (_, index) => ({ ...item, pk: `${item['pk']} ${index}` }))
      return isLater ? Promise.resolve(made) : made
    }
    const job = copy(at.table, at.database.table('target'), { transform })
    const plan = await at.clock.run(job.plan({ samples: 10 }))
    const shown = plan.samples.map(({ before, after }) => [before, after?.['pk'].replace(/^item \d+/, 'item')])
    assert.ok(
      shown.some(([, key]) => key !== 'item 0'),
      `${shown}`,
    )
    if (!isLater) assertAsRun(plan, await at.clock.run(job.run()))
  }
})

test('a plan knows how small the pages are that a large table is read in', async () => {
  const capacity: CapacityOptions = {
    billing: 'provisioned',
    readUnitsPerSecond: 60_000,
    writeUnitsPerSecond: 60_000,
    burstSeconds: 0,
  }
  const at = await startWith(skewedItems(30_000, 13), { capacity, indexes: [] })
  at.service.addTable({ name: 'target', key: { partition: { name: 'pk', type: 'S' } }, capacity })
  const options = { segments: 240 }
  for (const job of [
    updateAll(at.table, () => undefined, options),
    copy(at.table, at.database.table('target'), options),
  ]) {
    const plan = await at.clock.run(job.plan())
    const { operation, readUnits } = await at.clock.run(job.run())
    near(plan.readUnits.value, readUnits, `read units of ${operation}`, 0.02)
  }
})

/** Files are not read in virtual time. */
function startInRealTime(): { service: SimulatedService; database: Database; table: Table } {
  const service = new SimulatedService({ clock: systemClock, random: seededRandom(1), latency: { msPerMebibyte: 0 } })
  service.addTable({
    name: 'things',
    key: { partition: { name: 'pk', type: 'S' } },
    capacity: ON_DEMAND,
    indexes: INDEXES,
  })
  const database = connect({ ...AT_AWS, transport: service })
  return { service, database, table: database.table('things') }
}

test('a load is planned by its files: whole, packed, many, and far too large to be read whole', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-plan-'))
  try {
    const items = skewedItems(3_000, 12)
    const lines = items.map((item) => JSON.stringify(item))
    const plain = join(directory, 'items.jsonl')
    const packed = join(directory, 'items.jsonl.gz')
    writeFileSync(plain, `${lines.join('\n')}\n{"no":"key"}\nno JSON\n`)
    writeFileSync(packed, gzipSync(lines.join('\n')))
    for (const path of [plain, packed]) {
      const at = await startInRealTime()
      const job = load(file(path), at.table, { onReject: () => undefined })
      const plan = await job.plan()
      assert.equal(plan.sample.whole, true)
      assert.equal(plan.read, undefined)
      assert.equal(plan.native[0]!.service, 'import from S3')
      // All were read: that is known, and there is nothing to say.
      assert.doesNotMatch(plan.unknown.join('\n'), /records share a key/)
      assert.doesNotMatch(plan.warnings.join('\n'), /same key as an earlier record/)
      if (path === plain) assert.match(plan.unknown.join('\n'), /2 of the 3,002 records read cannot/)
      const summary = await job.run()
      assert.equal(plan.items.value, summary.read)
      assertAsRun(plan, summary)
      assert.equal(plan.writeUnits.value, summary.writeUnits)
    }

    // The first half small, the second half large, 100 MB in all: a look at the beginning would be far off.
    const large = join(directory, 'large.jsonl')
    const record = (index: number): string =>
      `${JSON.stringify({ pk: `k${index}`, body: 'x'.repeat(index < 60_000 ? 100 : 1_500) })}\n`
    writeFileSync(large, Array.from({ length: 120_000 }, (_, index) => record(index)).join(''))
    const at = await startInRealTime()
    const plan = await load(file(large), at.table).plan()
    assert.equal(plan.sample.whole, false)
    near(plan.items.value, 120_000, 'records', 0.1)
    assert.ok(plan.items.low <= 120_000 && plan.items.high >= 120_000)
    near(plan.writeUnits.value, 180_000, 'write units', 0.1)
    assert.ok(plan.writeUnits.low <= 180_000 && plan.writeUnits.high >= 180_000)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('of large files that cannot be entered in the middle only the beginnings are known, and that is said', async () => {
  const at = await startWith([])
  /** Says it has so many bytes; each record takes 1,000 of them. */
  const source = (name: string, sizeBytes: number) => {
    let taken = 0
    async function* records() {
      for (; taken < sizeBytes; taken += 250_000) {
        yield Array.from({ length: 250 }, (_, index) => ({
          item: { pk: `${name} ${taken} ${index}` },
          place: { file: name, line: 1, offset: 0 },
        }))
      }
    }
    const read = () => {
      taken = 0
      return { records: records(), bytesTaken: () => taken + 250_000 }
    }
    return { name, records, sample: { sizeBytes: async () => sizeBytes, seekable: false, read } }
  }
  const one = await at.clock.run(load(source('a', 1e9), at.table).plan())
  near(one.items.value, 1_000_000, 'records')
  assert.equal(one.items.high, Number.POSITIVE_INFINITY)
  assert.match(one.unknown.join(), /Whether the rest of each file looks like its start/)
  const many = Array.from({ length: 40 }, (_, index) => source(`file ${index}`, 2e8))
  const several = await at.clock.run(load(many, at.table).plan())
  near(several.items.value, 8_000_000, 'records')
  assert.ok(several.sample.items <= 80_000, `${several.sample.items} records read`)
})

test('what can be read only once is not planned, and a table that is not there yet is, as it would be made', async () => {
  const at = await startInRealTime()
  const once = { name: '-', records: async function* () {} }
  await assert.rejects(load(once, at.table).plan(), /cannot plan standard input: .* to a file/)
  const directory = mkdtempSync(join(tmpdir(), 'headrace-plan-'))
  try {
    const path = join(directory, 'items.jsonl')
    writeFileSync(path, '{"id":"a"}\n{"id":"b"}\n')
    const missing = at.database.table('missing')
    await assert.rejects(load(file(path), missing).plan(), /there is no table "missing"/)
    const newTableKey = { partition: { name: 'id', type: 'S' } } as const
    const plan = await load(file(path), missing).plan({ newTableKey })
    assert.equal(plan.writeUnits.value, 2)
    assert.equal(at.service.tables.has('missing'), false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
