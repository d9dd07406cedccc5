import { createHash } from 'node:crypto'
import { open as openFile } from 'node:fs/promises'
import { packingOf } from '../formats/packing.ts'
import { readParquet } from '../formats/parquetReader.ts'
import { newlineOf, readRecords } from '../formats/readRecords.ts'
import type { FormatName, ReadOptions, RecordPosition, SourceRecord } from '../formats/record.ts'
import { recordFileEnding } from '../formats/recordFileEnding.ts'
import { MARK } from '../formats/strictUtf8.ts'
import type { KeySchema } from '../item/itemKey.ts'
import type { SourceSpec } from '../job/jobSpec.ts'
import { FilePart, fileBytes } from '../storage/filePart.ts'
import { fileSentence } from '../storage/fileSentence.ts'
import { type OpenBytes, openRandomAccess } from '../storage/openRandomAccess.ts'
import { type OpenSourceOptions, openSource } from '../storage/openSource.ts'
import { nameOf, type S3, type S3Address, type S3Object } from '../storage/s3.ts'
import { openS3Object, readS3Object } from '../storage/s3Source.ts'
import { StorageError } from '../storage/storageError.ts'

export interface FileOptions
  extends Omit<ReadOptions, 'file' | 'after' | 'beginAt' | 'seek' | 'key' | 'onIncomplete'>,
    OpenSourceOptions {}

/** Records of one file, in lists as they are read. */
export interface RecordSource {
  /** The `file` of its records' places. */
  readonly name: string
  /**
   * The records in their order, whose offsets go up.
   *
   * @param after may begin behind the record that begins there, or anywhere in front of it
   * @param key of the table that they are for, see `ReadOptions`
   */
  records(after?: RecordPosition, key?: KeySchema): AsyncIterable<readonly SourceRecord[]>
  /**
   * Looks at the beginning: that it can be read, and has the key where a header says what it has. Undefined where there is
   * nothing to look at in advance.
   *
   * @throws {HeadraceError} `INPUT` for what `records` would end with at once
   */
  check?(key?: KeySchema): Promise<void>
  /** What is missing of it by what it says of itself, once it was read to its end. */
  incomplete?(): readonly string[]
  /** Can be read only once, so that a job can not go on with it. Default false. */
  readonly isOnce?: boolean | undefined
  /** What to do about that, a sentence without its full stop. Default: to write it to a file first. */
  readonly onceAdvice?: string | undefined
  /** What to know it by, so that a job does not go on with another. Default: the name. */
  describe?(): Promise<SourceSpec>
  /** Its records are changes, `{ put: item }` or `{ delete: key }`, and no items. Default false. */
  readonly isChanges?: boolean | undefined
  /**
   * Records of a higher phase are written when all of the lower ones are settled: of several incremental exports a later one
   * has the last word. Default 0.
   */
  readonly phase?: number | undefined
  /** How many records it has, where something tells; others are an error at the end. */
  readonly itemCount?: number | undefined
  /** Of a file of lines, the records that begin in a range of its bytes; undefined for what can not be cut. */
  part?(from: number, to: number): RecordSource
  /** How to look into it without reading all of it, for plans; undefined for what can be read only once. */
  readonly sample?: SourceSample | undefined
}

/** A look into a source, as often as one likes. */
export interface SourceSample {
  /** As it lies on the disk; packed, where it is. */
  sizeBytes(): Promise<number>
  /** Whether `read` may begin anywhere, with the next record. */
  readonly seekable: boolean
  /**
   * @param from bytes from its start; above 0 only where it is seekable
   * @param key of the table that the records are for, see `ReadOptions`
   */
  read(from: number, key?: KeySchema): SourcePart
}

export interface SourcePart {
  readonly records: AsyncIterable<readonly SourceRecord[]>
  /** Bytes, as they lie on the disk, that the records so far were made of. */
  bytesTaken(): number
}

/** Of the first and the last so many bytes of a file its digest is made. */
const DIGEST_BYTES = 64 * 1024

/**
 * A file of items: JSON Lines, a JSON array, DynamoDB JSON or CSV, each also in gzip, or Parquet; `-` is standard input,
 * which can not be Parquet. The format is told by the name or found in the first record. Nothing is opened before the job
 * runs.
 */
