import type { Clock, Timer } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { JobDirectory } from './jobDirectory.ts'
import type { Summary } from './summary.ts'

/** How often a job writes down how far it is: what was done since is done again after a crash. A write takes about 1 ms. */
const EVERY_MS = 250
/** A checkpoint that takes longer than this to come to the disk is waited for. */
const LATE_MS = 10_000
/** How often what goes on is noted: a job of a minute wants as many notes as one of an hour, and one of a week not many more. */
const NOTE_EVERY_MS = [
  { untilMs: 60_000, everyMs: 1_000 },
  { untilMs: 3_600_000, everyMs: 5_000 },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 30_000 },
]

export type CheckpointContent = Pick<Checkpoint, 'tally' | 'positions' | 'spent'>

/** What a running job tells of itself. */
export interface JobStateOptions {
  readonly directory: JobDirectory
  readonly clock: Clock
  /** How far it is now; whatever it speaks of has been given to the directory's files. */
  readonly content: () => CheckpointContent
  readonly progress: () => Summary
  /** The state can not be kept any more: nothing that is done from now on would be remembered. */
  readonly onFailure: (error: unknown) => void
  /** A checkpoint is late: nothing more is to be begun until {@link JobState.late} resolves. For people. */
  readonly onLate: (text: string) => void
}

/** Writes down, four times a second, how far a job is, for as long as it runs. */
export class JobState {
  readonly #options: JobStateOptions
  readonly #runs: number
  #timer: Timer | undefined
  #saving: Promise<void> | undefined
  #latest = ''
  #notedAtMs: number
  readonly #begunAtMs: number
  #ended = false
  /** The last words were said, or it was tried: the directory is others' now. */
  #over = false
  #late: Deferred<void> | undefined

  constructor(options: JobStateOptions) {
    this.#options = options
    const { directory, clock } = options
    this.#runs = (directory.checkpoint?.runs ?? 0) + 1
    this.#notedAtMs = clock.now()
    this.#begunAtMs = this.#notedAtMs
    directory.note(directory.checkpoint === undefined ? 'started' : 'resumed', { run: this.#runs })
    this.#setTimer()
  }

  /**
   * The last words: what was settled in the end, and the summary. Others may work in the directory then.
   *
   * @param clean nothing was left under way
   */
  async end(complete: boolean, clean: boolean, summary: Summary): Promise<void> {
    const { directory } = this.#options
    this.#over = true
    this.#stop()
    try {
      await this.#saving
      await this.#save(complete, clean)
      directory.note(complete ? 'done' : 'stopped', { run: this.#runs, summary })
      await directory.report(summary)
    } finally {
      directory.close()
    }
  }

  /** As {@link end}, after what failed; keeps what can be kept. Where the end itself has failed nothing more is kept. */
  async abandon(error: unknown, summary: Summary): Promise<void> {
    const { directory } = this.#options
    if (this.#over) return
    this.#over = true
    this.#stop()
    try {
      await this.#saving
      await this.#save(false, false)
      const { message = `${error}`, code } = error as { message?: string; code?: string }
      directory.note('failed', { run: this.#runs, code, message, summary })
      await directory.report(summary)
    } catch {
      // The first failure is the one to tell of; what was saved before is still there.
    } finally {
      directory.close()
    }
  }

  /**
   * What to wait for before anything more is begun; undefined while checkpoints come to the disk in time. What is done behind
   * the last one would be done again, so there must be an end to it, however slow the disk.
   */
  get late(): Promise<void> | undefined {
    return this.#late?.promise
  }

  #stop(): void {
    this.#ended = true
    this.#timer?.clear()
    this.#timer = undefined
  }

  #setTimer(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      this.#saving = this.#tick().finally(() => {
        this.#saving = undefined
        if (!this.#ended) this.#setTimer()
      })
    }, EVERY_MS)
  }

  async #tick(): Promise<void> {
    const { directory, clock, progress, onFailure, onLate } = this.#options
    const late = clock.setTimer(() => {
      this.#late = deferred()
      onLate(
        `writing the job state to ${directory.path} takes longer than ${LATE_MS / 1_000} s; nothing new ` +
          'starts until it is written',
      )
    }, LATE_MS)
    try {
      await this.#save(false, false)
      const now = clock.now()
      const { everyMs } = NOTE_EVERY_MS.find(({ untilMs }) => now - this.#begunAtMs < untilMs)!
      if (now - this.#notedAtMs < everyMs || this.#ended) return
      this.#notedAtMs = now
      directory.note('progress', { run: this.#runs, summary: progress() })
    } catch (error) {
      onFailure(error)
    } finally {
      late.clear()
      this.#late?.resolve()
      this.#late = undefined
    }
  }

  async #save(complete: boolean, clean: boolean): Promise<void> {
    const { directory, content } = this.#options
    const { tally, positions, spent } = content()
    // Nothing new is not worth a write, but for the lock to be kept.
    const latest = JSON.stringify([
      tally,
      positions,
      spent.readUnits,
      spent.writeUnits,
      spent.unitsAtStake,
      complete,
      clean,
    ])
    if (latest === this.#latest) {
      directory.keep()
      return
    }
    await directory.save({ tally, positions, spent, runs: this.#runs, complete, clean })
    this.#latest = latest
  }
}
