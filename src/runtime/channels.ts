import { type Channel, channel } from 'node:diagnostics_channel'

/** How a request to DynamoDB ended. Published where somebody listens, and costs nothing else. */
export interface RequestEnd {
  /** Such as `BatchWriteItem`. */
  readonly operation: string
  /** From when it was sent, signed, to its whole answer. */
  readonly latencyMs: number
  /** `again` is what may succeed when it is sent again: a throttle, a failure of the service or of the network. */
  readonly outcome: 'answered' | 'again' | 'refused'
  /** The service's or the network's name of what went wrong; empty for an answer. */
  readonly code: string
}

/** A run of a job: from `job.run()` to its end. What begins and what ends are told with the same `run`. */
export interface RunStart {
  readonly run: object
  readonly operation: string
  readonly table: string
  /** How it stands now; a `Summary`. */
  readonly progress: () => unknown
}

export interface RunEnd {
  readonly run: object
  readonly operation: string
  readonly table: string
  /** The summary; undefined where it failed. */
  readonly summary: unknown
  readonly error: unknown
}

/** For `node:diagnostics_channel`: {@link RequestEnd}. */
export const REQUEST_END: Channel = channel('headrace:request:end')
/** {@link RunStart}. */
export const RUN_START: Channel = channel('headrace:run:start')
/** {@link RunEnd}. */
export const RUN_END: Channel = channel('headrace:run:end')

/** @returns what tells the end of it, once */
export function startRun({
  operation,
  table,
  progress,
}: Omit<RunStart, 'run'>): (summary: unknown, error?: unknown) => void {
  const run = {}
  if (RUN_START.hasSubscribers) RUN_START.publish({ run, operation, table, progress } satisfies RunStart)
  let ended = false
  return (summary, error) => {
    if (!ended && RUN_END.hasSubscribers) RUN_END.publish({ run, operation, table, summary, error } satisfies RunEnd)
    ended = true
  }
}

/** Does a run's work between its two messages. */
export async function toldRun<Result>(run: Omit<RunStart, 'run'>, work: () => Promise<Result>): Promise<Result> {
  const end = startRun(run)
  try {
    const summary = await work()
    end(summary)
    return summary
  } catch (error) {
    end(undefined, error)
    throw error
  }
}
