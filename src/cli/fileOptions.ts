import { InvalidArgumentError } from 'commander'
import type { ColumnType, FileOptions, FormatName } from '../index.ts'
import { defined } from '../runtime/defined.ts'
import { type FlagsOf, option } from './option.ts'
import type { delimiter } from './options.ts'

const TYPES: readonly ColumnType[] = ['S', 'N', 'BOOL', 'NULL', 'B', 'json', 'ddb']

/** Of files that are read. */
export const fileFormat = option('--format <format>', {
  group: 'Common options',
  description: 'file format',
  choices: ['jsonl', 'json', 'ddb-json', 'csv', 'parquet', 'ion'],
  defaultText: 'detected',
  library: 'format',
})
export const types = option('--types <types>', {
  group: 'Common options',
  description: `types of CSV columns that are not text, such as age=N,active=BOOL,tags=json; one of ${TYPES.join(', ')}`,
  library: 'csv.types',
  parse: columnTypes,
})

type FileFlags = FlagsOf<readonly [typeof fileFormat, typeof types, typeof delimiter]>

/** What a library call is told of files. */
export function fileOptions({ format, types, delimiter }: FileFlags, isRejects = false): FileOptions {
  const chosen: FormatName | undefined = isRejects ? 'rejects' : format
  return {
    format: chosen,
    csv: types === undefined && delimiter === undefined ? undefined : defined({ types, delimiter }),
  }
}

function columnTypes(text: string): { [column: string]: ColumnType } {
  const types: { [column: string]: ColumnType } = Object.create(null)
  for (const pair of text.split(',')) {
    const separator = pair.lastIndexOf('=')
    const type = TYPES.find((known) => known === pair.slice(separator + 1).trim())
    if (separator < 1 || type === undefined)
      throw new InvalidArgumentError(
        `Give COLUMN=TYPE, separated by commas, TYPE one of ${TYPES.join(', ')}; "${pair}" is not.`,
      )
    types[pair.slice(0, separator).trim()] = type
  }
  return types
}
