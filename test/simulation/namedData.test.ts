import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeadraceError, type JobReject, type PlainItem, type Reject, updateAll } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import type { Wire } from '../../src/simulator/wire.ts'
import { publish, start } from './start.ts'

const numbered = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ pk: { S: `k${index}` }, n: { N: `${index}` }, ...more }))

test('a slow consumer of a fast scan: the reader waits, and holds no more than a page for each that it reads at once', async () => {
  const { clock, service, simulated, table } = await start({})
  simulated.fill(numbered(4_000))
  const work = async (): Promise<number> => {
    let pages = 0
    const scan = table.scan({ segments: 20, concurrency: 4, pageItemsMax: 10 })
    for await (const _page of scan.pages()) {
      pages += 1
      await sleep(clock, 5_000)
      const ahead = service.log.requests.filter(({ operation }) => operation === 'Scan').length - pages
      assert.ok(ahead <= 4, `${ahead} pages ahead of the consumer`)
    }
    return pages
  }
  assert.ok((await clock.run(work())) >= 400)
})

test('a consumer that breaks early: requests end, timers are freed, nothing is unhandled', async () => {
  const { clock, service, simulated, table } = await start({ shares: { 'stall before': 0.2, throttle: 0.2 } })
  simulated.fill(numbered(2_000))
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    const work = async (): Promise<number> => {
      let seen = 0
      for await (const _item of table.scan({ segments: 10, concurrency: 5, pageItemsMax: 10 })) {
        seen += 1
        if (seen === 37) break
      }
      return service.log.requests.length
    }
    const sent = await clock.run(work())
    assert.equal(service.requestsUnderWay, 0)
    // Were a timer left, the clock would reach it, and a request would follow.
    await clock.run(sleep(clock, 3_600_000))
    assert.equal(service.log.requests.length, sent)
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('a producer that never ends: what waits stays within its bounds for as long as it goes on', async () => {
  const { clock, table } = await start({ shares: { throttle: 0.05, 'error after': 0.05 } })
  const work = async () => {
    const publisher = table.publisher({ maxQueueSize: 500, maxInFlight: 100 })
    let most = { buffered: 0, inFlight: 0, bytes: 0 }
    for (let index = 0; clock.now() < 30_000; index += 1) {
      if (!publisher.put({ pk: `k${index}`, text: 'x'.repeat(100) })) await publisher.ready
      if (index % 50 > 0) continue
      const { buffered, inFlight, bufferedBytes } = publisher.stats
      most = {
        buffered: Math.max(most.buffered, buffered),
        inFlight: Math.max(most.inFlight, inFlight),
        bytes: Math.max(most.bytes, bufferedBytes),
      }
    }
    await publisher.close()
    return { most, stats: publisher.stats }
  }
  const { most, stats } = await clock.run(work())
  assert.ok(stats.stored > 25_000 && stats.stored === stats.taken, `${stats.stored} of ${stats.taken} stored`)
  // What comes back from the service is let in again, whatever the bound.
  assert.ok(most.buffered <= 500 + 100 + 1 && most.inFlight <= 100, JSON.stringify(most))
  assert.ok(most.bytes <= 700 * 200, JSON.stringify(most))
})

test('a hot partition key: ten times the queue may wait for it while the rest goes on, and never more bytes than asked for', async () => {
  for (const maxQueueBytes of [64 * 1_048_576, 50_000]) {
    const capacity = { billing: 'provisioned', writeUnitsPerSecond: 10_000, burstSeconds: 0, partitions: 64 } as const
    const key = { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } } as const
    const { clock, table } = await start({}, { table: { key, capacity } })
    const most = { buffered: 0, bytes: 0 }
    const work = async (): Promise<void> => {
      const publisher = table.publisher({ maxQueueSize: 1_000, maxInFlight: 500, maxQueueBytes })
      for (let index = 0; clock.now() < 20_000; index += 1) {
        const pk = index % 3 === 0 ? 'hot' : `k${index}`
        if (!publisher.put({ pk, sk: index, text: 'x'.repeat(100) })) await publisher.ready
        const { buffered, bufferedBytes } = publisher.stats
        most.buffered = Math.max(most.buffered, buffered)
        most.bytes = Math.max(most.bytes, bufferedBytes)
      }
      await publisher.close()
      assert.equal(publisher.stats.stored, publisher.stats.taken)
    }
    await clock.run(work())
    // What comes back from the service is let in again, whatever the bound.
    assert.ok(most.buffered <= 1_000 * 11 + 500 + 1, JSON.stringify(most))
    assert.ok(most.bytes <= maxQueueBytes + 501 * 250, JSON.stringify(most))
    if (maxQueueBytes > 1_000_000) assert.ok(most.buffered > 3_000, JSON.stringify(most))
  }
})

test('one key twice, adjacent and far apart: never in one batch, and the last wins', async () => {
  const faults = { partFailureShare: 0.3, shares: { 'reset after': 0.1, throttle: 0.1 }, untilMs: 30_000 } as const
  const { clock, service, simulated, table } = await start(faults)
  const work = async (): Promise<void> => {
    const publisher = table.publisher()
    for (let index = 0; index < 3_000; index += 1) {
      for (const round of [0, 1]) {
        const item = { pk: `k${index % 700}`, version: index * 2 + round }
        if (!publisher.put(item)) await publisher.ready
      }
    }
    await publisher.close()
  }
  await clock.run(work())
  // The service refuses a batch that has a key twice; that is seen by the error.
  assert.ok(service.log.requests.every(({ error }) => error !== 'ValidationException'))
  for (let key = 0; key < 700; key += 1) {
    const last = 2_999 - ((2_999 - key) % 700)
    const [, item] = [...simulated.entries()].find(([text]) => text === `{"S":"k${key}"}`)!
    assert.deepEqual({ ...item['version'] }, { N: `${last * 2 + 1}` })
    if (key > 20) break
  }
})

test('put, delete and put of one key: the table has what was asked for last', async () => {
  for (const last of ['put', 'delete']) {
    const faults = { partFailureShare: 0.4, shares: { 'reset after': 0.2, 'error after': 0.1 }, untilMs: 30_000 }
    const { clock, simulated, table } = await start(faults)
    const work = async (): Promise<void> => {
      const publisher = table.publisher({ maxInFlight: 7, lingerMs: 0 })
      for (let index = 0; index < 300; index += 1) {
        const pk = `k${index % 10}`
        if (!publisher.put({ pk, version: index })) await publisher.ready
        if (index % 3 === 0) await sleep(clock, 20)
        if (!publisher.delete({ pk })) await publisher.ready
        if (index % 5 === 0) await sleep(clock, 20)
        if (last === 'put' && !publisher.put({ pk, version: index + 0.5 })) await publisher.ready
      }
      await publisher.close()
    }
    await clock.run(work())
    const versions = [...simulated.entries()].map(([, item]) => Number(item['version']!['N'])).sort((a, b) => a - b)
    const wanted = Array.from({ length: 10 }, (_, index) => 290.5 + index)
    assert.deepEqual(versions, last === 'put' ? wanted : [])
  }
})

test('an item of exactly 400 KB is written, one byte more is rejected before it is sent, with its size', async () => {
  const { clock, service, simulated, table } = await start({})
  const rejects: Reject[] = []
  const publisher = table.publisher({ onReject: (reject) => void rejects.push(reject) })
  const fits = 409_600 - 'pk'.length - 'k'.length - 'text'.length
  publisher.put({ pk: 'k', text: 'x'.repeat(fits) })
  publisher.put({ pk: 'l', text: 'x'.repeat(fits + 1) })
  await clock.run(publisher.close())
  assert.deepEqual([simulated.size, simulated.sizeBytes], [1, 409_600])
  assert.equal(rejects.length, 1)
  assert.match(rejects[0]!.message, /409,?601/)
  assert.equal(service.log.requests.filter(({ operation }) => operation === 'BatchWriteItem').length, 1)
})

test('25 items of 390 KB: what is unprocessed goes again until all are written', async () => {
  const { clock, service, simulated, table } = await start({})
  const work = async (): Promise<void> => {
    const publisher = table.publisher()
    for (let index = 0; index < 25; index += 1) {
      if (!publisher.put({ pk: `k${index}`, text: 'x'.repeat(390 * 1_024) })) await publisher.ready
    }
    await publisher.close()
  }
  await clock.run(work())
  assert.deepEqual([simulated.size, service.log.writes.length], [25, 25])
  // 390 units each of 2,000 a second.
  assert.ok(clock.now() < 15_000, `${clock.now()} ms`)
})

test('one invalid item in 25: the batch is cut until it stands alone, 24 are written, one is rejected with the message', async () => {
  const index = { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } } } as const
  const indexes = [{ ...index, capacity: { billing: 'on demand' } as const }]
  const { clock, service, simulated, table } = await start({}, { table: { indexes } })
  const rejects: Reject[] = []
  const publisher = table.publisher({ onReject: (reject) => void rejects.push(reject) })
  for (let at = 0; at < 25; at += 1) publisher.put({ pk: `k${at}`, group: at === 17 ? 5 : 'g' })
  await clock.run(publisher.close())
  assert.equal(simulated.size, 24)
  assert.deepEqual(
    rejects.map(({ item }) => item?.['pk']),
    ['k17'],
  )
  assert.match(rejects[0]!.message, /Type mismatch for Index Key group/)
  // 25, 12, 13, 6, … : a search by halves.
  assert.ok(service.log.requests.length <= 2 + 2 * 5, `${service.log.requests.length} requests`)
})

