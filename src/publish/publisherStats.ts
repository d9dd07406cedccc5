/** What a publisher did and has in hand. All counts are of entries unless the name says otherwise. */
export interface PublisherStats {
  /** Given to `put`, `delete` and `update`: always `stored + rejected + conflicted + buffered + inFlight`. */
  readonly taken: number
  /** Acknowledged by the service. */
  readonly stored: number
  /** Of `stored`: stood for by a later put or delete of the same key, which was acknowledged. */
  readonly superseded: number
  /** Never to be stored, each reported to `onReject`. */
  readonly rejected: number
  /** Handed back to their owner because the item is no longer as it was read. */
  readonly conflicted: number
  /** Waiting for their turn, for another of their key, or for a delay to pass. */
  readonly buffered: number
  readonly bufferedBytes: number
  readonly inFlight: number
  /** Times that an entry went again, for whatever reason. */
  readonly retried: number
  /** Times that an entry was handed back in `UnprocessedItems`, or throttled within a batch. */
  readonly unprocessed: number
  readonly requests: number
  /** Requests that were throttled as a whole. */
  readonly throttledRequests: number
  /** Requests that failed on the way or in the service. */
  readonly failedRequests: number
  /** Consumed, as the service tells. */
  readonly writeUnits: number
  /** Write units of the table that may be spent a second as things are; `Infinity` where nothing is known to be in the way. */
  readonly writeUnitsPerSecondAllowed: number
  /** The service's reasons for throttles, such as `TableWriteKeyRangeThroughputExceeded`, and how often each was given. */
  readonly throttlingReasons: Readonly<Record<string, number>>
  /** Of requests, in milliseconds; 0 before the first. */
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  readonly latencyMsMax: number
}

/**
 * Before anything happened.
 *
 * @internal
 */
export const NO_STATS: PublisherStats = {
  taken: 0,
  stored: 0,
  superseded: 0,
  rejected: 0,
  conflicted: 0,
  buffered: 0,
  bufferedBytes: 0,
  inFlight: 0,
  retried: 0,
  unprocessed: 0,
  requests: 0,
  throttledRequests: 0,
  failedRequests: 0,
  writeUnits: 0,
  writeUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
  throttlingReasons: {},
  latencyMsP50: 0,
  latencyMsP99: 0,
  latencyMsMax: 0,
}
