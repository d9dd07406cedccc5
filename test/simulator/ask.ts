import { parseJson } from '../../src/runtime/parseJson.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { SimulatedService, type SimulatedServiceOptions } from '../../src/simulator/simulatedService.ts'
import type { TableOptions } from '../../src/simulator/simulatedTable.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'
import type { WireAnswer } from '../../src/simulator/wire.ts'

/** What came back: the answer read, or why there is none. */
export interface Asked {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  readonly body: any
  readonly failure: string
  readonly answer: WireAnswer | undefined
}

const PLENTY = { billing: 'provisioned', readUnitsPerSecond: 30_000, writeUnitsPerSecond: 30_000 } as const

/** A service of its own with one table, `things`, and a way to ask it. */
export function startService(
  table: Partial<TableOptions> = {},
  options: Partial<SimulatedServiceOptions> = {},
): { clock: VirtualClock; service: SimulatedService; ask: (operation: string, body: object) => Promise<Asked> } {
  const clock = new VirtualClock()
  const service = new SimulatedService({ clock, random: seededRandom(1), latency: { sigma: 0 }, ...options })
  service.addTable({ name: 'things', key: { partition: { name: 'pk', type: 'S' } }, capacity: PLENTY, ...table })
  const ask = (operation: string, body: object): Promise<Asked> => {
    const date = new Date(clock.wallNow()).toISOString().replace(/[-:]|\.\d+/g, '')
    const headers = ['x-amz-target', `DynamoDB_20120810.${operation}`, 'x-amz-date', date]
    headers.push('authorization', 'AWS4-HMAC-SHA256 Credential=…')
    return clock.run(
      new Promise((resolve) => {
        service.send(headers, Buffer.from(JSON.stringify(body)), {
          onAnswer: (answer) => {
            let read: unknown
            try {
              read = parseJson(answer.body.toString())
            } catch {
              read = undefined
            }
            resolve({ status: answer.status, body: read, failure: '', answer })
          },
          onFailure: ({ kind }) => resolve({ status: 0, body: undefined, failure: kind, answer: undefined }),
        })
      }),
    )
  }
  return { clock, service, ask }
}

/** A put of one text attribute of so many bytes. */
export function put(pk: string, bytes = 10): { PutRequest: { Item: object } } {
  return { PutRequest: { Item: { pk: { S: pk }, text: { S: 'x'.repeat(bytes) } } } }
}

export function batch(...requests: object[]): object {
  return { RequestItems: { things: requests }, ReturnConsumedCapacity: 'TOTAL' }
}
