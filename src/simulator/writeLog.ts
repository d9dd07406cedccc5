import type { Attributes } from './attributes.ts'

/** One write that took effect. */
export interface WriteRecord {
  readonly atMs: number
  readonly table: string
  /** The primary key's text, see `PrimaryKey`. */
  readonly key: string
  readonly kind: 'put' | 'delete' | 'update'
  /** The request that made it, or `application` for a write from beside. */
  readonly requestId: string
  readonly before: Attributes | undefined
  readonly after: Attributes | undefined
}

/** One request, and how it went. */
export interface RequestRecord {
  readonly id: string
  readonly operation: string
  readonly sentAtMs: number
  /** When it was served; undefined when it never came to that. */
  servedAtMs: number | undefined
  /** When its answer was handed over whole; undefined when it never was. */
  answeredAtMs: number | undefined
  /** The error's name of an answer that is one; empty for success. */
  error: string
  /** Units used, on the table and all its indexes together. */
  readUnits: number
  writeUnits: number
  /** Items of the request that were refused for want of units. */
  throttledItems: number
  /** What the simulator did to it. */
  fault: string
}

/** All that happened, for whoever judges by it. */
export class WriteLog {
  readonly writes: WriteRecord[] = []
  readonly requests: RequestRecord[] = []
  /** The most requests that were under way at once. */
  inFlightMax = 0

  /** One line for each request and each write, the same for the same run. */
  lines(): string[] {
    return [...this.requests, ...this.writes].map((record) => JSON.stringify(record))
  }
}
