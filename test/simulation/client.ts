import { connect, type Database, type Table } from '../../src/index.ts'
import { type Clock, sleep } from '../../src/runtime/clock.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { Wire, WireReceiver } from '../../src/simulator/wire.ts'
import type { World } from './world.ts'

/** In every secret of these worlds, and nowhere else. */
export const CANARY = 'canary'

interface ClientOptions {
  readonly world: World
  readonly service: SimulatedService
  readonly clock: Clock
  readonly random: Random
  /** No two of a run have the same. */
  readonly number: number
  /** Told of what it meets. */
  readonly met: Set<string>
}

/** A process that uses Headrace, and that may vanish at any instant as a machine does: without a word. */
export class Client {
  readonly database: Database
  readonly table: Table
  /** Stands still when the client is gone. */
  readonly clock: Clock
  #gone = false
  readonly #underWay = new Set<() => void>()

  constructor({ world, service, clock, random, number, met }: ClientOptions) {
    this.clock = {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer: (callback, delayMs) =>
        clock.setTimer(() => {
          if (!this.#gone) callback()
        }, delayMs),
    }
    let tokens = 0
    this.database = connect({
      endpoint: 'http://localhost:1',
      region: 'us-east-1',
      transport: this.#wireTo(service),
      clock: this.clock,
      random,
      credentials: async () => {
        await sleep(this.clock, 20)
        const { sessionOver } = world
        const now = clock.now()
        if (tokens > 0 && sessionOver !== undefined && now >= sessionOver.fromMs && now < sessionOver.toMs) {
          met.add('session over')
          throw new Error('the session is over')
        }
        tokens += 1
        return {
          accessKeyId: `${CANARY}-id`,
          secretAccessKey: `${CANARY}-secret`,
          sessionToken: `${CANARY}-token-${number}-${tokens}`,
        }
      },
    })
    this.table = this.database.table('things')
  }

  /** What is at the service is still served; nobody hears of it. */
  vanish(): void {
    this.#gone = true
    for (const abort of this.#underWay) abort()
    this.#underWay.clear()
  }

  #wireTo(service: SimulatedService): Wire {
    return {
      send: (headers, body, receiver) => {
        if (this.#gone) return () => undefined
        const ended = (): void => void this.#underWay.delete(cut)
        const told: WireReceiver = {
          onAnswer: (answer) => {
            ended()
            receiver.onAnswer(answer)
          },
          onFailure: (failure) => {
            ended()
            receiver.onFailure(failure)
          },
        }
        const abort = service.send(headers, body, told)
        const cut = (): void => {
          ended()
          abort()
        }
        this.#underWay.add(cut)
        return cut
      },
      close: () => service.close(),
    }
  }
}
