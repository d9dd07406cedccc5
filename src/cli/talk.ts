import { HeadraceError, type Summary } from '../index.ts'
import { progressLine } from '../report/progressLine.ts'
import { summaryText } from '../report/summaryText.ts'

export interface TalkOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

const REDRAW_MS = 250
const LINE_EVERY_MS = 5_000

/**
 * All that a command says besides its data. On a terminal one line that is redrawn; elsewhere a line every few seconds;
 * with `--json` one event a line, on standard output unless that carries items; with `--quiet` only what went wrong.
 */
export class Talk {
  readonly #json: boolean
  readonly #quiet: boolean
  readonly #events: NodeJS.WriteStream
  readonly #live: boolean
  #timer: NodeJS.Timeout | undefined
  #drawn = false

  constructor(options: TalkOptions, dataOnStdout = false) {
    this.#json = options.json === true
    this.#quiet = options.quiet === true
    this.#events = dataOnStdout ? process.stderr : process.stdout
    this.#live = process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !this.#json
  }

  /** A sentence for people. */
  say(text: string): void {
    if (this.#json || this.#quiet) return
    this.#clear()
    process.stderr.write(`${text}\n`)
  }

  /** One machine-readable event. */
  event(name: string, fields: object): void {
    if (this.#json) this.#events.write(`${JSON.stringify({ event: name, ...fields })}\n`)
  }

  /** Follows a job until `stop` is called. */
  follow(progress: () => Summary): { stop(): void } {
    if (this.#quiet && !this.#json) return { stop: () => undefined }
    let before: Summary | undefined
    let drawnLine = ''
    this.#timer = setInterval(
      () => {
        const now = progress()
        if (now.durationMs === 0) return
        if (this.#json) {
          this.event('progress', now)
        } else if (this.#live) {
          // The rate is of the last second or so, that it can be read.
          if (before === undefined || now.durationMs - before.durationMs > 1_000 || drawnLine === '') {
            drawnLine = progressLine(now, before)
            before = now
          }
          this.#draw(drawnLine)
        } else {
          process.stderr.write(`${progressLine(now, before)}\n`)
          before = now
        }
      },
      this.#live ? REDRAW_MS : LINE_EVERY_MS,
    )
    return {
      stop: () => {
        clearInterval(this.#timer)
        this.#clear()
      },
    }
  }

  /** The closing table, or the closing event. */
  summary(summary: Summary, extra: readonly (readonly [string, string])[] = []): void {
    if (this.#json) this.event('done', { ...summary, ...Object.fromEntries(extra) })
    else this.say(summaryText(summary, extra))
  }

  /** What went wrong, in every mode. */
  failure(error: unknown): void {
    this.#clear()
    const known = error instanceof HeadraceError || error instanceof TypeError
    const message = error instanceof Error ? error.message : `${error}`
    if (this.#json) {
      this.event('failed', { code: error instanceof HeadraceError ? error.code : 'FAILURE', message })
    } else {
      process.stderr.write(`headrace: ${message}\n`)
      if (!known && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    }
  }

  #draw(line: string): void {
    const columns = process.stderr.columns ?? 80
    const shown = line.length < columns ? line : `${line.slice(0, columns - 2)}…`
    process.stderr.write(`\r\u001b[2K${shown}`)
    this.#drawn = true
  }

  #clear(): void {
    if (this.#drawn) process.stderr.write('\r\u001b[2K')
    this.#drawn = false
  }
}
