import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Database } from '../../src/database/database.ts'
import { NumberValue } from '../../src/item/number.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import type { PublisherOptions, Reject } from '../../src/publish/publisher.ts'
import { sleep, systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { keyOf, MemoryTable, type MemoryTableOptions } from '../support/memoryTable.ts'
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  serviceError,
  startScriptedServer,
  wrongChecksum,
} from '../support/scriptedServer.ts'

type Interfere = (
  request: ScriptedRequest,
  store: MemoryTable,
) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>

/** A table that answers as the service would, unless the test has another answer. */
async function withTable(interfere: Interfere = () => undefined, options: MemoryTableOptions = {}) {
  const store = new MemoryTable(options)
  const server = await startScriptedServer(async (request) => {
    return (await interfere(request, store)) ?? store.answer(request.operation, request.body)
  })
  const database = connect({ endpoint: server.endpoint, answerTimeoutMs: 2_000 })
  return {
    store,
    server,
    database,
    table: database.table(store.name),
    /** Requests that wrote, without the description of the table. */
    writes: () => server.requests.filter(({ operation }) => operation !== 'DescribeTable'),
    async [Symbol.asyncDispose]() {
      await database.close()
      await server.close()
    },
  }
}

const entriesOf = (request: ScriptedRequest): { PutRequest: { Item: { [name: string]: unknown } } }[] =>
  request.body.RequestItems.things
const keysOf = (request: ScriptedRequest): string[] => entriesOf(request).map(keyOf)
const isError =
  (code: string, pattern = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof HeadraceError, `${error}`)
    assert.equal(error.code, code)
    assert.match(error.message, pattern)
    return true
  }
const LATE = Symbol('late')
/** Fails instead of hanging. */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  const stop = new AbortController()
  const late = sleep(systemClock, ms, stop.signal).catch(() => undefined)
  try {
    const first = await Promise.race([promise, late.then(() => LATE)])
    assert.notEqual(first, LATE, `not settled within ${ms} ms`)
    return first as Value
  } finally {
    stop.abort()
  }
}

async function publishAll(database: Database, prefix: string, count: number, options: PublisherOptions = {}) {
  const publisher = database.table('things').publisher(options)
  for (let index = 0; index < count; index += 1) {
    if (!publisher.put({ pk: `${prefix}${index}` })) await publisher.ready
  }
  await publisher.close()
  return publisher.stats
}

test('publishers that work side by side', async (t) => {
  await t.test('one closed while another works, and a third opened after both closed: every item arrives', async () => {
    await using at = await withTable(async () => void (await sleep(systemClock, 2)))
    const long = publishAll(at.database, 'long', 3_000, { maxInFlight: 100 })
    const short = await publishAll(at.database, 'short', 60)
    assert.equal(short.stored, 60)
    assert.equal((await long).stored, 3_000)
    assert.equal((await publishAll(at.database, 'late', 500)).stored, 500)
    assert.equal(at.store.items.size, 3_560)
  })

  await t.test(
    'a producer that stops calling without closing never keeps another, nor close(), from ending',
    async () => {
      await using at = await withTable()
      const forgotten = at.table.publisher({ lingerMs: 60_000 })
      forgotten.put({ pk: 'forgotten' })
      const publisher = at.table.publisher({ lingerMs: 60_000 })
      publisher.put({ pk: 'one' })
      await within(1_000, publisher.close())
      await within(1_000, forgotten.close())
      assert.deepEqual([...at.store.items.keys()].sort(), ['forgotten', 'one'])
    },
  )

  await t.test('one that fails touches no other', async () => {
    await using at = await withTable((request) =>
      request.text.includes('poison') ? serviceError('ValidationException', 'poison') : undefined,
    )
    const healthy = at.table.publisher()
    healthy.put({ pk: 'before' })
    const failing = at.table.publisher()
    failing.put({ pk: 'poison' })
    await assert.rejects(failing.close(), isError('REJECTED'))
    healthy.put({ pk: 'after' })
    await healthy.close()
    assert.deepEqual([...at.store.items.keys()].sort(), ['after', 'before'])
  })

  await t.test('several producers share one publisher', async () => {
    await using at = await withTable()
    const publisher = at.table.publisher({ maxQueueSize: 50 })
    const produce = async (name: string) => {
      for (let index = 0; index < 500; index += 1) {
        if (!publisher.put({ pk: `${name}${index}` })) await publisher.ready
      }
    }
    await Promise.all(['a', 'b', 'c', 'd'].map(produce))
    await publisher.close()
    assert.equal(at.store.items.size, 2_000)
  })
})

