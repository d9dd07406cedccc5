import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'

test('time jumps from timer to timer, and stands still while anything can run', async () => {
  const clock = new VirtualClock(1_000)
  const seen: number[] = []
  const work = async (): Promise<string> => {
    await sleep(clock, 3_600_000)
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
    seen.push(clock.now(), clock.wallNow())
    await sleep(clock, 0.5)
    seen.push(clock.now())
    return 'done'
  }
  assert.equal(await clock.run(work()), 'done')
  assert.deepEqual(seen, [3_600_000, 3_601_000, 3_600_000.5])
})

test('timers fire by time, those of one moment as they were set, cleared ones never', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(7)
  const fired: [number, number][] = []
  const expected: [number, number][] = []
  for (let index = 0; index < 500; index += 1) {
    const delayMs = Math.floor(random() * 20)
    const timer = clock.setTimer(() => fired.push([delayMs, index]), delayMs)
    if (random() < 0.3) timer.clear()
    else expected.push([delayMs, index])
  }
  await clock.run(sleep(clock, 100))
  assert.deepEqual(
    fired,
    expected.sort((left, right) => left[0] - right[0] || left[1] - right[1]),
  )
})

test('work that cannot end is told apart from work that takes long', async () => {
  const clock = new VirtualClock()
  await assert.rejects(clock.run(new Promise(() => undefined)), /no timer is set/)
  await assert.rejects(clock.run(sleep(clock, 2_000), { virtualMsMax: 1_000 }), /within 1000 ms of virtual time/)
  const busy = async (): Promise<never> => {
    for (;;) await sleep(clock, 1)
  }
  await assert.rejects(clock.run(busy(), { stepsMax: 50 }), /within 50 timers/)
})

test('what the work throws comes out, and no timer is taken that Node would not keep', async () => {
  const clock = new VirtualClock()
  const failing = sleep(clock, 5).then(() => {
    throw new Error('on purpose')
  })
  await assert.rejects(clock.run(failing), /on purpose/)
  assert.throws(() => clock.setTimer(() => undefined, 2 ** 31), RangeError)
  assert.throws(() => clock.setTimer(() => undefined, Number.NaN), RangeError)
})
