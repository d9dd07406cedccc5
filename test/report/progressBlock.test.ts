import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProgressBlock, shownWidth } from '../../src/report/progressBlock.ts'
import { summary } from '../support/summary.ts'

const PLAIN = { columns: 100, hasColors: false, isUnicode: true }

/** So much of a job each second, of which a thousandth of everything ends in it. */
function after(seconds: number): ReturnType<typeof summary> {
  return summary({
    operation: 'update',
    table: 'users',
    complete: false,
    durationMs: seconds * 1_000,
    read: seconds * 2_000,
    written: seconds * 1_500,
    rejected: seconds,
    inFlight: 250,
    writeUnits: seconds * 1_500,
    writeUnitsPerSecondAllowed: 1_600,
    throttlingReasons: { TableWriteProvisionedThroughputExceeded: seconds * 3 },
    segments: 64,
    segmentsDone: 7,
    oldestSegment: { segment: 12, items: 3_456 },
    share: seconds / 1_000,
  })
}

test('a block says how far it is, how fast, what holds it up, and when it ends', () => {
  const block = new ProgressBlock()
  for (let seconds = 0; seconds <= 100; seconds += 1) block.note(after(seconds))
  assert.deepEqual(block.lines(after(100), PLAIN), [
    'update users  ██░░░░░░░░░░░░░░░░░░░░░░  10.0 %  15 min 00 s left  1 min 40 s elapsed',
    '  items      1,500/s  ████████████████████████  100 rejected  150,000 written  200,000 read',
    '  capacity   1,500 WCU/s  ████████████████████████  at most 1,600',
    '  requests   250 in flight',
    '  segments   7 of 64 read  oldest: 12, 3,456 items read',
  ])
  assert.match(block.lines(after(100), { ...PLAIN, columns: 140 })[2]!, / 3\.0\/s throttled by .+/)
})

test('an end is not foretold in the first seconds, nor where nothing comes nearer', () => {
  const block = new ProgressBlock()
  for (let seconds = 0; seconds <= 3; seconds += 1) block.note(after(seconds))
  assert.doesNotMatch(block.lines(after(3), PLAIN)[0]!, /left/)
  for (let seconds = 4; seconds <= 80; seconds += 1) block.note({ ...after(seconds), share: 0.2 })
  assert.doesNotMatch(block.lines({ ...after(80), share: 0.2 }, PLAIN)[0]!, /left/)
  const unknown = block.lines({ ...after(80), share: undefined }, PLAIN)[0]!
  assert.equal(unknown, 'update users  1 min 20 s elapsed')
})

test('no line is wider than the terminal, in colour or without', () => {
  const rates = fc.array(
    fc.record({ written: fc.nat(1e9), durationMs: fc.nat(1e9), share: fc.double({ min: 0, max: 1 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 31, max: 250 }), fc.boolean(), fc.boolean(), fc.string(), rates, (...given) => {
      const [columns, hasColors, isUnicode, table, seen] = given
      const block = new ProgressBlock()
      for (const one of seen) {
        const now = { ...after(50), ...one, table: table.replaceAll(/[^ -~]/g, '') }
        block.note(now)
        for (const line of block.lines(now, { columns, hasColors, isUnicode })) {
          assert.ok(shownWidth(line) < columns, `${shownWidth(line)} of ${columns}: ${line}`)
          if (!isUnicode) assert.match(line, hasColors ? /^[^\u0080-\uffff]*$/ : /^[ -~]*$/)
        }
      }
    }),
  )
})
