import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import { keySchemaText } from '../item/itemKey.ts'
import type { ConnectionSpec, TableSpec } from '../job/jobSpec.ts'

/** Which table that is, and how to get there again. */
export function tableSpec(description: TableDescription, table: Table, { connection }: OpenDatabase): TableSpec {
  const { arn, tableId, key } = description
  const { profile, endpoint, allowInsecureEndpoint } = table.database.options
  const how: ConnectionSpec = {
    region: connection.region,
    profile,
    // The region's own address follows from the region; another was named somewhere, and may not be the next time.
    ...(endpoint !== undefined || connection.loopback ? { endpoint: connection.endpoint } : {}),
    ...(allowInsecureEndpoint === true ? { allowInsecureEndpoint } : {}),
  }
  return {
    name: table.name,
    arn,
    tableId,
    key: keySchemaText(key),
    connection: how,
  }
}
