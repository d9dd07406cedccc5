import { join } from 'node:path'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import { EVENTS } from './jobDirectory.ts'
import type { Summary } from './summary.ts'
import { settledOf } from './tally.ts'

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
    | { readonly at: string; readonly how: 'done' | 'stopped' | 'failed'; readonly message?: string | undefined }
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

/** A line of what happened, as `events.jsonl` has it. */
export interface HistoryNote {
  readonly at: string
  readonly event: string
  readonly run?: number | undefined
  readonly summary?: Summary | undefined
  readonly message?: string | undefined
}

/**
 * How a job went, from the notes in its directory.
 *
 * @throws {HeadraceError} `STATE` where there are none
 */
export function jobHistory(directory: string, disk: Disk = systemDisk): JobHistory {
  if (disk.sizeOf(join(directory, EVENTS)) === undefined) {
    throw new HeadraceError(
      'STATE',
      `${directory} has no ${EVENTS}: no job was started there, or by another version of Headrace`,
    )
  }
  const history = new HistoryBuilder()
  for (const note of jobNotes(directory, disk)) history.add(note)
  return history
}

/** Makes of notes, one after another, how a job went. */
export class HistoryBuilder implements JobHistory {
  readonly #stepsMax: number
  readonly #warningsMax: number
  #steps: HistoryStep[] = []
  readonly #runs: HistoryRun[] = []
  readonly #warnings: string[] = []
  #last: Summary | undefined
  #isNewRun = true

  /** @param stepsMax where there are more of them, those that lie side by side become one; 2 at least, default no limit */
  constructor(stepsMax: number = Number.POSITIVE_INFINITY, warningsMax: number = Number.POSITIVE_INFINITY) {
    this.#stepsMax = stepsMax
    this.#warningsMax = warningsMax
  }

  get steps(): readonly HistoryStep[] {
    return this.#steps
  }

  get runs(): readonly HistoryRun[] {
    return this.#runs
  }

  get summary(): Summary | undefined {
    return this.#last
  }

  get warnings(): readonly string[] {
    return this.#warnings
  }

  add({ event, at, run = 0, summary, message }: HistoryNote): void {
    if (event === 'started' || event === 'resumed') {
      this.#runs.push({ run, startedAt: at, fromMs: this.#last?.durationMs ?? 0, end: undefined })
      this.#isNewRun = true
    }
    if (event === 'warning' && message !== undefined && this.#warnings.length < this.#warningsMax)
      this.#warnings.push(message)
    if (summary === undefined) return
    const step = stepTo(summary, this.#last, this.#isNewRun, run)
    if (step.toMs > step.fromMs) this.#steps.push(step)
    if (this.#steps.length > this.#stepsMax) this.#steps = coarser(this.#steps, this.#stepsMax / 2)
    this.#isNewRun = false
    this.#last = summary
    if (event === 'done' || event === 'stopped' || event === 'failed') {
      const end = { at, how: event, message } as const
      const open = this.#runs.pop()
      if (open !== undefined) this.#runs.push({ ...open, end })
    }
  }
}

/** What happened in a job, as its directory has it: nothing where none was begun there. */
export function* jobNotes(directory: string, disk: Disk = systemDisk): Generator<HistoryNote> {
  for (const line of disk.read(join(directory, EVENTS))?.toString().split('\n') ?? []) {
    if (line === '') continue
    try {
      yield parseJson(line) as HistoryNote
    } catch {
      // The process died while it wrote this line; what it said is in the next note, if there is one.
    }
  }
}

/** Some counts are of all runs of the job, the others of one. */
function stepTo(now: Summary, before: Summary | undefined, isNewRun: boolean, run: number): HistoryStep {
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
    settled: Math.max(0, settledOf(now) - settledOf(before ?? {})),
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
