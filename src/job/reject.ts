import type { PlainItem } from '../item/attributeValue.ts'
import type { RawRecord } from '../item/rawRecord.ts'

/**
 * A record that can never succeed, and why. Its own text, bytes and format (`raw`, `rawBytes`, `rawFormat`) are there where
 * it could not be read as an item.
 */
export interface JobReject extends Omit<RawRecord, 'raw'> {
  /** The service's name for the error, or `InvalidRecord`, `InvalidItem`, `VisitorFailed`, `Conflict`. */
  readonly code: string
  readonly message: string
  /** `cities.jsonl:17` for a record of a file, the key for an item of a table. */
  readonly place: string
  /** The item; undefined where the record could not be read as one. */
  readonly item?: PlainItem | undefined
  readonly raw?: string | undefined
}
