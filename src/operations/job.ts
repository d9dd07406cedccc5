import type { Plan, PlanOptions } from '../job/plan.ts'
import type { Summary } from '../job/summary.ts'
import type { Rate } from '../throughput/rate.ts'

export interface RunOptions {
  /** Aborting stops the reading; what was taken is still written, for at most {@link DRAIN_MS}. */
  readonly signal?: AbortSignal | undefined
}

/** Work that is described, then run once. */
export interface Job {
  /**
   * @returns what happened; `complete` is false when the signal stopped it
   * @throws {HeadraceError} when it can not go on; `progress` then says how far it came
   */
  run(options?: RunOptions): Promise<Summary>
  /**
   * Other rates from now on, before or while it runs; what is not named stays as it is.
   *
   * @throws {TypeError} for what is no rate
   */
  setRates(rates: JobRates): void
  /** What happened so far. Read it whenever; it costs nothing to the job. */
  readonly progress: Summary
}

/** A job that can say what it would do. */
export interface PlannableJob<Options extends PlanOptions = PlanOptions> extends Job {
  /**
   * What it would read, write, take and cost, and what it would make of a few items. Reads a sample, of a table at most
   * 4,096 read units, and writes nothing. May be called before or instead of `run`, as often as one likes.
   *
   * @throws {HeadraceError} when table or files can not be read; {TypeError} for options out of range
   */
  plan(options?: Options): Promise<Plan>
}

export interface JobRates {
  /** Of jobs that read a table. */
  readonly readUnitsPerSecond?: Rate
  readonly writeUnitsPerSecond?: Rate
}

/** How long a stopped job waits for what is at the service. */
export const DRAIN_MS = 10_000
