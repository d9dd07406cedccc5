import { join } from 'node:path'
import { HeadraceError } from '../runtime/headraceError.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import { EVENTS } from './jobDirectory.ts'
import type { Summary } from './summary.ts'

/** What happened between two notes of a job. Times are those that it worked, of all runs, one after another. */
export interface HistoryStep {
  readonly fromMs: number
  readonly toMs: number
  readonly run: number
  readonly readUnits: number
  readonly writeUnits: number
  /** Items that ended, whatever as. */
  readonly settled: number
  readonly requests: number
  readonly throttledRequests: number
  readonly failedRequests: number
  /** At the end of the step. */
  readonly inFlight: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  /** `Infinity` where nothing is known to be in the way. */
  readonly readUnitsPerSecondAllowed: number
  readonly writeUnitsPerSecondAllowed: number
}

export interface HistoryRun {
  readonly run: number
  readonly startedAt: string
  /** Of all runs together, when it began. */
  readonly fromMs: number
  /** Undefined for one that goes on, or whose process died. */
  readonly end:
    | { readonly at: string; readonly how: 'done' | 'stopped' | 'failed'; readonly message?: string }
    | undefined
}

export interface JobHistory {
  readonly steps: readonly HistoryStep[]
  readonly runs: readonly HistoryRun[]
  /** The last that was noted. */
  readonly summary: Summary | undefined
  /** What was odd, for people. */
  readonly warnings: readonly string[]
}

interface Note {
  readonly at: string
  readonly event: string
  readonly run?: number
  readonly summary?: Summary
  readonly message?: string
}

/**
 * How a job went, from the notes in its directory.
 *
 * @throws {HeadraceError} `STATE` where there are none
 */
export function jobHistory(directory: string, disk: Disk = systemDisk): JobHistory {
  const bytes = disk.read(join(directory, EVENTS))
  if (bytes === undefined) {
    throw new HeadraceError(
      'STATE',
      `${directory} has no ${EVENTS}: no job was begun there, or it is of another version`,
    )
  }
  const steps: HistoryStep[] = []
  const runs: HistoryRun[] = []
  const warnings: string[] = []
  let last: Summary | undefined
  let isNewRun = true
  for (const note of notesOf(bytes.toString())) {
    const { event, at, run = 0, summary, message } = note
    if (event === 'started' || event === 'resumed') {
      runs.push({ run, startedAt: at, fromMs: last?.durationMs ?? 0, end: undefined })
      isNewRun = true
    }
    if (event === 'warning' && message !== undefined) warnings.push(message)
    if (summary === undefined) continue
    const step = stepTo(summary, last, isNewRun, run)
    if (step.toMs > step.fromMs) steps.push(step)
    isNewRun = false
    last = summary
    if (event === 'done' || event === 'stopped' || event === 'failed') {
      const end = { at, how: event, ...(message === undefined ? {} : { message }) } as const
      const open = runs.pop()
      if (open !== undefined) runs.push({ ...open, end })
    }
  }
  return { steps, runs, summary: last, warnings }
}

function* notesOf(text: string): Generator<Note> {
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      yield JSON.parse(line) as Note
    } catch {
      // The process died while it wrote this line; what it said is in the next note, if there is one.
    }
  }
}

/** Some counts are of all runs of the job, the others of one. */
function stepTo(now: Summary, before: Summary | undefined, isNewRun: boolean, run: number): HistoryStep {
  const settledOf = (summary: Summary | undefined): number =>
    summary === undefined ? 0 : summary.written + summary.rejected + summary.filtered
  const ofAll = (name: 'readUnits' | 'writeUnits' | 'requests'): number =>
    Math.max(0, now[name] - (before?.[name] ?? 0))
  const ofRun = (name: 'throttledRequests' | 'failedRequests'): number =>
    Math.max(0, now[name] - (isNewRun ? 0 : (before?.[name] ?? 0)))
  return {
    fromMs: before?.durationMs ?? 0,
    toMs: now.durationMs,
    run,
    readUnits: ofAll('readUnits'),
    writeUnits: ofAll('writeUnits'),
    // What was settled behind a gap when a run was stopped comes again.
    settled: Math.max(0, settledOf(now) - settledOf(before)),
    requests: ofAll('requests'),
    throttledRequests: ofRun('throttledRequests'),
    failedRequests: ofRun('failedRequests'),
    inFlight: now.inFlight,
    latencyMsP50: now.latencyMsP50,
    latencyMsP99: now.latencyMsP99,
    // JSON has no word for no limit.
    readUnitsPerSecondAllowed: now.readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
    writeUnitsPerSecondAllowed: now.writeUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
  }
}

/** The same in at most so many steps, each of several that lie side by side. */
export function coarser(steps: readonly HistoryStep[], most: number): HistoryStep[] {
  const size = Math.ceil(steps.length / most)
  const made: HistoryStep[] = []
  for (let from = 0; from < steps.length; from += size) {
    const some = steps.slice(from, from + size)
    const sum = (name: 'readUnits' | 'writeUnits' | 'settled' | 'requests' | 'throttledRequests' | 'failedRequests') =>
      some.reduce((total, step) => total + step[name], 0)
    made.push({
      ...some.at(-1)!,
      fromMs: some[0]!.fromMs,
      run: some[0]!.run,
      readUnits: sum('readUnits'),
      writeUnits: sum('writeUnits'),
      settled: sum('settled'),
      requests: sum('requests'),
      throttledRequests: sum('throttledRequests'),
      failedRequests: sum('failedRequests'),
      latencyMsP99: Math.max(...some.map(({ latencyMsP99 }) => latencyMsP99)),
    })
  }
  return made
}
