import { createHash } from 'node:crypto'
import { FormatError } from './formatError.ts'

/** What lies in the directory of an export beside its data (developer guide, "DynamoDB table export output format"). */
export const MANIFEST_SUMMARY = 'manifest-summary.json'
export const MANIFEST_FILES = 'manifest-files.json'
/** Written first: where it is and no manifest, the export has not ended. */
export const EXPORT_STARTED = '_started'
/** What the checksum of a manifest is called instead of `.json`; the service has used both. */
export const CHECKSUM_ENDINGS = ['.checksum', '.md5'] as const

/** What an export of DynamoDB to S3 says of itself. */
export interface NativeManifest {
  readonly format: 'ddb-json' | 'ion'
  /** Changes since an earlier one, and no items. */
  readonly isIncremental: boolean
  readonly files: readonly NativeFile[]
}

export interface NativeFile {
  /** Within the directory `data`. */
  readonly name: string
  readonly itemCount: number
  /** Of the file as it lies there, 16 bytes in base64. */
  readonly md5: string
}

export interface ManifestText {
  /** For messages. */
  readonly name: string
  readonly text: string
}

const FORMATS: { readonly [name: string]: NativeManifest['format'] } = { DYNAMODB_JSON: 'ddb-json', ION: 'ion' }
const TYPES: readonly unknown[] = [undefined, 'FULL_EXPORT', 'INCREMENTAL_EXPORT']

/** @throws {FormatError} for what is no such manifest, names no format that is known, or does not add up */
export function readNativeManifest(summary: ManifestText, files: ManifestText): NativeManifest {
  const { outputFormat, exportType, itemCount } = readObject(summary, 1, summary.text)
  const refuse = (what: string): FormatError => new FormatError(what, { file: summary.name })
  const format = typeof outputFormat === 'string' ? FORMATS[outputFormat] : undefined
  if (format === undefined)
    throw refuse(`the export is in the format ${JSON.stringify(outputFormat)}; known are DYNAMODB_JSON and ION`)
  if (!TYPES.includes(exportType))
    throw refuse(
      `the export is of the type ${JSON.stringify(exportType)}; known are FULL_EXPORT and INCREMENTAL_EXPORT`,
    )
  const lines = files.text.split('\n')
  const found: NativeFile[] = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '')
      found.push(readFile(readObject(files, index + 1, line), { file: files.name, line: index + 1 }))
  }
  const names = new Set(found.map(({ name }) => name))
  if (names.size < found.length) throw new FormatError('it names a data file twice', { file: files.name })
  const sum = found.reduce((total, file) => total + file.itemCount, 0)
  if (itemCount !== sum)
    throw refuse(`it speaks of ${itemCount} items, and the files of ${files.name} have ${sum}. ${FETCH}`)
  return { format, isIncremental: exportType === 'INCREMENTAL_EXPORT', files: found }
}

const FETCH = 'Fetch the export anew.'

function readFile(entry: { readonly [name: string]: unknown }, place: { file: string; line: number }): NativeFile {
  const { dataFileS3Key, itemCount, md5Checksum } = entry
  // Only the last part: no manifest leads out of the directory that it lies in.
  const name = typeof dataFileS3Key === 'string' ? /(?:^|\/)data\/([^/\\]+)$/.exec(dataFileS3Key)?.[1] : undefined
  if (name === undefined || name === '..')
    throw new FormatError('dataFileS3Key names no file in a directory "data"', place)
  if (!Number.isSafeInteger(itemCount) || (itemCount as number) < 0)
    throw new FormatError('itemCount is no number of items', place)
  if (typeof md5Checksum !== 'string' || Buffer.from(md5Checksum, 'base64').length !== 16)
    throw new FormatError('md5Checksum is no MD5 in base64', place)
  return { name, itemCount: itemCount as number, md5: md5Checksum }
}

function readObject({ name }: ManifestText, line: number, text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new FormatError(`it is no JSON. ${FETCH}`, { file: name, line }, { cause })
  }
  throw new FormatError(`it is no JSON object. ${FETCH}`, { file: name, line })
}

/** @param checksum what the file beside it says: an MD5, in base64 or hexadecimal digits */
export function isChecksumOf(checksum: string, bytes: Uint8Array): boolean {
  const digest = createHash('md5').update(bytes).digest()
  const told = checksum.trim()
  return told === digest.toString('base64') || told.toLowerCase() === digest.toString('hex')
}
