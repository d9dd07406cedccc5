import { parseJson } from '../../../src/runtime/parseJson.ts'
import type { ScenarioWorld } from '../../../src/simulator/scenario.ts'
import type { ScenarioItem } from '../../../src/simulator/scenarioItems.ts'

/** How one `BatchWriteItem` ended. */
export type BatchReply =
  | { readonly kind: 'done'; readonly unprocessed: readonly ScenarioItem[]; readonly units: number }
  | { readonly kind: 'throttled' | 'failed' | 'timeout'; readonly retryAfterMs: number | undefined }

const THROTTLE = /#(?:ProvisionedThroughputExceededException|ThrottlingException|RequestLimitExceeded)"/

/** Sends items once, by nothing but the wire: other people's clients are not to profit from ours. */
export function sendBatch({ service, clock }: ScenarioWorld, items: readonly ScenarioItem[]): Promise<BatchReply> {
  const things = items.map((item) => ({
    PutRequest: { Item: Object.fromEntries(Object.entries(item).map(([name, text]) => [name, { S: text }])) },
  }))
  const body = Buffer.from(JSON.stringify({ RequestItems: { things }, ReturnConsumedCapacity: 'TOTAL' }))
  const date = new Date(clock.wallNow()).toISOString().replace(/[-:]|\.\d+/g, '')
  const headers = ['x-amz-target', 'DynamoDB_20120810.BatchWriteItem', 'x-amz-date', date]
  headers.push('authorization', 'AWS4-HMAC-SHA256 Credential=another client')
  return new Promise((resolve) => {
    service.send(headers, body, {
      onAnswer: ({ status, body: answer, retryAfterMs }) => {
        const text = answer.toString('utf8')
        if (status !== 200) resolve({ kind: THROTTLE.test(text) ? 'throttled' : 'failed', retryAfterMs })
        else resolve(readReply(text, items))
      },
      onFailure: ({ kind }) => resolve({ kind: kind === 'timeout' ? kind : 'failed', retryAfterMs: undefined }),
    })
  })
}

function readReply(text: string, items: readonly ScenarioItem[]): BatchReply {
  const reply = parseJson(text) as {
    UnprocessedItems: { things?: { PutRequest: { Item: { pk: { S: string }; sk?: { S: string } } } }[] }
    ConsumedCapacity: { CapacityUnits: number }[]
  }
  const keys = new Set(
    (reply.UnprocessedItems.things ?? []).map(({ PutRequest: { Item } }) => `${Item.pk.S} ${Item.sk?.S}`),
  )
  return {
    kind: 'done',
    unprocessed: keys.size === 0 ? [] : items.filter(({ pk, sk }) => keys.has(`${pk} ${sk}`)),
    units: reply.ConsumedCapacity[0]?.CapacityUnits ?? 0,
  }
}

/** What a client takes from the sources, one after another, until they end or the time is over; and what came of it. */
export class Feed {
  taken = 0
  stored = 0
  lost = 0
  readonly #world: ScenarioWorld
  #source = 0

  constructor(world: ScenarioWorld) {
    this.#world = world
  }

  next(): ScenarioItem | undefined {
    const { sources } = this.#world
    if (this.#world.isOver()) return undefined
    for (; this.#source < sources.length; this.#source += 1) {
      const item = sources[this.#source]!()
      if (item === undefined) continue
      this.taken += 1
      return item
    }
    return undefined
  }

  /** The next so many, or fewer at the end. */
  take(count: number): ScenarioItem[] {
    const items: ScenarioItem[] = []
    while (items.length < count) {
      const item = this.next()
      if (item === undefined) break
      items.push(item)
    }
    return items
  }

  get result(): { taken: number; stored: number; lost: number } {
    return { taken: this.taken, stored: this.stored, lost: this.lost }
  }
}
