import type { Checkpoint } from '../job/checkpoint.ts'
import { findCheckpoint, findSpec } from '../job/jobDirectory.ts'
import { HistoryBuilder, jobNotes } from '../job/jobHistory.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectCounts } from '../job/rejectCounts.ts'
import type { Summary } from '../job/summary.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { type JobView, jobSections, type SectionName, titleOf } from './jobSections.ts'
import { shareDone } from './shareDone.ts'

/** What is remembered of a job of any length: twice what is drawn. */
const STEPS_MAX = 600
const WARNINGS_MAX = 100

/** What a page on a running job shows now. */
export interface LiveContent {
  /** Of its window: how far it is, and what it is. */
  readonly title: string
  readonly state: JobView['state']['kind']
  readonly sections: ReadonlyMap<SectionName, string>
}

/** How a job goes that runs in this process: what happened in front of this run is in its directory, the rest it is told. */
export class LiveView {
  readonly #directory: string
  readonly #history = new HistoryBuilder(STEPS_MAX, WARNINGS_MAX)
  readonly #rejects = new RejectCounts()
  readonly #run: number
  #spec: JobSpec | undefined
  #checkpoint: Checkpoint | undefined
  #summary: Summary | undefined
  #state: JobView['state'] = { kind: 'running', words: 'running' }

  /**
   * @param at when this run begins, as a time in ISO 8601
   * @throws {HeadraceError} `STATE` where a job is there that can not be read
   */
  constructor(directory: string, at: string) {
    this.#directory = directory
    this.#spec = findSpec(directory)
    if (this.#spec !== undefined) {
      this.#checkpoint = findCheckpoint(directory).checkpoint
      for (const note of jobNotes(directory)) this.#history.add(note)
    }
    this.#run = (this.#checkpoint?.runs ?? 0) + 1
    this.#history.add({ at, event: this.#run === 1 ? 'started' : 'resumed', run: this.#run })
  }

  /** How far it is; to be told about once a second. Before it works nothing is known, and nothing of it is kept. */
  sample(summary: Summary, at: string): void {
    if (summary.durationMs <= (this.#history.summary?.durationMs ?? 0)) return
    this.#summary = summary
    this.#history.add({ at, event: 'progress', run: this.#run, summary })
  }

  get state(): JobView['state']['kind'] {
    return this.#state.kind
  }

  reject(reject: JobReject): void {
    this.#rejects.add(reject)
  }

  warn(message: string, at: string): void {
    this.#history.add({ at, event: 'warning', message })
  }

  /** It still runs, and something else is to be said of that. */
  tell(kind: 'running' | 'paused' | 'stopping', words: string): void {
    this.#state = { kind, words }
  }

  /** What came of it. */
  end(how: 'done' | 'stopped' | 'failed', words: string, summary: Summary, at: string): void {
    this.#state = { kind: how, words }
    this.#summary = summary
    this.#history.add({ at, event: how, run: this.#run, summary, ...(how === 'failed' ? { message: words } : {}) })
  }

  content(): LiveContent {
    this.#spec ??= findSpec(this.#directory)
    const spec = this.#spec
    if (spec === undefined) return { title: 'headrace', state: this.#state.kind, sections: new Map() }
    this.#look()
    const checkpoint = this.#checkpoint
    const share = this.#summary?.share ?? (checkpoint === undefined ? undefined : shareDone(spec.what, checkpoint))
    const isOver = ['done', 'stopped', 'failed'].includes(this.#state.kind)
    const mark = isOver ? this.#state.kind : share === undefined ? '' : `${Math.floor(share * 100)} %`
    const sections = jobSections({
      spec,
      state: this.#state,
      checkpoint,
      summary: this.#summary,
      history: this.#history,
      rejects: this.#rejects.list(),
      ...(this.#run === 1 ? {} : { rejectsOf: 'in this run' }),
      isLive: !isOver,
    })
    return { state: this.#state.kind, title: `${mark === '' ? '' : `${mark} · `}${titleOf(spec)}`, sections }
  }

  #look(): void {
    try {
      this.#checkpoint = findCheckpoint(this.#directory).checkpoint ?? this.#checkpoint
    } catch (error) {
      // Of a page that is looked at, the one before is as good; the job itself tells of what it can not keep.
      if (!(error instanceof HeadraceError)) throw error
    }
  }
}