test("a user's filter with placeholders of its own: names and values go by aliases alone", async () => {
  const bodies: { [name: string]: unknown }[] = []
  const { clock, simulated, table } = await start(
    {},
    {
      connection: (service) => ({
        transport: {
          send(headers, body, receiver) {
            bodies.push(JSON.parse(body.toString()) as { [name: string]: unknown })
            return service.send(headers, body, receiver)
          },
          close: () => service.close(),
        } satisfies Wire,
      }),
    },
  )
  const injected = "x' OR attribute_exists(pk) OR #n0 = :v0"
  simulated.fill([
    { pk: { S: 'a' }, name: { S: 'x' } },
    { pk: { S: 'b' }, name: { S: injected } },
  ])
  const work = async (): Promise<PlainItem[]> => {
    const items: PlainItem[] = []
    for await (const item of table.scan({ filter: `name = '${injected.replaceAll("'", "''")}'` })) items.push(item)
    return items
  }
  assert.deepEqual(
    (await clock.run(work())).map(({ pk }) => pk),
    ['b'],
  )
  const sent = bodies.find((body) => body['FilterExpression'] !== undefined)!
  assert.match(`${sent['FilterExpression']}`, /^#\w+ = :\w+$/)
  assert.deepEqual(Object.values(sent['ExpressionAttributeValues'] as object), [{ S: injected }])
})

test('a visitor throws, returns nothing, changes the key or a thousand attributes: each is that item alone', async () => {
  const { clock, simulated, table } = await start({})
  simulated.fill(numbered(400))
  const rejects: JobReject[] = []
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`a${index}`, index]))
  const shared = { count: 0 }
  const job = updateAll(
    table,
    (item) => {
      shared.count += 1
      if (item['n'] % 4 === 0) throw new Error('not this one')
      if (item['n'] % 4 === 1) return undefined
      if (item['n'] % 4 === 2)
        return { set: { pk: 'another' } }
        // Mutates what it was shown, too.
      ;(item as { [name: string]: unknown })['n'] = 'changed'
      return { set: item['pk'] === 'k3' ? many : { seen: true } }
    },
    { onReject: (reject) => void rejects.push(reject) },
  )
  const { written, filtered, rejected } = await clock.run(job.run())
  assert.deepEqual([written, filtered, rejected, rejects.length, shared.count], [100, 100, 200, 200, 400])
  const ofKey = rejects.filter(({ message }) => /a key attribute cannot be changed/.test(message))
  assert.equal(ofKey.length, 100)
  const items = new Map(simulated.entries())
  assert.equal(Object.keys(items.get('{"S":"k3"}')!).length, 1_002)
  for (const [, item] of items) assert.match(`${item['n']!['N']}`, /^\d+$/)
})

