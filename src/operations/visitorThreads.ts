import { availableParallelism } from 'node:os'
import { checkWhole } from '../database/checkOption.ts'
import type { Edit } from '../item/edit.ts'
import type { Clock } from '../runtime/clock.ts'
import { counted } from '../runtime/counted.ts'
import type { VisitorSource } from './visitor.ts'
import { VisitorPool } from './visitorPool.ts'

/** Threads to visit in; `auto` decides when it is seen what a visit takes. */
export type Workers = number | 'auto'

const WORKERS_MAX = 256
/** `auto` looks at so many visits, and goes to threads when they took longer than this on average. */
const VISITS_MEASURED = 500
const VISIT_MS_LONG = 0.02
/** The longest of them are not looked at: garbage was collected in them, or the visitor was still being compiled. */
const VISITS_PASSED_OVER = 25

/** Where a visitor runs: in this thread, or in others once that is asked for or pays. */
export class VisitorThreads {
  readonly #workers: Workers | undefined
  readonly #module: URL | undefined
  readonly #visitTimeoutMs: number
  readonly #onSlow: (text: string) => void
  #pool: VisitorPool | undefined
  #measured = 0
  readonly #measuredMs = new Float64Array(VISITS_MEASURED)

  /**
   * @param onSlow told when threads would pay and were not asked for. They are not begun then: what a module keeps in its
   *   variables is another for each thread
   * @throws {TypeError} for workers that are none, and for a visitor that can not travel
   */
  constructor(
    workers: Workers | undefined,
    source: VisitorSource,
    visitTimeoutMs: number,
    onSlow: (text: string) => void,
  ) {
    this.#onSlow = onSlow
    if (workers !== undefined && workers !== 'auto') checkWhole('workers', workers, 1, WORKERS_MAX)
    this.#workers = workers
    this.#module = source instanceof URL ? source : undefined
    this.#visitTimeoutMs = visitTimeoutMs
    if (this.#module !== undefined || workers === undefined || workers === 'auto') return
    const what = typeof source === 'function' ? 'a function' : 'an edit that is the same for each item'
    throw new TypeError(
      `workers require a visitor module, such as new URL('./visitor.ts', import.meta.url): ${what} cannot ` +
        'be sent to another thread',
    )
  }

  /** The visitor is never loaded in this thread. */
  get isElsewhere(): boolean {
    return typeof this.#workers === 'number'
  }

  /** Visits that may be under way at once, where this thread alone would have `least`. */
  visitsMax(least: number): number {
    return Math.max(least, (this.#pool?.size ?? 0) * 2 * VisitorPool.batchMax)
  }

  open(): void {
    if (typeof this.#workers === 'number') this.#start(this.#workers)
  }

  /** The pool to ask; undefined for a visit in this thread. */
  get pool(): VisitorPool | undefined {
    return this.#pool
  }

  /** Visits in this thread, as long as that is where they belong. */
  visit(clock: Clock, visit: () => Edit | Promise<Edit>): Edit | Promise<Edit> {
    if (this.#module === undefined || this.#measured >= VISITS_MEASURED) return visit()
    const beganAtMs = clock.now()
    try {
      return visit()
    } finally {
      this.#measuredMs[this.#measured] = clock.now() - beganAtMs
      this.#measured += 1
      if (this.#measured === VISITS_MEASURED) this.#decide()
    }
  }

  #decide(): void {
    const shorter = this.#measuredMs.sort().subarray(0, VISITS_MEASURED - VISITS_PASSED_OVER)
    const visitMs = shorter.reduce((sum, ms) => sum + ms, 0) / shorter.length
    if (visitMs > VISIT_MS_LONG) this.#offload(visitMs)
  }

  #offload(visitMs: number): void {
    // One is left for reading and writing.
    const workers = availableParallelism() - 1
    if (workers === 0) return
    if (this.#workers === 'auto') {
      this.#start(workers)
      return
    }
    const threads = counted(workers, 'worker thread')
    this.#onSlow(
      `each visit blocks the process for ${Math.round(visitMs * 1_000)} µs on average: ` +
        `set workers: 'auto' (--workers auto) to run the visitor in ${threads}`,
    )
  }

  close(): void {
    this.#pool?.close()
  }

  #start(workers: number): void {
    this.#pool = new VisitorPool({ module: this.#module!, workers, visitTimeoutMs: this.#visitTimeoutMs })
  }
}
