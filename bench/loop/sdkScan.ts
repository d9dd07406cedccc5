import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb'
import { SEGMENTS, scanTable } from '../items.ts'
import { scanInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = sdkClient(options)

/** Items stay what this client gives: objects of AttributeValues, not plain ones. */
function scan(table: string): Promise<number> {
  return scanInFlight<Record<string, AttributeValue>>(async (segment, startKey) => {
    const page = await client.send(
      new ScanCommand({
        TableName: table,
        Segment: segment,
        TotalSegments: SEGMENTS,
        ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
      }),
    )
    return { items: page.Items?.length ?? 0, lastKey: page.LastEvaluatedKey }
  })
}

await measure('@aws-sdk/client-dynamodb', 'scan', options, {
  warmUp: () => scan(scanTable(1)),
  measured: () => scan(scanTable(options.pagesPerSegment)),
})
client.destroy()
