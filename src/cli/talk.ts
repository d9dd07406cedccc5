import type { JobReject, Summary } from '../index.ts'
import { type BlockStyle, ProgressBlock, shownWidth } from '../report/progressBlock.ts'
import { progressLine } from '../report/progressLine.ts'
import { summaryText } from '../report/summaryText.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { printable } from '../runtime/printable.ts'

export interface TalkOptions {
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
}

const REDRAW_MS = 250
const LINE_EVERY_MS = 5_000

/** Lines of a terminal that stay free for the rest. */
const ROWS_LEFT = 2

/**
 * All that a command says besides its data. On a terminal a block of lines that is redrawn, below what is said; elsewhere a line every few seconds;
 * with `--json` one event a line, on standard output unless that carries items; with `--quiet` only what went wrong.
 */
export class Talk {
  readonly #json: boolean
  readonly #quiet: boolean
  readonly #events: NodeJS.WriteStream
  readonly #live: boolean
  #timer: NodeJS.Timeout | undefined
  /** The lines of the block that are on the terminal, the cursor at the end of the last. */
  #drawn: readonly string[] = []

  constructor(options: TalkOptions, dataOnStdout = false) {
    this.#json = options.json === true
    this.#quiet = options.quiet === true
    this.#events = dataOnStdout ? process.stderr : process.stdout
    this.#live = process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !this.#json
  }

  /** A sentence for people. */
  say(text: string): void {
    if (this.#json || this.#quiet) return
    this.#write(printable(text))
  }

  /** Something that a reasonable person would not expect. */
  warn(text: string): void {
    this.say(text)
    this.event('warning', { message: text })
  }

  /** A sentence that was asked for: said also where little is. */
  tell(text: string): void {
    if (this.#json) return
    this.#write(printable(text))
  }

  /** What was asked for, in words, on standard output. */
  show(text: string): void {
    process.stdout.write(`${printable(text)}\n`)
  }

  /** One machine-readable event. */
  event(name: string, fields: object): void {
    if (this.#json) this.#events.write(`${printable(JSON.stringify({ event: name, ...fields }))}\n`)
  }

  /** Follows a job until `stop` is called. */
  follow(progress: () => Summary): { stop(): void } {
    if (this.#quiet && !this.#json) return { stop: () => undefined }
    let before: Summary | undefined
    const block = new ProgressBlock()
    this.#timer = setInterval(
      () => {
        const now = progress()
        if (now.durationMs === 0) return
        if (this.#json) {
          this.event('progress', now)
        } else if (this.#live) {
          block.note(now)
          // A terminal that does not know its size says 0.
          const { columns, rows } = process.stderr
          const style = this.#style
          const lines = block.lines(now, { ...style, columns: columns || 80 })
          const shown = lines.slice(0, Math.max(1, (rows || 24) - ROWS_LEFT))
          this.#draw(shown.map((line) => printable(line, style.hasColors)))
        } else {
          process.stderr.write(`${printable(progressLine(now, before))}\n`)
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
    else if (!this.#quiet) this.#write(printable(summaryText(summary, extra, this.#style), this.#style.hasColors))
  }

  /** Of a job that rejected something, or whose input was not all there: a line also with `--quiet`, which has no table. */
  outcome(summary: Summary, first: JobReject | undefined, rejectsPath: string): void {
    const { operation, table, rejected, incompleteInput } = summary
    if (!this.#quiet || this.#json || rejected + incompleteInput.length === 0) return
    const why = first === undefined ? '' : ` (first: ${first.place}: ${first.message})`
    const rejects = rejected === 0 ? '' : `${counted(rejected, 'record')} rejected${why}, see ${rejectsPath}`
    const incomplete = incompleteInput.length === 0 ? '' : `incomplete input: ${incompleteInput.join('; ')}`
    this.tell(`${operation} ${table}: ${[rejects, incomplete].filter((part) => part !== '').join('; ')}`)
  }

  /** What went wrong, in every mode. */
  failure(error: unknown): void {
    this.#clear()
    // A value that cannot be an item's, in a flag, is what its user can mend.
    const known =
      error instanceof HeadraceError ||
      error instanceof TypeError ||
      // What the system says of a file or a socket.
      (error instanceof Error && 'syscall' in error) ||
      (error instanceof Error && error.name === 'ItemError')
    const message = error instanceof Error ? error.message : `${error}`
    if (this.#json) {
      this.event('failed', { code: error instanceof HeadraceError ? error.code : 'FAILURE', message })
    } else {
      process.stderr.write(`headrace: ${printable(message)}\n`)
      if (!known && error instanceof Error) process.stderr.write(`${printable(`${error.stack}`)}\n`)
    }
  }

  get #style(): Omit<BlockStyle, 'columns'> {
    const { LC_ALL, LC_CTYPE, LANG, WT_SESSION } = process.env
    const isUnicode = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') || WT_SESSION !== undefined
    // It knows of NO_COLOR and FORCE_COLOR.
    return { hasColors: process.stderr.isTTY === true && process.stderr.hasColors(), isUnicode }
  }

  /** Above the block, of what a terminal may be given. */
  #write(text: string): void {
    this.#clear()
    process.stderr.write(`${text}\n`)
  }

  #draw(lines: readonly string[]): void {
    const drawn = lines.map((line) => `${line}\u001b[K`).join('\n')
    process.stderr.write(`${this.#toTop()}${drawn}\u001b[J`)
    this.#drawn = lines
  }

  #clear(): void {
    if (this.#drawn.length > 0) process.stderr.write(`${this.#toTop()}\u001b[J`)
    this.#drawn = []
  }

  /** Back to where the block begins, though the terminal may have become narrower and broken its lines. */
  #toTop(): string {
    if (this.#drawn.length === 0) return ''
    const columns = process.stderr.columns || 80
    const rows = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(shownWidth(line) / columns)), 0)
    return rows > 1 ? `\r\u001b[${rows - 1}A` : '\r'
  }
}
