import { scanTable } from '../shapes.ts'
import { headraceClient } from './headraceClient.ts'
import { loopOptions, measure } from './measure.ts'

const options = loopOptions()
const db = headraceClient(options)

async function scan(table: string): Promise<number> {
  let items = 0
  for await (const page of db.table(table).scan({ segments: options.inFlight }).pages()) items += page.items.length
  return items
}

await measure({
  warmUp: () => scan(scanTable(options.shape, options.warmUpPages)),
  measured: () => scan(scanTable(options.shape, options.pagesPerSegment)),
})
await db.close()
