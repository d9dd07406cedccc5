import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ExportCsvOptions, ExportXmlOptions } from '../../index.ts'
import { command } from '../command.ts'
import { type FlagsOf, option, rare } from '../option.ts'
import {
  COMMON,
  consistentRead,
  delimiter,
  index,
  PLANNING,
  READ_RATE,
  READING,
  readOptions,
  S3_WRITING,
  STATE,
  s3Options,
  select,
  transform,
  transformOption,
} from '../options.ts'
import { commaSeparated, wholeFrom } from '../values.ts'

/** Of names that say what is in the file. */
const KNOWN_ENDING = /\.(?:jsonl|ndjson|xml|ion|csv|tsv|parquet)(?:\.(?:gz|zst))?$/i

const XML = [
  rare(
    option('--xml-root <name>', {
      group: 'Advanced',
      description: 'root element of XML',
      defaultText: 'items',
      library: 'xml.root',
    }),
  ),
  rare(
    option('--xml-item <name>', {
      group: 'Advanced',
      description: 'row element of XML',
      defaultText: 'item',
      library: 'xml.item',
    }),
  ),
  rare(
    option('--xml-attributes <names>', {
      group: 'Advanced',
      description: 'attributes to write as XML attributes of the row element, separated by commas',
      library: 'xml.attributes',
      parse: commaSeparated,
    }),
  ),
  rare(
    option('--xml-mapping <module>', {
      group: 'Advanced',
      description: 'module (.ts, .js) whose function turns each item into an XML element',
      library: 'xml.mapping',
    }),
  ),
] as const

const CSV = [
  rare(
    option('--typed-header', {
      group: 'Advanced',
      description: 'name the types of CSV columns in the header (price:N), so that the file loads back as it was',
      library: 'csv.typedHeader',
    }),
  ),
  delimiter,
  rare(
    option('--csv-safe', {
      group: 'Advanced',
      description: "put ' in front of text that a spreadsheet would run as a formula",
      library: 'csv.safe',
    }),
  ),
] as const

export const exportItems = command({
  name: 'export',
  arguments: '<table> [file]',
  section: 'Read items',
  summary: 'Export a table to a file, or to S3',
  description:
    'The format follows from the name: DynamoDB JSON (the default), JSON Lines, CSV, Parquet, XML or Ion; .gz and .zst compress. An export in the default format loads back as it was. With --native, DynamoDB itself exports to S3.',
  examples: [
    'headrace export users users.ddb.jsonl.gz',
    `headrace export orders open.jsonl --format jsonl --where "status = 'open'" --select customer,number,total`,
    'headrace export users contacts.jsonl --format jsonl --transform contact.ts',
    'headrace export users s3://backups/users.ddb.jsonl.gz --bucket-owner 123456789012',
    'headrace export orders orders.parquet',
    'headrace export orders orders.csv --columns id,placed,total:N,lines:json --csv-safe',
    'headrace export orders backup --format native',
    'headrace export orders --native s3://backups/orders',
    'headrace export books catalogue.xml --xml-root catalogue --xml-item book --xml-attributes isbn,year',
  ],
  options: [
    option('--format <format>', {
      group: 'Common options',
      description: 'file format; native: a directory as DynamoDB exports it to S3',
      choices: ['ddb-json', 'jsonl', 'csv', 'parquet', 'xml', 'ion', 'native'],
      defaultText: 'from the name, else ddb-json',
      library: 'format',
    }),
    option('--columns <columns>', {
      group: 'Common options',
      description: 'columns of CSV, such as id,price:N,tags:json, or of Parquet, by name',
      defaultText: 'found in all items',
      library: 'columns',
      parse: commaSeparated,
    }),
    option('--overwrite', {
      group: 'Common options',
      description: 'replace an existing file',
      library: 'overwrite',
    }),
    option('--native <s3-address>', {
      group: 'Common options',
      description:
        "export with DynamoDB's own export to S3 (needs point-in-time recovery, consumes no RCUs); pass an export ARN to wait for it",
    }),
    ...PLANNING,
    ...READING,
    select,
    index,
    consistentRead,
    transform,
    ...READ_RATE,
    ...STATE,
    ...CSV,
    ...XML,
    rare(
      option('--data-file-mb <n>', {
        group: 'Advanced',
        description: 'with --format native: size of a data file in MB, compressed',
        defaultText: '100',
        library: 'native.fileBytes',
        parse: wholeFrom(1),
      }),
    ),
    ...S3_WRITING,
    ...COMMON,
  ],
  async run([name, path], flags) {
    const { native } = flags
    if (native !== undefined) {
      const { exportNatively } = await import('../exportNatively.ts')
      return exportNatively(name, path, { ...flags, native })
    }
    if (path === undefined) throw new TypeError('pass the file to write, or --native s3://BUCKET/PREFIX')
    const { exportTable } = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    const { format, select, index, consistentRead, overwrite, columns, dataFileMb } = flags
    const database = openDatabase(flags)
    const options = {
      ...readOptions(flags),
      ...transformOption(flags),
      format,
      ...xmlOptions(flags),
      ...(dataFileMb === undefined ? {} : { native: { fileBytes: dataFileMb * 1024 * 1024 } }),
      ...s3Options(flags),
      columns,
      ...csvOptions(flags),
      select,
      index,
      ...(consistentRead === true ? { consistentRead } : {}),
      ...(overwrite === true ? { overwrite } : {}),
    }
    await runJob({
      operation: 'export',
      table: name,
      flags,
      database,
      rates: options,
      warn: async (say) => {
        if (format !== undefined || KNOWN_ENDING.test(path)) return
        say(
          `${path} will have DynamoDB JSON, one item a line: its name does not say another format. To choose one, pass --format`,
        )
      },
      make: (made) => exportTable(database.table(name), path, { ...options, ...made }),
    })
  },
})

function xmlOptions({ xmlRoot, xmlItem, xmlAttributes, xmlMapping }: FlagsOf<typeof XML>): { xml?: ExportXmlOptions } {
  if ([xmlRoot, xmlItem, xmlAttributes, xmlMapping].every((flag) => flag === undefined)) return {}
  return {
    xml: {
      root: xmlRoot,
      item: xmlItem,
      attributes: xmlAttributes,
      ...(xmlMapping === undefined ? {} : { mapping: pathToFileURL(resolve(xmlMapping)) }),
    },
  }
}

function csvOptions({ delimiter, csvSafe, typedHeader }: FlagsOf<typeof CSV>): { csv?: ExportCsvOptions } {
  if (delimiter === undefined && csvSafe !== true && typedHeader !== true) return {}
  return {
    csv: {
      delimiter,
      ...(csvSafe === true ? { safe: true } : {}),
      ...(typedHeader === true ? { typedHeader: true } : {}),
    },
  }
}
