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

export interface JobRates {
  /** Of jobs that read a table. */
  readonly readUnitsPerSecond?: Rate
  readonly writeUnitsPerSecond?: Rate
}

/** How long a stopped job waits for what is at the service. */
export const DRAIN_MS = 10_000
