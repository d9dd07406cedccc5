import { after } from 'node:test'
import { connect, type Database } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import type { KeySchema } from '../../src/item/itemKey.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'

// For files of tests that share one store: whoever imports this has it from before the first test to after the last.

/** The embedded DynamoDB. */
export const store = await startLocal({ kind: 'dynoxide' })
/** Connected to it. */
export const database = connect({ endpoint: store.endpoint })
let tables = 0

after(async () => {
  await database.close()
  await store.stop()
})

/** A name that no other test of the file has for a table. */
export function newName(): string {
  tables += 1
  return `things${tables}`
}

/** A table of its own for one test. */
export async function newTable(
  key: KeySchema = { partition: { name: 'id', type: 'S' } },
  where: Database = database,
): Promise<Table> {
  const name = newName()
  await createTable(where, name, { key })
  return where.table(name)
}
