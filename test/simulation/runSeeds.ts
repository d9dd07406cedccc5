import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Suite } from './run.ts'

/** Seeds that one process is sent at once. */
export interface SeedRange {
  readonly from: number
  readonly count: number
  /** Default `worlds`. */
  readonly suite?: Suite
}

/** What came of them. */
export interface SeedReport {
  readonly ran: number
  readonly virtualMs: number
  /** Times that each fault happened. */
  readonly faults: { readonly [fault: string]: number }
  readonly failed: readonly { readonly seed: number; readonly job: string; readonly failures: readonly string[] }[]
}

export interface RunSeedsOptions {
  readonly ranges: Iterable<SeedRange>
  /** No range is begun after a failure. */
  readonly stop?: boolean
  /** Default: one for each processor. */
  readonly processes?: number
}

/** Seeds sent at once: so many that sending them costs nothing, so few that no process is left with many at the end. */
const RANGE_SEEDS = 25
/** A range takes seconds. In a world that goes round in circles without a timer, nothing but the process can be ended. */
const RANGE_MS_MAX = 180_000

/** So many seeds, as ranges. */
export function* rangesOf(from: number, seeds: number, suite: Suite = 'worlds'): Generator<SeedRange> {
  for (let at = from; at < from + seeds; at += RANGE_SEEDS) {
    yield { from: at, count: Math.min(RANGE_SEEDS, from + seeds - at), suite }
  }
}

/** Runs seeds side by side, each process its own; what it comes to is the same as one after another. */
export async function runSeeds(options: RunSeedsOptions): Promise<SeedReport> {
  const { ranges, stop = false, processes = availableParallelism() } = options
  const left = ranges[Symbol.iterator]()
  const faults: { [fault: string]: number } = {}
  const failed: SeedReport['failed'][number][] = []
  let ran = 0
  let virtualMs = 0
  const work = async (): Promise<void> => {
    let worker = startWorker()
    for (;;) {
      const next = left.next()
      if (next.done === true || (stop && failed.length > 0)) break
      const report = await ask(worker, next.value)
      if (report === undefined) {
        const { from, count } = next.value
        const why = `its process ended, or one of ${count} seeds from here took more than ${RANGE_MS_MAX / 1_000} s`
        failed.push({ seed: from, job: 'unknown', failures: [why] })
        worker.kill('SIGKILL')
        worker = startWorker()
        continue
      }
      ran += report.ran
      virtualMs += report.virtualMs
      for (const [fault, times] of Object.entries(report.faults)) faults[fault] = (faults[fault] ?? 0) + times
      failed.push(...report.failed)
    }
    worker.disconnect()
  }
  await Promise.all(Array.from({ length: processes }, work))
  failed.sort((left, right) => left.seed - right.seed)
  return { ran, virtualMs, faults, failed }
}

function startWorker() {
  const path = fileURLToPath(new URL('./seedWorker.js', import.meta.url))
  return fork(path, { execArgv: ['--enable-source-maps'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

/** Undefined when no answer came. */
function ask(worker: ReturnType<typeof startWorker>, range: SeedRange): Promise<SeedReport | undefined> {
  return new Promise((resolve) => {
    const end = (report: SeedReport | undefined): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(report)
    }
    const onMessage = (report: unknown): void => end(report as SeedReport)
    const onExit = (): void => end(undefined)
    const timer = setTimeout(onExit, RANGE_MS_MAX)
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.send(range)
  })
}
