import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { count } from '../../src/operations/count.ts'
import { createTable } from '../../src/operations/tables.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import {
  type Script,
  type ScriptedAnswer,
  serviceError,
  startScriptedServer,
  wrongChecksum,
} from '../support/scriptedServer.ts'
import { database, store } from '../support/store.ts'

const ITEMS = 5_000
let table: Table

before(async () => {
  await createTable(database, 'many', { key: { partition: { name: 'id', type: 'S' } } })
  table = database.table('many')
  await using publisher = table.publisher()
  for (let index = 0; index < ITEMS; index += 1) {
    publisher.put({
      id: `item${index}`,
      index,
      size: index % 7,
      'odd.name': `${index % 3}`,
      'with "quotes"': 1,
      ünïcode: 'ä€😀',
    })
  }
})

async function scripted(script: Script) {
  const server = await startScriptedServer(script)
  const faulty = connect({ endpoint: server.endpoint, answerTimeoutMs: 1_000 })
  return {
    server,
    table: faulty.table('things'),
    async [Symbol.asyncDispose]() {
      await faulty.close()
      await server.close()
    },
  }
}

/** A segment of so many pages of one item each. */
function page(segment: number, cursor: { id: { S: string } } | undefined, pages: number): ScriptedAnswer {
  const number = cursor === undefined ? 0 : Number(cursor.id.S)
  const more = number + 1 < pages ? { LastEvaluatedKey: { id: { S: `${number + 1}` } } } : {}
  return { body: { Items: [{ id: { S: `${segment}/${number}` } }], Count: 1, ScannedCount: 1, ...more } }
}

async function idsOf(items: AsyncIterable<PlainItem>): Promise<string[]> {
  const ids: string[] = []
  for await (const item of items) ids.push(item['id'])
  return ids.sort()
}

test('every item comes exactly once, however the table is cut', async (t) => {
  const expected = Array.from({ length: ITEMS }, (_, index) => `item${index}`).sort()
  for (const options of [
    {},
    { segments: 1 },
    { segments: 2, concurrency: 1 },
    { segments: 7, concurrency: 3, pageItemsMax: 100 },
    { segments: 64, consistentRead: true },
    { segments: 500, concurrency: 50 },
  ]) {
    await t.test(JSON.stringify(options), async () => {
      assert.deepEqual(await idsOf(table.scan(options)), expected)
    })
  }

  await t.test('cut into more segments than there are items', async () => {
    await createTable(database, 'few', { key: { partition: { name: 'id', type: 'S' } } })
    const few = database.table('few')
    assert.deepEqual(await idsOf(few.scan({ segments: 40 })), [])
    await using publisher = few.publisher()
    await publisher.publish(['a', 'b', 'c'].map((id) => ({ id })))
    await publisher.flush()
    assert.deepEqual(await idsOf(few.scan({ segments: 300 })), ['a', 'b', 'c'])
  })

  await t.test('by pages, whose counts add up', async () => {
    let items = 0
    let scanned = 0
    const scan = table.scan({ segments: 3, pageItemsMax: 500, filter: 'size < 3' })
    for await (const { items: some, count: matched, scannedCount, segment } of scan.pages()) {
      assert.equal(some.length, matched)
      assert.ok(segment >= 0 && segment < 3)
      items += matched
      scanned += scannedCount
    }
    assert.equal(scanned, ITEMS)
    assert.equal(items, Array.from({ length: ITEMS }, (_, index) => index % 7).filter((size) => size < 3).length)
    assert.equal(scan.stats.segmentsDone, 3)
  })

  await t.test('a scan is iterated once', async () => {
    const scan = table.scan({ segments: 1 })
    await idsOf(scan)
    await assert.rejects(idsOf(scan), TypeError)
  })
})

