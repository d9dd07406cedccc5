import type { PlainItem } from '../item/attributeValue.ts'
import type { KeySchema } from '../item/itemKey.ts'
import type { RawRecord } from '../item/rawRecord.ts'

/** Where a record begins. */
export interface RecordPlace {
  /** The name of the file, as messages give it. */
  readonly file: string
  /** Counted from 1; the row, in a file that has no lines. */
  readonly line: number
  /** Bytes from the start of the file, after decompression; rows, in a file that has no lines. */
  readonly offset: number
}

/** A record that was read, or what stood in its place: a bad record never ends the stream. */
export type SourceRecord =
  | { readonly item: PlainItem; readonly place: RecordPlace }
  | ({
      /** What is wrong, for people. */
      readonly error: string
      readonly place: RecordPlace
    } & RawRecord)

/**
 * The formats that can be named: JSON Lines, one JSON document, DynamoDB JSON in either layout, CSV, Parquet, Ion, a job's
 * rejects.
 */
export type FormatName = 'jsonl' | 'json' | 'ddb-json' | 'csv' | 'parquet' | 'ion' | 'rejects'

/**
 * What the cells of a column hold. `json` is any JSON value: a list, a map, a number, a string. `ddb` is any value in
 * DynamoDB JSON, such as `{"SS":["a","b"]}`, and loses nothing.
 */
export type ColumnType = 'S' | 'N' | 'BOOL' | 'NULL' | 'B' | 'json' | 'ddb'

export interface CsvOptions {
  /**
   * Types by column name, or by attribute name of ordinary JSON, whose strings and numbers then become what is said here.
   * They may also be given in a header line, as `price:N`; a type given here wins. Default for a column: the type of the
   * table's key where it is one, else `S`.
   */
  readonly types?: { readonly [name: string]: ColumnType } | undefined
  /** One ASCII character. Default: `,`, or a tab for a file called `.tsv`. */
  readonly delimiter?: string | undefined
}

/** A place within a file, to go on behind. */
export type RecordPosition = Pick<RecordPlace, 'line' | 'offset'>

export interface ReadOptions {
  /** The name for messages; its extension also says the format. `-` for a stream without a name. */
  readonly file: string
  /** Default: by the extension (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.ion`, each also with `.gz` or `.zst`), then by content. */
  readonly format?: FormatName | undefined
  readonly csv?: CsvOptions | undefined
  /**
   * The records are changes, as an incremental export has them: `{"Keys":…,"NewImage":…}`. Each becomes `{ put: item }`,
   * or `{ delete: key }` where there is no new image. Only with `ddb-json` and `ion`. Default false.
   */
  readonly changes?: boolean | undefined
  /** Records up to the one that begins there are not wanted; some of them may come nevertheless. */
  readonly after?: RecordPosition | undefined
  /** Begin with the record that begins there, where the bytes from there on can be had. */
  readonly beginAt?: RecordPosition | undefined
  /** The bytes of the same file from an offset on, where they can be had without reading what is in front of them. */
  readonly seek?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
  /** The key of the table that the records are for: a header line without it is an error, and its columns take its types. */
  readonly key?: KeySchema | undefined
  /** Told once, when all was read, what is missing of the input by what it says of itself. */
  readonly onIncomplete?: ((why: string) => void) | undefined
  /** The longest record taken, in bytes; a longer one becomes an error record. At least 1; default 8 MiB. */
  readonly lineBytesMax?: number | undefined
}
