import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../src/runtime/clock.ts'
import { runScenario, type Scenario } from '../../src/simulator/scenario.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'
import { CubicLimiter } from './policies/cubicLimiter.ts'
import { POLICIES } from './policies/policies.ts'

const CALM: Scenario = {
  name: 'calm',
  title: 'A finite load of a table that is large enough, then throttled for a while',
  capacity: { billing: 'provisioned', writeUnitsPerSecond: 2_000, burstSeconds: 0 },
  items: { order: { kind: 'files', items: 10_000, files: 3 } },
  durationMs: 60_000,
  phases: [],
}

for (const { name, drive } of POLICIES) {
  test(`${name} writes what it takes, and says what it could not`, async () => {
    const { client, counts } = await runScenario(CALM, drive())
    assert.equal(client.taken, 10_000)
    assert.equal(client.stored + client.lost, 10_000)
    assert.equal(counts.writes, client.stored)
    const faults = { windows: [{ fromMs: 1_000, toMs: 41_000, fault: 'throttle' }] } as const
    const troubled = await runScenario({ ...CALM, faults }, drive())
    assert.equal(troubled.client.stored + troubled.client.lost, troubled.client.taken)
    assert.equal(troubled.counts.writes, troubled.client.stored)
    // Those that have a bound on their attempts tell their callers of errors; the others do not.
    const bounded = /boto3|SDK standard/.test(name)
    assert.equal(troubled.client.lost > 0, bounded, `${troubled.client.lost} lost`)
  })
}

test('the adaptive mode is back at the rate before a throttle after the time that CUBIC gives', async () => {
  const clock = new VirtualClock()
  const limiter = new CubicLimiter(clock)
  const run = async (): Promise<void> => {
    for (let index = 0; index < 200; index += 1) {
      await sleep(clock, 25)
      limiter.onReply(false)
    }
    limiter.onReply(true)
    const cut = limiter.rate!
    assert.ok(cut > 26 && cut < 30, `${cut}`)
    // 40 requests a second: (40 × 0.3 / 0.4) ^ (1/3) seconds.
    for (let index = 0; index < 40 * 3.1; index += 1) {
      await sleep(clock, 25)
      limiter.onReply(false)
    }
    assert.ok(limiter.rate! > 38 && limiter.rate! < 42, `${limiter.rate}`)
  }
  await clock.run(run())
})
