import { basename, resolve } from 'node:path'
import { RECORD_FILE_ENDINGS, recordFileEnding } from '../formats/recordFileEnding.ts'
import { findFiles } from '../storage/findFiles.ts'
import { findS3Objects } from '../storage/findS3Objects.ts'
import { isS3, S3, type S3Options } from '../storage/s3.ts'
import { type FileOptions, file, type RecordSource, s3File } from './file.ts'
import { findNativeFiles, type NativeExport, nativeSources } from './nativeFiles.ts'
import { orderExports } from './orderExports.ts'

/** What lies beside the data of a native export to S3, and what `headrace load` could not store the last time. */
const NO_RECORDS = /^manifest-(?:files|summary)\.json$|^headrace-.+-rejects\.jsonl$/

export interface FilesOptions extends FileOptions {
  /** How objects of S3 are reached. */
  readonly s3?: S3Options | undefined
  /** Whether the data of native exports is read once in advance and compared with the checksums of its manifest. Default true. */
  readonly verify?: boolean | undefined
  /** Told how many data files are about to be compared. */
  readonly onVerify?: ((files: number) => void) | undefined
  /** Of several full exports of one table the newest alone. Default false: several are an error. */
  readonly latest?: boolean | undefined
  /** Told of what is odd, for people. */
  readonly onWarning?: ((text: string) => void) | undefined
}

/**
 * Files of items, to be loaded together, each as {@link file} reads it. A directory stands for all files in it and below it
 * whose names end as such files do (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.ion`, each also with `.gz` or `.zst`, and
 * `.parquet`), and a pattern (`*`, `**`, `?`) for those that it matches, sorted. So do `s3://bucket/prefix/` and
 * `s3://bucket/pattern`.
 *
 * Where an export of DynamoDB to S3 lies in a directory (`AWSDynamoDB/<ExportId>/`), its files are those that its manifest
 * names, each is there and is what its checksum says; so it is where a path is the one of such a manifest. Several
 * incremental exports are put in the order of their windows.
 *
 * @param paths of files and directories, `s3://` addresses; `-`, standard input, only alone
 * @throws {StorageError} for what is not there or can not be read
 * @throws {FormatError} for an export that is not what its manifest says
 * @throws {TypeError} for no paths, for `-` beside others, and for several full exports of one table
 */
export async function files(paths: readonly string[], options: FilesOptions = {}): Promise<RecordSource[]> {
  const { s3: s3Options, verify = true, onVerify, latest = false, onWarning, ...fileOptions } = options
  if (paths.length === 0) throw new TypeError('pass a file or a directory to read')
  if (paths.includes('-')) {
    if (paths.length > 1) throw new TypeError('"-" is standard input, which cannot be combined with other files')
    return [file('-', fileOptions)]
  }
  const isWanted = (path: string): boolean => recordFileEnding(path) !== undefined && !NO_RECORDS.test(basename(path))
  const endings = RECORD_FILE_ENDINGS.map((ending) => `.${ending}`).join(', ')
  const wanted = `file that ends in ${endings}, or one of these and .gz or .zst`
  // One for all of them; when nothing is read any more, its idle sockets keep no process.
  const s3 = new S3(s3Options)
  const plainFiles = async (path: string): Promise<RecordSource[]> =>
    isS3(path)
      ? (await findS3Objects(s3, path, isWanted, wanted)).map(({ address, object }) =>
          s3File(s3, address, object, fileOptions),
        )
      : (await findFiles([path], isWanted, wanted)).map((one) => file(one, fileOptions))
  const native = { s3, verify, onVerify, file: fileOptions }
  const exports: NativeExport[] = []
  const found = new Map<string, RecordSource>()
  const add = (sources: readonly RecordSource[]): void => {
    for (const source of sources) {
      const key = isS3(source.name) ? source.name : resolve(source.name)
      if (!found.has(key)) found.set(key, source)
    }
  }
  for (const path of paths) {
    const there = await findNativeFiles(path, native)
    if (there === undefined) add(await plainFiles(path))
    else for (const other of there.others.filter(isWanted)) add(await plainFiles(other))
    exports.push(...(there?.exports ?? []))
  }
  for (const [phase, one] of orderExports(exports, { latest, onWarning }).entries())
    add(await nativeSources(one, native, one.manifest.isIncremental ? phase : 0))
  return [...found.values()]
}
