import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeed } from './run.ts'

/** So many that the suite stays quick; `simulate.js --seeds` runs as many as you like. */
const SEEDS = 300

/** Each found something once: units given back that were spent, a stop that was not heard, a change that was lost sight of. */
const CORPUS: readonly number[] = [651, 1_529, 22_883]

test(`${SEEDS} worlds: nothing lost, nothing twice, nothing that was not asked for, and an end to each`, async () => {
  const failed: string[] = []
  const faults = new Set<string>()
  for (const seed of [...CORPUS, ...Array.from({ length: SEEDS }, (_, index) => index + 1)]) {
    const result = await runSeed(seed)
    for (const fault of result.faults.keys()) faults.add(fault)
    for (const failure of result.failures) failed.push(`seed ${seed}: ${failure}`)
  }
  assert.deepEqual(failed, [], 'replay one with: node .build/test/simulation/simulate.js --seed N')
  assert.ok(faults.size >= 14, `only these faults came up: ${[...faults].join(', ')}`)
})

test('a seed is a run to the byte', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const [one, other] = [await runSeed(seed), await runSeed(seed)]
    assert.equal(one.digest(), other.digest(), `seed ${seed}`)
    assert.equal(one.virtualMs, other.virtualMs, `seed ${seed}`)
  }
})
