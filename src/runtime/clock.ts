/**
 * Time as the engine sees it. Nothing outside `runtime/` reads a clock or sets a timer, so a whole engine can run in
 * virtual time: hand it another `Clock`.
 *
 * @example
 * const clock: Clock = new VirtualClock() // from 'headrace/simulator'
 * const db = connect({ clock, transport })
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. For durations and deadlines. */
  now(): number
  /** Milliseconds since 1970-01-01T00:00:00Z, as the machine believes. For signatures, names and reports. */
  wallNow(): number
  /**
   * Calls `callback` once, `delayMs` from now. The returned timer must be cleared or must have fired before shutdown.
   *
   * @param background it does not keep the process alive. Default false; a clock that knows no process takes no notice
   */
  setTimer(callback: () => void, delayMs: number, background?: boolean): Timer
}

/**
 * A callback that a {@link Clock} will call.
 *
 * @example
 * const timer = clock.setTimer(() => console.log('late'), 5_000)
 * timer.clear()
 */
export interface Timer {
  /** Forgets the callback. Harmless when it already ran. */
  clear(): void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(callback, delayMs, background = false) {
    const handle = setTimeout(callback, delayMs)
    if (background) handle.unref()
    return { clear: () => clearTimeout(handle) }
  },
}

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      timer.clear()
      reject(signal!.reason)
    }
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
