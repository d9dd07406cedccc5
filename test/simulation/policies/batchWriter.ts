import { sleep } from '../../../src/runtime/clock.ts'
import type { Drive, ScenarioWorld } from '../../../src/simulator/scenario.ts'
import type { ScenarioItem } from '../../../src/simulator/scenarioItems.ts'
import { type BatchReply, Feed, sendBatch } from './batchRequest.ts'

// boto3's Table.batch_writer (boto3/dynamodb/table.py) over botocore's legacy retries (botocore/data/_retry.json,
// "dynamodb": ten attempts, 50 ms that double, no jitter).

const FLUSH_AMOUNT = 25
const ATTEMPTS_MAX = 10
const BASE_MS = 50

/**
 * Each thread has a writer: it flushes when it has 25, appends what comes back unprocessed to its end, without any delay,
 * and loses the 25 whose call raises.
 *
 * @param threads default 50
 */
export function batchWriter(threads = 50): Drive {
  return async (world) => {
    const feed = new Feed(world)
    await Promise.all(Array.from({ length: threads }, () => write(world, feed)))
    return feed.result
  }
}

async function write(world: ScenarioWorld, feed: Feed): Promise<void> {
  let buffer: ScenarioItem[] = []
  for (;;) {
    buffer.push(...feed.take(Math.max(0, FLUSH_AMOUNT - buffer.length)))
    if (buffer.length === 0) return
    const sent = buffer.slice(0, FLUSH_AMOUNT)
    buffer = buffer.slice(FLUSH_AMOUNT)
    const reply = await call(world, sent)
    if (reply.kind !== 'done') {
      feed.lost += sent.length
      continue
    }
    feed.stored += sent.length - reply.unprocessed.length
    buffer.push(...reply.unprocessed)
  }
}

async function call(world: ScenarioWorld, items: readonly ScenarioItem[]): Promise<BatchReply> {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await sendBatch(world, items)
    if (reply.kind === 'done' || attempt === ATTEMPTS_MAX) return reply
    await sleep(world.clock, BASE_MS * 2 ** (attempt - 1))
  }
}
