import {
  type ColumnType,
  checkSources,
  createTable,
  type FileOptions,
  type FormatName,
  files,
  HeadraceError,
  load,
  type RecordSource,
} from '../../index.ts'
import { counted } from '../../runtime/counted.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type IfExistsFlags,
  ifExistsOf,
  type JobFlags,
  type keySchema,
  type PlanFlags,
  type S3Flags,
  s3Options,
  transformOption,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

interface LoadFlags {
  format?: string
  fromRejects?: boolean
  key?: ReturnType<typeof keySchema>
  types?: string
  delimiter?: string
  transform?: string
  verify?: boolean
  applyChanges?: boolean
  latest?: boolean
  keepOld?: boolean
}

const FORMATS: readonly string[] = ['jsonl', 'json', 'ddb-json', 'csv', 'parquet', 'ion'] satisfies FormatName[]
const TYPES: readonly string[] = ['S', 'N', 'BOOL', 'NULL', 'B', 'json', 'ddb'] satisfies ColumnType[]

/** `headrace load` */
export async function loadCommand(
  name: string,
  paths: readonly string[],
  flags: CommonFlags & JobFlags & WriteFlags & PlanFlags & S3Flags & IfExistsFlags & LoadFlags,
): Promise<void> {
  const options = fileOptions(flags)
  const database = openDatabase(flags)
  const table = database.table(name)
  const talk = new Talk(flags)
  let sources: readonly RecordSource[]
  try {
    sources = await files(paths, {
      ...options,
      ...s3Options(flags),
      stdin: process.stdin,
      // A plan reads a sample, and writes nothing.
      verify: flags.verify !== false && flags.dryRun !== true,
      latest: flags.latest === true,
      onWarning: (text) => {
        talk.say(text)
        talk.event('warning', { message: text })
      },
      ...(flags.applyChanges === true ? { changes: true } : {}),
      onVerify: (count) => talk.say(`checking ${counted(count, 'file')} of the export against its manifest`),
    })
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  if (flags.key !== undefined && flags.dryRun !== true) {
    try {
      await table.describe()
    } catch (error) {
      if (error instanceof HeadraceError && error.code === 'TABLE') {
        // A table for what turns out not to be there would only be in the way.
        await checkSources(
          sources,
          flags.transform === undefined && flags.applyChanges !== true ? flags.key : undefined,
        )
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
  await runJob({
    operation: 'load',
    table: name,
    flags,
    database,
    rates: writeOptions(flags),
    readsStdin: paths.includes('-'),
    plan: (job, planOptions) =>
      (job as ReturnType<typeof load>).plan({
        ...planOptions,
        ...(flags.key === undefined ? {} : { newTableKey: flags.key }),
      }),
    make: (made) =>
      load(sources, table, {
        ...writeOptions(flags),
        ...transformOption(flags),
        ...(flags.applyChanges === true ? { applyChanges: true } : {}),
        ...(flags.keepOld === true ? { keepOld: true } : {}),
        ...ifExistsOf(flags),
        ...made,
      }),
  })
  // After a signal it may still be open and silent, and would keep the process.
  if (paths.includes('-')) process.stdin.destroy()
}

function fileOptions(flags: LoadFlags): FileOptions {
  const { types, delimiter } = flags
  const format = flags.fromRejects === true ? 'rejects' : flags.format
  if (flags.format !== undefined && !FORMATS.includes(flags.format)) {
    throw new TypeError(`--format must be one of ${FORMATS.join(', ')}, not "${flags.format}"`)
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
  const types: { [column: string]: ColumnType } = Object.create(null)
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
