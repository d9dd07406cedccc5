import type { Attributes } from './attributes.ts'

/** Errors that say that there are no units for now. */
export const THROTTLES: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
])

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

/** How many of each so far. */
export interface LogCounts {
  readonly requests: number
  readonly writes: number
  /** Requests of which nothing was done for want of units, and those of which a part was done. */
  readonly throttledRequests: number
  readonly partlyThrottledRequests: number
  /** Items that were not written for want of units, each time. */
  readonly throttledItems: number
  /** Requests that ended in no answer, or in a failure of the service. */
  readonly failedRequests: number
}

/** All that happened, for whoever judges by it. */
export class WriteLog {
  readonly writes: WriteRecord[] = []
  readonly requests: RequestRecord[] = []
  /** The most requests that were under way at once. */
  inFlightMax = 0
  readonly #keeps: boolean
  #underWayMax = 0
  readonly #counts = {
    requests: 0,
    writes: 0,
    throttledRequests: 0,
    partlyThrottledRequests: 0,
    throttledItems: 0,
    failedRequests: 0,
  }

  /** @param keeps whether requests and writes are kept, and not counted alone */
  constructor(keeps: boolean) {
    this.#keeps = keeps
  }

  /** So many requests are under way. */
  noteUnderWay(count: number): void {
    if (count > this.inFlightMax) this.inFlightMax = count
    if (count > this.#underWayMax) this.#underWayMax = count
  }

  /** The most requests that were under way at once since this was last asked for. */
  takeUnderWayMax(): number {
    const most = this.#underWayMax
    this.#underWayMax = 0
    return most
  }

  get counts(): LogCounts {
    return { ...this.#counts }
  }

  /** A request is sent. */
  open(operation: string, sentAtMs: number, fault: string): RequestRecord {
    const record: RequestRecord = {
      id: `R${this.#counts.requests}`,
      operation,
      sentAtMs,
      servedAtMs: undefined,
      answeredAtMs: undefined,
      error: '',
      readUnits: 0,
      writeUnits: 0,
      throttledItems: 0,
      fault,
    }
    this.#counts.requests += 1
    if (this.#keeps) this.requests.push(record)
    return record
  }

  /** Nothing came of it, or not as far as the client can see. */
  fail(): void {
    this.#counts.failedRequests += 1
  }

  /** It was served, well or not. */
  serve({ error, throttledItems }: RequestRecord, status: number): void {
    this.#counts.throttledItems += throttledItems
    if (status >= 500) this.#counts.failedRequests += 1
    else if (THROTTLES.has(error)) this.#counts.throttledRequests += 1
    else if (throttledItems > 0) this.#counts.partlyThrottledRequests += 1
  }

  /** A write took effect. */
  write(record: WriteRecord): void {
    this.#counts.writes += 1
    if (this.#keeps) this.writes.push(record)
  }

  /** One line for each request and each write, the same for the same run. */
  lines(): string[] {
    return [...this.requests, ...this.writes].map((record) => JSON.stringify(record))
  }
}
