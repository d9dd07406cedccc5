import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb'
import { scanTable } from '../shapes.ts'
import { scanInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = sdkClient(options)

/** Items stay what this client gives: objects of AttributeValues, not plain ones. */
function scan(table: string): Promise<number> {
  return scanInFlight<Record<string, AttributeValue>>(options.inFlight, async (segment, startKey) => {
    const page = await client.send(
      new ScanCommand({
        TableName: table,
        Segment: segment,
        TotalSegments: options.inFlight,
        ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
      }),
    )
    return { items: page.Items?.length ?? 0, lastKey: page.LastEvaluatedKey }
  })
}

await measure({
  warmUp: () => scan(scanTable(options.shape, options.warmUpPages)),
  measured: () => scan(scanTable(options.shape, options.pagesPerSegment)),
})
client.destroy()
