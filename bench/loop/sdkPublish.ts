import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { makeItem, TABLE, toAttributeValues } from '../items.ts'
import { itemMaker } from '../shapes.ts'
import { writeInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const makeShapedItem = itemMaker(options.shape)
const attributesOf = (index: number) =>
  options.shape === undefined ? toAttributeValues(makeItem(index)) : marshall(makeShapedItem(index))
const client = sdkClient(options)

async function write(from: number, to: number): Promise<void> {
  const requests: WriteRequest[] = []
  for (let index = from; index < to; index += 1) {
    requests.push({ PutRequest: { Item: attributesOf(index) } })
  }
  const answer = await client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } }))
  if (answer.UnprocessedItems?.[TABLE] !== undefined) throw new Error('the null server leaves nothing unprocessed')
}

await measure({
  warmUp: () => writeInFlight(options.inFlight, 0, options.warmUpItems, write),
  measured: () => writeInFlight(options.inFlight, options.warmUpItems, options.items, write),
})
client.destroy()
