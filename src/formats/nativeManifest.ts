import { createHash } from 'node:crypto'
import { parseJson } from '../runtime/parseJson.ts'
import { decompress } from './decompress.ts'
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
  /** Undefined where the manifest does not name it. */
  readonly tableArn: string | undefined
  /** The point in time that a full export shows; ISO 8601. */
  readonly exportTime: string | undefined
  /** The window of an incremental export, from inclusive, to exclusive. */
  readonly from: string | undefined
  readonly to: string | undefined
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
  const told = readObject(summary, 1, summary.text)
  const { outputFormat, exportType, itemCount } = told
  const text = (name: string): string | undefined => {
    const value = told[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const refuse = (what: string): FormatError => new FormatError(what, { file: summary.name })
  const format = typeof outputFormat === 'string' ? FORMATS[outputFormat] : undefined
  if (format === undefined)
    throw refuse(`the export has the format ${JSON.stringify(outputFormat)}: Headrace reads DYNAMODB_JSON and ION`)
  if (!TYPES.includes(exportType))
    throw refuse(
      `the export has the type ${JSON.stringify(exportType)}: Headrace reads FULL_EXPORT and INCREMENTAL_EXPORT`,
    )
  const lines = files.text.split('\n')
  const found: NativeFile[] = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '')
      found.push(readFile(readObject(files, index + 1, line), { file: files.name, line: index + 1 }))
  }
  const names = new Set(found.map(({ name }) => name))
  if (names.size < found.length) throw new FormatError('it lists a data file twice', { file: files.name })
  const sum = found.reduce((total, file) => total + file.itemCount, 0)
  if (itemCount !== sum)
    throw refuse(`it counts ${itemCount} items, but the files in ${files.name} have ${sum}. ${FETCH}`)
  return {
    format,
    isIncremental: exportType === 'INCREMENTAL_EXPORT',
    files: found,
    tableArn: text('tableArn'),
    exportTime: text('exportTime'),
    from: text('exportFromTime'),
    to: text('exportToTime'),
  }
}

const FETCH = 'Download the export again.'

function readFile(entry: { readonly [name: string]: unknown }, place: { file: string; line: number }): NativeFile {
  const { dataFileS3Key, itemCount, md5Checksum } = entry
  // Only the last part: no manifest leads out of the directory that it lies in.
  const name = typeof dataFileS3Key === 'string' ? /(?:^|\/)data\/([^/\\]+)$/.exec(dataFileS3Key)?.[1] : undefined
  if (name === undefined || name === '..')
    throw new FormatError('dataFileS3Key does not name a file in a directory "data"', place)
  if (!Number.isSafeInteger(itemCount) || (itemCount as number) < 0)
    throw new FormatError('itemCount is not a valid number of items', place)
  if (typeof md5Checksum !== 'string' || Buffer.from(md5Checksum, 'base64').length !== 16)
    throw new FormatError('md5Checksum is not a valid MD5 in base64', place)
  return { name, itemCount: itemCount as number, md5: md5Checksum }
}

function readObject({ name }: ManifestText, line: number, text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = parseJson(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new FormatError(`not valid JSON. ${FETCH}`, { file: name, line }, { cause })
  }
  throw new FormatError(`not a JSON object. ${FETCH}`, { file: name, line })
}

/** @param checksum what the file beside it says: an MD5, in base64 or hexadecimal digits */
export function isChecksumOf(checksum: string, bytes: Uint8Array): boolean {
  const digest = createHash('md5').update(bytes).digest()
  const told = checksum.trim()
  return told === digest.toString('base64') || told.toLowerCase() === digest.toString('hex')
}

const NEWLINE = 10

/**
 * What a data file is, read to its end: the MD5 of it as it lies there, in base64, and the lines in it once it is unpacked.
 *
 * @throws {FormatError} where it is cut short or damaged
 */
export async function digestData(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): Promise<{ readonly md5: string; readonly lines: number }> {
  const hash = createHash('md5')
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const bytes of chunks) {
      hash.update(bytes)
      yield bytes
    }
  }
  let lines = 0
  let last = NEWLINE
  for await (const bytes of decompress(hashed(), name)) {
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1
    last = bytes.at(-1) ?? last
  }
  if (last !== NEWLINE) lines += 1
  return { md5: hash.digest('base64'), lines }
}

export interface ManifestContent {
  readonly tableArn: string
  readonly tableId: string | undefined
  readonly startTime: string
  readonly endTime: string
  /** What the keys of the export's files begin with. */
  readonly directory: string
  readonly files: readonly NativeFile[]
  /** Of all data files together. */
  readonly bytes: number
}

/** The text of both manifests, of a full export in DynamoDB JSON. What only the service knows is `null`. */
export function writeNativeManifest(content: ManifestContent): { readonly summary: string; readonly files: string } {
  const { tableArn, tableId, startTime, endTime, directory, files, bytes } = content
  const lines = files.map(({ name, itemCount, md5 }) => {
    const etag = Buffer.from(md5, 'base64').toString('hex')
    return `${JSON.stringify({ itemCount, md5Checksum: md5, etag, dataFileS3Key: `${directory}/data/${name}` })}\n`
  })
  const summary = {
    version: '2020-06-30',
    exportArn: null,
    startTime,
    endTime,
    tableArn,
    tableId: tableId ?? null,
    exportTime: startTime,
    s3Bucket: null,
    s3Prefix: null,
    s3SseAlgorithm: null,
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${directory}/${MANIFEST_FILES}`,
    billedSizeBytes: bytes,
    itemCount: files.reduce((sum, { itemCount }) => sum + itemCount, 0),
    outputFormat: 'DYNAMODB_JSON',
    exportType: 'FULL_EXPORT',
  }
  return { summary: `${JSON.stringify(summary)}\n`, files: lines.join('') }
}
