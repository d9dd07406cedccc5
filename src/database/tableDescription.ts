import type { Service } from '../dynamodb/service.ts'
import type { KeyAttribute, KeySchema } from '../item/itemKey.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

/** What the service tells of a table. */
export interface TableDescription {
  readonly name: string
  readonly arn: string
  readonly status: string
  readonly key: KeySchema
  readonly billing: 'on demand' | 'provisioned'
  /** Units a second; 0 on demand. */
  readonly readUnitsPerSecond: number
  readonly writeUnitsPerSecond: number
  /** Up to six hours old. */
  readonly itemCount: number
  /** Up to six hours old. */
  readonly sizeBytes: number
  readonly indexes: readonly string[]
  readonly deletionProtection: boolean
}

interface Answer {
  Table: {
    TableName: string
    TableArn?: string
    TableStatus: string
    KeySchema: { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[]
    AttributeDefinitions: { AttributeName: string; AttributeType: 'S' | 'N' | 'B' }[]
    BillingModeSummary?: { BillingMode?: string }
    ProvisionedThroughput?: { ReadCapacityUnits?: number; WriteCapacityUnits?: number }
    ItemCount?: number
    TableSizeBytes?: number
    GlobalSecondaryIndexes?: { IndexName: string }[]
    DeletionProtectionEnabled?: boolean
  }
}

/**
 * @param patienceMs how long to ask again while the endpoint does not answer
 * @throws {HeadraceError} `TABLE` when there is no such table
 */
export async function describeTable(service: Service, name: string, patienceMs: number): Promise<TableDescription> {
  let answer: Answer
  try {
    answer = (await service.call('DescribeTable', { TableName: name }, { patienceMs })) as Answer
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'TABLE') {
      const message = `there is no table "${name}" at this endpoint, region and account. "headrace table create ${name} --key NAME:S" makes one`
      throw new HeadraceError('TABLE', message, { place: { table: name }, cause: error })
    }
    throw error
  }
  const table = answer.Table
  const keyAttribute = (type: 'HASH' | 'RANGE'): KeyAttribute | undefined => {
    const attribute = table.KeySchema.find(({ KeyType }) => KeyType === type)?.AttributeName
    const definition = table.AttributeDefinitions.find(({ AttributeName }) => AttributeName === attribute)
    return attribute === undefined || definition === undefined
      ? undefined
      : { name: attribute, type: definition.AttributeType }
  }
  const partition = keyAttribute('HASH')
  if (partition === undefined) throw new HeadraceError('TABLE', `table "${name}" was described without a partition key`)
  const writeUnits = table.ProvisionedThroughput?.WriteCapacityUnits ?? 0
  const onDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' || writeUnits === 0
  return {
    name: table.TableName,
    arn: table.TableArn ?? '',
    status: table.TableStatus,
    key: { partition, sort: keyAttribute('RANGE') },
    billing: onDemand ? 'on demand' : 'provisioned',
    readUnitsPerSecond: onDemand ? 0 : (table.ProvisionedThroughput?.ReadCapacityUnits ?? 0),
    writeUnitsPerSecond: onDemand ? 0 : writeUnits,
    itemCount: table.ItemCount ?? 0,
    sizeBytes: table.TableSizeBytes ?? 0,
    indexes: (table.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName),
    deletionProtection: table.DeletionProtectionEnabled ?? false,
  }
}