export function file(path: string, options: FileOptions = {}): RecordSource {
  const { stdin, open, ...readOptions } = options
  const storage = { stdin, open }
  const told = toldOf(readOptions)
  const isOnce = path === '-'
  const describe = async (): Promise<SourceSpec> => ({ ...(await identify(path)), ...told })
  if (!isOnce && open === undefined && isParquet(path, readOptions.format))
    return parquetFile(
      path,
      () => openRandomAccess(path),
      () => fileBytes(path),
      describe,
    )
  const seek = isOnce ? undefined : (offset: number) => openSource(path, { ...storage, start: offset })
  const isCut = !isOnce && open === undefined && isSeekable(path, readOptions.format)
  const incomplete = new Set<string>()
  const onIncomplete = (why: string): unknown => incomplete.add(why)
  const read: ReadPart = (after, key, beginAt) =>
    readRecords(openSource(path, storage), { file: path, ...readOptions, after, key, beginAt, seek, onIncomplete })
  return {
    name: path,
    isOnce,
    isChanges: options.changes === true,
    records: (after, key) => read(after, key),
    ...(isOnce ? {} : { check: (key) => lookAt(read(undefined, key)) }),
    incomplete: () => [...incomplete],
    ...(isCut
      ? { part: (from: number, to: number) => partOf({ name: path, read, open: seek!, describe }, from, to) }
      : {}),
    describe: () => (isOnce || open !== undefined ? Promise.resolve({ name: path, ...told }) : describe()),
    sample: isOnce || open !== undefined ? undefined : sampleOf(path, { file: path, ...readOptions }),
  }
}

/**
 * As {@link file}, of an object in S3, which must stay the one that was found.
 *
 * @param found where it was looked for already
 */
export function s3File(
  s3: S3,
  address: S3Address,
  found: S3Object | undefined,
  options: FileOptions = {},
): RecordSource {
  let looked: Promise<S3Object> | undefined = found === undefined ? undefined : Promise.resolve(found)
  const look = (): Promise<S3Object> => {
    looked ??= s3.head(address)
    return looked
  }
  const { stdin: _, open: __, ...readOptions } = options
  const { format } = readOptions
  const name = nameOf(address)
  async function* open(start: number): AsyncGenerator<Uint8Array> {
    yield* readS3Object(s3, address, await look(), start)
  }
  const describe = async (): Promise<SourceSpec> => {
    const { sizeBytes, etag } = await look()
    return {
      name,
      sizeBytes,
      digest: etag.replaceAll('"', ''),
      ...toldOf(readOptions),
      ...(Object.keys(s3.options).length === 0 ? {} : { connection: s3.options }),
    }
  }
  const sizeOf = async (): Promise<number> => (await look()).sizeBytes
  if (isParquet(name, format))
    return parquetFile(name, async () => openS3Object(s3, address, await look()), sizeOf, describe)
  const incomplete = new Set<string>()
  const onIncomplete = (why: string): unknown => incomplete.add(why)
  const read: ReadPart = (after, key, beginAt) =>
    readRecords(open(0), { file: name, ...readOptions, after, key, beginAt, seek: open, onIncomplete })
  return {
    name,
    isChanges: options.changes === true,
    records: (after, key) => read(after, key),
    check: (key) => lookAt(read(undefined, key)),
    incomplete: () => [...incomplete],
    ...(isSeekable(name, format)
      ? { part: (from: number, to: number) => partOf({ name, read, open, describe }, from, to) }
      : {}),
    describe,
    sample: {
      sizeBytes: sizeOf,
      seekable: isSeekable(name, format),
      read: (from, key) => {
        const part = new FilePart(name, from, open)
        return {
          records: readRecords(part.chunks(), { file: name, ...readOptions, key }),
          bytesTaken: () => part.bytesTaken,
        }
      },
    },
  }
}

type ReadPart = (
  after?: RecordPosition,
  key?: KeySchema,
  beginAt?: RecordPosition,
) => AsyncIterable<readonly SourceRecord[]>

/** Reads as far as the first records. */
async function lookAt(records: AsyncIterable<readonly SourceRecord[]>): Promise<void> {
  for await (const _ of records) return
}

interface WholeFile {
  readonly name: string
  readonly read: ReadPart
  readonly open: (offset: number) => AsyncIterable<Uint8Array>
  readonly describe: () => Promise<SourceSpec>
}

