import type { Operation } from '../dynamodb/service.ts'
import type { WireAnswer } from './wire.ts'

/** Sends a request to the service, and again where it was only throttled or failed for a moment. */
export type Ask = (operation: Operation, payload: object) => Promise<WireAnswer>

/** What an expectation may use. */
interface ProbeTables {
  readonly ask: Ask
  /** On-demand, with one item for each number: partition key {@link key}. */
  readonly table: string
  /** Provisioned with 1 WCU. */
  readonly slowTable: string
  /** Name of the partition key of both. */
  readonly key: string
}

/** What was seen. */
export interface Observation {
  /** Compared to what is expected. Undefined where nothing could be seen. */
  readonly value: string | undefined
  /** For the report only: it differs from region to region. */
  readonly detail?: string | undefined
}

/** Something that Headrace takes for granted about the service. */
export interface Expectation {
  readonly check: string
  readonly expected: string
  observe(probe: ProbeTables): Promise<Observation>
}

type Item = { readonly [name: string]: object }

const ITEM_BYTES_MAX = 409_600
const WRITES_MAX = 25
/** More than a new table with 1 WCU can have saved for a burst. */
const SLOW_BATCHES_MAX = 14

/** In this order: some use items that earlier ones have written. */
export const EXPECTATIONS: readonly Expectation[] = [
  {
    check: 'BatchWriteItem returns the consumed capacity',
    expected: '2 WCU for two small items',
    async observe({ ask, table, key }) {
      const answer = await ask('BatchWriteItem', {
        RequestItems: { [table]: [put({ [key]: text('a'), n: number(1) }), put({ [key]: text('b'), n: number(1) })] },
        ReturnConsumedCapacity: 'TOTAL',
      })
      return unitsOf(answer, 'WCU for two small items')
    },
  },
  {
    check: 'BatchWriteItem with the same key twice',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      const item = put({ [key]: text('twice') })
      return refusalOf(await ask('BatchWriteItem', { RequestItems: { [table]: [item, item] } }))
    },
  },
  {
    check: 'BatchWriteItem with 26 items',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      const items = Array.from({ length: WRITES_MAX + 1 }, (_, index) => put({ [key]: text(`many-${index}`) }))
      return refusalOf(await ask('BatchWriteItem', { RequestItems: { [table]: items } }))
    },
  },
  {
    check: 'BatchWriteItem with 25 items',
    expected: 'stored',
    async observe({ ask, table, key }) {
      const items = Array.from({ length: WRITES_MAX }, (_, index) => put({ [key]: text(`many-${index}`) }))
      return refusalOf(await ask('BatchWriteItem', { RequestItems: { [table]: items } }))
    },
  },
  {
    check: 'an empty string as the key',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      return refusalOf(await ask('BatchWriteItem', { RequestItems: { [table]: [put({ [key]: text('') })] } }))
    },
  },
  {
    check: 'a partition key of 2,049 bytes',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      return refusalOf(await ask('PutItem', { TableName: table, Item: { [key]: text('k'.repeat(2_049)) } }))
    },
  },
  {
    check: 'an item of 409,600 bytes',
    expected: 'stored',
    async observe({ ask, table, key }) {
      return refusalOf(await ask('PutItem', { TableName: table, Item: itemOf(key, ITEM_BYTES_MAX) }))
    },
  },
  {
    check: 'an item of 409,601 bytes',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      return refusalOf(await ask('PutItem', { TableName: table, Item: itemOf(key, ITEM_BYTES_MAX + 1) }))
    },
  },
  {
    check: 'BatchExecuteStatement judges each condition by itself',
    expected: 'stored, ConditionalCheckFailed',
    async observe({ ask, table, key }) {
      const statement = `UPDATE "${table}" SET "n"=? WHERE "${key}"=? AND "n"=?`
      return statementsOf(
        await ask('BatchExecuteStatement', {
          Statements: [
            { Statement: statement, Parameters: [number(2), text('a'), number(1)] },
            { Statement: statement, Parameters: [number(2), text('b'), number(7)] },
          ],
        }),
      )
    },
  },
  {
    check: 'ReturnValuesOnConditionCheckFailure returns the item of a statement',
    expected: 'the item',
    async observe({ ask, table, key }) {
      const answer = await ask('BatchExecuteStatement', {
        Statements: [
          {
            Statement: `UPDATE "${table}" SET "n"=? WHERE "${key}"=? AND "n"=?`,
            Parameters: [number(2), text('b'), number(7)],
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        ],
      })
      const [response] = responsesOf(answer)
      if (response === undefined) return refusalOf(answer)
      return { value: sameItem(response.Error?.Item ?? response.Item, { [key]: text('b'), n: number(1) }) }
    },
  },
  {
    check: 'ReturnValuesOnConditionCheckFailure returns the item of UpdateItem',
    expected: 'the item',
    async observe({ ask, table, key }) {
      const answer = await ask('UpdateItem', {
        TableName: table,
        Key: { [key]: text('b') },
        ConditionExpression: 'n = :n',
        ExpressionAttributeValues: { ':n': number(7) },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      if (answer.code !== 'ConditionalCheckFailedException') return refusalOf(answer)
      return { value: sameItem(answer.body?.['Item'], { [key]: text('b'), n: number(1) }) }
    },
  },
  {
    check: 'INSERT of an existing key',
    expected: 'DuplicateItem, stored',
    async observe({ ask, table, key }) {
      const statement = `INSERT INTO "${table}" VALUE {'${key}':?}`
      return statementsOf(
        await ask('BatchExecuteStatement', {
          Statements: [
            { Statement: statement, Parameters: [text('a')] },
            { Statement: statement, Parameters: [text('new')] },
          ],
        }),
      )
    },
  },
  {
    check: 'UPDATE of a key that is not there',
    expected: 'ConditionalCheckFailed',
    async observe({ ask, table, key }) {
      const Statement = `UPDATE "${table}" SET "n"=? WHERE "${key}"=?`
      return statementsOf(
        await ask('BatchExecuteStatement', { Statements: [{ Statement, Parameters: [number(1), text('nobody')] }] }),
      )
    },
  },
  {
    check: 'IS MISSING in a condition',
    expected: 'stored, ConditionalCheckFailed',
    async observe({ ask, table, key }) {
      return statementsOf(
        await ask('BatchExecuteStatement', {
          Statements: [
            {
              Statement: `UPDATE "${table}" SET "m"=? WHERE "${key}"=? AND "m" IS MISSING`,
              Parameters: [number(1), text('a')],
            },
            {
              Statement: `UPDATE "${table}" SET "m"=? WHERE "${key}"=? AND "n" IS MISSING`,
              Parameters: [number(1), text('b')],
            },
          ],
        }),
      )
    },
  },
  {
    check: 'UPDATE with several clauses (SET, SET, REMOVE)',
    expected: 'stored',
    async observe({ ask, table, key }) {
      const Statement = `UPDATE "${table}" SET "n"=? SET "o"=? REMOVE "m" WHERE "${key}"=?`
      return statementsOf(
        await ask('BatchExecuteStatement', {
          Statements: [{ Statement, Parameters: [number(3), number(3), text('a')] }],
        }),
      )
    },
  },
  {
    check: 'BatchExecuteStatement with the same key twice',
    expected: 'refused: ValidationException',
    async observe({ ask, table, key }) {
      const Statement = `UPDATE "${table}" SET "n"=? WHERE "${key}"=?`
      const statement = { Statement, Parameters: [number(4), text('a')] }
      return refusalOf(await ask('BatchExecuteStatement', { Statements: [statement, statement] }))
    },
  },
  {
    check: 'BatchExecuteStatement returns the consumed capacity',
    expected: '2 WCU for two small updates',
    async observe({ ask, table, key }) {
      const Statement = `UPDATE "${table}" SET "n"=? WHERE "${key}"=?`
      const answer = await ask('BatchExecuteStatement', {
        Statements: ['a', 'b'].map((value) => ({ Statement, Parameters: [number(5), text(value)] })),
        ReturnConsumedCapacity: 'TOTAL',
      })
      return unitsOf(answer, 'WCU for two small updates')
    },
  },
  {
    check: 'a throttled batch returns UnprocessedItems in the shape of the request',
    expected: 'put requests of this table',
    observe: observeUnprocessed,
  },
  {
    check: 'a throttled PutItem names its reason',
    expected: 'ProvisionedThroughputExceededException: TableWriteProvisionedThroughputExceeded',
    observe: observeThrottlingReason,
  },
]

async function observeUnprocessed({ ask, slowTable, key }: ProbeTables): Promise<Observation> {
  for (let batch = 0; batch < SLOW_BATCHES_MAX; batch += 1) {
    const items = Array.from({ length: WRITES_MAX }, (_, index) =>
      put({ [key]: text(`slow-${batch}-${index}`), v: text('v'.repeat(900)) }),
    )
    const answer = await ask('BatchWriteItem', { RequestItems: { [slowTable]: items } })
    // Not even one of them was written.
    if (answer.code !== '') continue
    const unprocessed = (answer.body?.['UnprocessedItems'] ?? {}) as { [table: string]: { PutRequest?: unknown }[] }
    const [name, requests] = Object.entries(unprocessed)[0] ?? []
    if (name === undefined || requests === undefined) continue
    const isSame = name === slowTable && requests.every(({ PutRequest }) => PutRequest !== undefined)
    return { value: isSame ? 'put requests of this table' : 'something else' }
  }
  return { value: undefined, detail: `${SLOW_BATCHES_MAX} batches were not throttled in part` }
}

async function observeThrottlingReason({ ask, slowTable, key }: ProbeTables): Promise<Observation> {
  for (let write = 0; write < WRITES_MAX; write += 1) {
    const answer = await ask('PutItem', {
      TableName: slowTable,
      Item: { [key]: text(`slow-${write}`), v: text('v'.repeat(9_000)) },
    })
    if (answer.code === '') continue
    const reasons = (answer.body?.['ThrottlingReasons'] ?? answer.body?.['throttlingReasons']) as
      | { reason?: string }[]
      | undefined
    const named = (reasons ?? []).map(({ reason }) => reason).join(', ')
    return { value: `${answer.code}: ${named === '' ? 'no reason' : named}` }
  }
  return { value: undefined, detail: `${WRITES_MAX} writes were not throttled` }
}

function text(S: string): object {
  return { S }
}

function number(value: number): object {
  return { N: `${value}` }
}

function put(Item: Item): object {
  return { PutRequest: { Item } }
}

/** An item of exactly so many bytes: names and values count (developer guide, "Item sizes and formats"). */
function itemOf(key: string, bytes: number): Item {
  const value = 'large'
  return { [key]: text(value), v: text('v'.repeat(bytes - key.length - value.length - 1)) }
}

function refusalOf({ code, message }: WireAnswer): Observation {
  return code === '' ? { value: 'stored' } : { value: `refused: ${code}`, detail: message }
}

function unitsOf(answer: WireAnswer, unit: string): Observation {
  if (answer.code !== '') return refusalOf(answer)
  const tables = answer.body?.['ConsumedCapacity'] as { CapacityUnits?: number }[] | undefined
  const units = tables?.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
  return { value: units === undefined ? 'no capacity' : `${units} ${unit}` }
}

interface StatementResponse {
  readonly Error?:
    | { readonly Code?: string | undefined; readonly Message?: string | undefined; readonly Item?: unknown | undefined }
    | undefined
  readonly Item?: unknown | undefined
}

function responsesOf(answer: WireAnswer): readonly StatementResponse[] {
  return (answer.body?.['Responses'] ?? []) as StatementResponse[]
}

/** The outcome of each statement. */
function statementsOf(answer: WireAnswer): Observation {
  if (answer.code !== '') return refusalOf(answer)
  const responses = responsesOf(answer)
  const messages = responses.flatMap(({ Error: error }) => (error?.Message === undefined ? [] : [error.Message]))
  return {
    value: responses.map(({ Error: error }) => error?.Code ?? 'stored').join(', '),
    ...(messages.length === 0 ? {} : { detail: messages.join('; ') }),
  }
}

function sameItem(item: unknown, expected: Item): string {
  if (item === undefined) return 'no item'
  const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort())
  return sorted(item as object) === sorted(expected) ? 'the item' : 'another item'
}
