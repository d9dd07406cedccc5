import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../../src/network/credentialSource.ts'
import { CredentialSource } from '../../src/network/credentialSource.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { ManualClock, settled } from '../support/manualClock.ts'

const MINUTE_MS = 60_000

/** A provider of numbered credentials, each good for `lifeMs`; it remembers how it was asked. */
function provider(clock: ManualClock, lifeMs: number | undefined) {
  const state = {
    asked: [] as boolean[],
    failure: undefined as Error | undefined,
    async provide(options: { forceRefresh?: boolean } = {}): Promise<Credentials> {
      state.asked.push(options.forceRefresh === true)
      if (state.failure !== undefined) throw state.failure
      return {
        accessKeyId: `key-${state.asked.length}`,
        secretAccessKey: 'secret',
        expiration: lifeMs === undefined ? undefined : new Date(clock.wallNow() + lifeMs),
      }
    },
  }
  return state
}

test('credentials are asked for once, by all who wait, and kept', async () => {
  const clock = new ManualClock()
  const { asked, provide } = provider(clock, undefined)
  const source = new CredentialSource(provide, clock)
  assert.strictEqual(source.current(), undefined)
  const [one, other] = await Promise.all([source.get(), source.get()])
  assert.strictEqual(one, other)
  await clock.advance(1_000 * 60 * MINUTE_MS)
  assert.strictEqual(source.current(), one)
  assert.deepStrictEqual(asked, [false])
})

test('five minutes before they expire others are fetched in the background, while the old ones work', async () => {
  const clock = new ManualClock()
  const { asked, provide } = provider(clock, 60 * MINUTE_MS)
  const source = new CredentialSource(provide, clock)
  await source.get()
  await clock.advance(55 * MINUTE_MS)
  assert.strictEqual(source.current()?.accessKeyId, 'key-1')
  assert.strictEqual(asked.length, 1)
  await clock.advance(1)
  assert.strictEqual(source.current()?.accessKeyId, 'key-1')
  assert.strictEqual(source.current()?.accessKeyId, 'key-1')
  assert.strictEqual(asked.length, 2)
  await settled()
  assert.strictEqual(source.current()?.accessKeyId, 'key-2')
  assert.deepStrictEqual(asked, [false, false])
})

test('a provider that fails meanwhile is asked again after 15 seconds, and the old ones are used till ten seconds before the end', async () => {
  const clock = new ManualClock()
  const state = provider(clock, 60 * MINUTE_MS)
  const source = new CredentialSource(state.provide, clock)
  await source.get()
  state.failure = new Error('the metadata service is away')
  await clock.advance(56 * MINUTE_MS)
  for (let asked = 0; asked < 5; asked += 1) {
    assert.strictEqual(source.current()?.accessKeyId, 'key-1')
    await settled()
  }
  assert.strictEqual(state.asked.length, 2)
  await clock.advance(15_000)
  source.current()
  await settled()
  assert.strictEqual(state.asked.length, 3)
  await clock.advance(4 * MINUTE_MS - 15_000 - 10_000)
  assert.strictEqual(source.current()?.accessKeyId, 'key-1')
  await settled()
  await clock.advance(1)
  assert.strictEqual(source.current(), undefined)
  await assert.rejects(source.get(), /the metadata service is away/)
  state.failure = undefined
  await clock.advance(15_000)
  assert.strictEqual((await source.get()).accessKeyId, `key-${state.asked.length}`)
  assert.ok(source.current())
})

test('a provider that has none any more is asked once in 15 seconds, by however many who wait, until it has some again', async () => {
  const clock = new ManualClock()
  const state = provider(clock, 60 * MINUTE_MS)
  const source = new CredentialSource(state.provide, clock)
  assert.strictEqual(source.askAgainInMs, undefined)
  source.invalidate(await source.get())
  state.failure = new Error('the session is over')
  for (let round = 0; round < 3; round += 1) {
    const waiting = Array.from({ length: 40 }, () => source.get())
    for (const one of waiting) await assert.rejects(one, /the session is over/)
    assert.strictEqual(source.askAgainInMs, 15_000)
    await clock.advance(14_999)
    await assert.rejects(source.get(), /the session is over/)
    assert.strictEqual(source.askAgainInMs, 1)
    assert.strictEqual(state.asked.length, 2 + round)
    await clock.advance(1)
  }
  state.failure = undefined
  assert.ok(await source.get())
  assert.deepStrictEqual(state.asked, [false, true, true, true, true])
})

test('what the service calls expired is never used again, and the provider is told', async () => {
  const clock = new ManualClock()
  const { asked, provide } = provider(clock, 60 * MINUTE_MS)
  const source = new CredentialSource(provide, clock)
  const first = await source.get()
  source.invalidate(first)
  assert.strictEqual(source.current(), undefined)
  const second = await source.get()
  assert.deepStrictEqual(asked, [false, true])
  // A request that was sent with the first ones is answered only now.
  source.invalidate(first)
  assert.strictEqual(source.current(), second)
  await clock.advance(56 * MINUTE_MS)
  source.current()
  await settled()
  assert.deepStrictEqual(asked, [false, true, false])
})

test('a provider without credentials is an error with what to do', async () => {
  const cause = new Error('Could not load credentials from any providers.')
  const source = new CredentialSource(() => Promise.reject(cause), new ManualClock())
  await assert.rejects(source.get(), (error: unknown) => {
    assert.ok(error instanceof HeadraceError)
    assert.strictEqual(error.code, 'CREDENTIALS')
    assert.strictEqual(error.cause, cause)
    assert.match(
      error.message,
      /^no AWS credentials: Could not load credentials from any providers\. Set AWS_PROFILE or /,
    )
    return true
  })
  await assert.rejects(source.get(), HeadraceError)
})

test('credentials that expire while they are refreshed are refreshed before they are given', async () => {
  const clock = new ManualClock()
  const { provide } = provider(clock, 5_000)
  const source = new CredentialSource(provide, clock)
  await source.get()
  assert.strictEqual(source.current(), undefined)
  assert.strictEqual((await source.get()).accessKeyId, 'key-2')
})

test('credentials that cannot stand in the head of a request are refused by name, and not shown', async () => {
  for (const [more, name] of [
    [{ accessKeyId: 'AKIA1\n' }, 'access key id'],
    [{ sessionToken: 'hidden\r\nX-Injected: 1' }, 'session token'],
    [{ sessionToken: 'hidden\u00e9' }, 'session token'],
  ] as const) {
    const credentials = { accessKeyId: 'AKIA1', secretAccessKey: 'hidden', ...more }
    const source = new CredentialSource(async () => credentials, new ManualClock())
    await assert.rejects(source.get(), (error: unknown) => {
      assert.ok(error instanceof HeadraceError)
      assert.equal(error.code, 'CREDENTIALS')
      assert.match(error.message, new RegExp(`the ${name} contains a line break`))
      assert.doesNotMatch(error.message, /hidden/)
      return true
    })
    assert.equal(source.current(), undefined)
  }
})
