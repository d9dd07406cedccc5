import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from '../../src/runtime/deadlines.ts'
import { ManualClock } from '../support/manualClock.ts'

test('each is told when its time is over, in order, by one timer at a time', async () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  const expired: string[] = []
  const begin = (name: string) => deadlines.begin(() => void expired.push(`${name} ${clock.now()}`))
  begin('a')
  await clock.advance(30)
  const endB = begin('b')
  begin('c')
  await clock.advance(30)
  begin('d')
  assert.equal(clock.timers, 1)
  endB()
  await clock.advance(1_000)
  assert.deepEqual(expired, ['a 100', 'c 130', 'd 160'])
  assert.equal(clock.timers, 0)
  endB()
  begin('e')
  await clock.advance(99)
  deadlines.clear()
  assert.equal(clock.timers, 0)
  await clock.advance(100)
  assert.equal(expired.length, 3)
})

test('what begins when another expires has its own time', async () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  const expired: number[] = []
  deadlines.begin(() => {
    expired.push(clock.now())
    deadlines.begin(() => void expired.push(clock.now()))
  })
  await clock.advance(50)
  deadlines.begin(() => void expired.push(clock.now()))
  await clock.advance(500)
  assert.deepEqual(expired, [100, 150, 200])
})
