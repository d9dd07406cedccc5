import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driveScenario } from '../../src/cli/driveScenario.ts'
import { type PhaseFigures, phaseFigures } from '../../src/cli/phaseFigures.ts'
import { HeadraceError, updateAll } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import { runScenario, type ScenarioResult } from '../../src/simulator/scenario.ts'
import { SCENARIOS } from '../../src/simulator/scenarios.ts'
import { publish, putAll, start, UNITS, writesBetween } from './start.ts'

const provisioned = (writeUnitsPerSecond: number): CapacityOptions => ({
  billing: 'provisioned',
  writeUnitsPerSecond,
  burstSeconds: 0,
})
const BY_GROUP = { name: 'byGroup', key: { partition: { name: 'group', type: 'S' } } } as const

/** Each scenario is played once. */
const played = new Map<string, Promise<ScenarioResult>>()

async function phasesOf(name: string): Promise<PhaseFigures[]> {
  const scenario = SCENARIOS.find((one) => one.name === name)!
  const playing = played.get(name) ?? runScenario(scenario, driveScenario())
  played.set(name, playing)
  const { series } = await playing
  return scenario.phases.map((phase) => phaseFigures(series, phase))
}

for (const percent of [10, 60, 90]) {
  test(`${percent} % of requests throttled at random: done, with at most 1.2 times the requests that are unavoidable`, async () => {
    const share = percent / 100
    const sentAt = new Map<string, number>()
    const gapsMs: number[] = []
    const { clock, service, table } = await start(
      { shares: { throttle: share } },
      {
        table: { capacity: provisioned(30_000) },
        connection: (service, clock) => ({
          transport: {
            send(headers, body, receiver) {
              const key = /"S":"(k\d+)"/.exec(body.toString('latin1', 0, 200))?.[1] ?? ''
              const before = sentAt.get(key)
              if (before !== undefined) gapsMs.push(clock.now() - before)
              sentAt.set(key, clock.now())
              return service.send(headers, body, receiver)
            },
            close: () => service.close(),
          },
        }),
      },
    )
    const { stored } = await clock.run(publish(table, 20_000))
    assert.equal(stored, 20_000)
    // Each batch of 25 is tried 1 / (1 - share) times on average.
    const unavoidable = 20_000 / 25 / (1 - share)
    const { requests } = service.log.counts
    assert.ok(requests <= unavoidable * 1.2, `${requests} requests, ${Math.round(unavoidable)} unavoidable`)
    // No tight loop: what comes back after some 10 ms waits before it goes again.
    const gapMs = gapsMs.reduce((sum, gap) => sum + gap, 0) / gapsMs.length
    assert.ok(gapMs > 30, `${gapMs} ms from one try to the next`)
  })
}

test('UnprocessedItems, a random subset each time: only those are sent again, each is written, none counts as an error', async () => {
  const { clock, service, table } = await start({ partFailureShare: 0.4 })
  const stats = await clock.run(publish(table, 5_000))
  assert.equal(stats.stored, 5_000)
  assert.equal(service.log.writes.length, 5_000, 'nothing that was stored is sent again')
  assert.ok(stats.unprocessed > 2_500 && stats.unprocessed === stats.retried, `${stats.unprocessed} unprocessed`)
  assert.deepEqual([stats.failedRequests, stats.throttledRequests], [0, 0])
})

test('one hot partition: the rest keeps at least 90 % of its rate', async () => {
  const [, meanwhile] = await phasesOf('hot-partition')
  assert.ok(meanwhile!.usedShare >= 0.9 * (39 / 40), `${meanwhile!.usedShare}`)
})

test('a heat that has passed: when the table gets smaller after it, no more is asked for than that', async () => {
  const key = { partition: { name: 'pk', type: 'S' }, sort: { name: 'sk', type: 'N' } } as const
  const { clock, service, table } = await start(
    {},
    { table: { key, capacity: { ...provisioned(10_000), partitions: 64 } } },
  )
  clock.setTimer(() => service.updateTable('things', { writeUnitsPerSecond: 1_000 }), 10_000)
  const work = async (): Promise<void> => {
    const publisher = table.publisher({ maxQueueSize: 1_000 })
    for (let index = 0; clock.now() < 40_000; index += 1) {
      const hot = clock.now() < 8_000 && index % 3 === 0
      if (!publisher.put({ pk: hot ? 'hot' : `k${index}`, sk: index })) await publisher.ready
    }
    await publisher.close()
  }
  await clock.run(work())
  const sent = service.log.requests.filter(({ sentAtMs }) => sentAtMs >= 20_000 && sentAtMs < 40_000)
  const share = sent.filter(({ error, throttledItems }) => error !== '' || throttledItems > 0).length / sent.length
  assert.ok(share <= 0.03, `${share} of ${sent.length} requests throttled`)
})

for (const [what, faulty, reason] of [
  [
    'an index throttles the writes of its table',
    { indexes: [{ ...BY_GROUP, capacity: provisioned(0.001) }] },
    'byGroup',
  ],
  ['a maximum on demand', { capacity: { billing: 'on demand', writeUnitsPerSecondMax: 0.001 } }, 'MaxOnDemand'],
] as const) {
  test(`${what}: the reason names it`, async () => {
    const { clock, table } = await start({}, { table: faulty })
    const work = async (): Promise<void> => {
      const publisher = table.publisher({ patienceMs: 60_000 })
      await putAll(publisher, 5_000, { group: 'g' })
      await publisher.close()
    }
    await assert.rejects(clock.run(work()), (error) => {
      assert.ok(error instanceof HeadraceError)
      assert.equal(error.code, 'NO_PROGRESS')
      assert.match(error.message, new RegExp(reason))
      return true
    })
  })
}

