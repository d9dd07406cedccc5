import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadingRamp } from '../../src/scan/readingRamp.ts'

test('D4: reading begins with one small page, grows while answers are quick, and goes back where they are slow', () => {
  const ramp = new ReadingRamp(16)
  assert.deepEqual([ramp.segments, ramp.pageBytes], [1, 64 * 1024])
  for (let page = 0; page < 40; page += 1) ramp.onAnswer(5)
  assert.equal(ramp.segments, 16)
  assert.ok(ramp.pageBytes >= 1024 * 1024)
  ramp.onAnswer(700)
  assert.equal(ramp.segments, 8)
  for (let page = 0; page < 10; page += 1) ramp.onAnswer(700)
  assert.equal(ramp.segments, 1)
  const slow = new ReadingRamp(16)
  for (let page = 0; page < 10; page += 1) slow.onAnswer(100)
  assert.equal(slow.segments, 1)
})
