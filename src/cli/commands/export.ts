import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ExportCsvOptions, type ExportXmlOptions, exportTable, type ItemFormat } from '../../index.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  type S3Flags,
  s3Options,
  transformOption,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { nativeExportCommand } from './nativeExport.ts'

const FORMATS: readonly string[] = ['ddb-json', 'jsonl', 'csv', 'parquet', 'xml', 'ion', 'native'] satisfies (
  | ItemFormat
  | 'native'
)[]

interface ExportFlags {
  format?: string
  xmlRoot?: string
  xmlItem?: string
  xmlAttributes?: string
  xmlMapping?: string
  columns?: string
  delimiter?: string
  csvSafe?: boolean
  select?: string
  index?: string
  consistentRead?: boolean
  overwrite?: boolean
  transform?: string
  dataFileMb?: number
  native?: string
}

/** `headrace export` */
export async function exportCommand(
  name: string,
  path: string | undefined,
  flags: CommonFlags & JobFlags & PlanFlags & ReadFlags & S3Flags & ExportFlags,
): Promise<void> {
  const { native } = flags
  if (native !== undefined) return nativeExportCommand(name, path, { ...flags, native })
  if (path === undefined) throw new TypeError('name the file to write, or --native s3://BUCKET/PREFIX')
  const { format, select, index, consistentRead, overwrite, columns, dataFileMb } = flags
  if (format !== undefined && !FORMATS.includes(format))
    throw new TypeError(`--format must be one of ${FORMATS.join(', ')}, not "${format}"`)
  const database = openDatabase(flags)
  const options = {
    ...readOptions(flags),
    ...transformOption(flags),
    ...(format === undefined ? {} : { format: format as ItemFormat | 'native' }),
    ...xmlOptions(flags),
    ...(dataFileMb === undefined ? {} : { native: { fileBytes: dataFileMb * 1024 * 1024 } }),
    ...s3Options(flags),
    ...(columns === undefined ? {} : { columns: listOf(columns) }),
    ...csvOptions(flags),
    ...(select === undefined ? {} : { select: listOf(select) }),
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

function xmlOptions({ xmlRoot, xmlItem, xmlAttributes, xmlMapping }: ExportFlags): { xml?: ExportXmlOptions } {
  if ([xmlRoot, xmlItem, xmlAttributes, xmlMapping].every((flag) => flag === undefined)) return {}
  return {
    xml: {
      ...(xmlRoot === undefined ? {} : { root: xmlRoot }),
      ...(xmlItem === undefined ? {} : { item: xmlItem }),
      ...(xmlAttributes === undefined ? {} : { attributes: listOf(xmlAttributes) }),
      ...(xmlMapping === undefined ? {} : { mapping: pathToFileURL(resolve(xmlMapping)) }),
    },
  }
}

function csvOptions({ delimiter, csvSafe }: ExportFlags): { csv?: ExportCsvOptions } {
  if (delimiter === undefined && csvSafe !== true) return {}
  return {
    csv: {
      ...(delimiter === undefined ? {} : { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
      ...(csvSafe === true ? { safe: true } : {}),
    },
  }
}

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
