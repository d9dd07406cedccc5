import { sleep } from '../../../src/runtime/clock.ts'
import type { Drive, ScenarioWorld } from '../../../src/simulator/scenario.ts'
import type { ScenarioItem } from '../../../src/simulator/scenarioItems.ts'
import { type BatchReply, Feed, sendBatch } from './batchRequest.ts'
import { CubicLimiter } from './cubicLimiter.ts'

// The AWS SDKs' standard and adaptive retry modes by their rules of 2026 (@smithy/core 3.41, Retry.v2026).

const ATTEMPTS_MAX = 4
/** Of DynamoDB clients, and of any client after a throttle. */
const BASE_MS = 25
const THROTTLE_BASE_MS = 1_000
const DELAY_MS_MAX = 20_000
const QUOTA = 500
const COST = 14
const THROTTLE_COST = 5
/** What the caller's own loop waits before it sends unprocessed items again, as AWS asks for; the SDK does not. */
const UNPROCESSED_BASE_MS = 50
const AFTER_ERROR_MS = 1_000

/**
 * @param mode of retries
 * @param workers calls at the same time, default 50: the sockets that a client has
 */
export function sdkRetries(mode: 'standard' | 'adaptive', workers = 50): Drive {
  return async (world) => {
    const feed = new Feed(world)
    const client = new Client(world, mode === 'adaptive' ? new CubicLimiter(world.clock) : undefined)
    await Promise.all(Array.from({ length: workers }, () => write(world, feed, client)))
    return feed.result
  }
}

async function write(world: ScenarioWorld, feed: Feed, client: Client): Promise<void> {
  for (;;) {
    let items: readonly ScenarioItem[] = feed.take(25)
    if (items.length === 0) return
    for (let turn = 0; items.length > 0; turn += 1) {
      const reply = await client.call(items)
      if (reply.kind !== 'done') {
        // The caller hears of an error, has no more than that, and goes on a little later; without that pause all that it
        // has would be gone as soon as the quota is.
        feed.lost += items.length
        await sleep(world.clock, AFTER_ERROR_MS)
        break
      }
      feed.stored += items.length - reply.unprocessed.length
      items = reply.unprocessed
      const boundMs = Math.min(DELAY_MS_MAX, UNPROCESSED_BASE_MS * 2 ** turn)
      if (items.length > 0) await sleep(world.clock, world.random() * boundMs)
    }
  }
}

class Client {
  readonly #world: ScenarioWorld
  readonly #limiter: CubicLimiter | undefined
  #quota = QUOTA

  constructor(world: ScenarioWorld, limiter: CubicLimiter | undefined) {
    this.#world = world
    this.#limiter = limiter
    world.allowedPerSecond = () => (limiter?.rate === undefined ? undefined : limiter.rate * 25)
  }

  async call(items: readonly ScenarioItem[]): Promise<BatchReply> {
    let cost = 0
    for (let attempt = 1; ; attempt += 1) {
      await this.#limiter?.take()
      const reply = await sendBatch(this.#world, items)
      this.#limiter?.onReply(reply.kind === 'throttled')
      if (reply.kind === 'done') {
        this.#quota = Math.min(QUOTA, this.#quota + (cost || 1))
        return reply
      }
      cost = reply.kind === 'throttled' ? THROTTLE_COST : COST
      if (attempt === ATTEMPTS_MAX || this.#quota < cost) return reply
      this.#quota -= cost
      const baseMs = reply.kind === 'throttled' ? THROTTLE_BASE_MS : BASE_MS
      const delayMs = this.#world.random() * Math.min(DELAY_MS_MAX, baseMs * 2 ** (attempt - 1))
      // What the service asks to wait holds within five seconds of what was drawn.
      const hintMs = reply.retryAfterMs ?? 0
      await sleep(this.#world.clock, Math.min(Math.max(delayMs, hintMs), delayMs + 5_000))
    }
  }
}
