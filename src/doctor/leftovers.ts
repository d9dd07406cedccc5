import type { Database } from '../database/database.ts'
import { describeTable } from '../database/tableDescription.ts'
import { PROBE_TABLE_PREFIX } from '../operations/actions.ts'
import { dropTable, listTables } from '../operations/tables.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

/** The partition key of a probe's tables, by which they are told from a table that only has such a name. */
export const PROBE_KEY = 'headrace_probe'
const NAME = new RegExp(`^${PROBE_TABLE_PREFIX}[0-9a-f]{12}$`)
const PATIENCE_MS = 4_000

/**
 * Tables that an earlier probe could not drop, because it was killed.
 *
 * @throws {HeadraceError} `DENIED` where this identity may not list tables
 */
export async function findLeftovers(database: Database, signal: AbortSignal): Promise<string[]> {
  const found: string[] = []
  // The names are in order: those of probes lie together.
  const after = PROBE_TABLE_PREFIX.slice(0, -1)
  for await (const name of listTables(database, { after, patienceMs: PATIENCE_MS, signal })) {
    if (name > PROBE_TABLE_PREFIX && !name.startsWith(PROBE_TABLE_PREFIX)) break
    if (NAME.test(name)) found.push(name)
  }
  const ours: string[] = []
  for (const name of found) if (await isOurs(database, name, signal)) ours.push(name)
  return ours
}

async function isOurs(database: Database, name: string, signal: AbortSignal): Promise<boolean> {
  const { service } = await database.open()
  try {
    const { key, status } = await describeTable(service, name, PATIENCE_MS, signal)
    return key.partition.name === PROBE_KEY && status !== 'DELETING'
  } catch (error) {
    // It has just been dropped.
    if (error instanceof HeadraceError && error.code === 'TABLE') return false
    throw error
  }
}

/** Drops tables of a probe, and waits until they are gone. */
export async function dropProbeTables(database: Database, names: readonly string[]): Promise<void> {
  const ends = await Promise.allSettled(names.map((name) => dropTable(database, name)))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
