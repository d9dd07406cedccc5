import type { PlainItem } from '../item/attributeValue.ts'

/** A record that can never succeed, and why. */
export interface JobReject {
  /** The service's name for the error, or `InvalidRecord`, `InvalidItem`, `VisitorFailed`, `Conflict`. */
  readonly code: string
  readonly message: string
  /** `cities.jsonl:17` for a record of a file, the key for an item of a table. */
  readonly place: string
  /** The item; undefined where the record could not be read as one. */
  readonly item?: PlainItem | undefined
  /** The record's own text, where it could not be read as an item. */
  readonly raw?: string | undefined
}
