import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Delays } from '../../src/runtime/delays.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'

test('who waits long goes within half a second when hastened, who was told to wait no sooner than that', async () => {
  const clock = new VirtualClock()
  const delays = new Delays(clock, () => 0.5)
  const went: [string, number][] = []
  const add = (name: string, delayMs: number, leastMs?: number): void =>
    delays.add(delayMs, () => went.push([name, clock.now()]), leastMs)
  add('soon', 100)
  add('late', 20_000)
  add('told', 20_000, 5_000)
  clock.setTimer(() => delays.hasten(), 1_000)
  clock.setTimer(() => delays.hasten(), 1_100)
  await clock.run(new Promise<void>((resolve) => void clock.setTimer(resolve, 30_000)))
  assert.deepEqual(went, [
    ['soon', 100],
    ['late', 1_250],
    ['told', 5_250],
  ])
  assert.equal(delays.size, 0)
})

test('what is cleared never goes', async () => {
  const clock = new VirtualClock()
  const delays = new Delays(clock, () => 0.5)
  delays.add(100, () => assert.fail('it went'))
  delays.clear()
  await clock.run(new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000)))
})
