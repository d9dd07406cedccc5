import { basename } from 'node:path'
import { RECORD_FILE_ENDINGS, recordFileEnding } from '../formats/recordFileEnding.ts'
import { findFiles } from '../storage/findFiles.ts'
import { type FileOptions, file, type RecordSource } from './file.ts'

/** What lies beside the data of a native export to S3, and what `headrace load` could not store the last time. */
const NO_RECORDS = /^manifest-(?:files|summary)\.json$|^headrace-.+-rejects\.jsonl$/

/**
 * Files of items, to be loaded together, each as {@link file} reads it. A directory stands for all files in it and below it
 * whose names end as such files do (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, each also with `.gz`, and `.parquet`), sorted.
 *
 * @param paths of files and directories; `-`, standard input, only alone
 * @throws {StorageError} for what is not there or can not be read
 * @throws {TypeError} for no paths, and for `-` beside others
 */
export async function files(paths: readonly string[], options: FileOptions = {}): Promise<RecordSource[]> {
  if (paths.length === 0) throw new TypeError('name a file to read, or a directory')
  if (paths.includes('-')) {
    if (paths.length > 1) throw new TypeError('"-" is standard input, and is read alone; other files were named too')
    return [file('-', options)]
  }
  const isWanted = (path: string): boolean => recordFileEnding(path) !== undefined && !NO_RECORDS.test(basename(path))
  const endings = RECORD_FILE_ENDINGS.map((ending) => `.${ending}`).join(', ')
  const found = await findFiles(paths, isWanted, `file that ends in ${endings}, or one of these and .gz`)
  return found.map((path) => file(path, options))
}
