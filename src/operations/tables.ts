import type { Database } from '../database/database.ts'
import { checkTableName } from '../database/table.ts'
import { describeTable, type TableDescription } from '../database/tableDescription.ts'
import { type KeySchema, keyPartsOf } from '../item/itemKey.ts'
import { sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

export interface CreateTableOptions {
  readonly key: KeySchema
  /** Units a second for a provisioned table. Default: on demand. */
  readonly readUnitsPerSecond?: number | undefined
  readonly writeUnitsPerSecond?: number | undefined
  /** Drops a table of this name first, with everything in it. Default false. */
  readonly replace?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ListTablesOptions {
  /** Begins with the first name behind this one. Default: all names. */
  readonly after?: string | undefined
  /** How long a page is tried for, in milliseconds. Default 20,000. */
  readonly patienceMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** How long to wait for a table to become what was asked: large ones take minutes. */
const WAIT_MS = 10 * 60_000
const ASK_EVERY_MS = 250

/** `ListTables` gives no more at once. */
const NAMES_PER_PAGE = 100

/**
 * The names of all tables of the account in the region, in alphabetical order.
 *
 * @throws {HeadraceError} `DENIED` where this identity may not list tables
 * @example
 * for await (const name of listTables(database)) console.log(name)
 */
export async function* listTables(database: Database, options: ListTablesOptions = {}): AsyncGenerator<string> {
  const { patienceMs = 20_000, signal } = options
  const { service } = await database.open()
  let { after } = options
  do {
    const answer = (await service.call(
      'ListTables',
      { Limit: NAMES_PER_PAGE, ExclusiveStartTableName: after },
      { patienceMs, signal },
    )) as { TableNames?: string[]; LastEvaluatedTableName?: string }
    yield* answer.TableNames ?? []
    after = answer.LastEvaluatedTableName
  } while (after !== undefined)
}

/**
 * Makes a table and waits until it can be used.
 *
 * @throws {HeadraceError} `TABLE` when there is one already and `replace` is not set
 */
export async function createTable(
  database: Database,
  name: string,
  options: CreateTableOptions,
): Promise<TableDescription> {
  checkTableName(name)
  const { service } = await database.open()
  const { key, readUnitsPerSecond, writeUnitsPerSecond, signal } = options
  if (options.replace === true) await dropTable(database, name, signal === undefined ? {} : { signal })
  const attributes = keyPartsOf(key)
  const provisioned = readUnitsPerSecond !== undefined || writeUnitsPerSecond !== undefined
  try {
    await service.call('CreateTable', {
      TableName: name,
      AttributeDefinitions: attributes.map((attribute) => ({
        AttributeName: attribute.name,
        AttributeType: attribute.type,
      })),
      KeySchema: attributes.map((attribute, index) => ({
        AttributeName: attribute.name,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
      ...(provisioned
        ? {
            BillingMode: 'PROVISIONED',
            ProvisionedThroughput: {
              ReadCapacityUnits: readUnitsPerSecond ?? 100,
              WriteCapacityUnits: writeUnitsPerSecond ?? 100,
            },
          }
        : { BillingMode: 'PAY_PER_REQUEST' }),
    })
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.code !== 'TABLE') throw error
    throw new HeadraceError(
      'TABLE',
      `table "${name}" already exists: use it as it is, or pass --replace to drop it and its items first`,
      {
        place: { table: name },
        cause: error,
      },
    )
  }
  return waitForTable(database, name, signal === undefined ? {} : { signal })
}

/**
 * Drops a table with everything in it and waits until it is gone; one that is not there is no error.
 *
 * @returns whether there was one
 */
export async function dropTable(
  database: Database,
  name: string,
  options: { signal?: AbortSignal } = {},
): Promise<boolean> {
  checkTableName(name)
  const { service, clock, connection } = await database.open()
  const deadline = clock.now() + WAIT_MS
  let found = false
  for (;;) {
    let status: string
    try {
      ;({ status } = await describeTable(service, name, connection.loopback ? 3_000 : 20_000))
    } catch (error) {
      if (error instanceof HeadraceError && error.code === 'TABLE') return found
      throw error
    }
    found = true
    // One that is being made or changed can not be dropped yet.
    if (status === 'ACTIVE') await service.call('DeleteTable', { TableName: name })
    if (clock.now() > deadline)
      throw new HeadraceError('TABLE', `table "${name}" was not deleted within ${WAIT_MS / 1_000} s`)
    await sleep(clock, ASK_EVERY_MS, options.signal)
  }
}

/**
 * Waits until a table can be used.
 *
 * @throws {HeadraceError} `TABLE` when there is none, or it is not ACTIVE in ten minutes
 */
export async function waitForTable(
  database: Database,
  name: string,
  options: { signal?: AbortSignal } = {},
): Promise<TableDescription> {
  checkTableName(name)
  const { service, clock, connection } = await database.open()
  const deadline = clock.now() + WAIT_MS
  for (;;) {
    const description = await describeTable(service, name, connection.loopback ? 3_000 : 20_000)
    if (description.status === 'ACTIVE') return description
    if (clock.now() > deadline) {
      throw new HeadraceError('TABLE', `table "${name}" is still ${description.status} after ${WAIT_MS / 1_000} s`)
    }
    await sleep(clock, ASK_EVERY_MS, options.signal)
  }
}