test('what the service did not get to', async (t) => {
  await t.test('unprocessed entries are sent again, and only those', async () => {
    let kept: string[] = []
    await using at = await withTable((request, store) => {
      if (request.operation !== 'BatchWriteItem' || kept.length > 0) return undefined
      const entries = entriesOf(request)
      kept = entries.slice(0, 7).map(keyOf)
      store.write(entries.slice(7))
      return { body: { UnprocessedItems: { things: entries.slice(0, 7) } } }
    })
    const publisher = at.table.publisher()
    for (let index = 0; index < 25; index += 1) publisher.put({ pk: `${index}` })
    await publisher.close()
    const [first, second, ...more] = at.writes()
    assert.equal(keysOf(first!).length, 25)
    assert.deepEqual(keysOf(second!).sort(), kept.sort())
    assert.equal(more.length, 0)
    assert.equal(at.store.items.size, 25)
    const { stored, retried, unprocessed } = publisher.stats
    assert.deepEqual({ stored, retried, unprocessed }, { stored: 25, retried: 7, unprocessed: 7 })
  })

  const answers: [string, (request: ScriptedRequest, store: MemoryTable) => ScriptedAnswer][] = [
    [
      'a wrong checksum',
      (request, store) => {
        store.write(entriesOf(request))
        const body = { UnprocessedItems: {} }
        return { headers: { 'x-amz-crc32': wrongChecksum(body) }, body }
      },
    ],
    [
      'half an answer',
      (request, store) => {
        store.write(entriesOf(request))
        return 'half'
      },
    ],
    ['an answer that is not JSON', () => ({ body: '<html>' })],
    ['a reset before the write', () => 'reset'],
    [
      'a reset after the write',
      (request, store) => {
        store.write(entriesOf(request))
        return 'reset'
      },
    ],
    ['a 500 of the service', () => serviceError('InternalServerError', 'failed', 500)],
    ['a 503 page of a proxy', () => ({ status: 503, body: '<html>busy</html>' })],
    ['a throttle', () => serviceError('ProvisionedThroughputExceededException')],
  ]
  for (const [name, answer] of answers) {
    await t.test(`${name} is tried again until everything is stored`, async () => {
      let faults = 6
      await using at = await withTable((request, store) => {
        if (request.operation !== 'BatchWriteItem' || faults === 0) return undefined
        faults -= 1
        return answer(request, store)
      })
      const stats = await publishAll(at.database, 'item', 100)
      assert.equal(at.store.items.size, 100)
      assert.equal(stats.stored, 100)
      assert.equal(stats.throttledRequests + stats.failedRequests, 6)
    })
  }
})

