import type { Checkpoint, Positions, SourcePosition, Spent } from '../job/checkpoint.ts'
import { rangesText, readRanges } from '../job/checkpoint.ts'
import type { JobSpec } from '../job/jobSpec.ts'
import type { Summary } from '../job/summary.ts'
import { ENDINGS, noEndings } from '../job/tally.ts'
import type { SliceCounters } from './runSlice.ts'
import { beginningOf } from './seedSlice.ts'
import type { SliceCursor } from './slice.ts'

type Settled = Omit<Checkpoint['tally'], never>

/** How far a job is that is done in slices at the same time, as one checkpoint of the whole. */
export class SlicedProgress {
  readonly #of: number
  readonly #segments: number | undefined
  readonly #done: Set<number>
  readonly #cursors = new Map<number, string>()
  readonly #sources: SourcePosition[]
  /** Of earlier runs. */
  readonly #before: { readonly tally: Settled; readonly spent: Spent }
  readonly #counters = new Map<number, SliceCounters>()
  readonly #progress = new Map<number, Summary>()
  /** Slices that are under way. */
  readonly #running = new Set<number>()

  /** @param from where earlier runs came to */
  constructor(job: JobSpec, of: number, from: Checkpoint | undefined) {
    this.#of = of
    this.#segments = job.what.segments
    const { tally, spent, positions } = from ?? beginningOf(job, 0, 1)
    this.#before = { tally, spent }
    this.#done = readRanges(positions.kind === 'segments' ? positions.done : '')
    if (positions.kind === 'segments')
      for (const [segment, cursor] of Object.entries(positions.cursors)) this.#cursors.set(Number(segment), cursor)
    this.#sources = positions.kind === 'sources' ? [...positions.sources] : []
  }

