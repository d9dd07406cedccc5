import { availableParallelism } from 'node:os'
import { checkWhole } from '../database/checkOption.ts'
import type { Edit } from '../item/edit.ts'
import type { Clock } from '../runtime/clock.ts'
import type { VisitorSource } from './visitor.ts'
import { VisitorPool } from './visitorPool.ts'

/** Threads to visit in; `auto` decides when it is seen what a visit takes. */
export type Workers = number | 'auto'

const WORKERS_MAX = 256
/** `auto` looks at so many visits, and goes to threads when they took longer than this on average. */
const VISITS_MEASURED = 500
const VISIT_MS_LONG = 0.02

/** Where a visitor runs: in this thread, or in others once that is asked for or pays. */
export class VisitorThreads {
  readonly #workers: Workers | undefined
  readonly #module: URL | undefined
  readonly #visitTimeoutMs: number
  #pool: VisitorPool | undefined
  #measured = 0
  #measuredMs = 0

  /** @throws {TypeError} for workers that are none, and for a visitor that can not travel */
  constructor(workers: Workers | undefined, source: VisitorSource, visitTimeoutMs: number) {
    if (workers !== undefined && workers !== 'auto') checkWhole('workers', workers, 1, WORKERS_MAX)
    this.#workers = workers
    this.#module = source instanceof URL ? source : undefined
    this.#visitTimeoutMs = visitTimeoutMs
    if (this.#module !== undefined || workers === undefined || workers === 'auto') return
    const what = typeof source === 'function' ? 'a function' : 'an edit that is the same for each item'
    throw new TypeError(
      `workers need a visitor that is given as a module, such as new URL('./visitor.ts', import.meta.url): ${what} can not ` +
        'travel to another thread',
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
    if (this.#workers !== 'auto' || this.#module === undefined || this.#measured >= VISITS_MEASURED) return visit()
    const beganAtMs = clock.now()
    try {
      return visit()
    } finally {
      this.#measuredMs += clock.now() - beganAtMs
      this.#measured += 1
      if (this.#measured === VISITS_MEASURED && this.#measuredMs / VISITS_MEASURED > VISIT_MS_LONG) {
        // One is left for reading and writing.
        const workers = availableParallelism() - 1
        if (workers > 0) this.#start(workers)
      }
    }
  }

  close(): void {
    this.#pool?.close()
  }

  #start(workers: number): void {
    this.#pool = new VisitorPool({ module: this.#module!, workers, visitTimeoutMs: this.#visitTimeoutMs })
  }
}
