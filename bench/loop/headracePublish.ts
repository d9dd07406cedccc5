import { ENTRIES_PER_REQUEST, TABLE } from '../items.ts'
import { itemMaker } from '../shapes.ts'
import { headraceClient } from './headraceClient.ts'
import { loopOptions, measure } from './measure.ts'

const options = loopOptions()
const makeItem = itemMaker(options.shape)
const db = headraceClient(options)
const publisher = await db.table(TABLE).publisher({
  maxInFlight: options.inFlight * ENTRIES_PER_REQUEST,
  maxQueueSize: 1_000,
})

async function publish(first: number, count: number): Promise<number> {
  for (let index = first; index < first + count; index += 1) {
    if (!publisher.put(makeItem(index))) await publisher.ready
  }
  await publisher.flush()
  return count
}

await measure({
  warmUp: () => publish(0, options.warmUpItems),
  measured: () => publish(options.warmUpItems, options.items),
})
await publisher.close()
await db.close()
