import type { JobSpec } from '../job/jobSpec.ts'
import type { Plan, PlanOptions } from '../job/plan.ts'
import type { Summary } from '../job/summary.ts'
import type { Processes } from '../runtime/processIdentity.ts'
import type { Disk } from '../storage/disk.ts'
import type { Rate } from '../throughput/rate.ts'
import type { FilterPreview } from './previewFilter.ts'

export interface RunOptions {
  /**
   * Aborting stops the job. With a directory, what was not sent yet is left for when it goes on, and what is at the service
   * is waited for; without one, what was taken is still written. Either takes at most {@link DRAIN_MS}.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * Where the job keeps its state, such as `.headrace/touch-users`. Made if it is not there. A job that was stopped, or
   * whose process died, goes on where it was when it is run again with the same directory; rejects are in its
   * `rejects.jsonl`. Default: nothing is kept.
   */
  readonly directory?: string | undefined
  readonly limits?: JobLimits | undefined
  /** Told of what is odd and stops nothing, such as a damaged checkpoint that was passed over, for people. */
  readonly onWarning?: ((text: string) => void) | undefined
  /** Another disk, other processes: for tests and simulations. */
  readonly disk?: Disk | undefined
  readonly processes?: Processes | undefined
}

/** Where to stop although not everything is done, as if a signal had come. */
export interface JobLimits {
  /**
   * Rejects of all runs of the job, or their part of what was read, such as `'1%'` (of 1,000 records at least). Default: a job
   * stops when all of its first 1,000 records were rejected; `'100%'` for none at all.
   */
  readonly rejectsMax?: number | `${number}%` | undefined
  /**
   * What the units of all runs of the job may cost, in the currency of the price list, above 0. What is under way counts as
   * spent, so it is never passed, and a job may stop with some of it left.
   */
  readonly costMax?: number | undefined
  /** Milliseconds that this run may take. */
  readonly durationMsMax?: number | undefined
}

/** Work that is described, then run once. */
export interface Job {
  /**
   * @returns what happened; `complete` is false when the signal or a limit stopped it
   * @throws {HeadraceError} when it can not go on; `progress` then says how far it came
   */
  run(options?: RunOptions): Promise<Summary>
  /**
   * Other rates from now on, before or while it runs, or none at all; what is not named stays as it is.
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
  /**
   * What it does, as plain JSON, from which other processes do the same: `runSlice`, `headrace slice`. Reads the table's
   * description and no item. May be called as often as one likes, each time for a job of its own. Nothing in it is secret,
   * and no profile: that is this machine's.
   *
   * @throws {HeadraceError} when table or files can not be read; {TypeError} for slices that there can not be
   */
  describe(options?: DescribeOptions): Promise<JobSpec>
}

/** A job that reads a table and may have a filter. */
export interface FilteredJob extends PlannableJob {
  /**
   * What a small sample of the table says of the filter; see `previewFilter`. `run` and `plan` ask it too, and the sample is
   * read once. Undefined where there is no filter.
   *
   * @throws {HeadraceError} `CONFIGURATION` for a filter that the job refuses
   */
  preview(signal?: AbortSignal): Promise<FilterPreview | undefined>
}

export interface DescribeOptions {
  /** The job can be cut into so many slices, 1 to 1,000,000: a table is read in at least so many segments. Default 1. */
  readonly slices?: number | undefined
  /**
   * Cut large files of lines into parts, so that a load of one file runs in slices too. Parts are read side by side: of two lines with
   * one key in different parts either may be the last that is written. Default false.
   */
  readonly split?: boolean | undefined
  /** What the job is called. Default: its operation and table. */
  readonly id?: string | undefined
}

export interface JobRates {
  /** Of jobs that read a table. */
  readonly readUnitsPerSecond?: Rate | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
  /**
   * Nothing more is read or written until it is false again; what is at the service ends. The job keeps its directory and its
   * limits of time meanwhile.
   */
  readonly paused?: boolean | undefined
}

/** How long a stopped job waits for what is at the service. */
export const DRAIN_MS = 10_000
