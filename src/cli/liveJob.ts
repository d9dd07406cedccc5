import type { JobRates, JobReject, Summary } from '../index.ts'
import { livePage } from '../report/livePage.ts'
import { LiveView } from '../report/liveView.ts'
import { LiveServer } from './liveServer.ts'
import { doLiveWish } from './liveWish.ts'
import type { Talk } from './talk.ts'

export interface LiveJobOptions {
  readonly directory: string
  /** 0 for any that is free. */
  readonly port: number
  readonly progress: () => Summary
  /** Where the page may change how the job runs. */
  readonly setRates: ((rates: JobRates) => void) | undefined
  readonly talk: Talk
}

const SAMPLE_EVERY_MS = 1_000

/** A job on a page, from before it begins until it has ended. */
export class LiveJob {
  readonly #view: LiveView
  readonly #server: LiveServer
  readonly #timer: NodeJS.Timeout
  #hasEnded = false

  private constructor(view: LiveView, server: LiveServer, progress: () => Summary) {
    this.#view = view
    this.#server = server
    this.#timer = setInterval(() => {
      view.sample(progress(), now())
      server.show()
    }, SAMPLE_EVERY_MS)
  }

  /**
   * Serves the page, and says where.
   *
   * @throws {HeadraceError} `CONFIGURATION` where nothing can listen at the port; `STATE` where the job can not be read
   */
  static async start({ directory, port, progress, setRates, talk }: LiveJobOptions): Promise<LiveJob> {
    const view = new LiveView(directory, now())
    const server = await LiveServer.start({
      port,
      page: livePage(setRates !== undefined),
      content: () => view.content(),
      onFailure: (error) =>
        talk.say(`the live page stopped updating: ${error instanceof Error ? error.message : error}`),
      onWish: setRates && ((wish) => doLiveWish(wish, { view, setRates, talk })),
    })
    talk.tell(`live page: ${server.url}`)
    talk.event('page', { url: server.url })
    return new LiveJob(view, server, progress)
  }

  reject(reject: JobReject): void {
    this.#view.reject(reject)
  }

  warn(text: string): void {
    this.#view.warn(text, now())
  }

  stopping(): void {
    this.#view.tell('stopping', 'stopping: waiting for requests in flight')
    this.#server.show()
  }

  /** What came of it, and the last that is shown. The first time counts. */
  async end(how: 'done' | 'stopped' | 'failed', words: string, summary: Summary): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#timer)
    this.#view.end(how, words, summary, now())
    await this.#server.close()
  }
}

function now(): string {
  return new Date().toISOString()
}
