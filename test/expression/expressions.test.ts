import assert from 'node:assert/strict'
import { test } from 'node:test'
import { database } from '../support/store.ts'
import { runFilters, tooRare } from './runFilters.ts'

test('generated filters hold for the items for which the store says so', async () => {
  // Others than `npm run expressions` begins with.
  const report = await runFilters({ database, from: 1_000_000, seeds: 2_000 })
  assert.deepEqual(report.differences, [])
  assert.equal(report.ran, 2_000)
  assert.ok(report.simulated > 200, `the simulator was asked ${report.simulated} times`)
  assert.deepEqual(tooRare(report), [])
})
