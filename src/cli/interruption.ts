import { systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { EXIT } from './exitCode.ts'
import type { Talk } from './talk.ts'

/** What is in flight is settled long before. */
const DRAIN_MS = 60_000

/**
 * SIGINT and SIGTERM: the first asks the job to stop and drain, the second leaves at once. So does a promise that a user's
 * module has left behind and that rejects: nobody can tell which item it belongs to.
 */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #talk: Talk
  readonly #sentence: string
  exitCode: number | undefined
  /** Something failed that nothing awaits; it was said. */
  hasStray = false

  /** @param sentence what happens now, for people */
  constructor(talk: Talk, sentence = 'stopping: waiting for requests in flight') {
    this.#talk = talk
    this.#sentence = sentence
    process.on('SIGINT', this.#onInterrupt)
    process.on('SIGTERM', this.#onTerminate)
    process.on('unhandledRejection', this.#onStray)
    process.on('uncaughtException', this.#onStray)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Once a signal was received, a second one still exits with its status while the process leaves. */
  release(): void {
    if (this.exitCode === undefined) {
      process.off('SIGINT', this.#onInterrupt)
      process.off('SIGTERM', this.#onTerminate)
    }
    process.off('unhandledRejection', this.#onStray)
    process.off('uncaughtException', this.#onStray)
  }

  readonly #onInterrupt = (): void => this.#stop(EXIT.interrupted)
  readonly #onTerminate = (): void => this.#stop(EXIT.terminated)

  readonly #onStray = (reason: unknown): void => {
    if (this.hasStray) return
    this.hasStray = true
    const words = reason instanceof Error ? `${reason.name}: ${reason.message}` : `${reason}`
    const advice = 'In your module, await or catch every promise, and catch errors in timer callbacks'
    this.#talk.failure(new HeadraceError('VISITOR', `unhandled error: ${words}. ${advice}`))
    this.exitCode = EXIT.failure
    this.#controller.abort()
    // Where it was a part of Headrace itself, what is waited for may never come.
    systemClock.setTimer(() => process.exit(EXIT.failure), DRAIN_MS, true)
  }

  #stop(exitCode: number): void {
    if (this.exitCode !== undefined) process.exit(exitCode)
    this.exitCode = exitCode
    this.#talk.say(`${this.#sentence} (interrupt again to exit at once)`)
    this.#controller.abort()
  }
}
