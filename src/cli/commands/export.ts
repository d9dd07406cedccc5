import { type ExportFormat, exportTable } from '../../index.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  transformOption,
} from '../options.ts'
import { runJob } from '../runJob.ts'

const FORMATS: readonly string[] = ['jsonl', 'ddb-json'] satisfies ExportFormat[]

interface ExportFlags {
  format: string
  select?: string
  index?: string
  consistentRead?: boolean
  overwrite?: boolean
  transform?: string
}

/** `headrace export` */
export async function exportCommand(
  name: string,
  path: string,
  flags: CommonFlags & JobFlags & PlanFlags & ReadFlags & ExportFlags,
): Promise<void> {
  const { format, select, index, consistentRead, overwrite } = flags
  if (!FORMATS.includes(format)) throw new TypeError(`--format must be one of ${FORMATS.join(', ')}, not "${format}"`)
  const database = openDatabase(flags)
  const options = {
    ...readOptions(flags),
    ...transformOption(flags),
    format: format as ExportFormat,
    ...(select === undefined ? {} : { select: select.split(',').map((part) => part.trim()) }),
    ...(index === undefined ? {} : { index }),
    ...(consistentRead === true ? { consistentRead } : {}),
    ...(overwrite === true ? { overwrite } : {}),
  }
  await runJob({
    operation: 'export',
    table: name,
    flags,
    database,
    rates: options,
    make: (made) => exportTable(database.table(name), path, { ...options, ...made }),
  })
}
