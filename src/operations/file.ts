import { readRecords } from '../formats/readRecords.ts'
import type { ReadOptions, SourceRecord } from '../formats/record.ts'
import { recordFileEnding } from '../formats/recordFileEnding.ts'
import { FilePart, fileBytes } from '../storage/filePart.ts'
import { type OpenSourceOptions, openSource } from '../storage/openSource.ts'

export interface FileOptions extends Omit<ReadOptions, 'file'>, OpenSourceOptions {}

/** Records of one file, in lists as they are read. */
export interface RecordSource {
  /** The `file` of its records' places. */
  readonly name: string
  records(): AsyncIterable<readonly SourceRecord[]>
  /** How to look into it without reading all of it, for plans; undefined for what can be read only once. */
  readonly sample?: SourceSample | undefined
}

/** A look into a source, as often as one likes. */
export interface SourceSample {
  /** As it lies on the disk; packed, where it is. */
  sizeBytes(): Promise<number>
  /** Whether `read` may begin anywhere, with the next record. */
  readonly seekable: boolean
  /** @param from bytes from its start; above 0 only where it is seekable */
  read(from: number): SourcePart
}

export interface SourcePart {
  readonly records: AsyncIterable<readonly SourceRecord[]>
  /** Bytes, as they lie on the disk, that the records so far were made of. */
  bytesTaken(): number
}

/**
 * A file of items: JSON Lines, a JSON array, DynamoDB JSON or CSV, each also in gzip; `-` is standard input. The format
 * is told by the name or found in the first record. Nothing is opened before the job runs.
 */
export function file(path: string, options: FileOptions = {}): RecordSource {
  const { stdin, open, ...readOptions } = options
  const storage = { ...(stdin === undefined ? {} : { stdin }), ...(open === undefined ? {} : { open }) }
  const format = { file: path, ...readOptions }
  return {
    name: path,
    records: () => readRecords(openSource(path, storage), format),
    sample: path === '-' || open !== undefined ? undefined : sampleOf(path, format),
  }
}

function sampleOf(path: string, format: ReadOptions): SourceSample {
  const ending = recordFileEnding(path)
  const isLines = ending === 'jsonl' || ending === 'ndjson'
  return {
    sizeBytes: () => fileBytes(path),
    seekable: isLines && !/\.gz$/i.test(path) && (format.format === undefined || format.format === 'jsonl'),
    read: (from) => {
      const part = new FilePart(path, from)
      return { records: readRecords(part.chunks(), format), bytesTaken: () => part.bytesTaken }
    },
  }
}
