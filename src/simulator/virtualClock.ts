import type { Clock, Timer } from '../runtime/clock.ts'
import { runTurns } from '../runtime/runTurns.ts'
import { TimerHeap, type VirtualTimer } from './timerHeap.ts'

/** What Node's timers take; one that waits longer would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1

export interface RunBounds {
  /** Virtual time that the work may take, from when it is run. Default 24 hours. */
  readonly virtualMsMax?: number
  /** Timers that may fire. Default 20,000,000. */
  readonly stepsMax?: number
}

/**
 * Time that moves only when nothing else can: everything that is ready runs, then the clock jumps to its next timer. Hours
 * pass in seconds, and the same work runs the same way each time, as long as it waits for promises and timers alone; what
 * comes from a disk or a socket arrives at no certain moment of virtual time.
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap()
  readonly #wallStartMs: number
  #nowMs = 0
  #steps = 0

  /** @param wallStartMs what a calendar shows at the start. Default 2026-01-01T00:00:00Z. */
  constructor(wallStartMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallStartMs = wallStartMs
  }

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return this.#wallStartMs + this.#nowMs
  }

  /** Timers that have fired so far. */
  get steps(): number {
    return this.#steps
  }

  /** @throws {RangeError} for a delay that the machine's clock would not keep */
  setTimer(callback: () => void, delayMs: number): Timer {
    if (!(delayMs <= DELAY_MS_MAX)) throw new RangeError(`Node.js does not support a timer of ${delayMs} ms`)
    const timer: VirtualTimer = { atMs: this.#nowMs + Math.max(0, delayMs), order: 0, callback }
    this.#timers.push(timer)
    return {
      clear: () => {
        timer.callback = undefined
      },
    }
  }

  /**
   * Drives time until the work settles.
   *
   * @returns what the work comes to; it rejects as the work does
   * @throws {Error} when the work waits for something that no timer leads to, or goes beyond the bounds
   */
  run<Value>(work: Promise<Value>, bounds: RunBounds = {}): Promise<Value> {
    const { virtualMsMax = 24 * 3_600_000, stepsMax = 20_000_000 } = bounds
    const endMs = this.#nowMs + virtualMsMax
    const lastStep = this.#steps + stepsMax
    let settled = false
    const note = (): void => {
      settled = true
    }
    work.then(note, note)
    const step = (): void => {
      if (this.#steps >= lastStep) throw new Error(`the work did not end within ${stepsMax} timers`)
      const timer = this.#timers.pop()
      if (timer === undefined) throw new Error('the work did not end: it waits, but no timer is set')
      if (timer.atMs > endMs) throw new Error(`the work did not end within ${virtualMsMax} ms of virtual time`)
      this.#steps += 1
      this.#nowMs = timer.atMs
      timer.callback!()
    }
    return new Promise((resolve, reject) => {
      runTurns(() => {
        if (settled) {
          resolve(work)
          return false
        }
        try {
          step()
          return true
        } catch (error) {
          reject(error)
          return false
        }
      })
    })
  }
}
