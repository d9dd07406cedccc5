import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { corrected, expandClusters, LineFit, studentQuantile } from '../../src/job/estimate.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const sums = fc.array(fc.nat(1_000), { minLength: 2, maxLength: 40 })

test('all clusters are their sum, exactly; of some the bounds hold what was seen and the estimate', () => {
  fc.assert(
    fc.property(sums, fc.nat(1_000), (seen, more) => {
      const total = seen.reduce((sum, one) => sum + one, 0)
      const { value, low, high } = expandClusters(seen, seen.length + more)
      assert.ok(low <= value + 1e-6 && value <= high && low >= total - 1e-6)
      if (more === 0) assert.deepEqual({ value, low, high }, { value: total, low: total, high: total })
    }),
  )
})

test('the bounds hold the truth 19 times in 20, or nearly', () => {
  const random = seededRandom(3)
  let held = 0
  const tries = 2_000
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const clusters = Array.from({ length: 200 }, () => 500 + Math.floor(random() * 200))
    const truth = clusters.reduce((sum, one) => sum + one, 0)
    for (let index = clusters.length - 1; index > 0; index -= 1) {
      const other = Math.floor(random() * (index + 1))
      ;[clusters[index], clusters[other]] = [clusters[other]!, clusters[index]!]
    }
    const { low, high } = expandClusters(clusters.slice(0, 16), clusters.length)
    if (low <= truth && truth <= high) held += 1
  }
  assert.ok(held / tries > 0.93 && held / tries < 0.97, `${held} of ${tries}`)
})

test('the quantiles are those of the tables', () => {
  const table: [degrees: number, quantile: number][] = [
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [5, 2.571],
    [10, 2.228],
    [31, 2.04],
    [1_000, 1.962],
  ]
  for (const [degrees, quantile] of table) {
    assert.ok(Math.abs(studentQuantile(degrees) / quantile - 1) < 0.01, `${degrees}: ${studentQuantile(degrees)}`)
  }
})

test('an old figure stands where the sample bears it out', () => {
  const sampled = { value: 100, low: 90, high: 110 }
  assert.equal(corrected(105, sampled).value, 105)
  assert.equal(corrected(50, sampled).value, 100)
  assert.equal(corrected(111, sampled).value, 100)
})

test('a line is followed beyond the points it was found by', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000), { minLength: 1, maxLength: 50 }),
      fc.nat(9),
      fc.nat(9),
      (sizes, fixed, slope) => {
        const fit = new LineFit()
        for (const size of sizes) fit.add(size, fixed + slope * size)
        const bytes = sizes.reduce((sum, size) => sum + size, 0)
        const expected = 3 * (fixed * sizes.length + slope * bytes)
        assert.ok(Math.abs(fit.sumOver(3 * sizes.length, 3 * bytes) - expected) <= 1e-6 * Math.max(1, expected))
      },
    ),
  )
  assert.equal(new LineFit().sumOver(10, 10), 0)
})
