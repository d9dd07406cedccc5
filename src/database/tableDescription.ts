import type { Service } from '../dynamodb/service.ts'
import type { KeyAttribute, KeySchema } from '../item/itemKey.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

/** What a table or an index can take, in units a second. */
export interface TableCapacity {
  readonly name: string
  /** Provisioned; 0 on demand. */
  readonly readUnitsPerSecond: number
  readonly writeUnitsPerSecond: number
  /** On demand, the maximum that its owner has set; undefined for none. */
  readonly readUnitsPerSecondMax: number | undefined
  readonly writeUnitsPerSecondMax: number | undefined
  /** What it is ready for at once (developer guide, "Warm throughput"); 0 where the endpoint does not tell. */
  readonly warmReadUnitsPerSecond: number
  readonly warmWriteUnitsPerSecond: number
}

/** What an index holds of an item. An item without all of its key's attributes is not in it. */
export interface IndexShape {
  readonly name: string
  /** Attributes of its own key. */
  readonly keyNames: readonly string[]
  /** What it holds besides its own key and the table's: everything, nothing, or these attributes. */
  readonly projection: 'all' | 'keys' | readonly string[]
}

/** A global secondary index. */
export interface IndexDescription extends TableCapacity, IndexShape {
  /** `ACTIVE` in use; empty where the endpoint does not tell. */
  readonly status: string
  /** Whether it is still being filled with what the table already has. It cannot be read before. */
  readonly isBackfilling: boolean
  /** Up to six hours old. */
  readonly itemCount: number
  /** Up to six hours old. */
  readonly sizeBytes: number
}

/** What the service tells of a table. */
export interface TableDescription extends TableCapacity {
  readonly arn: string
  /** Of this one table and none that has its name before or after; undefined where the endpoint does not tell. */
  readonly tableId: string | undefined
  readonly status: string
  readonly key: KeySchema
  readonly billing: 'on demand' | 'provisioned'
  /** Up to six hours old. */
  readonly itemCount: number
  /** Up to six hours old. */
  readonly sizeBytes: number
  /** Global secondary indexes. */
  readonly indexes: readonly IndexDescription[]
  /** Local secondary indexes; what they take is the table's. */
  readonly localIndexes: readonly IndexShape[]
  readonly deletionProtection: boolean
  /** `STANDARD`, `STANDARD_INFREQUENT_ACCESS`, or what the service may call a new one. */
  readonly tableClass: string
  /** Other regions of a global table. */
  readonly replicas: readonly string[]
  /** Whether each change goes into a stream of the table, for whoever reads it. */
  readonly hasStream: boolean
}

interface CapacityAnswer {
  ProvisionedThroughput?: { ReadCapacityUnits?: number; WriteCapacityUnits?: number }
  /** -1 for none. */
  OnDemandThroughput?: { MaxReadRequestUnits?: number; MaxWriteRequestUnits?: number }
  WarmThroughput?: { ReadUnitsPerSecond?: number; WriteUnitsPerSecond?: number }
}

interface IndexAnswer {
  IndexName: string
  KeySchema?: { AttributeName: string }[]
  Projection?: { ProjectionType?: 'ALL' | 'KEYS_ONLY' | 'INCLUDE'; NonKeyAttributes?: string[] }
}

