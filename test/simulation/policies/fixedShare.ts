import { sleep } from '../../../src/runtime/clock.ts'
import type { Drive, ScenarioWorld } from '../../../src/simulator/scenario.ts'
import type { ScenarioItem } from '../../../src/simulator/scenarioItems.ts'
import { Feed, sendBatch } from './batchRequest.ts'

// awslabs/emr-dynamodb-connector: each task has a fixed part of a share of what is provisioned, looked up once.

const SHARE = 0.5
/** What it takes a table on demand to have. */
const ON_DEMAND_UNITS = 40_000
const UNPROCESSED_MS_MAX = 3_000
const PATIENCE_MS = 600_000

/** @param tasks default 8 */
export function fixedShare(tasks = 8): Drive {
  return async (world) => {
    const feed = new Feed(world)
    const { capacity } = world.table
    const units = capacity.billing === 'provisioned' ? capacity.rate('write') : ON_DEMAND_UNITS
    const share = Math.max(1, Math.floor(Math.floor(units * SHARE) / tasks))
    world.allowedPerSecond = () => share * tasks
    await Promise.all(Array.from({ length: tasks }, () => write(world, feed, share)))
    return feed.result
  }
}

/** So many items, then nothing until the second is over. */
async function write(world: ScenarioWorld, feed: Feed, itemsPerSecond: number): Promise<void> {
  for (;;) {
    const windowEndMs = world.clock.now() + 1_000
    for (let left = itemsPerSecond; left > 0; ) {
      const items = feed.take(Math.min(25, left))
      if (items.length === 0) return
      left -= items.length
      await put(world, feed, items)
      if (world.clock.now() >= windowEndMs) break
    }
    await sleep(world.clock, Math.max(0, windowEndMs - world.clock.now()))
  }
}

async function put(world: ScenarioWorld, feed: Feed, all: readonly ScenarioItem[]): Promise<void> {
  const { clock, random } = world
  const giveUpAtMs = clock.now() + PATIENCE_MS
  let items = all
  let [one, two] = [0, 1]
  for (let turn = 0; items.length > 0; turn += 1) {
    const reply = await sendBatch(world, items)
    if (reply.kind === 'done') {
      feed.stored += items.length - reply.unprocessed.length
      items = reply.unprocessed
      const delayMs = (2 ** turn * (500 + random() * 99)) / 4
      if (items.length > 0) await sleep(clock, Math.min(UNPROCESSED_MS_MAX, delayMs))
      continue
    }
    if (clock.now() >= giveUpAtMs) {
      feed.lost += items.length
      return
    }
    await sleep(clock, two * 50 + random() * one * 100)
    ;[one, two] = [two, one + two]
  }
}
