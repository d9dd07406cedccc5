import type { Table } from '../../database/table.ts'
import { askKinesisStreams, askPointInTimeRecovery, type Told } from '../tableFacts.ts'

/** What only optional rights tell of a table. */
export interface TableSafety {
  /** Whether every second of the last days can be restored; undefined where it could not be found out. */
  readonly hasPointInTimeRecovery: boolean | undefined
  /** Kinesis streams that are told of each change; undefined where it could not be found out. */
  readonly kinesisStreams: number | undefined
  /** Why not, a sentence each. */
  readonly unknown: readonly string[]
}

/**
 * Asks what a table has against accidents, and who hears of each change. Never fails: what is not told is not known.
 *
 * @param changes whether there will be any
 */
export async function askTableSafety(table: Table, changes: boolean): Promise<TableSafety> {
  const unknown = new Map<string, string[]>()
  const value = <Value>(told: Told<Value>, what: string): Value | undefined => {
    if (told.isKnown) return told.value
    const why =
      told.missingAction === undefined ? 'the endpoint does not report it' : 'this identity has no permission to ask'
    unknown.set(why, [...(unknown.get(why) ?? []), `whether ${what}`])
    return undefined
  }
  const backups = value(await askPointInTimeRecovery(table), 'point-in-time recovery is on')
  const streams = changes ? value(await askKinesisStreams(table), 'a Kinesis stream receives each change') : undefined
  return {
    hasPointInTimeRecovery: backups,
    kinesisStreams: streams,
    unknown: [...unknown].map(([why, whats]) => `W${whats.join(', and ').slice(1)}: ${why}.`),
  }
}
