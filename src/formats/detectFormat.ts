import { parseJson } from '../runtime/parseJson.ts'
import { FormatError } from './formatError.ts'
import { arrayMember, type FirstValue, firstValue } from './jsonStructure.ts'
import type { FormatName } from './record.ts'
import { recordFileEnding } from './recordFileEnding.ts'
import type { ItemSpelling } from './spelling.ts'

/**
 * How a file is to be read: line by line, as one array whose `[` is byte `start`, as JSON values one after another, as the
 * rejects of a job, as CSV, or as Ion, line by line. A `scanOutput` is what `aws dynamodb scan` prints, an array within an
 * object. Where `spelling` is missing, the records tell.
 */
export type FileShape =
  | { readonly shape: 'lines'; readonly spelling: ItemSpelling | undefined }
  | { readonly shape: 'sequence'; readonly spelling: ItemSpelling | undefined }
  | {
      readonly shape: 'array' | 'scanOutput'
      readonly spelling: ItemSpelling | undefined
      readonly start: number
    }
  | { readonly shape: 'rejects' }
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

const EXTENSION_FORMATS: { readonly [extension: string]: FormatName } = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  tsv: 'csv',
  ion: 'ion',
}

/** With what Ion text begins that says its version, as the service's exports do (Ion 1.0 specification, "Ion Version Markers"). */
const ION = '$ion_1_0'
/** Lines of its beginning by which a file is judged, at most. */
const LINES_MAX = 200

/**
 * Judges a file by the format that was named, else by its extension, else by all of its beginning: no single record decides,
 * and nothing within a record does.
 *
 * @param head the beginning of the file without byte order mark
 * @throws {FormatError} when nothing tells.
 */
export function detectFormat(head: Buffer, file: string, format: FormatName | undefined): FileShape {
  const extension = recordFileEnding(file)
  const byName = EXTENSION_FORMATS[extension ?? '']
  const named = format ?? byName
  if (named === 'parquet')
    throw new FormatError('not a Parquet file: it does not start with PAR1.', { file, offset: 0 })
  if (named === 'rejects') return { shape: 'rejects' }
  if (named === 'csv') return { shape: 'csv', delimiter: extension === 'tsv' ? '\t' : ',' }
  const text = head.toString('latin1')
  if (named === 'ion' || (format === undefined && linesOf(text).some((line) => line.trimStart().startsWith(ION))))
    return { shape: 'ion' }
  // A `jsonl` that was named is taken at its word; a file's name says only that its lines are JSON of some spelling.
  if (format === 'jsonl') return { shape: 'lines', spelling: 'plain' }
  const layout = layoutOf(text, byName === 'jsonl')
  if (layout !== undefined) return { ...layout, spelling: undefined }
  if (format === 'json' || format === 'ddb-json' || extension === 'json')
    return { shape: 'sequence', spelling: undefined }
  throw new FormatError(
    `cannot detect the format from the name or the first bytes (${JSON.stringify(text.slice(0, 20))}). ` +
      'Set format (--format): jsonl, json, ddb-json, csv, parquet or ion.',
    { file, offset: 0 },
  )
}

type Layout =
  | { readonly shape: 'lines' }
  | { readonly shape: 'sequence' }
  | { readonly shape: 'array' | 'scanOutput'; readonly start: number }

/**
 * How the JSON in a file is laid out; undefined for what does not begin as JSON does.
 *
 * @param isLines its name says that each line is a record: something else has to show before that is doubted
 */
function layoutOf(text: string, isLines: boolean): Layout | undefined {
  const begin = text.trimStart()
  if (begin === '') return { shape: 'lines' }
  const lines = linesOf(text)
  const whole = lines.filter(isObjectText).length
  if (isLines && (whole > 0 || !/^[[{]/.test(begin))) return { shape: 'lines' }
  if (begin[0] === '[') {
    // An array in each line is no layout that we know, and each of them would be a reject.
    const isOne = lines.length === 1 || firstValue(lines[0]!).state !== 'complete'
    return isLines && !isOne ? { shape: 'lines' } : { shape: 'array', start: text.indexOf('[') }
  }
  if (begin[0] !== '{') return isLines || whole * 2 > lines.length ? { shape: 'lines' } : undefined
  const first = firstValue(text)
  const items = arrayMember(text, 'Items')
  if (items?.names.every((name) => SCAN_OUTPUT_NAMES.includes(name)) === true && mayBeScanOutput(text, first))
    return { shape: 'scanOutput', start: items.at }
  if (isObjectText(lines[0]!) || whole * 2 > lines.length)
    return { shape: whole < lines.length && isSequence(text, lines) ? 'sequence' : 'lines' }
  // The first of several records may be broken; a record over several lines is sound as far as it goes.
  if (first.state === 'broken' && whole > 0) return { shape: 'lines' }
  return isLines && first.state === 'broken' ? { shape: 'lines' } : { shape: 'sequence' }
}

/**
 * Whether it is values one after another that do not keep to their lines, and nothing in it is broken: as where a document
 * over many lines follows one on a line, or stands behind another on its line.
 */
function isSequence(text: string, lines: readonly string[]): boolean {
  const across = lines.filter((line) => !isOneValue(line))
  // The last line may be cut, as a file is, and as what is looked at of it is.
  const isAcross = across.length > 1 || (across.length === 1 && firstValue(lines.at(-1)!).state === 'complete')
  if (!isAcross) return false
  for (let rest = text; rest !== ''; ) {
    const value = firstValue(rest)
    if (value.state !== 'complete') return value.state === 'cut'
    // Where files were put together, a byte order mark may follow.
    rest = rest.slice(value.end).replace(/^(?:\s|\xef\xbb\xbf)+/, '')
  }
  return true
}

function isOneValue(line: string): boolean {
  const value = firstValue(line)
  return value.state === 'complete' && line.slice(value.end).trim() === ''
}

/** An object that is whole and has other members, too, is a record. */
function mayBeScanOutput(text: string, first: FirstValue): boolean {
  if (first.state !== 'complete') return true
  try {
    return Object.keys(parseJson(text.slice(0, first.end)) as object).every((name) => SCAN_OUTPUT_NAMES.includes(name))
  } catch {
    return true
  }
}

/** Those that are not blank. */
function linesOf(text: string): string[] {
  return text.split(/\r\n|[\n\r]/, LINES_MAX).filter((line) => line.trim() !== '')
}

function isObjectText(line: string): boolean {
  try {
    const value: unknown = parseJson(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
