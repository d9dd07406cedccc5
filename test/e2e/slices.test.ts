import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSlices } from './slicesRun.ts'

test('slices in processes of their own share a rate, one is killed and begun again, and each item is done once', async () => {
  const { seconds, faults } = await runSlices({ items: 3_000, unitsPerSecond: 600, slices: 4, late: 1, killed: 1 })
  assert.deepEqual(faults, [])
  // How evenly, `npm run slices` says, on a machine that does nothing else: here only that nobody has a rate of its own.
  assert.ok(seconds.length >= 5, `${seconds}`)
})