interface Answer {
  Table: CapacityAnswer & {
    TableName: string
    TableArn?: string
    TableId?: string
    TableStatus: string
    KeySchema: { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[]
    AttributeDefinitions: { AttributeName: string; AttributeType: 'S' | 'N' | 'B' }[]
    BillingModeSummary?: { BillingMode?: string }
    ItemCount?: number
    TableSizeBytes?: number
    GlobalSecondaryIndexes?: (CapacityAnswer &
      IndexAnswer & { IndexStatus?: string; Backfilling?: boolean; ItemCount?: number; IndexSizeBytes?: number })[]
    LocalSecondaryIndexes?: IndexAnswer[]
    DeletionProtectionEnabled?: boolean
    TableClassSummary?: { TableClass?: string }
    Replicas?: { RegionName?: string }[]
    StreamSpecification?: { StreamEnabled?: boolean }
  }
}

/**
 * @internal
 * @param patienceMs how long to ask again while the endpoint does not answer
 * @throws {HeadraceError} `TABLE` when there is no such table
 */
export async function describeTable(
  service: Service,
  name: string,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<TableDescription> {
  let answer: Answer
  try {
    const options = { patienceMs, signal }
    answer = (await service.call('DescribeTable', { TableName: name }, options)) as Answer
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'TABLE') {
      const message = `there is no table "${name}" at this endpoint, region and account. To create it: headrace table create ${name} --key NAME:S`
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
  const writeUnits = figure(table.ProvisionedThroughput?.WriteCapacityUnits)
  const onDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' || writeUnits === 0
  return {
    ...capacityOf(table.TableName, table, onDemand),
    arn: table.TableArn ?? '',
    tableId: table.TableId,
    status: table.TableStatus,
    key: { partition, sort: keyAttribute('RANGE') },
    billing: onDemand ? 'on demand' : 'provisioned',
    itemCount: figure(table.ItemCount),
    sizeBytes: figure(table.TableSizeBytes),
    indexes: (table.GlobalSecondaryIndexes ?? []).map((index) => ({
      ...capacityOf(index.IndexName, index, onDemand),
      ...shapeOf(index),
      status: index.IndexStatus ?? '',
      isBackfilling: index.Backfilling ?? false,
      itemCount: figure(index.ItemCount),
      sizeBytes: figure(index.IndexSizeBytes),
    })),
    localIndexes: (table.LocalSecondaryIndexes ?? []).map(shapeOf),
    deletionProtection: table.DeletionProtectionEnabled ?? false,
    tableClass: table.TableClassSummary?.TableClass ?? 'STANDARD',
    replicas: replicasOf(table.Replicas ?? [], table.TableArn ?? ''),
    hasStream: table.StreamSpecification?.StreamEnabled ?? false,
  }
}

function shapeOf({ IndexName, KeySchema = [], Projection }: IndexAnswer): IndexShape {
  const { ProjectionType = 'ALL', NonKeyAttributes = [] } = Projection ?? {}
  return {
    name: IndexName,
    keyNames: KeySchema.map(({ AttributeName }) => AttributeName),
    projection: ProjectionType === 'ALL' ? 'all' : ProjectionType === 'KEYS_ONLY' ? 'keys' : NonKeyAttributes,
  }
}

/** The regions besides the table's own, which some versions of global tables name among them. */
function replicasOf(replicas: readonly { RegionName?: string }[], arn: string): string[] {
  const own = arn.split(':')[3]
  return replicas.flatMap(({ RegionName: region }) => (region === undefined || region === own ? [] : [region]))
}

/** What an emulator leaves out, or gives as something else than a number, is 0. */
function figure(value: unknown): number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : 0
}

function capacityOf(name: string, answer: CapacityAnswer, onDemand: boolean): TableCapacity {
  const { ProvisionedThroughput: provisioned, OnDemandThroughput: most, WarmThroughput: warm } = answer
  const maximum = (units: number | undefined): number | undefined => (figure(units) < 1 ? undefined : figure(units))
  return {
    name,
    readUnitsPerSecond: onDemand ? 0 : figure(provisioned?.ReadCapacityUnits),
    writeUnitsPerSecond: onDemand ? 0 : figure(provisioned?.WriteCapacityUnits),
    readUnitsPerSecondMax: onDemand ? maximum(most?.MaxReadRequestUnits) : undefined,
    writeUnitsPerSecondMax: onDemand ? maximum(most?.MaxWriteRequestUnits) : undefined,
    warmReadUnitsPerSecond: figure(warm?.ReadUnitsPerSecond),
    warmWriteUnitsPerSecond: figure(warm?.WriteUnitsPerSecond),
  }
}
