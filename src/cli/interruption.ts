import { EXIT } from './exitCode.ts'
import type { Talk } from './talk.ts'

/** SIGINT and SIGTERM: the first asks the job to stop and drain, the second leaves at once. */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #talk: Talk
  readonly #sentence: string
  exitCode: number | undefined

  /** @param sentence what happens now, for people */
  constructor(talk: Talk, sentence = 'stopping: what is on its way is waited for') {
    this.#talk = talk
    this.#sentence = sentence
    process.on('SIGINT', this.#onInterrupt)
    process.on('SIGTERM', this.#onTerminate)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  release(): void {
    process.off('SIGINT', this.#onInterrupt)
    process.off('SIGTERM', this.#onTerminate)
  }

  readonly #onInterrupt = (): void => this.#stop(EXIT.interrupted)
  readonly #onTerminate = (): void => this.#stop(EXIT.terminated)

  #stop(exitCode: number): void {
    if (this.exitCode !== undefined) process.exit(exitCode)
    this.exitCode = exitCode
    this.#talk.say(`${this.#sentence} (once more to leave at once)`)
    this.#controller.abort()
  }
}
