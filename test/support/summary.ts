import type { Summary } from '../../src/job/summary.ts'
import { newTally } from '../../src/job/tally.ts'

/** Of a job of which nothing is to be said but what is given. */
export function summary(more: Partial<Summary> = {}): Summary {
  return {
    ...newTally(),
    operation: 'load',
    table: 'orders',
    stoppedBy: undefined,
    complete: true,
    durationMs: 10_000,
    itemsPerSecond: 100,
    buffered: 0,
    inFlight: 0,
    retried: 0,
    unprocessed: 0,
    throttledRequests: 0,
    throttlingReasons: {},
    failedRequests: 0,
    requests: 0,
    conflicts: 0,
    readUnits: 0,
    writeUnits: 0,
    cost: undefined,
    costExpected: undefined,
    readUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
    writeUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
    latencyMsP50: 0,
    latencyMsP99: 0,
    latencyMsMax: 0,
    segmentsDone: undefined,
    share: undefined,
    oldestSegment: undefined,
    segments: undefined,
    keysCompared: undefined,
    incompleteInput: [],
    ...more,
  }
}