test('a visitor whose promise never settles: a timeout, a reject, and the job goes on', async () => {
  const { clock, simulated, table } = await start({})
  simulated.fill(numbered(20))
  const rejects: JobReject[] = []
  const visitor = (item: PlainItem) => (item['n'] === 7 ? new Promise<never>(() => undefined) : { set: { seen: 1 } })
  const job = updateAll(table, visitor, { onReject: (reject) => void rejects.push(reject) })
  const { written } = await clock.run(job.run())
  assert.deepEqual([written, rejects.length], [19, 1])
  assert.deepEqual([rejects[0]!.code, rejects[0]!.place], ['VisitorFailed', 'pk="k7"'])
  assert.match(rejects[0]!.message, /did not settle within 60 s/)
  assert.ok(clock.now() >= 60_000 && clock.now() <= 61_000, `${clock.now()} ms`)
})

test('visits that settle late, more of them than are waited for at once: rejected once each, and what they say is ignored', async () => {
  const { clock, service, simulated, table } = await start({})
  simulated.fill(numbered(2_000))
  const rejects: JobReject[] = []
  const visitor = async (item: PlainItem) => {
    const late = item['n'] % 3 > 0
    await sleep(clock, late ? 3_000 : 900)
    if (item['n'] % 3 === 2) throw new Error('too late to matter')
    return { set: { seen: 1 } }
  }
  const onReject = (reject: JobReject): void => void rejects.push(reject)
  const job = updateAll(table, visitor, { visitTimeoutMs: 1_000, onReject })
  const { read, written, rejected, filtered } = await clock.run(job.run())
  assert.deepEqual([read, written, rejected, filtered], [2_000, 667, 1_333, 0])
  const endedAtMs = clock.now()
  assert.ok(endedAtMs <= 12_000, `${endedAtMs} ms`)
  // The last of them settle when the job is over.
  await clock.run(sleep(clock, 60_000))
  assert.equal(service.log.writes.length, 667)
  assert.equal(rejects.length, 1_333)
  assert.ok(rejects.every(({ message }) => message.endsWith('did not settle within 1 s')))
})

