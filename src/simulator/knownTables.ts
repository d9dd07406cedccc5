import type { IncomingHttpHeaders } from 'node:http'
import { defined } from '../runtime/defined.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { CapacityOptions } from './capacity.ts'
import type { KeySchema } from './primaryKey.ts'
import { SimulatedTable } from './simulatedTable.ts'
import type { Upstream } from './upstream.ts'

/** What a table can take. What is left out is as the store describes the table. */
export interface GatewayCapacity extends Partial<CapacityOptions> {
  /** Of its indexes, by name. Default: as the table's own, where units are given. */
  readonly indexes?: { readonly [name: string]: Partial<CapacityOptions> }
}

/** A description, as `DescribeTable` has it, as far as it matters here. */
interface Description {
  TableName: string
  TableArn?: string
  KeySchema: KeyPart[]
  AttributeDefinitions: { AttributeName: string; AttributeType: 'S' | 'N' | 'B' }[]
  BillingModeSummary?: { BillingMode?: string }
  ProvisionedThroughput?: Throughput
  GlobalSecondaryIndexes?: IndexDescription[]
}

interface KeyPart {
  AttributeName: string
  KeyType: 'HASH' | 'RANGE'
}

interface IndexDescription {
  IndexName: string
  KeySchema: KeyPart[]
  Projection?: { ProjectionType?: string }
  ProvisionedThroughput?: Throughput
}

interface Throughput {
  ReadCapacityUnits?: number
  WriteCapacityUnits?: number
}

/** The tables of a store: their keys as the store has them, with the capacity that is pretended. */
export class KnownTables {
  readonly #upstream: Upstream
  readonly #capacityOf: (table: string) => GatewayCapacity
  readonly #now: () => number
  readonly #tables = new Map<string, Promise<SimulatedTable | undefined>>()

  constructor(upstream: Upstream, capacityOf: (table: string) => GatewayCapacity, now: () => number) {
    this.#upstream = upstream
    this.#capacityOf = capacityOf
    this.#now = now
  }

  /**
   * @param headers of the request that asks
   * @returns undefined when the store knows no such table
   */
  find(name: string, headers: IncomingHttpHeaders): Promise<SimulatedTable | undefined> {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const learnt = this.#learn(name, headers)
    this.#tables.set(name, learnt)
    // A table that is not there may come.
    learnt.then(
      (table) => table ?? this.forget(name),
      () => this.forget(name),
    )
    return learnt
  }

  /** It was changed or dropped. */
  forget(name: string): void {
    this.#tables.delete(name)
  }

  async #learn(name: string, headers: IncomingHttpHeaders): Promise<SimulatedTable | undefined> {
    const question = Buffer.from(JSON.stringify({ TableName: name }))
    const { status, body } = await this.#upstream.ask(headers, 'DescribeTable', question)
    if (status !== 200) return undefined
    const { Table: table } = parseJson(body.toString('utf8')) as { Table: Description }
    const { indexes: ofIndexes = {}, ...asked } = this.#capacityOf(name)
    const given = defined(asked)
    const onDemand =
      table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' ||
      (table.ProvisionedThroughput?.WriteCapacityUnits ?? 0) === 0
    const described = (throughput: Throughput | undefined): CapacityOptions =>
      onDemand
        ? { billing: 'on demand' }
        : {
            billing: 'provisioned',
            readUnitsPerSecond: throughput?.ReadCapacityUnits ?? 1,
            writeUnitsPerSecond: throughput?.WriteCapacityUnits ?? 1,
          }
    return new SimulatedTable(
      {
        name,
        ...(table.TableArn === undefined ? {} : { arn: table.TableArn }),
        key: keyOf(table, table.KeySchema),
        capacity: { ...described(table.ProvisionedThroughput), ...given },
        indexes: (table.GlobalSecondaryIndexes ?? []).map((index) => ({
          name: index.IndexName,
          key: keyOf(table, index.KeySchema),
          projection: index.Projection?.ProjectionType === 'KEYS_ONLY' ? 'KEYS_ONLY' : 'ALL',
          capacity: {
            ...described(index.ProvisionedThroughput),
            ...given,
            ...defined(ofIndexes[index.IndexName] ?? {}),
          },
        })),
      },
      this.#now(),
    )
  }
}

function keyOf(table: Description, schema: readonly KeyPart[]): KeySchema {
  const part = (type: 'HASH' | 'RANGE') => {
    const name = schema.find(({ KeyType }) => KeyType === type)?.AttributeName
    const definition = table.AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)
    return name === undefined || definition === undefined ? undefined : { name, type: definition.AttributeType }
  }
  const partition = part('HASH')
  if (partition === undefined) throw new Error(`the store describes ${table.TableName} without a partition key`)
  return { partition, sort: part('RANGE') }
}

/** An answer to `DescribeTable` that tells the capacity which is kept to, in place of the store's own. */
export function describeCapacity(answer: { Table: object }, table: SimulatedTable): object {
  const described = answer.Table as Description
  const indexes = described.GlobalSecondaryIndexes?.map((index) => {
    const known = table.indexes.find(({ name }) => name === index.IndexName)
    return known === undefined ? index : { ...index, ...throughputOf(known, index.ProvisionedThroughput) }
  })
  const billing = table.capacity.billing === 'provisioned' ? 'PROVISIONED' : 'PAY_PER_REQUEST'
  return {
    ...answer,
    Table: {
      ...described,
      BillingModeSummary: { ...described.BillingModeSummary, BillingMode: billing },
      ...throughputOf(table, described.ProvisionedThroughput),
      ...(indexes === undefined ? {} : { GlobalSecondaryIndexes: indexes }),
    },
  }
}

function throughputOf({ capacity }: Pick<SimulatedTable, 'capacity'>, before: Throughput | undefined): object {
  const provisioned = capacity.billing === 'provisioned'
  return {
    ProvisionedThroughput: {
      ...before,
      ReadCapacityUnits: provisioned ? capacity.rate('read') : 0,
      WriteCapacityUnits: provisioned ? capacity.rate('write') : 0,
    },
  }
}
