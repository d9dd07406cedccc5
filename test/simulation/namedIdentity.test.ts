import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConnectOptions, HeadraceError, type Table, updateAll } from '../../src/index.ts'
import { planText } from '../../src/report/planText.ts'
import { sleep } from '../../src/runtime/clock.ts'
import type { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { VirtualClock } from '../../src/simulator/virtualClock.ts'
import type { Wire } from '../../src/simulator/wire.ts'
import { publish, start, writesBetween } from './start.ts'

const HOUR_MS = 3_600_000

/** Tokens that say when they expire, as STS gives them for an hour, and a service that believes them. */
class Sessions {
  readonly askedAtMs: number[] = []
  readonly forced: boolean[] = []
  refused = 0
  /** From then on the provider has none, until the other moment. */
  away: readonly [number, number] = [Number.POSITIVE_INFINITY, 0]
  readonly #clock: VirtualClock
  readonly #told: boolean

  /** @param told whether the provider says when its credentials expire */
  constructor(clock: VirtualClock, told: boolean) {
    this.#clock = clock
    this.#told = told
  }

  readonly provide = async (options: { forceRefresh?: boolean } = {}) => {
    const nowMs = this.#clock.now()
    this.askedAtMs.push(nowMs)
    this.forced.push(options.forceRefresh === true)
    await sleep(this.#clock, 50)
    if (nowMs >= this.away[0] && nowMs < this.away[1]) throw new Error('the SSO session is over')
    const expiration = this.#told ? { expiration: new Date(this.#clock.wallNow() + HOUR_MS) } : {}
    const sessionToken = `until ${this.#clock.now() + HOUR_MS}`
    return { accessKeyId: 'key', secretAccessKey: 'secret', sessionToken, ...expiration }
  }

  guard(service: SimulatedService): Wire {
    return answering(service, (headers) => {
      const token = headers[headers.indexOf('x-amz-security-token') + 1] ?? ''
      if (this.#clock.now() < Number(token.slice('until '.length))) return undefined
      this.refused += 1
      return 'ExpiredTokenException'
    })
  }
}

/** The service, but for requests to which the answer is an error of this name. */
function answering(service: SimulatedService, errorOf: (headers: string[]) => string | undefined): Wire {
  return {
    send(headers, body, receiver) {
      const code = errorOf(headers)
      if (code === undefined) return service.send(headers, body, receiver)
      let waits = true
      const text = JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message: 'no' })
      queueMicrotask(() => {
        if (!waits) return
        const answer = { crc32: undefined, requestId: 'R', gzip: false, date: '', retryAfterMs: undefined }
        receiver.onAnswer({ status: 400, body: Buffer.from(text), ...answer })
      })
      return () => {
        waits = false
      }
    },
    close: () => service.close(),
  }
}

async function startSession(told: boolean) {
  let sessions!: Sessions
  const connection = (service: SimulatedService, clock: VirtualClock): Partial<ConnectOptions> => {
    sessions = new Sessions(clock, told)
    return { transport: sessions.guard(service), credentials: sessions.provide, region: 'us-east-1' }
  }
  return { ...(await start({}, { connection })), sessions }
}

/** One item each ten seconds for so many hours. */
async function trickle(table: Table, clock: VirtualClock, hours: number): Promise<number> {
  const publisher = table.publisher()
  const items = (hours * HOUR_MS) / 10_000
  for (let index = 0; index < items; index += 1) {
    if (!publisher.put({ pk: `k${index}` })) await publisher.ready
    await sleep(clock, 10_000)
  }
  await publisher.close()
  return items - publisher.stats.stored
}

test('an STS token expires each hour and the provider gives new ones: refreshed 5 minutes before, none is refused, nothing lost', async () => {
  const { clock, service, table, sessions } = await startSession(true)
  assert.equal(await clock.run(trickle(table, clock, 5)), 0)
  assert.equal(service.log.writes.length, 1_800)
  assert.equal(sessions.refused, 0)
  const gaps = sessions.askedAtMs.slice(1).map((atMs, index) => atMs - sessions.askedAtMs[index]!)
  assert.equal(gaps.length, 5)
  for (const gap of gaps) assert.ok(gap >= 55 * 60_000 && gap <= 55 * 60_000 + 11_000, `${gap}`)
})

test('a provider that fails at expiry: pauses, keeps trying each 15 s, and goes on when there are credentials again', async () => {
  const { clock, table, sessions } = await startSession(true)
  sessions.away = [50 * 60_000, 65 * 60_000]
  assert.equal(await clock.run(trickle(table, clock, 2)), 0)
})

test('a session that is over while many requests are under way: the provider is asked once in 15 s, and nothing is lost', async () => {
  const { clock, service, simulated, table, sessions } = await startSession(false)
  simulated.fill(Array.from({ length: 500 }, (_, index) => ({ pk: { S: `u${index}` } })))
  sessions.away = [1, HOUR_MS + 300_000]
  await clock.run(sleep(clock, HOUR_MS - 3_000))
  const fromMs = clock.now()
  const work = async (): Promise<[number, number, number]> => {
    const publisher = table.publisher()
    const update = updateAll(table, () => ({ set: { seen: true } }), {
      writeUnitsPerSecond: 50,
      filter: "begins_with(pk, 'u')",
    }).run()
    for (let index = 0; index < 20_000; index += 1) {
      if (!publisher.put({ pk: `k${index}` })) await publisher.ready
    }
    await publisher.close()
    return [publisher.stats.stored, publisher.stats.retried, (await update).written]
  }
  const [stored, retried, updated] = await clock.run(work())
  assert.deepEqual([stored, updated], [20_000, 500])
  assert.ok(retried > 100, `${retried} retried`)
  const asked = sessions.askedAtMs.filter((atMs) => atMs >= fromMs)
  for (const [index, atMs] of asked.entries()) {
    if (index > 0) assert.ok(atMs - asked[index - 1]! >= 15_000, `asked again after ${atMs - asked[index - 1]!} ms`)
  }
  assert.ok(asked.length >= 18 && asked.length <= 21, `asked ${asked.length} times`)
  // Each that waited went within a second of the first, and nobody sent what could not be signed.
  assert.equal(writesBetween(service, HOUR_MS + 60_000, HOUR_MS + 290_000), 0)
  assert.ok(clock.now() <= HOUR_MS + 345_000, `${clock.now()} ms`)
})

test('a session that is over for good: the job ends with its patience, and says how to sign in', async () => {
  const { clock, table, sessions } = await startSession(false)
  sessions.away = [1, Number.POSITIVE_INFINITY]
  await clock.run(sleep(clock, HOUR_MS))
  await assert.rejects(clock.run(publish(table, 100, { patienceMs: 60_000 })), (error) => {
    assert.ok(error instanceof HeadraceError)
    assert.equal(error.code, 'NO_PROGRESS')
    assert.match(error.message, /the SSO session is over.*sign in/)
    return true
  })
  assert.ok(clock.now() <= HOUR_MS + 90_000, `${clock.now()} ms`)
})

test('a provider that has none at the very first call: an error at once', async () => {
  const none = () => Promise.reject(new Error('no profile'))
  await assert.rejects(
    start({}, { connection: () => ({ credentials: none, region: 'us-east-1' }) }),
    (error) => error instanceof HeadraceError && error.code === 'CREDENTIALS',
  )
})

test('a static session token expires: what holds it is asked again, told why, and nothing is lost', async () => {
  const { clock, service, table, sessions } = await startSession(false)
  assert.equal(await clock.run(trickle(table, clock, 3)), 0)
  assert.equal(service.log.writes.length, 1_080)
  assert.deepEqual(sessions.forced, [false, true, true, true].slice(0, sessions.forced.length))
  // One refusal for each session, and one for the request that found it out.
  assert.ok(sessions.refused >= 2 && sessions.refused <= 3, `${sessions.refused} refused`)
})

test('AccessDenied at the first call, and after an hour: fatal, one request, and it says that it is the policy', async () => {
  const denied = (error: unknown): boolean => {
    assert.ok(error instanceof HeadraceError)
    assert.equal(error.code, 'DENIED')
    assert.match(error.message, /AccessDeniedException.*policy/s)
    return true
  }
  for (const fromMs of [0, HOUR_MS]) {
    let asked = 0
    const connection = (service: SimulatedService, clock: VirtualClock): Partial<ConnectOptions> => ({
      transport: answering(service, () => {
        if (clock.now() < fromMs) return undefined
        asked += 1
        return 'AccessDeniedException'
      }),
    })
    const work = async (): Promise<void> => {
      const { clock, table } = await start({}, { connection })
      await clock.run(trickle(table, clock, 2))
    }
    await assert.rejects(work(), denied)
    assert.equal(asked, 1)
  }
})

test('an answer is lost after the write took effect: a put is written again to the same end, an update is made once', async () => {
  const { clock, service, simulated, table } = await start({ shares: { 'reset after': 0.5 }, untilMs: 60_000 })
  simulated.fill(Array.from({ length: 200 }, (_, index) => ({ pk: { S: `u${index}` }, version: { N: '1' } })))
  const rejects: unknown[] = []
  const work = async () => {
    const publisher = table.publisher({ onReject: (reject) => void rejects.push(reject) })
    for (let index = 0; index < 200; index += 1) {
      publisher.put({ pk: `p${index}`, version: index })
      publisher.update({ pk: `u${index}` }, { set: { version: 2 } }, { expect: { version: 1 } })
    }
    await publisher.close()
    return publisher.stats
  }
  const { stored } = await clock.run(work())
  assert.deepEqual([stored, rejects], [400, []])
  const updates = service.log.writes.filter(({ kind }) => kind === 'update').map(({ key }) => key)
  assert.deepEqual([updates.length, new Set(updates).size], [200, 200])
  const puts = service.log.writes.filter(({ kind }) => kind === 'put').map(({ key }) => key)
  assert.ok(puts.length > 200 && new Set(puts).size === 200)
})

test("a table's name or ARN with shell or regex characters, another account's ARN: refused by the grammar before anything is sent, and the plan shows the account", async () => {
  const arn = 'arn:aws:dynamodb:us-east-1:999999999999:table/things'
  const at = await start({}, { table: { arn } })
  const requests = at.service.log.requests.length
  const odd = [
    '$(rm -rf ~)',
    '`id`',
    'a;b',
    'a|b',
    'things.*$^',
    'thi ngs',
    '../things',
    'thing\u0000',
    'ab',
    'x'.repeat(256),
  ]
  for (const name of [...odd, `${arn}$(id)`, `${arn}/index/byMail`, arn.replace('dynamodb', 's3')]) {
    assert.throws(() => at.database.table(name), { name: 'TypeError', message: /is not a valid table name/ }, name)
  }
  for (const whole of [arn, 'arn:aws-cn:dynamodb:cn-north-1:123456789012:table/things']) {
    assert.throws(() => at.database.table(whole), /is an ARN: pass only the name, things, .* by profile and region/)
  }
  assert.equal(at.service.log.requests.length, requests)
  const plan = await at.clock.run(updateAll(at.table, () => undefined).plan())
  assert.equal(plan.tableArn, arn)
  assert.match(planText({ ...plan, emulator: false }, String), new RegExp(`table +${arn}`))
})
