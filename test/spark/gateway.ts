import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from '../../src/database/database.ts'
import type { Table } from '../../src/database/table.ts'
import { createTable } from '../../src/operations/tables.ts'
import { headrace } from '../e2e/command.ts'

export interface Gateway extends AsyncDisposable {
  readonly endpoint: string
  readonly table: Table
}

/** A DynamoDB with one table, and one to share rates through, which each give so many write units a second and not one more. */
export async function startGateway(
  directory: string,
  options: { readonly writeUnits: number; readonly table: string; readonly key: string; readonly lifeMs: number },
): Promise<Gateway> {
  let child: ChildProcess | undefined
  const flags = ['--write-units', `${options.writeUnits}`, '--burst-seconds', '0', '--latency-ms', '1', '--seed', '7']
  const running = headrace(['simulate', '--port', '0', '--json', ...flags], {
    directory,
    lifeMs: options.lifeMs,
    onStart: (started) => {
      child = started
    },
  })
  const ready = once(child!.stdout!, 'data').then(([text]) => `${text}`)
  const { endpoint } = JSON.parse(await Promise.race([ready, running.then(({ stderr }) => stderr)])) as {
    endpoint: string
  }
  const database = connect({ endpoint })
  await createTable(database, options.table, { key: { partition: { name: options.key, type: 'S' } } })
  await createTable(database, 'control', { key: { partition: { name: 'pk', type: 'S' } } })
  return {
    endpoint,
    table: database.table(options.table),
    async [Symbol.asyncDispose]() {
      await database.close()
      child!.kill('SIGINT')
      await running
    },
  }
}
