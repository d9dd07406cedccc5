/** How the names of files of records end, each but Parquet also with `.gz` or `.zst` behind it. */
export const RECORD_FILE_ENDINGS = ['jsonl', 'ndjson', 'json', 'csv', 'tsv', 'parquet', 'ion'] as const

const ENDING = new RegExp(`\\.(${RECORD_FILE_ENDINGS.join('|')})(?:\\.(?:gz|zst))?$`, 'i')

/** The ending that tells a file's format, in lower case and without `.gz` or `.zst`; undefined where it tells nothing. */
export function recordFileEnding(file: string): string | undefined {
  return ENDING.exec(file)?.[1]?.toLowerCase()
}
