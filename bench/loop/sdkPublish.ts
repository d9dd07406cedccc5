import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { makeItem, TABLE, toAttributeValues } from '../items.ts'
import { writeInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = sdkClient(options)

async function write(from: number, to: number): Promise<void> {
  const requests: WriteRequest[] = []
  for (let index = from; index < to; index += 1) {
    requests.push({ PutRequest: { Item: toAttributeValues(makeItem(index)) } })
  }
  const answer = await client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } }))
  if (answer.UnprocessedItems?.[TABLE] !== undefined) throw new Error('the null server leaves nothing unprocessed')
}

await measure('@aws-sdk/client-dynamodb', 'publish', options, {
  warmUp: () => writeInFlight(0, options.warmUpItems, write),
  measured: () => writeInFlight(options.warmUpItems, options.items, write),
})
client.destroy()
