import assert from 'node:assert/strict'
import { test } from 'node:test'
import { torture } from '../../examples/torture.ts'

test('the tortured visitor loses nothing, has conflicts to decide on again, and a seed repeats itself', async () => {
  const outcomes = [await torture(1), await torture(2), await torture(1)]
  for (const { lost, conflicts, faults, virtualSeconds } of outcomes) {
    assert.deepEqual(lost, [])
    assert.ok(conflicts > 0 && faults > 10 && virtualSeconds > 15, `${conflicts} ${faults} ${virtualSeconds}`)
  }
  assert.deepEqual(outcomes[0], outcomes[2])
})
