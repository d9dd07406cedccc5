import type { Cost } from './costMeter.ts'
import type { Tally } from './tally.ts'

/** What happened in a job: so far while it runs (its progress), in all when it has ended. */
export interface Summary extends Readonly<Tally> {
  /**
   * Among which records `overwritten` was counted: `all` of the job; those whose key is among the `first` 1,000,000
   * different ones; the records of this `run`, where a job was resumed; those of each `slice`, where it is run in several.
   * Undefined where keys are not compared, as for an update.
   */
  readonly keysCompared: 'all' | 'first' | 'run' | 'slice' | undefined
  /** What is missing of the input, by what it says of itself: `page.json: NextToken: there are more pages`. Empty where nothing is. */
  readonly incompleteInput: readonly string[]
  readonly operation: string
  readonly table: string
  /** Everything was read and settled; false while it runs and when it was stopped. */
  readonly complete: boolean
  /** What ended it before its end: a signal, or a limit that was asked for. */
  readonly stoppedBy: 'signal' | 'rejects' | 'duration' | 'cost' | undefined
  readonly durationMs: number
  /** Of written items; for operations that only read, of read ones. */
  readonly itemsPerSecond: number
  /** Records waiting to be sent, and at the service. */
  readonly buffered: number
  readonly inFlight: number
  /** Times that an entry or page went again. */
  readonly retried: number
  readonly unprocessed: number
  readonly throttledRequests: number
  /** The service's reasons for throttles, such as `TableWriteKeyRangeThroughputExceeded`, and how often each was given. */
  readonly throttlingReasons: Readonly<Record<string, number>>
  readonly failedRequests: number
  readonly requests: number
  /** Items that had changed between reading and writing, and were read and decided on again. */
  readonly conflicts: number
  readonly readUnits: number
  readonly writeUnits: number
  /**
   * What these units cost; undefined where the price is not known, on an emulator on this
   * machine, and before the table has been looked at.
   */
  readonly cost: Cost | undefined
  /**
   * What all of the job comes to, about: by its plan where `plan()` was asked of this very job; otherwise, until it is done,
   * by what the part that is settled has cost. Undefined where nobody knows how large that part is, or it is too small, or
   * `cost` is undefined.
   */
  readonly costExpected: Cost | undefined
  /**
   * Units of the table that may be spent a second as things are; `Infinity` where nothing is known to be in the way, and
   * where nothing is read or written.
   */
  readonly readUnitsPerSecondAllowed: number
  readonly writeUnitsPerSecondAllowed: number
  /** Of write requests; 0 where there were none. */
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  readonly latencyMsMax: number
  /** How far a scan has come, by segments; undefined where there is no scan. */
  readonly segmentsDone: number | undefined
  readonly segments: number | undefined
  /**
   * The part of the work that is settled, from 0 to 1: of segments, by how many items the first of them had; of files, by
   * bytes; of items that are made, by their count. Undefined where nobody knows.
   */
  readonly share: number | undefined
  /** The segment that was begun first of those that are not at their end, with the items of it that are settled. */
  readonly oldestSegment: { readonly segment: number; readonly items: number } | undefined
}
