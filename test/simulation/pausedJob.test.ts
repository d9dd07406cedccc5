import assert from 'node:assert/strict'
import { test } from 'node:test'
import { updateAll } from '../../src/operations/updateAll.ts'
import { publish, start } from './start.ts'

const PAUSED_MS = 1_800_000

test('a job that is paused for longer than its patience sends nothing meanwhile, and goes on though all is throttled at first', async () => {
  const { clock, service, table } = await start({})
  await clock.run(publish(table, 40_000))
  const begunAt = clock.now()
  const resumedAt = begunAt + 3_000 + PAUSED_MS
  service.setFaults({ windows: [{ fromMs: begunAt + 2_900, toMs: resumedAt + 20_000, fault: 'throttle' }] })
  const job = updateAll(table, { set: { seen: true } }, { patienceMs: 60_000 })
  clock.setTimer(() => job.setRates({ paused: true }), 3_000)
  clock.setTimer(() => job.setRates({ paused: false }), 3_000 + PAUSED_MS)
  const summary = await clock.run(job.run())
  assert.deepEqual([summary.complete, summary.written], [true, 40_000])
  const sent = service.log.requests.map(({ sentAtMs }) => sentAtMs)
  const among = (fromMs: number, toMs: number): number => sent.filter((at) => at >= fromMs && at < toMs).length
  assert.ok(among(begunAt, begunAt + 3_000) > 10)
  assert.equal(among(begunAt + 3_000, resumedAt), 0)
})