  /** Where a slice begins; undefined where nothing of it is left to do. */
  beginningOf(job: JobSpec, index: number): SliceCursor | undefined {
    const beginning = beginningOf(job, index, this.#of)
    const mine = this.#partsOf(index)
    if (mine.every((part) => this.#isDone(part))) return undefined
    if (this.#segments === undefined) {
      const sources = this.#sources.map((source, place) => (mine.includes(place) ? source : { ...source, done: true }))
      return { ...beginning, positions: { kind: 'sources', sources } }
    }
    const others = Array.from({ length: this.#segments }, (_, segment) => segment)
    const done = rangesText(others.filter((segment) => !mine.includes(segment) || this.#done.has(segment)))
    const cursors = Object.fromEntries(
      mine.filter((segment) => this.#cursors.has(segment)).map((segment) => [segment, this.#cursors.get(segment)!]),
    )
    return { ...beginning, positions: { kind: 'segments', segments: this.#segments, done, cursors } }
  }

  /** A slice has come so far. @param cursor undefined when it is done */
  reach(
    index: number,
    cursor: SliceCursor | undefined,
    counters: SliceCounters,
    progress: Summary,
    ended: boolean,
  ): void {
    if (ended) this.#running.delete(index)
    else this.#running.add(index)
    this.#counters.set(index, counters)
    this.#progress.set(index, progress)
    const positions = cursor?.positions
    const done = positions?.kind === 'segments' ? readRanges(positions.done) : undefined
    for (const part of this.#partsOf(index)) {
      if (this.#segments === undefined) {
        const { name } = this.#sources[part]!
        this.#sources[part] = positions?.kind === 'sources' ? positions.sources[part]! : { name, done: true }
      } else if (done === undefined || done.has(part)) {
        this.#done.add(part)
        this.#cursors.delete(part)
      } else {
        const key = positions?.kind === 'segments' ? positions.cursors[part] : undefined
        if (key !== undefined) this.#cursors.set(part, key)
      }
    }
  }

  get isDone(): boolean {
    if (this.#segments === undefined) return this.#sources.every(({ done }) => done)
    return this.#done.size === this.#segments
  }

  get positions(): Positions {
    if (this.#segments === undefined) return { kind: 'sources', sources: [...this.#sources] }
    const done = rangesText([...this.#done].sort((left, right) => left - right))
    return { kind: 'segments', segments: this.#segments, done, cursors: Object.fromEntries(this.#cursors) }
  }

  /** What lies in front of the positions. */
  get tally(): Settled {
    const { tally } = this.#before
    const endings = noEndings()
    for (const name of ENDINGS) endings[name] = tally[name] + this.#sum(name)
    return { read: tally.read + this.#sum('read'), ...endings }
  }

  spent(durationMs: number): Spent {
    const { spent } = this.#before
    return {
      durationMs: spent.durationMs + durationMs,
      readUnits: spent.readUnits + this.#sum('readUnits'),
      writeUnits: spent.writeUnits + this.#sum('writeUnits'),
      unitsAtStake: spent.unitsAtStake,
      requests: spent.requests + this.#sum('requests'),
      retried: spent.retried + this.#sum('retried'),
    }
  }

  /** Of all slices together, what is not settled included. */
  summary(run: RunOfSlices): Summary {
    const { operation, table, complete, stoppedBy, runMs, costOf } = run
    const all = [...this.#progress.values()]
    const sum = (name: NumberOf<Summary>): number => all.reduce((total, one) => total + one[name], 0)
    const now = [...this.#running].map((index) => this.#progress.get(index)!)
    const present = (name: NumberOf<Summary>): number => now.reduce((total, one) => total + one[name], 0)
    const allowed = (name: NumberOf<Summary>): number => (now.length === 0 ? Number.POSITIVE_INFINITY : present(name))
    const most = (name: NumberOf<Summary>): number => all.reduce((peak, one) => Math.max(peak, one[name]), 0)
    const { tally, spent } = this.#before
    const durationMs = spent.durationMs + runMs
    const endings = noEndings()
    for (const name of ENDINGS) endings[name] = tally[name] + sum(name)
    const { written } = endings
    const readUnits = spent.readUnits + sum('readUnits')
    const writeUnits = spent.writeUnits + sum('writeUnits')
    const reasons: { [reason: string]: number } = {}
    for (const { throttlingReasons } of all)
      for (const [reason, count] of Object.entries(throttlingReasons)) reasons[reason] = (reasons[reason] ?? 0) + count
    return {
      operation,
      table,
      complete,
      stoppedBy,
      read: tally.read + sum('read'),
      ...endings,
      keysCompared: all.some(({ keysCompared }) => keysCompared !== undefined) ? 'slice' : undefined,
      incompleteInput: all.flatMap(({ incompleteInput }) => incompleteInput),
      notReached: sum('notReached'),
      durationMs,
      itemsPerSecond: durationMs === 0 ? 0 : (written / durationMs) * 1_000,
      buffered: present('buffered'),
      inFlight: present('inFlight'),
      retried: spent.retried + sum('retried'),
      unprocessed: sum('unprocessed'),
      throttledRequests: sum('throttledRequests'),
      throttlingReasons: reasons,
      failedRequests: sum('failedRequests'),
      requests: spent.requests + sum('requests'),
      conflicts: sum('conflicts'),
      readUnits,
      writeUnits,
      cost: costOf(readUnits, writeUnits),
      costExpected: undefined,
      readUnitsPerSecondAllowed: allowed('readUnitsPerSecondAllowed'),
      writeUnitsPerSecondAllowed: allowed('writeUnitsPerSecondAllowed'),
      // Percentiles of several are not theirs together: the worst of them is told.
      latencyMsP50: most('latencyMsP50'),
      latencyMsP99: most('latencyMsP99'),
      latencyMsMax: most('latencyMsMax'),
      segmentsDone: this.#segments === undefined ? undefined : this.#done.size,
      segments: this.#segments,
      share: complete ? 1 : this.#share(all),
      // Each slice has one; which of them is behind the others is not known.
      oldestSegment: undefined,
    }
  }

  /** Slices are about as large as each other; one that has not begun, or that an earlier run did, tells nothing. */
  #share(all: readonly Summary[]): number | undefined {
    if (this.#segments !== undefined) {
      let open = 0
      for (const index of this.#running) {
        const { share = 0, segments = 0 } = this.#progress.get(index)!
        const mine = this.#partsOf(index)
        // A slice's own share counts the segments of others as done.
        const others = segments - mine.length
        const settled = share * segments - others - mine.filter((part) => this.#done.has(part)).length
        open += Math.max(0, settled)
      }
      return Math.min(1, (this.#done.size + open) / this.#segments)
    }
    const shares = all.map(({ share }) => share)
    if (shares.includes(undefined)) return undefined
    return shares.reduce((sum: number, share) => sum + share!, 0) / this.#of
  }

  #sum(name: keyof SliceCounters): number {
    let sum = 0
    for (const counters of this.#counters.values()) sum += counters[name]
    return sum
  }

  #isDone(part: number): boolean {
    return this.#segments === undefined ? this.#sources[part]!.done : this.#done.has(part)
  }

  /** Segments, or places of sources, as `seedSlice.ts` deals them out. */
  #partsOf(index: number): number[] {
    const of = this.#of
    if (this.#segments === undefined)
      return this.#sources.map((_, place) => place).filter((place) => place % of === index)
    const first = Math.floor((index * this.#segments) / of)
    const end = Math.floor(((index + 1) * this.#segments) / of)
    return Array.from({ length: end - first }, (_, step) => first + step)
  }
}

interface RunOfSlices extends Pick<Summary, 'operation' | 'table' | 'complete' | 'stoppedBy'> {
  readonly runMs: number
  readonly costOf: (readUnits: number, writeUnits: number) => Summary['cost']
}

type NumberOf<Type> = { [Name in keyof Type]: Type[Name] extends number ? Name : never }[keyof Type]
