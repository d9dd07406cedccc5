import { DynamoDBDocumentClient, type NativeAttributeValue, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { SEGMENTS, scanTable } from '../items.ts'
import { scanInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = DynamoDBDocumentClient.from(sdkClient(options))

function scan(table: string): Promise<number> {
  return scanInFlight<Record<string, NativeAttributeValue>>(async (segment, startKey) => {
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

await measure('@aws-sdk/lib-dynamodb', 'scan', options, {
  warmUp: () => scan(scanTable(1)),
  measured: () => scan(scanTable(options.pagesPerSegment)),
})
client.destroy()
