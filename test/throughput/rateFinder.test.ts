import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateFinder } from '../../src/throughput/rateFinder.ts'
import { playPlainService, total } from './plainService.ts'

for (const limit of [100, 1_000, 10_000, 40_000]) {
  for (const [from, start] of [
    ['above', limit * 10],
    ['below', limit / 10],
    ['nothing known', Number.POSITIVE_INFINITY],
  ] as const) {
    test(`a limit of ${limit} is found from ${from}: 97 % of it is used, and hardly anything throttled`, () => {
      const seconds = playPlainService({ limit, start, seconds: 120 }).slice(60)
      const { consumed, throttled, requests, throttledRequests } = total(seconds)
      assert.ok(consumed >= 0.97 * limit * 60, `${consumed / limit / 60} used`)
      assert.ok(throttled <= 0.01 * consumed, `${throttled / consumed} of the units throttled`)
      // Of any request that had a single unit throttled.
      assert.ok(throttledRequests <= 0.025 * requests, `${throttledRequests / requests} of the requests throttled`)
    })
  }
}

test('where nothing is known little is asked for, and soon all: twice as much with each round of answers', () => {
  const finder = new RateFinder(Number.POSITIVE_INFINITY, undefined, 0)
  const rates = [finder.unitsPerSecond]
  for (let now = 5; now <= 300; now += 1) {
    finder.onWait()
    finder.onAnswer(25, 0, now - 5, now)
    if (finder.unitsPerSecond !== rates.at(-1)) rates.push(finder.unitsPerSecond)
  }
  assert.deepEqual(rates.slice(0, 4), [1_000, 2_000, 4_000, 8_000])
  assert.equal(finder.unitsPerSecond, Number.POSITIVE_INFINITY, 'an emulator that throttles nothing is asked for all')
})

test('a limit that is named ends that: no more than what there was in the first second', () => {
  const finder = new RateFinder(Number.POSITIVE_INFINITY, undefined, 0)
  for (let now = 1; now <= 60; now += 1) {
    finder.onWait()
    finder.onAnswer(1, 0, now, now)
  }
  assert.ok(finder.unitsPerSecond > 10_000)
  finder.onAnswer(0, 1, 60, 61, true)
  assert.ok(finder.unitsPerSecond <= 60, `${finder.unitsPerSecond}`)
})

test('throttles of a limit that is named are never taken for noise', () => {
  const finder = new RateFinder(Number.POSITIVE_INFINITY, 1_000, 0)
  for (let now = 10; now <= 60_000; now += 10) {
    // Whatever is asked for, three quarters of it are throttled.
    finder.onAnswer(0.25, 0, now - 5, now)
    finder.onAnswer(0, 0.75, now - 5, now, true)
  }
  assert.equal(finder.noise, 0)
})

test('a bound is kept, and where it is below the limit nothing is ever throttled', () => {
  const seconds = playPlainService({ limit: 1_000, most: 800, seconds: 60 })
  const { consumed, throttled } = total(seconds.slice(2))
  assert.equal(throttled, 0)
  assert.ok(consumed >= 0.99 * 800 * 58 && consumed <= 801 * 58, `${consumed / 58} a second`)
})

test('a limit that rises is found again, and one that falls', () => {
  const risen = playPlainService({ limit: 1_000, seconds: 90, changes: { 30000: { limit: 10_000 } } })
  assert.ok(total(risen.slice(60)).consumed >= 0.97 * 10_000 * 30)
  const fallen = playPlainService({ limit: 10_000, seconds: 60, changes: { 30000: { limit: 1_000 } } })
  const { consumed, throttled } = total(fallen.slice(35))
  assert.ok(consumed >= 0.97 * 1_000 * 25 && throttled <= 0.02 * consumed, `${consumed} used, ${throttled} throttled`)
})

test('when all is throttled next to nothing is sent, and ten seconds after that all is as it was', () => {
  const changes = { 20000: { wholeNoise: 1 }, 80000: { wholeNoise: 0 } }
  const seconds = playPlainService({ limit: 40_000, most: 32_000, seconds: 100, changes })
  const vain = total(seconds.slice(22, 80))
  assert.equal(vain.consumed, 0)
  assert.ok(vain.requests <= 58 * 4, `${vain.requests} requests in vain`)
  const after = total(seconds.slice(90))
  assert.ok(after.consumed >= 0.95 * 32_000 * 10, `${after.consumed / 10} a second`)
})

for (const noise of [0.03, 0.3, 0.6, 0.9]) {
  test(`throttles by chance, ${noise * 100} % of all requests, do not talk the rate down to nothing`, () => {
    const seconds = playPlainService({ limit: 1e9, wholeNoise: noise, seconds: 60, seed: 3 })
    const { consumed } = total(seconds.slice(30))
    // A hundred thousand units a second are what forty requests of ten milliseconds come to.
    assert.ok(consumed >= 0.2 * 100_000 * 30 * (1 - noise), `${consumed / 30} a second`)
  })

  test(`nor do ${noise * 100} % of the units of each request`, () => {
    const seconds = playPlainService({ limit: 1e9, partNoise: noise, seconds: 30 })
    const { consumed } = total(seconds.slice(10))
    assert.ok(consumed >= 0.7 * 100_000 * 20 * (1 - noise), `${consumed / 20} a second`)
  })
}

test('noise hides no limit', () => {
  const seconds = playPlainService({ limit: 5_000, wholeNoise: 0.1, seconds: 120, seed: 5 })
  const { consumed, requests, throttledRequests } = total(seconds.slice(60))
  assert.ok(consumed >= 0.6 * 5_000 * 60, `${consumed / 5_000 / 60} used`)
  assert.ok(throttledRequests <= 0.3 * requests, `${throttledRequests / requests} throttled`)
})

test('a rate that is not used up is not raised', () => {
  const seconds = playPlainService({ limit: 1e6, start: 2_000, demand: 500, seconds: 30 })
  assert.equal(seconds.at(-1)!.unitsPerSecond, 2_000)
})

test('what is forgiven is as if it had not been', () => {
  const finder = new RateFinder(Number.POSITIVE_INFINITY, 1_000, 0)
  for (let now = 10; now <= 400; now += 10) finder.onAnswer(5, 5, now - 5, now)
  assert.ok(finder.unitsPerSecond < 1_000)
  finder.forgive()
  assert.equal(finder.unitsPerSecond, 1_000)
})

test('a higher bound is believed at once, a lower one too', () => {
  const finder = new RateFinder(800, 800, 0)
  finder.setMax(8_000)
  assert.equal(finder.unitsPerSecond, 8_000)
  finder.setMax(400)
  assert.equal(finder.unitsPerSecond, 400)
})
