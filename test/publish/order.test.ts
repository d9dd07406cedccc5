import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { connect } from '../../src/database/database.ts'
import type { AnswerReceiver, Transport } from '../../src/dynamodb/transport.ts'
import type { Clock, Timer } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { keyOf, MemoryTable } from '../support/memoryTable.ts'
import { type ScriptedAnswer, serviceError } from '../support/scriptedServer.ts'

interface Pending {
  readonly at: number
  readonly callback: () => void
}

/** Time that passes only when nothing else is left to do. */
class VirtualClock implements Clock {
  #now = 0
  #timers: Pending[] = []
  now = (): number => this.#now
  wallNow = (): number => 1_700_000_000_000 + this.#now

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return {
      clear: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  /** Lets time pass until `work` is settled. */
  async runUntil(work: Promise<unknown>): Promise<void> {
    let settled = false
    const end = () => {
      settled = true
    }
    work.then(end, end)
    for (let idle = 0; !settled; ) {
      await setImmediate()
      const next = this.#timers.reduce<Pending | undefined>(
        (least, timer) => (least === undefined || timer.at < least.at ? timer : least),
        undefined,
      )
      if (next === undefined) {
        idle += 1
        if (idle > 1_000) throw new Error('nothing is left to happen, and yet the publisher is not done: it hangs')
        continue
      }
      idle = 0
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
    }
    await work
  }
}

/** A table that has many bad days, and looks at every request for what must never be. */
class FaultyTable implements Transport {
  readonly table: MemoryTable
  readonly #clock: Clock
  readonly #random: () => number
  readonly #faultShare: number
  readonly #underWay = new Set<string>()
  readonly breaches: string[] = []

  constructor(clock: Clock, random: () => number, faultShare: number, dialect: 'clauses' | 'commas' | 'none') {
    this.table = new MemoryTable({ dialect })
    this.#clock = clock
    this.#random = random
    this.#faultShare = faultShare
  }

  send(headers: string[], bytes: Buffer, receiver: AnswerReceiver): () => void {
    const target = headers[headers.findIndex((header) => header.toLowerCase() === 'x-amz-target') + 1]!
    const operation = target.slice(target.indexOf('.') + 1)
    const body = JSON.parse(bytes.toString())
    const keys = touched(operation, body)
    if (new Set(keys).size < keys.length) this.breaches.push(`one request holds a key twice: ${keys}`)
    for (const key of keys) {
      if (this.#underWay.has(key)) this.breaches.push(`two requests with ${key} at once`)
      this.#underWay.add(key)
    }
    const end = (answer: ScriptedAnswer) => {
      for (const key of keys) this.#underWay.delete(key)
      if (typeof answer === 'string') {
        receiver.onFailure({ kind: 'reset', message: answer, cause: undefined })
      } else {
        const text = Buffer.from(JSON.stringify(answer.body))
        receiver.onAnswer({
          status: answer.status ?? 200,
          body: text,
          crc32: undefined,
          requestId: '',
          gzip: false,
          date: '',
          retryAfterMs: undefined,
        })
      }
    }
    // The write is made at one moment, its answer arrives at a later one.
    this.#clock.setTimer(() => {
      const answer = this.#serve(operation, body)
      this.#clock.setTimer(() => end(answer), this.#random() * 20)
    }, this.#random() * 20)
    return () => undefined
  }

  close = (): Promise<void> => Promise.resolve()

