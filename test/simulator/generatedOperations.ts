import type { Random } from '../../src/runtime/random.ts'
import { type Attributes, itemSize } from '../../src/simulator/attributes.ts'
import type { TableOptions } from '../../src/simulator/simulatedTable.ts'

/** One request for both services. */
export interface GeneratedOperation {
  readonly operation: string
  // biome-ignore lint/suspicious/noExplicitAny: requests are of many shapes
  readonly body: any
}

const TABLE = 'things'
const KEYS = 14
const UNSOUND_SHARE = 0.06

/** Operations on one table, the same for the same dice: few keys, sizes around units, some requests that are wrong. */
export class Operations {
  readonly #random: Random
  readonly #table: TableOptions

  constructor(table: TableOptions, random: Random) {
    this.#table = table
    this.#random = random
  }

  next(): GeneratedOperation {
    const kind = this.#random()
    if (kind < 0.35) return this.#batchWrite()
    if (kind < 0.6) return this.#statements()
    if (kind < 0.64) return this.#putItem()
    if (kind < 0.72) return this.#change('UpdateItem')
    if (kind < 0.8) return this.#change('DeleteItem')
    if (kind < 0.88) return this.#read('GetItem')
    if (kind < 0.93) return this.#query()
    return this.#scan()
  }

  #batchWrite(): GeneratedOperation {
    const count = this.#chance(UNSOUND_SHARE / 4) ? this.#pick([0, 26]) : 1 + Math.floor(this.#random() ** 2 * 10)
    const numbers = this.#chance(UNSOUND_SHARE / 2) ? Array(count).fill(0) : this.#distinct(count)
    const writes = numbers.map((number) =>
      this.#chance(0.25)
        ? { DeleteRequest: { Key: this.#key(number) } }
        : { PutRequest: { Item: this.#chance(UNSOUND_SHARE / count) ? this.#unsound(number) : this.#item(number) } },
    )
    return { operation: 'BatchWriteItem', body: { RequestItems: { [TABLE]: writes }, ...this.#asked() } }
  }

  #statements(): GeneratedOperation {
    const statements = this.#distinct(1 + Math.floor(this.#random() ** 2 * 10)).map((number) => {
      if (this.#chance(0.3)) return this.#insertion(number)
      const parameters: object[] = []
      const set = Object.entries(this.#attributes()).map(([name, value]) => {
        parameters.push(value)
        return `"${name}"=?`
      })
      const removed = this.#chance(0.3) ? ' REMOVE "old"' : ''
      const change = this.#chance(0.2) || set.length === 0 ? undefined : `SET ${set.join(', ')}${removed}`
      if (change === undefined) parameters.length = 0
      const where = Object.entries(this.#key(number)).map(([name, value]) => {
        parameters.push(value)
        return `"${name}"=?`
      })
      if (this.#chance(0.3)) {
        parameters.push(this.#small())
        where.push('"small"=?')
      }
      if (this.#chance(0.2)) where.push('"old" IS MISSING')
      const verb = change === undefined ? `DELETE FROM "${TABLE}"` : `UPDATE "${TABLE}" ${change}`
      return { Statement: `${verb} WHERE ${where.join(' AND ')}`, Parameters: parameters }
    })
    return { operation: 'BatchExecuteStatement', body: { Statements: statements, ...this.#asked() } }
  }

  #insertion(number: number): { Statement: string; Parameters: object[] } {
    const item = this.#chance(UNSOUND_SHARE) ? this.#unsound(number) : this.#item(number)
    const names = Object.keys(item).map((name) => `'${name}':?`)
    return { Statement: `INSERT INTO "${TABLE}" VALUE {${names.join(',')}}`, Parameters: Object.values(item) }
  }

  /** Of an item that must not be there: the only kind of PutItem that bulk work makes. */
  #putItem(): GeneratedOperation {
    const body = {
      TableName: TABLE,
      Item: this.#item(this.#number()),
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': 'pk' },
      ...this.#asked(),
    }
    return { operation: 'PutItem', body }
  }

  /** Of an item that must be there: the only kind of change that bulk work makes. */
  #change(operation: 'UpdateItem' | 'DeleteItem'): GeneratedOperation {
    const names: { [alias: string]: string } = { '#key': 'pk' }
    const values: { [alias: string]: object } = {}
    let condition = 'attribute_exists(#key)'
    if (this.#chance(0.3)) {
      names['#small'] = 'small'
      values[':small'] = this.#small()
      condition += ` AND #small ${this.#pick(['=', '<>', '<', '>='])} :small`
    }
    if (this.#chance(0.2)) {
      names['#old'] = 'old'
      condition += ' AND attribute_not_exists(#old)'
    }
    const body = { TableName: TABLE, Key: this.#key(this.#number()), ConditionExpression: condition, ...this.#asked() }
    const rest = { ExpressionAttributeNames: names, ExpressionAttributeValues: values }
    if (operation === 'DeleteItem') return { operation, body: withoutEmpty({ ...body, ...rest }) }
    const sets = Object.entries({ ...this.#attributes(), small: this.#small() }).map(([name, value]) => {
      names[`#n${name}`] = name
      values[`:n${name}`] = value
      return `#n${name} = :n${name}`
    })
    return { operation, body: withoutEmpty({ ...body, ...rest, UpdateExpression: `SET ${sets.join(', ')}` }) }
  }

  #read(operation: string): GeneratedOperation {
    return {
      operation,
      body: { TableName: TABLE, Key: this.#key(this.#number()), ConsistentRead: this.#chance(0.5) },
    }
  }

  #query(): GeneratedOperation {
    const key = Object.entries(this.#key(this.#number()))
    return {
      operation: 'Query',
      body: {
        TableName: TABLE,
        ConsistentRead: this.#chance(0.5),
        KeyConditionExpression: key.map((_, index) => `#k${index} = :k${index}`).join(' AND '),
        ExpressionAttributeNames: Object.fromEntries(key.map(([name], index) => [`#k${index}`, name])),
        ExpressionAttributeValues: Object.fromEntries(key.map(([, value], index) => [`:k${index}`, value])),
      },
    }
  }

  /** All segments of it are asked for, to their ends. */
  #scan(): GeneratedOperation {
    const filter = this.#pick([
      undefined,
      '#small = :small',
      'attribute_exists(#small) AND NOT #small > :small',
      'attribute_not_exists(#small) OR #small < :small',
    ])
    return {
      operation: 'Scan',
      body: {
        TableName: TABLE,
        TotalSegments: this.#pick([1, 1, 2, 5]),
        ConsistentRead: this.#chance(0.5),
        ...(this.#chance(0.3) ? { Limit: 1 + Math.floor(this.#random() * 6) } : {}),
        ...(this.#chance(0.2) ? { Select: 'COUNT' } : {}),
        ...(filter === undefined
          ? {}
          : {
              FilterExpression: filter,
              ExpressionAttributeNames: { '#small': 'small' },
              ExpressionAttributeValues: { ':small': this.#small() },
            }),
        ReturnConsumedCapacity: 'TOTAL',
      },
    }
  }

  #key(number: number): Attributes {
    const key: { [name: string]: { [type: string]: string } } = { pk: { S: `key ${number % 5}` } }
    if (this.#table.key.sort === undefined) key['pk'] = { S: `key ${number}` }
    else key['sk'] = { N: `${number}` }
    return key
  }

  #item(number: number): Attributes {
    const item = { ...this.#attributes(), ...this.#key(number) }
    if (this.#chance(0.4)) return item
    // Just below, at and above the edge of a unit. Once in a while of all that an item may be: a little too large, or with
    // room for an update, of which services count more than the item that comes of it.
    const wanted = this.#chance(0.02)
      ? 409_600 + this.#pick([1, -2_000])
      : this.#pick([1_024, 2_048, 4_096, 5_120]) + this.#pick([-1, 0, 1])
    return { ...item, pad: { S: 'x'.repeat(Math.max(0, wanted - 'pad'.length - itemSize(item))) } }
  }

  #unsound(number: number): object {
    const key = this.#key(number)
    return this.#pick<object>([
      { ...key, pk: { S: '' } },
      { ...key, pk: { N: '1' } },
      { small: { N: '1' } },
      { ...key, group: { N: '1' } },
      { ...key, group: { S: '' } },
      { ...key, n: { N: '12345678901234567890123456789012345678901' } },
      { ...key, n: { N: '1E126' } },
      { ...key, n: { N: 'ten' } },
      { ...key, set: { SS: [] } },
      { ...key, set: { NS: ['1', '1.0'] } },
    ])
  }

  /** Attributes that are no key of the table; `group` and `small` are keys of indexes. */
  #attributes(): { [name: string]: { [type: string]: unknown } } {
    const attributes: { [name: string]: { [type: string]: unknown } } = {}
    if (this.#chance(0.6)) attributes['group'] = { S: this.#pick(['red', 'green', 'blue']) }
    if (this.#chance(0.6)) attributes['small'] = this.#small()
    if (this.#chance(0.4)) attributes['any'] = this.#value(3)
    if (this.#chance(0.2)) attributes['old'] = { BOOL: true }
    return attributes
  }

  #small(): { N: string } {
    return { N: this.#pick(['1', '2', '3.0', '-4', '0.5', '10', '1e1']) }
  }

  #value(depth: number): { [type: string]: unknown } {
    const some = <Value>(make: () => Value): Value[] => Array.from({ length: Math.floor(this.#random() * 4) }, make)
    const kind = Math.floor(this.#random() * (depth > 0 ? 10 : 8))
    switch (kind) {
      case 0:
        return { S: this.#pick(['', 'a', 'æøå', '日本語', '🙂', 'x'.repeat(900)]) }
      case 1:
        return { N: this.#pick(['0', '-0', '0042.1200', '1E20', '-1.5e-7', '12345678901234567890123456789012345678']) }
      case 2:
        return { B: this.#pick(['', 'AA==', 'AAEC', '////']) }
      case 3:
        return { BOOL: this.#chance(0.5) }
      case 4:
        return { NULL: true }
      case 5:
        return { SS: this.#pick([['a'], ['b', 'a'], ['x', 'yy', 'zzz']]) }
      case 6:
        return { NS: this.#pick([['1'], ['2', '1.0'], ['-5', '1E3']]) }
      case 7:
        return { BS: this.#pick([['AA=='], ['AAEC', 'AA==']]) }
      case 8:
        return { L: some(() => this.#value(depth - 1)) }
      default:
        return { M: Object.fromEntries(some(() => [`k${Math.floor(this.#random() * 9)}`, this.#value(depth - 1)])) }
    }
  }

  #asked(): object {
    return { ReturnConsumedCapacity: 'TOTAL' }
  }

  #number(): number {
    return Math.floor(this.#random() * KEYS)
  }

  #distinct(count: number): number[] {
    const numbers = new Set<number>()
    while (numbers.size < count) numbers.add(count > KEYS ? numbers.size : this.#number())
    return [...numbers]
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random() * values.length)]!
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }
}

/** Services refuse maps of values that are empty. */
function withoutEmpty(body: object): object {
  return Object.fromEntries(
    Object.entries(body).filter(
      ([name, value]) => name !== 'ExpressionAttributeValues' || Object.keys(value).length > 0,
    ),
  )
}
