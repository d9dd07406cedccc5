import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { TABLE } from '../items.ts'
import { itemMaker } from '../shapes.ts'
import { writeInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const makeItem = itemMaker(options.shape)
const client = DynamoDBDocumentClient.from(sdkClient(options))

async function write(from: number, to: number): Promise<void> {
  const requests: { PutRequest: { Item: { [name: string]: unknown } } }[] = []
  for (let index = from; index < to; index += 1) requests.push({ PutRequest: { Item: makeItem(index) } })
  const answer = await client.send(new BatchWriteCommand({ RequestItems: { [TABLE]: requests } }))
  if (answer.UnprocessedItems?.[TABLE] !== undefined) throw new Error('the null server leaves nothing unprocessed')
}

await measure({
  warmUp: () => writeInFlight(options.inFlight, 0, options.warmUpItems, write),
  measured: () => writeInFlight(options.inFlight, options.warmUpItems, options.items, write),
})
client.destroy()