test('entries that can never be stored', async (t) => {
  const refusing: Interfere = (request) =>
    request.text.includes('"bad"') ? serviceError('ValidationException', 'One of them is bad') : undefined

  await t.test(
    'a batch refused for one bad item is halved until 24 are stored and one is rejected with the message',
    async () => {
      await using at = await withTable(refusing)
      const rejects: Reject[] = []
      const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
      for (let index = 0; index < 25; index += 1) publisher.put({ pk: index === 11 ? 'bad' : `good${index}`, index })
      await publisher.close()
      assert.equal(at.store.items.size, 24)
      assert.deepEqual(rejects, [
        { code: 'ValidationException', message: 'One of them is bad', item: { pk: 'bad', index: 11 }, kind: 'put' },
      ])
      const { taken, stored, rejected, buffered, inFlight } = publisher.stats
      assert.deepEqual(
        { taken, stored, rejected, buffered, inFlight },
        { taken: 25, stored: 24, rejected: 1, buffered: 0, inFlight: 0 },
      )
    },
  )

  await t.test('without onReject the first refusal fails put, ready, flush and close', async () => {
    await using at = await withTable(refusing)
    const publisher = at.table.publisher()
    publisher.put({ pk: 'bad' })
    await assert.rejects(publisher.flush(), isError('REJECTED', /pk="bad".*One of them is bad/))
    assert.throws(() => publisher.put({ pk: 'next' }), isError('REJECTED'))
    await assert.rejects(publisher.ready, isError('REJECTED'))
    await assert.rejects(publisher.close(), isError('REJECTED'))
  })

  await t.test('an item that cannot be encoded, or lacks its key, is rejected before it is sent', async () => {
    await using at = await withTable()
    const rejects: Reject[] = []
    const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
    await at.table.describe()
    await publisher.ready
    publisher.put({ pk: 'a', empty: new Set() })
    publisher.put({ name: 'no key' })
    publisher.put({ pk: 7 })
    publisher.delete({ pk: 'a', more: 1 })
    publisher.update({ pk: 'a' }, { set: { pk: 'b' } })
    publisher.update({ pk: 'a' }, {})
    publisher.put({ pk: 'fine' })
    await publisher.close()
    assert.deepEqual([...at.store.items.keys()], ['fine'])
    assert.deepEqual(
      rejects.map(({ code }) => code),
      new Array(6).fill('InvalidItem'),
    )
    assert.match(rejects[1]!.message, /"pk"/)
    assert.deepEqual([publisher.stats.taken, publisher.stats.rejected], [7, 6])
  })

  await t.test(
    'an item without its key that was put before the table was described fails flush, and nothing else',
    async () => {
      await using at = await withTable()
      const publisher = at.table.publisher()
      publisher.put({ name: 'no key' })
      publisher.put({ pk: 'fine' })
      // Long enough that a rejection that nobody handles would end the process.
      await sleep(systemClock, 50)
      await assert.rejects(publisher.flush(), isError('REJECTED', /"pk"/))
      await assert.rejects(publisher.close(), isError('REJECTED'))
    },
  )

  await t.test('an onReject that throws fails the publisher with that error as cause', async () => {
    await using at = await withTable(refusing)
    const reason = new Error('disk full')
    const publisher = at.table.publisher({
      onReject: () => {
        throw reason
      },
    })
    publisher.put({ pk: 'bad' })
    await assert.rejects(within(1_000, publisher.close()), (error: Error) => error === reason || error.cause === reason)
  })

  await t.test('a store that refuses an empty text in an index key rejects that item alone', async () => {
    await using store = await startLocal({ kind: 'dynoxide' })
    await using database = connect({ endpoint: store.endpoint })
    const { service } = await database.open()
    await service.call('CreateTable', {
      TableName: 'indexed',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'mail'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byMail',
          KeySchema: [{ AttributeName: 'mail', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    })
    const rejects: Reject[] = []
    const publisher = database.table('indexed').publisher({ onReject: (reject) => rejects.push(reject) })
    for (let index = 0; index < 25; index += 1) publisher.put({ pk: `${index}`, mail: index === 20 ? '' : 'a@b.c' })
    await publisher.close()
    assert.deepEqual(
      rejects.map(({ item }) => item),
      [{ pk: '20', mail: '' }],
    )
    assert.equal(rejects[0]!.code, 'ValidationException')
    assert.equal(publisher.stats.stored, 24)
  })
})

test('writes of one key', async (t) => {
  await t.test('a put that nobody has sent yet makes way for a later one, and both count as stored', async () => {
    await using at = await withTable()
    const publisher = at.table.publisher({ lingerMs: 50 })
    publisher.put({ pk: 'a', v: 1 })
    publisher.put({ pk: 'a', v: 2 })
    publisher.delete({ pk: 'a' })
    publisher.put({ pk: 'a', v: 3 })
    await publisher.close()
    assert.deepEqual(at.store.items.get('a'), { pk: { S: 'a' }, v: { N: '3' } })
    assert.equal(at.writes().length, 1)
    assert.deepEqual([publisher.stats.stored, publisher.stats.superseded, publisher.stats.buffered], [4, 3, 0])
  })

  await t.test('one that is at the service is waited for', async () => {
    const arrived = deferred()
    const go = deferred()
    await using at = await withTable(async ({ operation }) => {
      if (operation !== 'BatchWriteItem') return undefined
      arrived.resolve()
      await go.promise
      return undefined
    })
    const publisher = at.table.publisher({ lingerMs: 0 })
    publisher.put({ pk: 'a', v: 1 })
    await arrived.promise
    publisher.put({ pk: 'a', v: 2 })
    publisher.put({ pk: 'b', v: 1 })
    await sleep(systemClock, 50)
    assert.equal(
      at
        .writes()
        .flatMap(keysOf)
        .filter((key) => key === 'a').length,
      1,
    )
    go.resolve()
    await publisher.close()
    assert.deepEqual(at.store.items.get('a'), { pk: { S: 'a' }, v: { N: '2' } })
  })

  await t.test('a put that was replaced is stored after all when the one in its place is refused', async () => {
    await using at = await withTable((request) =>
      request.text.includes('"bad"') ? serviceError('ValidationException', 'bad') : undefined,
    )
    const rejects: Reject[] = []
    const publisher = at.table.publisher({ lingerMs: 50, onReject: (reject) => rejects.push(reject) })
    publisher.put({ pk: 'a', v: 'good' })
    publisher.put({ pk: 'a', v: 'bad' })
    await publisher.close()
    assert.deepEqual(at.store.items.get('a'), { pk: { S: 'a' }, v: { S: 'good' } })
    assert.deepEqual(
      rejects.map(({ item }) => item?.['v']),
      ['bad'],
    )
    assert.deepEqual([publisher.stats.stored, publisher.stats.rejected, publisher.stats.buffered], [1, 1, 0])
  })
})

test('bounds', async (t) => {
  await t.test('no more is buffered or in flight than was asked for', async () => {
    for (const [maxInFlight, maxQueueSize] of [
      [1, 1],
      [10, 30],
      [60, 100],
    ] as const) {
      let atService = 0
      let atServiceMax = 0
      await using at = await withTable(async (request) => {
        if (request.operation !== 'BatchWriteItem') return undefined
        atService += entriesOf(request).length
        atServiceMax = Math.max(atServiceMax, atService)
        await sleep(systemClock, 1)
        atService -= entriesOf(request).length
        return undefined
      })
      const publisher = at.table.publisher({ maxInFlight, maxQueueSize, lingerMs: 0 })
      let bufferedMax = 0
      for (let index = 0; index < 300; index += 1) {
        const room = publisher.put({ pk: `${index}` })
        const { buffered, inFlight } = publisher.stats
        bufferedMax = Math.max(bufferedMax, buffered)
        assert.ok(inFlight <= maxInFlight, `${inFlight} in flight of ${maxInFlight}`)
        if (!room) await publisher.ready
      }
      await publisher.close()
      assert.ok(bufferedMax <= maxQueueSize + 1, `${bufferedMax} buffered of ${maxQueueSize}`)
      assert.ok(atServiceMax <= maxInFlight, `${atServiceMax} at the service of ${maxInFlight}`)
      assert.equal(at.store.items.size, 300)
    }
  })

  await t.test('put says false when the queue is full by entries or by bytes', async () => {
    await using at = await withTable(({ operation }) => (operation === 'BatchWriteItem' ? 'stall' : undefined))
    const byEntries = at.table.publisher({ maxQueueSize: 3, maxInFlight: 1 })
    await byEntries.ready
    // The first leaves at once.
    assert.deepEqual(
      [1, 2, 3, 4].map((index) => byEntries.put({ pk: `${index}` })),
      [true, true, true, false],
    )
    const byBytes = at.table.publisher({ maxQueueBytes: 1_024, lingerMs: 1_000 })
    await byBytes.ready
    assert.equal(byBytes.put({ pk: 'a' }), true)
    assert.equal(byBytes.put({ pk: 'b', text: 'x'.repeat(1_000) }), false)
    const undescribed = at.table.database.table('things').publisher({ maxQueueBytes: 1_024 })
    assert.equal(undescribed.put({ pk: 'a' }), true)
    assert.equal(undescribed.put({ pk: 'b', text: 'x'.repeat(1_000) }), false)
    undescribed.destroy()
    for (const publisher of [byEntries, byBytes]) {
      const rejected = assert.rejects(publisher.ready, isError('CLOSED'))
      publisher.destroy()
      await rejected
    }
  })

  await t.test('a producer that ignores false is stopped with QUEUE_OVERRUN', async () => {
    await using at = await withTable(({ operation }) => (operation === 'BatchWriteItem' ? 'stall' : undefined))
    for (const opened of [true, false]) {
      const publisher = at.table.publisher({ maxQueueSize: 10 })
      if (opened) await publisher.ready
      assert.throws(
        () => {
          for (let index = 0; index < 100_000; index += 1) publisher.put({ pk: `${index}` })
        },
        isError('QUEUE_OVERRUN', /await publisher\.ready/),
      )
      publisher.destroy()
    }
  })

  await t.test('options out of range are TypeErrors that name the option and the range', async () => {
    await using database = connect({ endpoint: 'http://127.0.0.1:1' })
    const table = database.table('things')
    const wrong: PublisherOptions[] = [
      { maxInFlight: 0 },
      { maxInFlight: 1.5 },
      { maxQueueSize: 0 },
      { maxQueueBytes: 10 },
      { lingerMs: -1 },
      { lingerMs: 100_000 },
      { patienceMs: -1 },
      { writeUnitsPerSecond: 0 },
      { writeUnitsPerSecond: Number.NaN },
      { maxInFlight: '5' as unknown as number },
    ]
    for (const options of wrong) {
      const [[name]] = Object.entries(options) as [[string, unknown]]
      assert.throws(
        () => table.publisher(options),
        (error: Error) => error instanceof TypeError && error.message.startsWith(name),
      )
    }
    const wrongScans = [
      { segments: 0 },
      { concurrency: 2_000 },
      { pageItemsMax: 0 },
      { readUnitsPerSecond: -1 },
      { patienceMs: -1 },
    ]
    for (const options of wrongScans) {
      const [[name]] = Object.entries(options) as [[string, unknown]]
      assert.throws(
        () => table.scan(options),
        (error: Error) => error instanceof TypeError && error.message.startsWith(name),
      )
    }
  })

  await t.test('the write rate holds', async () => {
    await using at = await withTable()
    const begin = performance.now()
    await publishAll(at.database, 'item', 400, { writeUnitsPerSecond: 400 })
    await publishAll(at.database, 'more', 600, { writeUnitsPerSecond: 400 })
    // Each may spend one second's worth at once: 0 s and 0.5 s.
    const seconds = (performance.now() - begin) / 1_000
    assert.ok(seconds > 0.4 && seconds < 2, `${seconds} s`)
  })
})

test('promises', async (t) => {
  await t.test('the caller’s object can be changed after put', async () => {
    await using at = await withTable()
    const publisher = at.table.publisher()
    const item = { pk: 'early', list: [1] }
    publisher.put(item)
    item.list.push(2)
    await publisher.ready
    await publisher.flush()
    item.pk = 'late'
    publisher.put(item)
    item.list.push(3)
    item.pk = 'never'
    const key = { pk: 'late' }
    const set = { note: ['a'] }
    publisher.update(key, { set })
    key.pk = 'never'
    set.note.push('b')
    await publisher.close()
    assert.deepEqual(Object.fromEntries(at.store.items), {
      early: { pk: { S: 'early' }, list: { L: [{ N: '1' }] } },
      late: { pk: { S: 'late' }, list: { L: [{ N: '1' }, { N: '2' }] }, note: { L: [{ S: 'a' }] } },
    })
  })

  await t.test('what the getter of an item writes meanwhile is refused, and the item is whole', async () => {
    await using at = await withTable()
    const rejects: Reject[] = []
    const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
    const through = (write: () => void) => ({
      pk: 'é outer',
      get name() {
        write()
        return 'x'.repeat(100)
      },
    })
    // Before the table's key is known, and after.
    publisher.put(through(() => publisher.put({ pk: 'inner' })))
    await publisher.ready
    publisher.put({ pk: 'neighbour' })
    publisher.put(through(() => publisher.put({ pk: 'inner' })))
    publisher.put(through(() => publisher.delete({ pk: 'neighbour' })))
    publisher.put(through(() => publisher.update({ pk: 'neighbour' }, { set: { a: 1 } })))
    await publisher.close()
    assert.deepEqual(Object.fromEntries(at.store.items), {
      'é outer': { pk: { S: 'é outer' }, name: { S: 'x'.repeat(100) } },
      neighbour: { pk: { S: 'neighbour' } },
    })
    const message = 'a getter of an attribute must not write an item itself'
    assert.deepEqual(
      rejects.map((reject) => [reject.kind, reject.item?.['pk'], reject.message]),
      [
        ['put', 'inner', message],
        ['put', 'inner', message],
        ['delete', 'neighbour', message],
        ['update', 'neighbour', message],
      ],
    )
  })

  await t.test('flush resolves when everything taken before is acknowledged, whatever is taken after', async () => {
    const go = deferred()
    await using at = await withTable(async (request) => {
      if (request.text.includes('slow')) await go.promise
      if (request.text.includes('later')) return 'stall'
      return undefined
    })
    const publisher = at.table.publisher()
    publisher.put({ pk: 'slow' })
    let flushed = false
    const flush = publisher.flush().then(() => {
      flushed = true
    })
    await sleep(systemClock, 30)
    publisher.put({ pk: 'later' })
    await sleep(systemClock, 30)
    assert.equal(flushed, false)
    go.resolve()
    await within(1_000, flush)
    assert.deepEqual([...at.store.items.keys()], ['slow'])
    publisher.destroy()
  })

  await t.test('flush covers what earlier flushes wait for, and may be called by many', async () => {
    await using at = await withTable(async () => void (await sleep(systemClock, 5)))
    const publisher = at.table.publisher()
    const flushes: Promise<void>[] = []
    for (let index = 0; index < 50; index += 1) {
      publisher.put({ pk: `${index}` })
      flushes.push(publisher.flush())
    }
    await within(3_000, Promise.all(flushes))
    assert.equal(at.store.items.size, 50)
    await publisher.close()
    await publisher.close()
    assert.throws(() => publisher.put({ pk: 'late' }), isError('CLOSED'))
  })

  await t.test('destroy rejects flush, ready and put at once', async () => {
    await using at = await withTable(({ operation }) => (operation === 'BatchWriteItem' ? 'stall' : undefined))
    const publisher = at.table.publisher()
    await publisher.ready
    publisher.put({ pk: 'a' })
    const flush = assert.rejects(publisher.flush(), isError('CLOSED'))
    await sleep(systemClock, 20)
    publisher.destroy()
    await within(200, flush)
    assert.throws(() => publisher.put({ pk: 'b' }), isError('CLOSED'))
  })

  await t.test('destroy rejects flush at once also while the table is not described yet', async () => {
    await using at = await withTable(() => 'stall')
    const publisher = at.table.publisher()
    publisher.put({ pk: 'a' })
    const flush = assert.rejects(publisher.flush(), isError('CLOSED'))
    const ready = assert.rejects(publisher.ready, isError('CLOSED'))
    publisher.destroy()
    await within(500, Promise.all([flush, ready]))
  })

  await t.test('nothing stored for as long as patience lasts ends in NO_PROGRESS', async () => {
    await using at = await withTable(({ operation }) =>
      operation === 'BatchWriteItem' ? serviceError('ThrottlingException', 'slow down') : undefined,
    )
    const publisher = at.table.publisher({ patienceMs: 100 })
    publisher.put({ pk: 'a' })
    await assert.rejects(within(5_000, publisher.close()), isError('NO_PROGRESS', /things.*slow down/))
  })

  await t.test('a table that is not there ends in TABLE, with its name', async () => {
    await using at = await withTable()
    const publisher = at.database.table('nothing').publisher()
    publisher.put({ pk: 'a' })
    await assert.rejects(publisher.close(), isError('TABLE', /"nothing"/))
    assert.throws(() => publisher.put({ pk: 'a' }), isError('TABLE'))
  })

  await t.test(
    'an update taken before the table is described keeps exact numbers, sets and bytes, and is the caller’s no more',
    async () => {
      await using scene = await withTable()
      await using publisher = scene.table.publisher()
      publisher.put({ pk: 'early', a: 1 })
      const set = {
        exact: new NumberValue('0.12345678901234567890123'),
        bytes: Uint8Array.of(1, 2),
        names: new Set(['x']),
      }
      publisher.update({ pk: 'early' }, { set }, { expect: { gone: undefined } })
      set.bytes[0] = 9
      await publisher.flush()
      const stored = scene.store.items.get('early')
      assert.deepEqual(
        [stored!['exact'], stored!['bytes'], stored!['names']],
        [{ N: '0.12345678901234567890123' }, { B: 'AQI=' }, { SS: ['x'] }],
      )
    },
  )

  await t.test('entries put before the table is described arrive, in their order', async () => {
    const go = deferred()
    await using at = await withTable(async ({ operation }) => {
      if (operation === 'DescribeTable') await go.promise
      return undefined
    })
    const publisher = at.table.publisher()
    for (let index = 0; index < 100; index += 1) publisher.put({ pk: `${index % 10}`, index })
    publisher.delete({ pk: '3' })
    publisher.update({ pk: '4' }, { set: { more: true } })
    assert.equal(publisher.stats.taken, 102)
    go.resolve()
    await publisher.close()
    assert.equal(at.store.items.size, 9)
    assert.deepEqual(at.store.items.get('4'), { pk: { S: '4' }, index: { N: '94' }, more: { BOOL: true } })
  })

  await t.test('publish drains a source at the publisher’s speed', async () => {
    await using at = await withTable()
    await using publisher = at.table.publisher({ maxQueueSize: 20 })
    await publisher.publish(
      (function* () {
        for (let index = 0; index < 300; index += 1) yield { pk: `${index}` }
      })(),
    )
    await publisher.flush()
    assert.equal(at.store.items.size, 300)
  })
})

test('update', async (t) => {
  for (const dialect of ['clauses', 'commas', 'none'] as const) {
    await t.test(`an endpoint with ${dialect} of PartiQL loses nothing and rejects nothing`, async () => {
      await using at = await withTable(undefined, { dialect })
      const rejects: Reject[] = []
      const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
      for (let index = 0; index < 200; index += 1) publisher.put({ pk: `${index}`, old: 1, gone: true })
      for (let index = 0; index < 200; index += 1) {
        publisher.update(
          { pk: `${index}` },
          { set: { a: index, b: 'text' }, remove: ['gone'] },
          { expect: { old: 1, a: undefined } },
        )
      }
      await publisher.close()
      assert.deepEqual(rejects, [])
      assert.equal(publisher.stats.stored, 400)
      for (const [key, item] of at.store.items) {
        assert.deepEqual(item, { pk: { S: key }, old: { N: '1' }, a: { N: key }, b: { S: 'text' } })
      }
    })
  }

  await t.test('an update that was made although its answer was lost counts as stored, not as a reject', async () => {
    const lost = new Set<string>()
    await using at = await withTable((request, store) => {
      if (request.operation !== 'BatchExecuteStatement') return undefined
      const [statement] = request.body.Statements
      if (request.body.Statements.length !== 1 || lost.has(statement.Parameters[1].S)) return undefined
      lost.add(statement.Parameters[1].S)
      const made = store.answer(request.operation, request.body)
      // Of the second item someone else makes something else, before the update is tried again.
      if (statement.Parameters[1].S === 'theirs') store.items.set('theirs', { pk: { S: 'theirs' }, a: { N: '7' } })
      return made === undefined ? undefined : 'reset'
    })
    const rejects: Reject[] = []
    const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
    publisher.put({ pk: 'ours' })
    publisher.put({ pk: 'theirs' })
    await publisher.flush()
    for (const pk of ['ours', 'theirs']) {
      publisher.update({ pk }, { set: { a: 1 } }, { expect: { a: undefined } })
      await publisher.flush()
    }
    await publisher.close()
    assert.deepEqual([...lost], ['ours', 'theirs'])
    assert.deepEqual(
      rejects.map(({ code, item }) => [code, item]),
      [['ConditionalCheckFailedException', { pk: 'theirs' }]],
    )
    const { taken, stored, conflicted } = publisher.stats
    assert.deepEqual({ taken, stored, conflicted }, { taken: 4, stored: 3, conflicted: 1 })
    assert.deepEqual(at.store.items.get('ours'), { pk: { S: 'ours' }, a: { N: '1' } })
  })

  await t.test(
    'an update that the service refuses for itself spoils no other, while the dialect is unknown',
    async () => {
      for (const dialect of ['clauses', 'commas'] as const) {
        await using at = await withTable(
          (request, store) => {
            if (request.operation === 'UpdateItem' && request.text.includes('"bad"'))
              return serviceError('ValidationException', 'bad')
            if (request.operation !== 'BatchExecuteStatement') return undefined
            const Responses = request.body.Statements.map((statement: object) =>
              JSON.stringify(statement).includes('"bad"')
                ? { Error: { Code: 'ValidationError', Message: 'bad' } }
                : (store.answer(request.operation, { Statements: [statement] }) as { body: { Responses: object[] } })
                    .body.Responses[0],
            )
            return { body: { Responses } }
          },
          { dialect },
        )
        const rejects: Reject[] = []
        const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
        for (let index = 0; index < 60; index += 1) publisher.put({ pk: `${index}` })
        await publisher.flush()
        for (let index = 0; index < 60; index += 1) {
          publisher.update({ pk: `${index}` }, { set: { a: index % 30 === 0 ? 'bad' : 'fine', b: 1 } })
          if (index % 5 === 0) await publisher.flush()
        }
        await publisher.close()
        assert.deepEqual(
          rejects.map(({ item, message }) => [item?.['pk'], message]),
          [
            ['0', 'bad'],
            ['30', 'bad'],
          ],
        )
        assert.equal([...at.store.items.values()].filter((item) => 'b' in item).length, 58)
      }
    },
  )

  await t.test('a missing item, or one that is not as expected, is a reject, and nothing is made', async () => {
    await using at = await withTable()
    at.store.items.set('a', { pk: { S: 'a' }, v: { N: '1' } })
    const rejects: Reject[] = []
    const publisher = at.table.publisher({ onReject: (reject) => rejects.push(reject) })
    publisher.update({ pk: 'nobody' }, { set: { v: 2 } })
    publisher.update({ pk: 'a' }, { set: { v: 2 } }, { expect: { v: 7 } })
    publisher.update({ pk: 'a' }, { set: { w: 2 } }, { expect: { v: undefined } })
    await publisher.close()
    assert.deepEqual(
      rejects.map(({ code, kind, item }) => [code, kind, item]),
      [
        ['ConditionalCheckFailedException', 'update', { pk: 'nobody' }],
        ['ConditionalCheckFailedException', 'update', { pk: 'a' }],
        ['ConditionalCheckFailedException', 'update', { pk: 'a' }],
      ],
    )
    assert.deepEqual(Object.fromEntries(at.store.items), { a: { pk: { S: 'a' }, v: { N: '1' } } })
  })

  await t.test('unusual attribute names go by UpdateItem, in a real store', async () => {
    await using store = await startLocal({ kind: 'dynoxide' })
    await using database = connect({ endpoint: store.endpoint })
    await createTable(database, 'odd', {
      key: { partition: { name: 'the key', type: 'S' }, sort: { name: 'sort:key', type: 'N' } },
    })
    const table = database.table('odd')
    await using publisher = table.publisher()
    const key = { 'the key': 'a', 'sort:key': 7 }
    publisher.put({ ...key, 'a.b': 1, '"quoted"': 1, select: 1, ünïcode: 1, "it's": 1 })
    publisher.update(
      key,
      { set: { 'a.b': 2, '"quoted"': 'x', ünïcode: [1], constructor: 3 }, remove: ["it's", 'select'] },
      { expect: { 'a.b': 1, '#n0': undefined } },
    )
    publisher.put({ 'the key': 'a', 'sort:key': 8, size: 1, values: 1 })
    publisher.update({ 'the key': 'a', 'sort:key': 8 }, { set: { size: 2, select: 3 }, remove: ['values'] })
    await publisher.flush()
    assert.deepEqual(await table.get(key), { ...key, 'a.b': 2, '"quoted"': 'x', ünïcode: [1], constructor: 3 })
    assert.deepEqual(await table.get({ 'the key': 'a', 'sort:key': 8 }), {
      'the key': 'a',
      'sort:key': 8,
      size: 2,
      select: 3,
    })
  })

  await t.test('statements that are throttled or fail are sent again, and only those', async () => {
    const failedOnce = new Set<string>()
    await using at = await withTable((request, store) => {
      if (request.operation !== 'BatchExecuteStatement') return undefined
      const statements = request.body.Statements as { Parameters: { S: string }[] }[]
      const codes = [
        'ThrottlingError',
        'ProvisionedThroughputExceeded',
        'RequestLimitExceeded',
        'InternalServerError',
        'TransactionConflict',
      ]
      const Responses = statements.map((statement, index) => {
        const key = JSON.stringify(statement.Parameters)
        if (index % 3 === 0 && !failedOnce.has(key)) {
          failedOnce.add(key)
          return { Error: { Code: codes[index % codes.length]!, Message: 'not now' } }
        }
        return (store.answer('BatchExecuteStatement', { Statements: [statement] }) as { body: { Responses: object[] } })
          .body.Responses[0]
      })
      return { body: { Responses } }
    })
    const publisher = at.table.publisher()
    for (let index = 0; index < 50; index += 1) publisher.put({ pk: `${index}` })
    await publisher.flush()
    for (let index = 0; index < 50; index += 1) publisher.update({ pk: `${index}` }, { set: { v: index } })
    await publisher.close()
    assert.equal(publisher.stats.stored, 100)
    assert.equal(publisher.stats.retried, failedOnce.size)
    for (const [key, item] of at.store.items) assert.deepEqual(item['v'], { N: key })
  })
})

test('E8: a closed publisher stays closed, whatever is said to it afterwards', async () => {
  await using place = await withTable()
  const publisher = place.table.publisher()
  publisher.put({ pk: 'a' })
  await publisher.close()
  publisher.destroy()
  await publisher.close()
  assert.equal(publisher.stats.stored, 1)
  assert.throws(() => publisher.put({ pk: 'b' }), isError('CLOSED'))
})
