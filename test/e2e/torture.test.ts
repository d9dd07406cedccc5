import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTorture } from './tortureRun.ts'

const ITEMS = 12_000

test('12,000 items are generated, loaded, updated once each and counted through every fault of service, network and name server', async () => {
  const result = await runTorture({ items: ITEMS, seed: 4, writeUnitsPerSecond: 1_500, events: 'once' })
  for (const { verb, code, stderr } of result.steps) assert.equal(code, 0, `${verb}: ${stderr}`)
  const { lost, wrong, strange, gateway, network, dnsFailures } = result
  assert.deepEqual({ lost, wrong, strange }, { lost: 0, wrong: 0, strange: 0 })
  const [, generated, loaded, updated, counted] = result.steps.map(({ said }) => said)
  assert.deepEqual([generated.written, loaded.written, updated.written], [ITEMS / 2, ITEMS / 2, ITEMS])
  for (const { rejected, notReached } of [generated, loaded, updated]) assert.equal(rejected + notReached, 0)
  assert.equal(counted.count, ITEMS)
  // It was as bad as it was meant to be.
  const { faults, throttledItems, upstreamFailures } = gateway
  assert.equal(upstreamFailures, 0)
  assert.ok(throttledItems > 100, `${throttledItems} throttled items`)
  for (const fault of [
    'reset before',
    'reset after',
    'error after',
    'wrong checksum',
    'cut body',
    'throttle',
  ] as const) {
    assert.ok(faults[fault] > 3, `${fault}: ${faults[fault]}`)
  }
  for (const kind of ['sliced', 'reset', 'halfOpen', 'refusedPeriods'] as const) {
    assert.ok(network[kind] > 0, `${kind}: ${network[kind]}`)
  }
  assert.ok(dnsFailures > 0, 'the name server failed')
})
