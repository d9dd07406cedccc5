import { setMaxListeners } from 'node:events'
import { checkWhole } from '../database/checkOption.ts'
import type { Summary } from '../job/summary.ts'
import { type Endings, settledOf } from '../job/tally.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import type { JobLimits } from './job.ts'

/** Who has stopped a job before its end. */
type StopReason = NonNullable<Summary['stoppedBy']>

/** A part of a handful of records says nothing. */
const SHARE_OF_LEAST = 1_000

/**
 * Where all of the first so many records were rejected, something is wrong with all of them: the table, the format, the
 * visitor. Stopped for that only where no limit of rejects was asked for.
 */
const ALL_REJECTED = 1_000

/** Stops a job when its user says so, or at a limit that was asked for. */
export class Stopper {
  readonly #controller = new AbortController()
  readonly #limits: JobLimits
  readonly #release: () => void
  #timer: Timer | undefined
  /** Undefined while nobody has. */
  reason: StopReason | undefined

  /** @throws {TypeError} for limits that are none */
  constructor(signal: AbortSignal | undefined, limits: JobLimits = {}) {
    checkLimits(limits)
    this.#limits = limits
    // Each of many sources and visits that wait listens; Node would warn of more than ten.
    setMaxListeners(0, this.#controller.signal)
    const onAbort = (): void => this.stop('signal')
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => signal?.removeEventListener('abort', onAbort)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The job begins. */
  start(clock: Clock): void {
    const { durationMsMax } = this.#limits
    if (durationMsMax !== undefined) this.#timer = clock.setTimer(() => this.stop('duration'), durationMsMax)
  }

  /** Another record was rejected, and all in front of it are settled. @param passed of these */
  onPassedReject(passed: Readonly<Endings>): void {
    if (this.#limits.rejectsMax !== undefined) return
    if (passed.rejected >= ALL_REJECTED && settledOf(passed) === passed.rejected) this.stop('rejects')
  }

  /** Another record was rejected. */
  onReject(rejected: number, read: number): void {
    const { rejectsMax } = this.#limits
    if (rejectsMax === undefined) return
    const most =
      typeof rejectsMax === 'number'
        ? rejectsMax
        : (Number.parseFloat(rejectsMax) / 100) * Math.max(read, SHARE_OF_LEAST)
    if (rejected > most) this.stop('rejects')
  }

  release(): void {
    this.#timer?.clear()
    this.#release()
  }

  /** The job must not go on. */
  stop(reason: StopReason): void {
    this.reason ??= reason
    this.#controller.abort()
  }
}

function checkLimits({ rejectsMax, durationMsMax, costMax }: JobLimits): void {
  if (costMax !== undefined && !(costMax > 0)) throw new TypeError(`costMax must be a number above 0, not ${costMax}`)
  if (typeof rejectsMax === 'number') checkWhole('rejectsMax', rejectsMax, 0, Number.MAX_SAFE_INTEGER)
  else if (rejectsMax !== undefined && !(Number.parseFloat(rejectsMax) <= 100 && /^\d+(\.\d+)?%$/.test(rejectsMax))) {
    throw new TypeError(`rejectsMax must be a whole number or a share such as '1%', not ${rejectsMax}`)
  }
  if (durationMsMax !== undefined) checkWhole('durationMsMax', durationMsMax, 1, 2 ** 31 - 1)
}
