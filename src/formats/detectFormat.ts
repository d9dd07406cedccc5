import { parseJson } from '../runtime/parseJson.ts'
import { type Spelling, spellingOf } from './dynamoDbJson.ts'
import { FormatError } from './formatError.ts'
import type { FormatName } from './record.ts'
import { recordFileEnding } from './recordFileEnding.ts'

/**
 * How a file is to be read: line by line, as one array whose `[` is byte `start`, as JSON values one after another, or
 * as CSV, or as Ion, line by line. A `scanOutput` is what `aws dynamodb scan` prints, an array within an object. Where `spelling` is missing,
 * the first record decides.
 */
export type FileShape =
  | { readonly shape: 'lines'; readonly spelling: Spelling | undefined }
  | { readonly shape: 'sequence'; readonly spelling: Spelling | undefined }
  | {
      readonly shape: 'array'
      readonly spelling: Spelling | undefined
      readonly start: number
      readonly scanOutput: boolean
    }
  | { readonly shape: 'csv'; readonly delimiter: string }
  | { readonly shape: 'ion' }

/** The members of what `aws dynamodb scan` prints. */
export const SCAN_OUTPUT_NAMES: readonly string[] = [
  'Items',
  'Count',
  'ScannedCount',
  'ConsumedCapacity',
  'LastEvaluatedKey',
  'NextToken',
]

const SCAN_OUTPUT = new RegExp(`^\\s*\\{\\s*"(?:${SCAN_OUTPUT_NAMES.join('|')})"\\s*:`)
const SCAN_OUTPUT_ITEMS = /"Items"\s*:\s*\[/

const EXTENSION_FORMATS: { readonly [extension: string]: FormatName } = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  tsv: 'csv',
  ion: 'ion',
}

/** With what Ion text begins that says its version, as the service's exports do (Ion 1.0 specification, "Ion Version Markers"). */
const ION = '$ion_1_0'

/**
 * Judges a file by the format that was named, else by its extension, else by its beginning.
 *
 * @param head the beginning of the file without byte order mark: its first line, or as much as is reasonable
 * @throws {FormatError} when nothing tells.
 */
export function detectFormat(head: Buffer, file: string, format: FormatName | undefined): FileShape {
  const extension = recordFileEnding(file)
  const named = format ?? EXTENSION_FORMATS[extension ?? '']
  if (named === 'parquet')
    throw new FormatError('the file does not begin as Parquet does, with PAR1.', { file, offset: 0 })
  if (named === 'rejects') return { shape: 'lines', spelling: 'reject' }
  if (named === 'csv') return { shape: 'csv', delimiter: extension === 'tsv' ? '\t' : ',' }

  const text = head.toString('latin1')
  if (named === 'ion' || (format === undefined && text.startsWith(ION))) return { shape: 'ion' }
  const first = text.trimStart()[0]
  const objects = leadingObjects(text)
  // A `jsonl` that was named is taken at its word; a file's name says only that its lines are JSON of some spelling.
  const spelling = format === 'jsonl' ? 'plain' : objects.first === undefined ? undefined : spellingOf(objects.first)
  if (named === 'jsonl') return { shape: 'lines', spelling }
  const inArray = format === 'ddb-json' ? 'dynamodb' : undefined
  if (first === '[') return { shape: 'array', spelling: inArray, start: text.indexOf('['), scanOutput: false }
  if (objects.lineOne === undefined ? SCAN_OUTPUT.test(text) : isScanOutput(objects.lineOne)) {
    const items = SCAN_OUTPUT_ITEMS.exec(text)
    if (items !== null) {
      return { shape: 'array', spelling: inArray, start: items.index + items[0].length - 1, scanOutput: true }
    }
  }
  if (format === 'ddb-json') return { shape: 'lines', spelling: spelling === 'wrapped' ? spelling : 'dynamodb' }
  if (first === '{' && objects.first === undefined) return { shape: 'sequence', spelling: undefined }
  if (first === '{' || first === undefined) return { shape: 'lines', spelling }
  if (format === 'json' || extension === 'json') return { shape: 'sequence', spelling: undefined }
  throw new FormatError(
    `neither the name nor the beginning (${JSON.stringify(text.slice(0, 20))}) tells the format. ` +
      'Name it: jsonl, json, ddb-json, csv, parquet or ion.',
    { file, offset: 0 },
  )
}

/** The first object that has a line for itself, and the one that has the first line for itself. */
function leadingObjects(text: string): { first: object | undefined; lineOne: object | undefined } {
  const lines = text.split('\n', 50).filter((line) => line.trim() !== '')
  for (const [index, line] of lines.entries()) {
    // What is indented belongs to something larger.
    if (index > 0 && line[0] !== '{') continue
    try {
      const value: unknown = parseJson(line)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
      return { first: value, lineOne: index === 0 ? value : undefined }
    } catch {
      // A bad line, or a piece of something larger.
    }
  }
  return { first: undefined, lineOne: undefined }
}

function isScanOutput(record: object): boolean {
  const names = Object.keys(record)
  return names.includes('Items') && names.every((name) => SCAN_OUTPUT_NAMES.includes(name))
}
