import {
  type ColumnType,
  createTable,
  type FileOptions,
  type FormatName,
  files,
  HeadraceError,
  load,
  type RecordSource,
} from '../../index.ts'
import { dryRun, readPrices } from '../dryRun.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import { type CommonFlags, type keySchema, type PlanFlags, type WriteFlags, writeOptions } from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

interface LoadFlags {
  format?: string
  key?: ReturnType<typeof keySchema>
  types?: string
  delimiter?: string
}

const FORMATS: readonly string[] = ['jsonl', 'json', 'ddb-json', 'csv'] satisfies FormatName[]
const TYPES: readonly string[] = ['S', 'N', 'BOOL', 'NULL', 'B', 'json'] satisfies ColumnType[]

/** `headrace load` */
export async function loadCommand(
  name: string,
  paths: readonly string[],
  flags: CommonFlags & WriteFlags & PlanFlags & LoadFlags,
): Promise<void> {
  const options = fileOptions(flags)
  const database = openDatabase(flags)
  const table = database.table(name)
  let sources: readonly RecordSource[]
  let prices: Awaited<ReturnType<typeof readPrices>>
  try {
    prices = await readPrices(flags)
    sources = await files(paths, { ...options, stdin: process.stdin })
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  const writes = { ...writeOptions(flags), ...prices }
  if (flags.dryRun === true) {
    const job = load(sources, table, writes)
    const newTable = flags.key === undefined ? {} : { newTableKey: flags.key }
    return dryRun(flags, database, (planOptions) => job.plan({ ...planOptions, ...newTable }))
  }
  if (flags.key !== undefined) {
    try {
      await table.describe()
    } catch (error) {
      const talk = new Talk(flags)
      if (error instanceof HeadraceError && error.code === 'TABLE') {
        await createTable(database, name, { key: flags.key })
        talk.say(`created table ${name}`)
      } else {
        talk.failure(error)
        process.exitCode = exitCodeOf(error)
        await database.close()
        return
      }
    }
  }
  await runJob('load', name, flags, database, (onReject) => load(sources, table, { ...writes, onReject }))
  // After a signal it may still be open and silent, and would keep the process.
  if (paths.includes('-')) process.stdin.destroy()
}

function fileOptions(flags: LoadFlags): FileOptions {
  const { format, types, delimiter } = flags
  if (format !== undefined && !FORMATS.includes(format)) {
    throw new TypeError(`--format must be one of ${FORMATS.join(', ')}, not "${format}"`)
  }
  const csv = {
    ...(types === undefined ? {} : { types: columnTypes(types) }),
    ...(delimiter === undefined ? {} : { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
  }
  return {
    ...(format === undefined ? {} : { format: format as FormatName }),
    ...(Object.keys(csv).length === 0 ? {} : { csv }),
  }
}

function columnTypes(text: string): { [column: string]: ColumnType } {
  const types: { [column: string]: ColumnType } = {}
  for (const pair of text.split(',')) {
    const separator = pair.lastIndexOf('=')
    const type = pair.slice(separator + 1).trim()
    if (separator < 1 || !TYPES.includes(type)) {
      throw new TypeError(
        `--types takes COLUMN=TYPE with commas between, TYPE one of ${TYPES.join(', ')}; "${pair}" is not`,
      )
    }
    types[pair.slice(0, separator).trim()] = type as ColumnType
  }
  return types
}
