import { SEGMENTS, scanTable } from '../items.ts'
import { headraceClient } from './headraceClient.ts'
import { loopOptions, measure } from './measure.ts'

const options = loopOptions()
const db = headraceClient(options)

async function scan(table: string): Promise<number> {
  let items = 0
  for await (const page of db.table(table).scan({ segments: SEGMENTS }).pages()) items += page.items.length
  return items
}

await measure('headrace', 'scan', options, {
  warmUp: () => scan(scanTable(1)),
  measured: () => scan(scanTable(options.pagesPerSegment)),
})
await db.close()
