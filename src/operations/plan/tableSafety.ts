import type { Table } from '../../database/table.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'

/** What only optional rights tell of a table. */
export interface TableSafety {
  /** Whether every second of the last days can be restored; undefined where it could not be found out. */
  readonly hasPointInTimeRecovery: boolean | undefined
  /** Kinesis streams that are told of each change; undefined where it could not be found out. */
  readonly kinesisStreams: number | undefined
  /** Why not, a sentence each. */
  readonly unknown: readonly string[]
}

/** It is only asked for advice. */
const PATIENCE_MS = 5_000

/**
 * Asks what a table has against accidents, and who hears of each change. Never fails: what is not told is not known.
 *
 * @param changes whether there will be any
 */
export async function askTableSafety(table: Table, changes: boolean): Promise<TableSafety> {
  const { service } = await table.database.open()
  const unknown = new Map<string, string[]>()
  const ask = async (operation: 'DescribeContinuousBackups' | 'DescribeKinesisStreamingDestination', what: string) => {
    try {
      return await service.call(operation, { TableName: table.name }, { patienceMs: PATIENCE_MS })
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error
      const why = error.code === 'DENIED' ? 'this identity has no permission to ask' : 'the endpoint does not report it'
      unknown.set(why, [...(unknown.get(why) ?? []), `whether ${what}`])
      return undefined
    }
  }
  const backups = (await ask('DescribeContinuousBackups', 'point-in-time recovery is on')) as Backups | undefined
  const streams: Streams | undefined = changes
    ? ((await ask('DescribeKinesisStreamingDestination', 'a Kinesis stream receives each change')) as Streams)
    : undefined
  const status = backups?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus
  const active = streams?.KinesisDataStreamDestinations?.filter(
    ({ DestinationStatus }) => DestinationStatus === 'ACTIVE',
  )
  return {
    hasPointInTimeRecovery: backups === undefined ? undefined : status === 'ENABLED',
    kinesisStreams: streams === undefined ? undefined : (active?.length ?? 0),
    unknown: [...unknown].map(([why, whats]) => `W${whats.join(', and ').slice(1)}: ${why}.`),
  }
}

interface Backups {
  ContinuousBackupsDescription?: { PointInTimeRecoveryDescription?: { PointInTimeRecoveryStatus?: string } }
}

interface Streams {
  KinesisDataStreamDestinations?: { DestinationStatus?: string }[]
}
