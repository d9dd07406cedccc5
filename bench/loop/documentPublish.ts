import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type BenchItem, makeItem, TABLE } from '../items.ts'
import { writeInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = DynamoDBDocumentClient.from(sdkClient(options))

async function write(from: number, to: number): Promise<void> {
  const requests: { PutRequest: { Item: BenchItem } }[] = []
  for (let index = from; index < to; index += 1) requests.push({ PutRequest: { Item: makeItem(index) } })
  const answer = await client.send(new BatchWriteCommand({ RequestItems: { [TABLE]: requests } }))
  if (answer.UnprocessedItems?.[TABLE] !== undefined) throw new Error('the null server leaves nothing unprocessed')
}

await measure('@aws-sdk/lib-dynamodb', 'publish', options, {
  warmUp: () => writeInFlight(0, options.warmUpItems, write),
  measured: () => writeInFlight(options.warmUpItems, options.items, write),
})
client.destroy()
