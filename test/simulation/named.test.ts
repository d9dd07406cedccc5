import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeadraceError } from '../../src/index.ts'
import { publish, start } from './start.ts'

test('every write is throttled for 60 s: no error, and full speed again within 10 s', async () => {
  const { clock, service, table } = await start({ windows: [{ fromMs: 2_000, toMs: 62_000, fault: 'throttle' }] })
  const { stored } = await clock.run(publish(table, 60_000))
  assert.equal(stored, 60_000)
  const between = (fromMs: number, toMs: number): number =>
    service.log.writes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length
  assert.equal(between(3_000, 62_000), 0)
  assert.ok(between(72_000, 82_000) >= 0.95 * 20_000, `${between(72_000, 82_000)} in ten seconds`)
  const vain = service.log.requests.filter(({ fault }) => fault === 'throttle').length
  // No more than at full speed, 80 batches a second.
  assert.ok(vain <= 80 * 65, `${vain} requests while all was throttled`)
})

test('a whole batch unprocessed for ever ends with the patience, and says so', async () => {
  const { clock, table } = await start({ partFailureShare: 1 })
  await assert.rejects(clock.run(publish(table, 100, { patienceMs: 30_000 })), (error) => {
    assert.ok(error instanceof HeadraceError)
    assert.equal(error.code, 'NO_PROGRESS')
    return true
  })
  assert.ok(clock.now() < 60_000, `${clock.now()} ms`)
})

test('two minutes of nothing but 500: no error, no storm', async () => {
  const { clock, service, table } = await start({ windows: [{ fromMs: 0, toMs: 120_000, fault: 'error after' }] })
  const { stored } = await clock.run(publish(table, 1_000))
  assert.equal(stored, 1_000)
  // 40 batches, whose backoff doubles up to 20 s.
  assert.ok(service.log.requests.length < 40 * 25, `${service.log.requests.length} requests`)
  assert.ok(clock.now() < 150_000, `${clock.now()} ms`)
})

test('entries that find no room in flight set no timer in vain', async () => {
  const { clock, table } = await start({})
  const { stored } = await clock.run(publish(table, 100, { maxInFlight: 7, lingerMs: 0 }), { stepsMax: 2_000 })
  assert.equal(stored, 100)
})

test('a rate holds for what conditions that fail have cost', async () => {
  const { clock, service, table } = await start({})
  const rejects: unknown[] = []
  const publisher = table.publisher({
    writeUnitsPerSecond: 10,
    maxInFlight: 1,
    onReject: (reject) => void rejects.push(reject),
  })
  // A name that only UpdateItem takes.
  for (let index = 0; index < 100; index += 1) publisher.update({ pk: `k${index}` }, { set: { 'odd name': 1 } })
  await clock.run(publisher.close())
  assert.equal(rejects.length, 100)
  assert.equal(service.log.requests.filter(({ writeUnits }) => writeUnits === 1).length, 100)
  assert.ok(clock.now() >= 8_900, `${clock.now()} ms`)
})

test('changes that no statement can hold go ahead one at a time when they were throttled', async () => {
  const { clock, simulated, table } = await start(
    {},
    { table: { capacity: { billing: 'provisioned', writeUnitsPerSecond: 20, burstSeconds: 0 } } },
  )
  simulated.fill(Array.from({ length: 200 }, (_, index) => ({ pk: { S: `k${index}` } })))
  const publisher = table.publisher()
  // A name that only UpdateItem takes.
  for (let index = 0; index < 200; index += 1) publisher.update({ pk: `k${index}` }, { set: { 'odd name': 1 } })
  await clock.run(publisher.close())
  assert.deepEqual([publisher.stats.stored, publisher.stats.conflicted], [200, 0])
})