test('a table that goes while visits never settle: the job ends at once, and not when their time is over', async () => {
  const { clock, service, simulated, table } = await start({})
  simulated.fill(numbered(200))
  clock.setTimer(() => service.deleteTable('things'), 2_000)
  const visitor = async (item: PlainItem) => {
    await sleep(clock, item['n'] === 7 ? 1e9 : 3_000)
    return { set: { seen: 1 } }
  }
  const isGone = (error: unknown): boolean => error instanceof HeadraceError && error.code === 'TABLE'
  await assert.rejects(clock.run(updateAll(table, visitor).run()), isGone)
  assert.ok(clock.now() <= 4_000, `${clock.now()} ms`)
})

test('a timeout that is none is told at once', async () => {
  const { table } = await start({})
  for (const visitTimeoutMs of [0, 3_600_001, 1.5]) {
    assert.throws(() => updateAll(table, () => undefined, { visitTimeoutMs }), /visitTimeoutMs must be a whole number/)
  }
})

test('a table that grows and shrinks while it is scanned: each segment ends, and what stayed was seen once', async () => {
  const { clock, service, simulated, table } = await start({})
  simulated.fill(numbered(1_000))
  let writing = true
  const grow = async (): Promise<void> => {
    for (let index = 0; writing; index += 1) {
      // Faster than the scan, which gets 10 items a page.
      for (let item = 0; item < 20; item += 1) {
        const key = { pk: { S: `new${index * 20 + item}` } }
        service.writeFromBeside('things', key, () => ({ ...key, n: { N: '0' } }))
      }
      service.writeFromBeside('things', { pk: { S: `k${index % 100}` } }, () => undefined)
      await sleep(clock, 5)
    }
  }
  const work = async (): Promise<string[]> => {
    const growing = grow()
    const seen: string[] = []
    for await (const item of table.scan({ segments: 4, concurrency: 2, pageItemsMax: 10, readUnitsPerSecond: 500 })) {
      seen.push(item['pk'])
    }
    writing = false
    await growing
    return seen
  }
  const seen = await clock.run(work(), { virtualMsMax: 3_600_000 })
  assert.equal(new Set(seen).size, seen.length)
  const stayed = new Set(seen)
  for (let index = 100; index < 1_000; index += 1) assert.ok(stayed.has(`k${index}`), `k${index} was not seen`)
})

test('a filter that matches nothing, pages for an hour: what was looked at goes on being told', async () => {
  const { clock, simulated, table } = await start({})
  simulated.fill(numbered(7_200))
  const scan = table.scan({ filter: 'attribute_exists(never)', segments: 1, pageItemsMax: 2, readUnitsPerSecond: 0.5 })
  const told: number[] = []
  const work = async (): Promise<number> => {
    let items = 0
    for await (const page of scan.pages()) {
      items += page.items.length
      told.push(page.scannedCount)
    }
    return items
  }
  assert.equal(await clock.run(work()), 0)
  assert.ok(clock.now() >= 3_600_000, `${clock.now()} ms`)
  assert.equal(
    told.reduce((sum, count) => sum + count, 0),
    7_200,
  )
})

test('two jobs in one process: what ends one is nothing to the other, and no signal is listened to', async () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException', 'unhandledRejection'] as const
  const listeners = () => signals.map((signal) => process.listenerCount(signal))
  const before = listeners()
  const [one, other] = [await start({}), await start({ shares: { throttle: 0.3 }, untilMs: 5_000 })]
  one.clock.setTimer(() => one.service.deleteTable('things'), 2_000)
  const ending = one.clock.run(publish(one.table, 20_000, { writeUnitsPerSecond: 100 }))
  const going = other.clock.run(publish(other.table, 20_000))
  await assert.rejects(ending, (error) => error instanceof HeadraceError && error.code === 'TABLE')
  assert.equal((await going).stored, 20_000)
  // The limit of one is not the other's.
  assert.ok(other.clock.now() < 40_000, `${other.clock.now()} ms`)
  assert.deepEqual(listeners(), before)
})
