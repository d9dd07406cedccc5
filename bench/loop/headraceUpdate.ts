import { ENTRIES_PER_REQUEST, makeKey, TABLE } from '../items.ts'
import { headraceClient } from './headraceClient.ts'
import { loopOptions, measure } from './measure.ts'

const options = loopOptions()
const db = headraceClient(options)
const publisher = await db.table(TABLE).publisher({
  maxInFlight: options.inFlight * ENTRIES_PER_REQUEST,
  maxQueueSize: 1_000,
})

async function update(first: number, count: number): Promise<number> {
  for (let index = first; index < first + count; index += 1) {
    const accepted = publisher.update(makeKey(index), { set: { tier: 'basic' } }, { expect: { tier: undefined } })
    if (!accepted) await publisher.ready
  }
  await publisher.flush()
  return count
}

await measure({
  warmUp: () => update(0, options.warmUpItems),
  measured: () => update(options.warmUpItems, options.items),
})
await publisher.close()
await db.close()
