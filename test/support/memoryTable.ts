import { isDeepStrictEqual } from 'node:util'
import { type ScriptedAnswer, serviceError } from './scriptedServer.ts'

type Attributes = { [name: string]: unknown }
type WriteRequest = { PutRequest?: { Item: Attributes }; DeleteRequest?: { Key: Attributes } }
type Statement = { Statement: string; Parameters: unknown[] }

export interface MemoryTableOptions {
  name?: string
  /** How several clauses of an UPDATE must be written; `none` for an endpoint without PartiQL. */
  dialect?: 'clauses' | 'commas' | 'none'
  /** Text keys: `pk`, and `sk` where asked for. */
  sortKey?: boolean
}

/** A table as a plain map: just enough of DynamoDB to judge by what a publisher leaves in it. Its keys are texts. */
export class MemoryTable {
  readonly name: string
  /** DynamoDB JSON by key. */
  readonly items = new Map<string, Attributes>()
  readonly #options: MemoryTableOptions

  constructor(options: MemoryTableOptions = {}) {
    this.name = options.name ?? 'things'
    this.#options = options
  }

  /** What the service would answer. */
  // biome-ignore lint/suspicious/noExplicitAny: requests of many shapes
  answer(operation: string, body: any): ScriptedAnswer {
    switch (operation) {
      case 'DescribeTable':
        return body.TableName === this.name ? this.describe() : serviceError('ResourceNotFoundException')
      case 'BatchWriteItem': {
        const requests: WriteRequest[] = body.RequestItems[this.name]
        if (requests.length > 25) return serviceError('ValidationException', 'Too many items')
        if (new Set(requests.map(keyOf)).size < requests.length) {
          return serviceError('ValidationException', 'Provided list of item keys contains duplicates')
        }
        this.write(requests)
        return { body: { UnprocessedItems: {} } }
      }
      case 'BatchExecuteStatement':
        if (this.#options.dialect === 'none') return serviceError('UnknownOperationException', '')
        return { body: { Responses: body.Statements.map((statement: Statement) => this.#execute(statement)) } }
      case 'UpdateItem':
        return this.#updateItem(body)
      case 'Query': {
        const found = this.items.get(
          keyText({ pk: body.ExpressionAttributeValues[':k0'], sk: body.ExpressionAttributeValues[':k1'] }),
        )
        return { body: { Items: found === undefined ? [] : [found], Count: found === undefined ? 0 : 1 } }
      }
      default:
        return serviceError('UnknownOperationException', operation)
    }
  }

  write(requests: readonly WriteRequest[]): void {
    for (const request of requests) {
      if (request.PutRequest !== undefined) this.items.set(keyOf(request), request.PutRequest.Item)
      else this.items.delete(keyOf(request))
    }
  }

  describe(): ScriptedAnswer {
    const names = this.#options.sortKey === true ? ['pk', 'sk'] : ['pk']
    const table = {
      TableName: this.name,
      TableStatus: 'ACTIVE',
      KeySchema: names.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    }
    return { body: { Table: table } }
  }

  #execute({ Statement: text, Parameters: parameters }: Statement): { Error?: { Code: string; Message: string } } {
    const refuse = (Code: string, Message: string) => ({ Error: { Code, Message } })
    const [head, where] = text.split(' WHERE ') as [string, string]
    const body = head.replace(/^UPDATE "\w+" /, '')
    const clauses = body.match(/SET|REMOVE/g)?.length ?? 0
    const names = body.match(/"[^"]+"/g)?.length ?? 0
    // What the dialects have in common is one SET and one REMOVE.
    const separate = clauses === names
    if (names > 1 && separate !== (this.#options.dialect !== 'commas')) {
      return refuse('ValidationError', 'Statement wasn’t well formed, can’t be processed')
    }
    let next = 0
    const sets: Attributes = {}
    for (const match of body.matchAll(/"([^"]+)"=\?/g)) sets[match[1]!] = parameters[next++]
    const removing = body.includes('REMOVE') ? body.slice(body.indexOf('REMOVE')) : ''
    const removes = [...removing.matchAll(/"([^"]+)"/g)].map((match) => match[1]!)
    const conditions = where.split(' AND ').map((condition) => {
      const name = /"([^"]+)"/.exec(condition)![1]!
      return [name, condition.endsWith('=?') ? parameters[next++] : undefined] as const
    })
    return this.#change(Object.fromEntries(conditions), sets, removes)
      ? {}
      : refuse('ConditionalCheckFailed', 'The conditional request failed')
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the protocol has it
  #updateItem(body: any): ScriptedAnswer {
    const names = body.ExpressionAttributeNames as { [alias: string]: string }
    const values = (body.ExpressionAttributeValues ?? {}) as Attributes
    const sets: Attributes = {}
    for (const match of body.UpdateExpression.matchAll(/(#n\d+) = (:v\d+)/g))
      sets[names[match[1]!]!] = values[match[2]!]
    const removing = /REMOVE (.*)$/.exec(body.UpdateExpression)?.[1] ?? ''
    const removes = removing === '' ? [] : removing.split(', ').map((alias) => names[alias]!)
    const expected: Attributes = { ...body.Key }
    for (const match of body.ConditionExpression.matchAll(/(#n\d+) = (:v\d+)/g))
      expected[names[match[1]!]!] = values[match[2]!]
    for (const match of body.ConditionExpression.matchAll(/attribute_not_exists\((#n\d+)\)/g))
      expected[names[match[1]!]!] = undefined
    return this.#change(expected, sets, removes)
      ? { body: {} }
      : serviceError('ConditionalCheckFailedException', 'The conditional request failed')
  }

  #change(expected: Attributes, sets: Attributes, removes: readonly string[]): boolean {
    const key = keyText(expected)
    const item = this.items.get(key)
    if (item === undefined) return false
    if (!Object.entries(expected).every(([name, value]) => isDeepStrictEqual(item[name], value))) return false
    const changed: Attributes = { ...item, ...sets }
    for (const name of removes) delete changed[name]
    this.items.set(key, changed)
    return true
  }
}

export function keyOf(request: WriteRequest): string {
  return keyText(request.PutRequest?.Item ?? request.DeleteRequest!.Key)
}

function keyText({ pk, sk }: Attributes): string {
  return sk === undefined ? (pk as { S: string }).S : `${(pk as { S: string }).S}/${(sk as { S: string }).S}`
}
