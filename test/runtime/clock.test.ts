import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep, systemClock } from '../../src/runtime/clock.ts'
import { ManualClock, settled } from '../support/manualClock.ts'

test('sleep resolves when its time has come, and not before', async () => {
  const clock = new ManualClock()
  let awake = false
  const asleep = sleep(clock, 100).then(() => {
    awake = true
  })
  await clock.advance(99)
  assert.strictEqual(awake, false)
  await clock.advance(1)
  assert.strictEqual(awake, true)
  await asleep
  assert.strictEqual(clock.timers, 0)
})

test('an abort ends the sleep with its reason and clears the timer', async () => {
  const clock = new ManualClock()
  const controller = new AbortController()
  const reason = new Error('enough')
  const asleep = sleep(clock, 100, controller.signal)
  assert.strictEqual(clock.timers, 1)
  controller.abort(reason)
  await assert.rejects(asleep, (error) => error === reason)
  assert.strictEqual(clock.timers, 0)
})

test('a signal that is aborted already starts no timer', async () => {
  const clock = new ManualClock()
  const reason = new Error('too late')
  await assert.rejects(sleep(clock, 100, AbortSignal.abort(reason)), (error) => error === reason)
  assert.strictEqual(clock.timers, 0)
})

test('a sleep that ended leaves no listener on the signal', async () => {
  const clock = new ManualClock()
  let listeners = 0
  const signal: Partial<AbortSignal> = {
    aborted: false,
    addEventListener: () => {
      listeners += 1
    },
    removeEventListener: () => {
      listeners -= 1
    },
  }
  const asleep = sleep(clock, 10, signal as AbortSignal)
  assert.strictEqual(listeners, 1)
  await clock.advance(10)
  await asleep
  assert.strictEqual(listeners, 0)
})

test('the system clock fires once, and not when cleared', async () => {
  let fired = 0
  const before = systemClock.now()
  const cleared = systemClock.setTimer(() => {
    fired += 100
  }, 1)
  cleared.clear()
  cleared.clear()
  await new Promise<void>((resolve) => {
    systemClock.setTimer(() => {
      fired += 1
      resolve()
    }, 5)
  })
  await settled()
  assert.strictEqual(fired, 1)
  assert.ok(systemClock.now() - before >= 4)
  assert.ok(Math.abs(systemClock.wallNow() - Date.now()) < 1_000)
})