test('filter and selection', async (t) => {
  const cases: [filter: string, holds: (index: number) => boolean][] = [
    ['size = 3', (index) => index % 7 === 3],
    ['size(id) = 5 and size <> 0', (index) => index < 10 && index % 7 !== 0],
    [`"odd.name" = '1' AND index BETWEEN 100 and 199`, (index) => index % 3 === 1 && index >= 100 && index < 200],
    [`"with ""quotes""" = 1 and begins_with(id, 'item49')`, (index) => `${index}`.startsWith('49')],
    [
      'not (index >= 5 or attribute_not_exists(ünknown) and index < 0)'.replace('ünknown', '"ünknown"'),
      (index) => index < 5,
    ],
    ['index in (1, 22, 333, 99999)', (index) => [1, 22, 333].includes(index)],
    [`"ünïcode" = 'ä€😀' and index < 1.2e1`, (index) => index < 12],
    [`id = 'it''s'`, () => false],
  ]
  for (const [filter, holds] of cases) {
    await t.test(filter, async () => {
      const expected = Array.from({ length: ITEMS }, (_, index) => index).filter(holds)
      assert.deepEqual(await idsOf(table.scan({ filter, segments: 2 })), expected.map((index) => `item${index}`).sort())
      assert.equal((await count(table, { filter, segments: 2 })).count, expected.length)
    })
  }

  await t.test('only the selected attributes come, reserved words and odd names among them', async () => {
    for await (const item of table.scan({
      select: ['size', 'odd.name', 'with "quotes"', 'ünïcode', 'nowhere'],
      segments: 2,
    })) {
      assert.deepEqual(Object.keys(item).sort(), ['odd.name', 'size', 'with "quotes"', 'ünïcode'])
    }
  })

  await t.test('an expression that is not understood says where', () => {
    const isPlaced = (error: Error) =>
      error instanceof HeadraceError && error.code === 'CONFIGURATION' && /character 6/.test(error.message)
    assert.throws(() => table.scan({ filter: 'size ; 1' }), isPlaced)
  })

  await t.test('an expression that the service refuses ends the scan with its words', () => {
    // A key has no parts, which only the service knows.
    return assert.rejects(
      idsOf(table.scan({ filter: 'id.part = 1' })),
      (error: Error) => error instanceof HeadraceError && error.code === 'REFUSED',
    )
  })
})

