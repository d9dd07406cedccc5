import type { ScanStats, Summary } from '../index.ts'
import { noEndings } from '../report/endingWords.ts'

/** The progress of a command that only reads, in the form that jobs have. */
export function readSummary(
  operation: string,
  table: string,
  read: number,
  durationMs: number,
  stats: ScanStats | undefined,
): Summary {
  const segments = stats?.segments ?? 0
  return {
    operation,
    table,
    read,
    ...noEndings(),
    notReached: 0,
    complete: false,
    stoppedBy: undefined,
    durationMs,
    itemsPerSecond: durationMs === 0 ? 0 : (read / durationMs) * 1_000,
    buffered: 0,
    inFlight: 0,
    retried: stats?.retried ?? 0,
    unprocessed: 0,
    throttledRequests: stats?.throttledRequests ?? 0,
    throttlingReasons: stats?.throttlingReasons ?? {},
    failedRequests: 0,
    requests: stats?.requests ?? 0,
    conflicts: 0,
    readUnits: stats?.readUnits ?? 0,
    writeUnits: 0,
    cost: undefined,
    readUnitsPerSecondAllowed: stats?.readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
    writeUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
    latencyMsP50: 0,
    latencyMsP99: 0,
    latencyMsMax: 0,
    costExpected: undefined,
    segmentsDone: segments === 0 ? undefined : stats?.segmentsDone,
    segments: segments === 0 ? undefined : segments,
    share: segments === 0 ? undefined : stats!.segmentsDone / segments,
    oldestSegment: undefined,
    keysCompared: undefined,
    incompleteInput: [],
  }
}
