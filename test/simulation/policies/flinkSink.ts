import { type Deferred, deferred } from '../../../src/runtime/deferred.ts'
import { Ring } from '../../../src/runtime/ring.ts'
import type { Drive } from '../../../src/simulator/scenario.ts'
import type { ScenarioItem } from '../../../src/simulator/scenarioItems.ts'
import { Feed, sendBatch } from './batchRequest.ts'

// Apache Flink's AsyncSinkWriter with AIMDScalingStrategy, as its DynamoDB sink sets it (flink-connector-base,
// flink-connector-dynamodb).

const BATCH_MAX = 25
const REQUESTS_MAX = 50
const INCREASE = 10
const DECREASE = 0.5
const MESSAGES_MAX = BATCH_MAX * REQUESTS_MAX

/** Messages in flight: ten more for each request that succeeds, half after any that failed in part; no delay of its own. */
export function flinkSink(): Drive {
  return async (world) => {
    const feed = new Feed(world)
    const failed = new Ring<ScenarioItem>(1_024)
    let limit = BATCH_MAX
    let messages = 0
    let requests = 0
    let wake: Deferred<void> | undefined
    const take = (): ScenarioItem | undefined => failed.popFront() ?? feed.next()
    const send = async (items: readonly ScenarioItem[]): Promise<void> => {
      const reply = await sendBatch(world, items)
      const back = reply.kind === 'done' ? reply.unprocessed : items
      feed.stored += items.length - back.length
      messages -= items.length
      requests -= 1
      if (back.length === 0) limit = Math.min(MESSAGES_MAX, limit + INCREASE)
      else limit = Math.max(1, Math.round(limit * DECREASE))
      for (let index = back.length - 1; index >= 0; index -= 1) failed.pushFront(back[index]!)
      wake?.resolve()
    }
    for (;;) {
      const size = Math.min(BATCH_MAX, limit)
      if (requests < REQUESTS_MAX && messages + size <= limit) {
        const items: ScenarioItem[] = []
        for (let item = take(); item !== undefined; item = items.length < size ? take() : undefined) items.push(item)
        if (items.length > 0) {
          messages += items.length
          requests += 1
          void send(items)
          continue
        }
        if (requests === 0) return feed.result
      }
      wake = deferred()
      await wake.promise
    }
  }
}