/** Lines are counted from the beginning of the part. */
function partOf(whole: WholeFile, from: number, to: number): RecordSource {
  const name = `${whole.name}#${from}-${to}`
  async function* records(after?: RecordPosition, key?: KeySchema): AsyncGenerator<readonly SourceRecord[]> {
    const offset = after !== undefined || from === 0 ? from : await lineStart(whole.open, from)
    if (offset >= to) return
    let line = 0
    for await (const batch of whole.read(after, key, from === 0 ? undefined : { line: 1, offset })) {
      const mine = batch.filter(({ place }) => {
        // A line that begins here is all here, also where it turns out to be several records.
        if (place.offset >= offset && place.offset < to) line = place.line
        return place.offset >= offset && place.line === line
      })
      if (mine.length > 0) yield mine
      if (mine.length < batch.length && batch.at(-1)!.place.offset >= to) return
    }
  }
  return {
    name,
    records,
    describe: async () => ({ ...(await whole.describe()), name, range: { from, to } }),
  }
}

/** Where the first line begins that begins there or behind it; `Infinity` where there is none. */
async function lineStart(open: (offset: number) => AsyncIterable<Uint8Array>, from: number): Promise<number> {
  // Behind a byte order mark the first line begins, too.
  if (from === MARK.length && (await beginning(open, from)).equals(MARK)) return from
  const newline = newlineOf(await beginning(open, DIGEST_BYTES))
  // The byte before says whether a line begins here.
  let offset = from - 1
  for await (const chunk of open(offset)) {
    const end = chunk.indexOf(newline)
    if (end !== -1) return offset + end + 1
    offset += chunk.length
  }
  return Number.POSITIVE_INFINITY
}

async function beginning(open: (offset: number) => AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  let head = Buffer.alloc(0)
  for await (const chunk of open(0)) {
    head = Buffer.concat([head, chunk])
    if (head.length >= length) break
  }
  return head.subarray(0, length)
}

function isParquet(path: string, format: FormatName | undefined): boolean {
  return format === 'parquet' || (format === undefined && recordFileEnding(path) === 'parquet')
}

/** Read from its end, where it says what is where, and then from anywhere. */
function parquetFile(
  path: string,
  open: () => Promise<OpenBytes>,
  sizeBytes: () => Promise<number>,
  describe: () => Promise<SourceSpec>,
): RecordSource {
  const part = (after?: RecordPosition, key?: KeySchema): SourcePart => {
    let bytesTaken = 0
    async function* records(): AsyncGenerator<readonly SourceRecord[]> {
      await using source = await open()
      for await (const batch of readParquet(source, { file: path, after, key })) {
        bytesTaken = source.bytesTaken
        yield batch
      }
    }
    return { records: records(), bytesTaken: () => bytesTaken }
  }
  return {
    name: path,
    records: (after, key) => part(after, key).records,
    check: (key) => lookAt(part(undefined, key).records),
    describe,
    sample: { sizeBytes, seekable: false, read: (_, key) => part(undefined, key) },
  }
}

/** How it is to be read, for a job's description. */
function toldOf({ format, csv, changes }: FileOptions): Pick<SourceSpec, 'format' | 'csv' | 'changes'> {
  return {
    format,
    csv,
    ...(changes === true ? { changes } : {}),
  }
}

/** Whether reading may begin at any place. */
function isSeekable(path: string, format: FormatName | undefined): boolean {
  const ending = recordFileEnding(path)
  const isLines = ending === 'jsonl' || ending === 'ndjson'
  return isLines && packingOf(path) === undefined && (format === undefined || format === 'jsonl')
}

function sampleOf(path: string, options: ReadOptions): SourceSample {
  return {
    sizeBytes: () => fileBytes(path),
    seekable: isSeekable(path, options.format),
    read: (from, key) => {
      const part = new FilePart(path, from)
      return { records: readRecords(part.chunks(), { ...options, key }), bytesTaken: () => part.bytesTaken }
    },
  }
}

async function identify(path: string): Promise<SourceSpec> {
  try {
    await using handle = await openFile(path)
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    for (const position of new Set([0, Math.max(0, size - DIGEST_BYTES)])) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(DIGEST_BYTES), 0, DIGEST_BYTES, position)
      hash.update(buffer.subarray(0, bytesRead))
    }
    return { name: path, sizeBytes: size, digest: hash.digest('hex') }
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
}
