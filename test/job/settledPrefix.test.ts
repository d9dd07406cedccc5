import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JobReject } from '../../src/job/reject.ts'
import { SettledPrefix } from '../../src/job/settledPrefix.ts'
import type { Ending } from '../../src/job/tally.ts'

const ENDINGS = ['written', 'overwritten', 'skipped', 'rejected', 'filtered'] as const

test('what is passed is settled without a gap, and each reject is told once, in order, when it is passed', () => {
  const step = fc.record({ takes: fc.boolean(), which: fc.nat(1_000), ending: fc.constantFrom(...ENDINGS) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const tally = { written: 0, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 }
      const told: number[] = []
      const prefix = new SettledPrefix(tally, ({ place }) => told.push(Number(place)))
      const endings: (Ending | undefined)[] = []
      for (const { takes, which, ending } of steps) {
        const open = endings.flatMap((one, sequence) => (one === undefined ? [sequence] : []))
        if (takes || open.length === 0) {
          assert.equal(prefix.take(), endings.length)
          endings.push(undefined)
          continue
        }
        const sequence = open[which % open.length]!
        endings[sequence] = ending
        const reject: JobReject = { code: 'Wrong', message: 'wrong', place: `${sequence}` }
        prefix.settle(sequence, ending, ending === 'rejected' ? reject : undefined)
        const gap = endings.indexOf(undefined)
        const passed = endings.slice(0, gap === -1 ? endings.length : gap)
        assert.equal(prefix.passed, passed.length)
        assert.equal(prefix.span, endings.length - passed.length)
        for (const one of ENDINGS) assert.equal(tally[one], passed.filter((other) => other === one).length)
        const rejected = passed.flatMap((one, index) => (one === 'rejected' ? [index] : []))
        assert.deepEqual(told, rejected)
      }
    }),
  )
})
