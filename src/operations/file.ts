import { readRecords } from '../formats/readRecords.ts'
import type { ReadOptions, SourceRecord } from '../formats/record.ts'
import { type OpenSourceOptions, openSource } from '../storage/openSource.ts'

export interface FileOptions extends Omit<ReadOptions, 'file'>, OpenSourceOptions {}

/** Records of one file, in lists as they are read. */
export interface RecordSource {
  /** The `file` of its records' places. */
  readonly name: string
  records(): AsyncIterable<readonly SourceRecord[]>
}

/**
 * A file of items: JSON Lines, a JSON array, DynamoDB JSON or CSV, each also in gzip; `-` is standard input. The format
 * is told by the name or found in the first record. Nothing is opened before the job runs.
 */
export function file(path: string, options: FileOptions = {}): RecordSource {
  const { stdin, open, ...readOptions } = options
  const storage = { ...(stdin === undefined ? {} : { stdin }), ...(open === undefined ? {} : { open }) }
  return {
    name: path,
    records: () => readRecords(openSource(path, storage), { file: path, ...readOptions }),
  }
}
