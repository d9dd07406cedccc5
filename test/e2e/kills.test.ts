import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills, VERBS } from './killsRun.ts'

/** Entries that may be in flight and in the queue, of which the last to be settled may be the first. */
const UNDER_WAY_MAX = 11_000

test('jobs that are killed and gone on with end as if they had not been', async () => {
  const jobs = await runKills({ kills: 21, killsOfJob: 3, items: 6_000, seed: 7 })
  for (const { verb, faults, redone } of jobs) {
    assert.deepEqual(faults, [], verb)
    for (const writes of redone) assert.ok(writes <= UNDER_WAY_MAX, `${verb}: ${writes} writes were made again`)
  }
  for (const verb of VERBS)
    assert.ok(
      jobs.some((job) => job.verb === verb),
      verb,
    )
  assert.ok(jobs.reduce((sum, { kills }) => sum + kills, 0) >= 5, 'some were killed')
})
