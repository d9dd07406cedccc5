import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { LoopOptions } from './measure.ts'

/** The AWS SDK as its documentation sets it up for many requests: keep-alive, enough sockets, no retries to hide. */
export function sdkClient(options: LoopOptions): DynamoDBClient {
  const agentOptions = { keepAlive: true, maxSockets: options.inFlight }
  return new DynamoDBClient({
    endpoint: options.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    maxAttempts: 1,
    requestHandler: {
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent({
        ...agentOptions,
        ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
      }),
    },
  })
}
