import { BatchExecuteStatementCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { makeKey, UPDATE_STATEMENT } from '../items.ts'
import { writeInFlight } from './inFlight.ts'
import { loopOptions, measure } from './measure.ts'
import { sdkClient } from './sdkClient.ts'

const options = loopOptions()
const client = DynamoDBDocumentClient.from(sdkClient(options))

async function update(from: number, to: number): Promise<void> {
  const statements: { Statement: string; Parameters: string[] }[] = []
  for (let index = from; index < to; index += 1) {
    const { pk, sk } = makeKey(index)
    statements.push({ Statement: UPDATE_STATEMENT, Parameters: ['basic', pk, sk] })
  }
  const answer = await client.send(new BatchExecuteStatementCommand({ Statements: statements }))
  for (const response of answer.Responses ?? []) if (response.Error !== undefined) throw new Error(response.Error.Code)
}

await measure({
  warmUp: () => writeInFlight(options.inFlight, 0, options.warmUpItems, update),
  measured: () => writeInFlight(options.inFlight, options.warmUpItems, options.items, update),
})
client.destroy()