  // biome-ignore lint/suspicious/noExplicitAny: requests of many shapes
  #serve(operation: string, body: any): ScriptedAnswer {
    const { table } = this
    if (operation === 'DescribeTable' || this.#random() >= this.#faultShare) return table.answer(operation, body)
    const dice = Math.floor(this.#random() * 6)
    if (dice === 0) return serviceError('ThrottlingException')
    if (dice === 1) return 'reset'
    if (dice === 2) return serviceError('InternalServerError', 'before', 500)
    if (dice === 3 && operation === 'BatchWriteItem') {
      const requests: { PutRequest?: { Item: { [name: string]: unknown } } }[] = body.RequestItems.things
      const kept = requests.filter(() => this.#random() < 0.5)
      table.write(requests.filter((request) => !kept.includes(request)))
      return { body: { UnprocessedItems: kept.length === 0 ? {} : { things: kept } } }
    }
    if (dice === 3 && operation === 'BatchExecuteStatement') {
      const Responses = body.Statements.map((statement: object) => {
        const thrown = this.#random()
        if (thrown < 0.3) return { Error: { Code: 'ThrottlingError' } }
        const answer = table.answer(operation, { Statements: [statement] }) as { body: { Responses?: object[] } }
        return thrown < 0.6 ? { Error: { Code: 'InternalServerError' } } : answer.body.Responses?.[0]
      })
      return Responses.includes(undefined) ? 'reset' : { body: { Responses } }
    }
    table.answer(operation, body)
    return dice === 4 ? 'reset' : serviceError('InternalServerError', 'after', 500)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: requests of many shapes
function touched(operation: string, body: any): string[] {
  if (operation === 'BatchWriteItem') return body.RequestItems.things.map(keyOf)
  if (operation === 'UpdateItem') return [body.Key.pk.S]
  if (operation !== 'BatchExecuteStatement') return []
  return body.Statements.map(
    ({ Parameters }: { Parameters: { S?: string }[] }) => Parameters.find(({ S }) => S?.startsWith('key'))!.S,
  )
}

type Operation = { kind: 'put' | 'delete' | 'update' | 'flush' | 'pause'; key: string }

const operation = fc.record<Operation>({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('put' as const) },
    { weight: 3, arbitrary: fc.constant('delete' as const) },
    { weight: 4, arbitrary: fc.constant('update' as const) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
    { weight: 2, arbitrary: fc.constant('pause' as const) },
  ),
  key: fc.integer({ min: 0, max: 5 }).map((number) => `key${number}`),
})

test('of each key the last write wins, whatever is retried; none is twice in a batch or at the service', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom(0, 0.2, 0.7),
      fc.constantFrom('clauses' as const, 'commas' as const, 'none' as const),
      fc.constantFrom(1, 3, 25, 1_000),
      async (operations, seed, faultShare, dialect, maxInFlight) => {
        const clock = new VirtualClock()
        const random = seededRandom(seed)
        const transport = new FaultyTable(clock, random, faultShare, dialect)
        const database = connect({ endpoint: 'http://localhost:1', clock, random, transport })
        let rejects = 0
        const publisher = database.table('things').publisher({ maxInFlight, lingerMs: 3, onReject: () => rejects++ })
        const expected = new Map<string, object>()
        let missing = 0
        const produce = async () => {
          for (const [index, { kind, key }] of operations.entries()) {
            const value = { N: `${index}` }
            if (kind === 'put') {
              publisher.put({ pk: key, v: index })
              expected.set(key, { pk: { S: key }, v: value })
            } else if (kind === 'delete') {
              publisher.delete({ pk: key })
              expected.delete(key)
            } else if (kind === 'update') {
              publisher.update({ pk: key }, { set: { u: index, w: index } })
              if (expected.has(key)) expected.set(key, { ...expected.get(key), u: value, w: value })
              else missing += 1
            } else if (kind === 'flush') {
              await publisher.flush()
            } else {
              await new Promise<void>((resolve) => void clock.setTimer(resolve, 10))
            }
          }
          await publisher.close()
        }
        await clock.runUntil(produce())
        assert.deepEqual(transport.breaches, [])
        assert.deepEqual(Object.fromEntries(transport.table.items), Object.fromEntries(expected))
        assert.equal(rejects, missing)
        const { taken, stored, rejected, conflicted, buffered, bufferedBytes, inFlight } = publisher.stats
        assert.deepEqual({ buffered, bufferedBytes, inFlight }, { buffered: 0, bufferedBytes: 0, inFlight: 0 })
        assert.equal(taken, stored + rejected + conflicted)
      },
    ),
    { numRuns: 300 },
  )
})
