import { DynamoDBDocumentClient, type NativeAttributeValue, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { scanTable } from '../shapes.ts'
import { scanInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = DynamoDBDocumentClient.from(sdkClient(options))

function scan(table: string): Promise<number> {
  return scanInFlight<Record<string, NativeAttributeValue>>(options.inFlight, async (segment, startKey) => {
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
