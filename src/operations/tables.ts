import type { Database } from '../database/database.ts'
import { checkTableName } from '../database/table.ts'
import { describeTable, type TableDescription } from '../database/tableDescription.ts'
import { type KeySchema, keyPartsOf } from '../item/itemKey.ts'
import { readKeySchema } from '../item/readKeySchema.ts'
import { sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { withSignal } from '../runtime/unlessAborted.ts'

/**
 * What a new table is like.
 *
 * @example
 * const options: CreateTableOptions = { key: 'customer:S,number:N', writeUnitsPerSecond: 100 }
 */
export interface CreateTableOptions {
  /**
   * The primary key: names with their types S, N or B, such as `'id:S'` or `'customer:S,number:N'`; or as an object,
   * `{ partition: { name: 'id', type: 'S' } }`.
   */
  readonly key: string | KeySchema
  /** Read capacity units of a provisioned table. Default: on-demand, or 100 if `writeUnitsPerSecond` is set. */
  readonly readUnitsPerSecond?: number | undefined
  /** Write capacity units of a provisioned table. Default: on-demand, or 100 if `readUnitsPerSecond` is set. */
  readonly writeUnitsPerSecond?: number | undefined
  /** Drops a table of this name first, with everything in it. Default false. */
  readonly replace?: boolean | undefined
  /** Aborting ends the wait. A table that DynamoDB has started to create is still created. Default: none. */
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
 * Creates a table and waits until it can be used.
 *
 * @returns the description of the new table
 * @throws {TypeError} for a name or key that is not valid
 * @throws {HeadraceError} `TABLE` when there is one already and `replace` is not set; the signal's reason when it aborts
 * @example
 * await createTable(db, 'orders', { key: 'customer:S,number:N' })
 */
export async function createTable(
  database: Database,
  name: string,
  options: CreateTableOptions,
): Promise<TableDescription> {
  checkTableName(name)
  const { readUnitsPerSecond, writeUnitsPerSecond, signal } = options
  const attributes = keyPartsOf(typeof options.key === 'string' ? readKeySchema(options.key) : options.key)
  const { service } = await withSignal(signal, () => database.open())
  if (options.replace === true) await dropTable(database, name, { signal })
  const provisioned = readUnitsPerSecond !== undefined || writeUnitsPerSecond !== undefined
  try {
    const request = {
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
    }
    await service.call('CreateTable', request, { signal })
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
  return waitForTable(database, name, { signal })
}

/**
 * Drops a table with everything in it and waits until it is gone. A table that does not exist is not an error.
 *
 * @param options.signal aborting ends the wait; a deletion that has started goes on. Default: none
 * @returns whether there was a table
 * @throws {HeadraceError} `TABLE` when it is still there after ten minutes; the signal's reason when it aborts
 * @example
 * const existed = await dropTable(db, 'orders')
 */
export async function dropTable(
  database: Database,
  name: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  checkTableName(name)
  const { signal } = options
  const { service, clock, connection } = await withSignal(signal, () => database.open())
  const deadline = clock.now() + WAIT_MS
  let found = false
  for (;;) {
    let status: string
    try {
      ;({ status } = await describeTable(service, name, connection.loopback ? 3_000 : 20_000, signal))
    } catch (error) {
      if (error instanceof HeadraceError && error.code === 'TABLE') return found
      throw error
    }
    found = true
    // One that is being made or changed can not be dropped yet.
    if (status === 'ACTIVE') await service.call('DeleteTable', { TableName: name }, { signal })
    if (clock.now() > deadline)
      throw new HeadraceError('TABLE', `table "${name}" was not deleted within ${WAIT_MS / 1_000} s`)
    await sleep(clock, ASK_EVERY_MS, signal)
  }
}

/**
 * Waits until a table can be used.
 *
 * @param options.signal aborting ends the wait. Default: none
 * @returns the description of the table
 * @throws {HeadraceError} `TABLE` when there is none, or it is not ACTIVE in ten minutes; the signal's reason when it aborts
 * @example
 * const { itemCount } = await waitForTable(db, 'orders', { signal: AbortSignal.timeout(60_000) })
 */
export async function waitForTable(
  database: Database,
  name: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<TableDescription> {
  checkTableName(name)
  const { signal } = options
  const { service, clock, connection } = await withSignal(signal, () => database.open())
  const deadline = clock.now() + WAIT_MS
  for (;;) {
    const description = await describeTable(service, name, connection.loopback ? 3_000 : 20_000, signal)
    if (description.status === 'ACTIVE') return description
    if (clock.now() > deadline) {
      throw new HeadraceError('TABLE', `table "${name}" is still ${description.status} after ${WAIT_MS / 1_000} s`)
    }
    await sleep(clock, ASK_EVERY_MS, signal)
  }
}
