/** A record that could not be read as an item, as it stood in its file. */
export interface RawRecord {
  /** Its text; bytes that are not UTF-8 are written `\xff`. */
  readonly raw: string
  /** Its own bytes, where the text does not give them back. */
  readonly rawBytes?: Uint8Array | undefined
  /** How the text is to be read; undefined where nothing tells. */
  readonly rawFormat?: RawFormat | undefined
}

export interface RawFormat {
  /** `jsonl`, `ddb-json`, `csv`, `ion` or `parquet`. */
  readonly format: string
  /** Of CSV: its columns, as a header line names them, such as `id` or `age:N`. */
  readonly columns?: readonly string[] | undefined
  /** Of CSV. */
  readonly delimiter?: string | undefined
  /** The text is only the beginning of the record, which was too long to be kept. */
  readonly isCut?: boolean | undefined
}
