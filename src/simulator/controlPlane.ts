import type { Call } from './call.ts'
import type { Capacity } from './capacity.ts'
import { type KeySchema, partsOf } from './primaryKey.ts'
import { invalid, ServiceError } from './serviceError.ts'
import { type SimulatedIndex, SimulatedTable } from './simulatedTable.ts'

interface Definition {
  AttributeName: string
  AttributeType: 'S' | 'N' | 'B'
}

export function describeTable(call: Call): object {
  return { Table: description(existing(call)) }
}

/** At once, as the service does. */
const NAMES_PER_PAGE = 100

export function listTables({ body, tables }: Call): object {
  const after = body.ExclusiveStartTableName
  const names = [...tables.keys()].sort().filter((name) => after === undefined || name > after)
  const page = names.slice(0, body.Limit ?? NAMES_PER_PAGE)
  return { TableNames: page, ...(page.length < names.length ? { LastEvaluatedTableName: page.at(-1) } : {}) }
}

/** @param later runs what it is given when the table is made or gone */
export function createTable(call: Call, later: (then: () => void) => void): object {
  const { body, nowMs, tables } = call
  if (tables.has(body.TableName)) {
    throw new ServiceError('ResourceInUseException', `Table already exists: ${body.TableName}`)
  }
  const keyPart = (type: 'HASH' | 'RANGE') => {
    const name = body.KeySchema.find((part: { KeyType: string }) => part.KeyType === type)?.AttributeName
    const definition = body.AttributeDefinitions.find((one: Definition) => one.AttributeName === name)
    return definition === undefined ? undefined : { name, type: definition.AttributeType }
  }
  const partition = keyPart('HASH')
  if (partition === undefined) throw invalid('a table needs a partition key')
  const onDemand = body.BillingMode === 'PAY_PER_REQUEST'
  const table = new SimulatedTable(
    {
      name: body.TableName,
      key: { partition, sort: keyPart('RANGE') },
      capacity: onDemand
        ? { billing: 'on demand' }
        : {
            billing: 'provisioned',
            readUnitsPerSecond: body.ProvisionedThroughput.ReadCapacityUnits,
            writeUnitsPerSecond: body.ProvisionedThroughput.WriteCapacityUnits,
          },
    },
    nowMs,
  )
  table.status = 'CREATING'
  tables.set(table.name, table)
  later(() => {
    table.status = 'ACTIVE'
  })
  return { TableDescription: description(table) }
}

export function deleteTable(call: Call, later: (then: () => void) => void): object {
  const table = existing(call)
  if (table.status === 'CREATING') throw new ServiceError('ResourceInUseException', 'Table is being created')
  table.status = 'DELETING'
  later(() => call.tables.delete(table.name))
  return { TableDescription: description(table) }
}

function existing(call: Call): SimulatedTable {
  const table = call.tables.get(`${call.body.TableName}`)
  if (table === undefined) {
    throw new ServiceError('ResourceNotFoundException', `Requested resource not found: Table: ${call.body.TableName}`)
  }
  return table
}

function description(table: SimulatedTable): object {
  const { key, capacity } = table
  const types = new Map<string, string>()
  for (const one of [key, ...table.indexes.map((index) => index.key)]) {
    for (const { name, type } of partsOf(one)) types.set(name, type)
  }
  const provisioned = capacity.billing === 'provisioned'
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableStatus: table.status,
    KeySchema: keySchema(key),
    AttributeDefinitions: [...types].map(([name, type]) => ({ AttributeName: name, AttributeType: type })),
    ...(provisioned ? {} : { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } }),
    ...throughput(capacity),
    ItemCount: table.size,
    TableSizeBytes: table.sizeBytes,
    ...(table.indexes.length === 0 ? {} : { GlobalSecondaryIndexes: table.indexes.map(indexDescription) }),
  }
}

function indexDescription({ name, arn, key, projection, capacity }: SimulatedIndex): object {
  return {
    IndexName: name,
    IndexArn: arn,
    IndexStatus: 'ACTIVE',
    KeySchema: keySchema(key),
    Projection: { ProjectionType: projection },
    ...throughput(capacity),
  }
}

/** What the service tells of units: 0 for what is not provisioned, -1 for a maximum that is not set. */
function throughput(capacity: Capacity): object {
  const provisioned = capacity.billing === 'provisioned'
  const [read, write] = [capacity.rate('read'), capacity.rate('write')]
  const maximum = (units: number): number => (units === Number.POSITIVE_INFINITY ? -1 : units)
  return {
    ProvisionedThroughput: { ReadCapacityUnits: provisioned ? read : 0, WriteCapacityUnits: provisioned ? write : 0 },
    ...(provisioned || (maximum(read) < 0 && maximum(write) < 0)
      ? {}
      : { OnDemandThroughput: { MaxReadRequestUnits: maximum(read), MaxWriteRequestUnits: maximum(write) } }),
    WarmThroughput: {
      ReadUnitsPerSecond: capacity.warm('read'),
      WriteUnitsPerSecond: capacity.warm('write'),
      Status: 'ACTIVE',
    },
  }
}

function keySchema(key: KeySchema): object[] {
  return partsOf(key).map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? 'HASH' : 'RANGE' }))
}
