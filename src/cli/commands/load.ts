import type { RecordSource, Table } from '../../index.ts'
import { counted } from '../../runtime/counted.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import { command } from '../command.ts'
import { fileFormat, fileOptions, types } from '../fileOptions.ts'
import { option, rare } from '../option.ts'
import {
  COMMON,
  delimiter,
  ifExists,
  ifExistsOf,
  keepOld,
  maxInFlight,
  PLANNING,
  S3_READING,
  STATE,
  s3Options,
  threads,
  transform,
  transformOption,
  WRITE_RATE,
  writeOptions,
} from '../options.ts'
import { keySchema } from '../values.ts'

const fromRejects = option('--from-rejects', {
  group: 'Common options',
  description: 'the files are rejects of an earlier job, such as .headrace/JOB/rejects.jsonl',
})

const OPTIONS = [
  fileFormat,
  types,
  option('--key <key>', {
    group: 'Common options',
    description:
      'create the table with this key if it does not exist, such as id:S or customer:S,number:N (S if no type is given)',
    parse: keySchema,
  }),
  fromRejects,
  ...PLANNING,
  ifExists,
  transform,
  keepOld,
  ...WRITE_RATE,
  ...STATE,
  maxInFlight,
  threads,
  delimiter,
  rare(
    option('--split', {
      group: 'Advanced',
      description:
        'with --threads or --slices: divide large files of lines; of two records with the same key, either may be stored',
    }),
  ),
  rare(
    option('--apply-changes', {
      group: 'Advanced',
      description: 'the files are an incremental export: write what it puts, delete what it deletes',
      library: 'applyChanges',
    }),
  ),
  rare(
    option('--latest', {
      group: 'Advanced',
      description: 'of several full exports of one table, load only the newest',
      library: 'latest',
    }),
  ),
  rare(
    option('--no-verify', {
      group: 'Advanced',
      description: 'do not check the files of a native export against its manifest first',
      library: 'verify',
    }),
  ),
  ...S3_READING,
  ...COMMON,
] as const

export const load = command({
  name: 'load',
  arguments: '<table> <files...>',
  section: 'Change items',
  summary: 'Load files into a table',
  description:
    'Reads JSON Lines, JSON, DynamoDB JSON, CSV, Parquet and Ion, plain or compressed (.gz, .zst). A directory stands for all such files in it; a quoted pattern for its matches; both also work with s3://. "-" is standard input. Files are read side by side. Of two records with the same key in one file, the later one is stored.',
  examples: [
    'headrace load users users.jsonl.gz more.csv',
    'headrace load orders export/AWSDynamoDB/01693685827463-2d8752fd --rate 50%',
    'headrace load users "s3://backups/users/2026-*.jsonl.gz"',
    'headrace load users users.jsonl --key id:S --dry-run',
  ],
  options: OPTIONS,
  async run([name, paths], flags) {
    const library = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    const { Talk } = await import('../talk.ts')
    const { adviseTypes } = await import('../adviseTypes.ts')
    const talk = new Talk(flags)
    const database = openDatabase(flags)
    const table = database.table(name)
    let sources: readonly RecordSource[]
    try {
      sources = await library.files(paths, {
        ...fileOptions(flags, flags.fromRejects === true),
        ...s3Options(flags),
        stdin: process.stdin,
        // A plan reads a sample, and writes nothing.
        verify: flags.verify !== false && flags.dryRun !== true,
        latest: flags.latest === true,
        onWarning: (text) => talk.warn(text),
        ...(flags.applyChanges === true ? { changes: true } : {}),
        onVerify: (count) => talk.say(`checking ${counted(count, 'file')} of the export against its manifest`),
      })
      if (flags.key !== undefined && flags.dryRun !== true && !(await exists(table))) {
        // A table for what turns out not to be there would only be in the way.
        const checkedKey = flags.transform === undefined && flags.applyChanges !== true ? flags.key : undefined
        await library.checkSources(sources, checkedKey)
        await library.createTable(database, name, { key: flags.key })
        talk.say(`created table ${name}`)
      }
      if (flags.fromRejects !== true) await adviseTypes(talk, sources, flags, table, flags.key)
    } catch (error) {
      await database.close()
      throw error
    }
    await runJob({
      operation: 'load',
      table: name,
      flags,
      database,
      rates: writeOptions(flags),
      readsStdin: paths.includes('-'),
      plan: (job, planOptions) =>
        (job as ReturnType<typeof library.load>).plan({
          ...planOptions,
          newTableKey: flags.key,
        }),
      make: (made) =>
        library.load(sources, table, {
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
  },
})

async function exists(table: Table): Promise<boolean> {
  try {
    await table.describe()
    return true
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'TABLE') return false
    throw error
  }
}