test('the limit of an account or a maximum on demand: the rate converges under it', async () => {
  const [, , maximum] = await phasesOf('limit-on-demand')
  assert.ok(maximum!.usedShare >= 0.97, `${maximum!.usedShare} used`)
  const throttled = maximum!.throttledShare + maximum!.partlyThrottledShare
  assert.ok(throttled <= 0.01, `${throttled} throttled`)
})

test('an index that is slower than its table: the rate converges under it', async () => {
  const [steady] = await phasesOf('slow-index')
  assert.ok(steady!.usedShare >= 0.97, `${steady!.usedShare} used`)
  const throttled = steady!.throttledShare + steady!.partlyThrottledShare
  assert.ok(throttled <= 0.01, `${throttled} throttled`)
})

test('on demand grows, and is followed without a storm of throttles', async () => {
  const [first, grown] = await phasesOf('limit-on-demand')
  for (const { usedShare, throttledShare, throttledItemsShare } of [first!, grown!]) {
    assert.ok(usedShare >= 0.9, `${usedShare} used`)
    assert.ok(throttledShare + throttledItemsShare <= 0.05, `${throttledShare + throttledItemsShare} throttled`)
  }
})

for (const [what, changes] of [
  ['lowered', { writeUnitsPerSecond: 500 }],
  ['switched to on demand with a maximum', { billing: 'on demand', writeUnitsPerSecondMax: 500 }],
] as const) {
  test(`capacity ${what} mid-run: the limiter adapts, and the table that is UPDATING is written to`, async () => {
    const { clock, service, simulated, table } = await start({})
    clock.setTimer(() => service.updateTable('things', changes), 5_000)
    const { stored } = await clock.run(publish(table, 40_000))
    assert.equal(stored, 40_000)
    const whileUpdating = writesBetween(service, 5_000, 8_000)
    assert.ok(whileUpdating >= 0.9 * 3 * UNITS, `${whileUpdating} written while UPDATING`)
    assert.equal(simulated.capacity.offered('write'), 500)
    const after = writesBetween(service, 15_000, 35_000)
    assert.ok(after >= 0.95 * 20 * 500, `${after} written in 20 s`)
  })
}

test('a table that is deleted mid-run: all workers stop within a second, and say so', async () => {
  const { clock, service, simulated, table } = await start({})
  clock.setTimer(() => service.deleteTable('things'), 5_000)
  const isGone = (error: unknown): boolean => error instanceof HeadraceError && error.code === 'TABLE'
  await assert.rejects(clock.run(publish(table, 100_000)), isGone)
  assert.ok(clock.now() <= 6_000, `a publisher stopped at ${clock.now()} ms`)
  const another = await start({}, { table: { capacity: { billing: 'on demand' } } })
  another.simulated.fill(Array.from({ length: 20_000 }, (_, index) => ({ pk: { S: `k${index}` } })))
  another.clock.setTimer(() => another.service.deleteTable('things'), 1_000)
  const job = updateAll(another.table, async () => {
    await sleep(another.clock, 5)
    return { set: { seen: true } }
  })
  await assert.rejects(another.clock.run(job.run()), isGone)
  assert.ok(another.clock.now() <= 2_000, `an update stopped at ${another.clock.now()} ms`)
  const { read, written, rejected, filtered, notReached } = job.progress
  assert.equal(written + rejected + filtered + notReached, read)
  assert.equal(simulated.status, 'DELETING')
})

test('bursts of 500 and 503: no error, at most 1.1 times the load, and back to normal within 10 s', async () => {
  const shares = { 'error before': 0.25, 'error after': 0.25, unavailable: 0.25 } as const
  const { clock, service, table } = await start({ shares, untilMs: 60_000 })
  const { stored } = await clock.run(publish(table, 150_000))
  assert.equal(stored, 150_000)
  const sent = service.log.requests.filter(({ sentAtMs }) => sentAtMs < 60_000).length
  // At full speed 25 items go in a request.
  assert.ok(sent <= 1.1 * (UNITS / 25) * 60, `${sent} requests in a minute`)
  const after = writesBetween(service, 70_000, 80_000)
  assert.ok(after >= 0.95 * 10 * UNITS, `${after} written in ten seconds`)
})

test('latency of 5 s at the 99th percentile: as much goes through as concurrency and latency allow, nothing twice without need', async () => {
  // A mean of 0.82 s, and 40 requests of 25 at once.
  const { clock, service, table } = await start(
    {},
    { service: { latency: { medianMs: 500, sigma: 1 } }, table: { capacity: provisioned(30_000) } },
  )
  const stats = await clock.run(publish(table, 60_000))
  assert.equal(stats.stored, 60_000)
  const lawMs = (60_000 / 25 / 40) * 500 * Math.exp(0.5)
  assert.ok(clock.now() <= lawMs * 1.15 + 20_000, `${clock.now()} ms, ${lawMs} by the law`)
  assert.ok(service.log.writes.length <= 60_000 + stats.retried, `${service.log.writes.length} writes`)
  assert.ok(stats.retried < 1_500, `${stats.retried} retried`)
})
