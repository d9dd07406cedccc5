import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS } from '../../src/simulator/faults.ts'
import { runSeed, TROUBLES } from './run.ts'
import { rangesOf, runSeeds } from './runSeeds.ts'

/** So many that the suite stays quick; `npm run simulate -- --seeds N` runs as many as you like. */
const SEEDS = 2_000

/** Each found something once: units given back that were spent, a stop that was not heard, a change that was lost sight of. */
const CORPUS: readonly number[] = [651, 1_529, 1_903, 5_031, 6_014, 6_395, 22_883, 50_878]

const replayOf = (seed: number): string =>
  `replay: node --enable-source-maps .build/test/simulation/simulate.js --seed ${seed}`

test(`${SEEDS} worlds: nothing lost, nothing twice, nothing that was not asked for, and an end to each`, async () => {
  const past = CORPUS.filter((seed) => seed > SEEDS).map((seed) => ({ from: seed, count: 1 }))
  const { ran, faults, failed } = await runSeeds({ ranges: [...rangesOf(1, SEEDS), ...past] })
  const told = failed.map(
    ({ seed, job, failures }) => `seed ${seed} (${job}): ${failures.join('; ')}; ${replayOf(seed)}`,
  )
  assert.deepEqual(told, [])
  assert.equal(ran, SEEDS + past.length)
  const never = [...FAULTS, ...TROUBLES].filter((fault) => faults[fault] === undefined)
  assert.deepEqual(never, [], 'these faults never came up')
})

test('a seed is a run to the byte', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const [one, other] = [await runSeed(seed), await runSeed(seed)]
    assert.equal(one.digest(), other.digest(), `seed ${seed}`)
    assert.equal(one.virtualMs, other.virtualMs, `seed ${seed}`)
  }
})