test('leaving early', async (t) => {
  await t.test('breaking out of the loop ends the requests that are under way', async () => {
    await using at = await scripted(({ body }) => (body.Segment === 0 ? page(0, body.ExclusiveStartKey, 100) : 'stall'))
    for await (const _item of at.table.scan({ segments: 4 })) break
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(at.server.requests.length <= 5, 'one for each segment, and at most one for the page after the first')
    // The pool waits for nobody.
    const begin = performance.now()
    await at.table.database.close()
    assert.ok(performance.now() - begin < 500)
  })

  await t.test('a program that has broken out of its loop and closed the database ends by itself', async () => {
    const module = new URL('../../src/index.js', import.meta.url).href
    const program = `
      import { connect } from ${JSON.stringify(module)}
      const database = connect({ endpoint: ${JSON.stringify(store.endpoint)} })
      for await (const item of database.table('many').scan({ segments: 8 })) break
      for await (const page of database.table('many').scan({ segments: 8, pageItemsMax: 10 }).pages()) break
      await database.close()
      console.log('broken out')
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printedAt = 0
    child.stdout.on('data', () => {
      printedAt = performance.now()
    })
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    const [code] = await once(child, 'close')
    clearTimeout(killer)
    assert.equal(code, 0)
    assert.ok(printedAt > 0 && performance.now() - printedAt < 2_000)
  })

  await t.test('a slow consumer stops the reading', async () => {
    await using at = await scripted(({ body }) => page(body.Segment, body.ExclusiveStartKey, 50))
    let taken = 0
    for await (const _page of at.table.scan({ segments: 10, concurrency: 4 }).pages()) {
      taken += 1
      if (taken === 6) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        assert.ok(at.server.requests.length <= 6 + 4, `${at.server.requests.length} requests for 6 pages`)
      }
    }
    assert.equal(taken, 500)
  })
})

test('pages that do not arrive are asked for again, and nothing comes twice', async (t) => {
  const faults: [string, () => ScriptedAnswer][] = [
    ['throttled', () => serviceError('ProvisionedThroughputExceededException')],
    ['a 500', () => serviceError('InternalServerError', 'failed', 500)],
    ['a reset', () => 'reset'],
    ['half a page', () => 'half'],
    ['a wrong checksum', () => ({ headers: { 'x-amz-crc32': wrongChecksum({}) }, body: {} })],
    ['no JSON', () => ({ body: '{"Items":[{"id":' })],
    ['no answer in time', () => 'stall'],
  ]
  for (const [name, fault] of faults) {
    await t.test(name, async () => {
      const failed = new Set<string>()
      await using at = await scripted(({ body }) => {
        const place = `${body.Segment} ${body.ExclusiveStartKey?.id.S}`
        if (body.Segment !== 1 || failed.has(place) || failed.size === 2)
          return page(body.Segment, body.ExclusiveStartKey, 5)
        failed.add(place)
        return fault()
      })
      const scan = at.table.scan({ segments: 3 })
      const ids = await idsOf(scan)
      const expected = [0, 1, 2].flatMap((segment) => [0, 1, 2, 3, 4].map((number) => `${segment}/${number}`))
      assert.deepEqual(ids, expected)
      assert.equal(scan.stats.retried, 2)
    })
  }

  await t.test('until patience ends', async () => {
    await using at = await scripted(() => serviceError('ThrottlingException', 'slow down'))
    await assert.rejects(
      idsOf(at.table.scan({ segments: 2, patienceMs: 100 })),
      (error: Error) =>
        error instanceof HeadraceError && error.code === 'NO_PROGRESS' && /slow down/.test(error.message),
    )
  })

  await t.test('a consumer that takes longer than patience does not count as a failing service', async () => {
    let faults = 0
    await using at = await scripted(({ body }) => {
      if (body.ExclusiveStartKey?.id.S === '1' && faults < 1) {
        faults += 1
        return serviceError('ThrottlingException')
      }
      return page(body.Segment, body.ExclusiveStartKey, 3)
    })
    let taken = 0
    for await (const _page of at.table.scan({ segments: 1, patienceMs: 200 }).pages()) {
      taken += 1
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    assert.equal(taken, 3)
  })
})

test('pages of unusual content', async (t) => {
  const bodies: [string, string | Buffer, PlainItem[], Record<string, string>?][] = [
    [
      'attributes named as the answer’s own fields',
      '{"Count":1,"Items":[{"id":{"S":"a"},"LastEvaluatedKey":{"M":{"id":{"S":"x"}}},"Items":{"L":[{"S":"],"}]},"Count":{"N":"7"}}],"ScannedCount":1}',
      [{ id: 'a', LastEvaluatedKey: { id: 'x' }, Items: ['],'], Count: 7 }],
    ],
    [
      'blanks between the fields',
      '{ "Items" : [ { "id" : { "S" : "a" } } ] , "Count" : 1, "ScannedCount": 1 }\n',
      [{ id: 'a' }],
    ],
    [
      'letters beyond ASCII',
      '{"Items":[{"id":{"S":"äöü € 😀"},"名前":{"S":"\\u00e9\\ud83d\\ude00"}}],"Count":1,"ScannedCount":1}',
      [{ id: 'äöü € 😀', 名前: 'é😀' }],
    ],
    ['nothing at all', '{"Items":[],"Count":0,"ScannedCount":0}', []],
    ['no list of items', '{"Count":0,"ScannedCount":0}', []],
    [
      'gzip',
      gzipSync('{"Items":[{"id":{"S":"packed ä"}}],"Count":1,"ScannedCount":1}'),
      [{ id: 'packed ä' }],
      { 'content-encoding': 'gzip' },
    ],
  ]
  for (const [name, body, expected, headers] of bodies) {
    await t.test(name, async () => {
      await using at = await scripted(() => ({ body, ...(headers === undefined ? {} : { headers }) }))
      const items: PlainItem[] = []
      for await (const item of at.table.scan({ segments: 1 })) items.push({ ...item })
      assert.deepEqual(items, expected)
    })
  }

  await t.test('a cursor goes back as it came', async () => {
    const key = { id: { S: 'a"\\ä' }, number: { N: '12345678901234567890123456789012345678' }, bytes: { B: '/w==' } }
    await using at = await scripted(({ body }) =>
      body.ExclusiveStartKey === undefined
        ? { body: { Items: [], Count: 0, ScannedCount: 9, LastEvaluatedKey: key } }
        : { body: { Items: [], Count: 0, ScannedCount: 1 } },
    )
    assert.deepEqual(await idsOf(at.table.scan({ segments: 1 })), [])
    assert.deepEqual(at.server.requests[1]?.body.ExclusiveStartKey, key)
  })
})

test('processes that read different segments of a table read all of it together', async () => {
  const halves = await Promise.all(
    [0, 1].map(async (index) => {
      const ids: unknown[] = []
      for await (const item of table.scan({ segments: 4, onlySegments: [index, index + 2] })) ids.push(item['id'])
      return ids
    }),
  )
  assert.ok(halves.every((ids) => ids.length > ITEMS / 4))
  assert.equal(halves.flat().length, ITEMS)
  assert.equal(new Set(halves.flat()).size, ITEMS)
})

test('segments that cannot be are refused', () => {
  assert.throws(() => table.scan({ onlySegments: [0] }), /onlySegments requires segments/)
  assert.throws(() => table.scan({ segments: 4, onlySegments: [4] }), /onlySegments must be.*0 to 3/)
  assert.throws(() => table.scan({ segments: 4, onlySegments: [1, 1] }), /twice/)
})
