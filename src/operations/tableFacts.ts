import type { Table } from '../database/table.ts'
import { describeTable, type TableDescription } from '../database/tableDescription.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Action } from './actions.ts'

/** An answer that needs a right of its own, or the reason why there is none. */
export type Told<Value> =
  | { readonly isKnown: true; readonly value: Value }
  | {
      readonly isKnown: false
      /** Why, as the end of a sentence. */
      readonly why: string
      /** The right that this identity lacks; undefined where something else is in the way. */
      readonly missingAction?: Action | undefined
    }

/** What DynamoDB tells about a table in all of the calls that describe one. */
export interface TableFacts {
  readonly description: TableDescription
  /** The attribute with the time at which an item expires; undefined where time to live is off. */
  readonly timeToLiveAttribute: Told<string | undefined>
  readonly hasPointInTimeRecovery: Told<boolean>
  /** Kinesis streams that receive each change. */
  readonly kinesisStreams: Told<number>
}

/** Each call is only asked for advice. */
const PATIENCE_MS = 5_000

/**
 * Asks for all that DynamoDB tells about a table. Only the description is needed: an answer that this identity may not
 * have, or that the endpoint does not know, is returned as such.
 *
 * @throws {HeadraceError} as {@link describeTable}
 */
export async function askTableFacts(
  table: Table,
  { patienceMs = PATIENCE_MS, signal }: { patienceMs?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<TableFacts> {
  const { service } = await table.database.open()
  const description = await describeTable(service, table.name, patienceMs, signal)
  const [timeToLiveAttribute, hasPointInTimeRecovery, kinesisStreams] = await Promise.all([
    askTimeToLive(table, signal),
    askPointInTimeRecovery(table, signal),
    askKinesisStreams(table, signal),
  ])
  return { description, timeToLiveAttribute, hasPointInTimeRecovery, kinesisStreams }
}

/** Whether every second of the last days can be restored. */
export function askPointInTimeRecovery(table: Table, signal?: AbortSignal): Promise<Told<boolean>> {
  return ask(table, 'DescribeContinuousBackups', signal, (answer) => {
    const { ContinuousBackupsDescription: backups } = answer as BackupsAnswer
    return backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED'
  })
}

/** How many Kinesis streams receive each change. */
export function askKinesisStreams(table: Table, signal?: AbortSignal): Promise<Told<number>> {
  return ask(table, 'DescribeKinesisStreamingDestination', signal, (answer) => {
    const { KinesisDataStreamDestinations: streams = [] } = answer as StreamsAnswer
    return streams.filter(({ DestinationStatus }) => DestinationStatus === 'ACTIVE').length
  })
}

function askTimeToLive(table: Table, signal?: AbortSignal): Promise<Told<string | undefined>> {
  return ask(table, 'DescribeTimeToLive', signal, (answer) => {
    const { TimeToLiveDescription: described } = answer as TimeToLiveAnswer
    // While it is being enabled or disabled it may delete, too.
    return described?.TimeToLiveStatus === 'DISABLED' ? undefined : described?.AttributeName
  })
}

async function ask<Value>(
  table: Table,
  operation: 'DescribeTimeToLive' | 'DescribeContinuousBackups' | 'DescribeKinesisStreamingDestination',
  signal: AbortSignal | undefined,
  read: (answer: object) => Value,
): Promise<Told<Value>> {
  const { service } = await table.database.open()
  try {
    const options = { patienceMs: PATIENCE_MS, signal }
    const answer = await service.call(operation, { TableName: table.name }, options)
    return { isKnown: true, value: read((answer ?? {}) as object) }
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    if (error.code === 'DENIED')
      return { isKnown: false, why: `this identity lacks dynamodb:${operation}`, missingAction: operation }
    const why = error.code === 'REFUSED' ? `the endpoint does not know ${operation}` : error.message
    return { isKnown: false, why }
  }
}

interface BackupsAnswer {
  ContinuousBackupsDescription?: { PointInTimeRecoveryDescription?: { PointInTimeRecoveryStatus?: string } } | undefined
}

interface StreamsAnswer {
  KinesisDataStreamDestinations?: { DestinationStatus?: string }[] | undefined
}

interface TimeToLiveAnswer {
  TimeToLiveDescription?: { TimeToLiveStatus?: string; AttributeName?: string } | undefined
}
