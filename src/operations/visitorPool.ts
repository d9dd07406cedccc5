import { Worker } from 'node:worker_threads'
import type { Edit } from '../item/edit.ts'
import { ItemError } from '../item/itemError.ts'
import { systemClock, type Timer } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { Ring } from '../runtime/ring.ts'
import { readEdit } from './visitor.ts'
import { type Answer, BATCH_MAX, type ThreadBatch, type ThreadNews, type ThreadOrder, VISIT } from './visitorThread.ts'

export interface VisitorPoolOptions {
  readonly module: URL
  /** Threads, 1 or more. */
  readonly workers: number
  readonly visitTimeoutMs: number
  /** Heap of each thread. Default 512. */
  readonly heapMibMax?: number | undefined
}

const HEAP_MIB_MAX = 512
/** A thread starts and loads its module within this time; how long a visit may take says nothing of that. */
const LOAD_MS = 60_000
/** A thread that is ended says within this time over its limit what it could not say before. */
const GRACE_MS = 500
/** After so many threads in a row that ended for no item's sake, the visitor is no visitor. */
const BARREN_MAX = 5

/**
 * Visits in threads of their own, so that a visitor that computes long, or never ends, or takes all memory, or ends the
 * process, costs an item or a thread and not the job. The threads live in real time.
 *
 * A thread that ends is replaced. What it had answered for stands, what it had not begun goes to another, and what it was at is
 * at fault, if that is one item and could not have been spoilt by those before it; otherwise each of them is visited once more, alone in a
 * new thread.
 */
export class VisitorPool {
  /** Items that a thread takes at once. */
  static readonly batchMax: number = BATCH_MAX
  readonly #options: VisitorPoolOptions
  readonly #seats: Seat[]
  readonly #queue = new Ring<Visit>()
  /** To be visited one at a time, each in a new thread. */
  readonly #suspects = new Ring<Visit>(16)
  #barren = 0
  #watch: Timer | undefined
  #failure: HeadraceError | undefined
  #closed = false

  constructor(options: VisitorPoolOptions) {
    this.#options = options
    this.#seats = Array.from({ length: options.workers }, () => this.#seat())
  }

  /** Threads. */
  get size(): number {
    return this.#seats.length
  }

  /**
   * Asks the visitor about an item.
   *
   * @param text of the item, in DynamoDB JSON
   * @throws {ItemError} for what is no edit
   * @throws {HeadraceError} `VISITOR` when the module can not be loaded, or ends each thread
   * @throws {Error} for a fault of the visitor, saying what it was
   */
  visit(text: string): Promise<Edit> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#queue.pushBack({ text, resolve, reject, isAlone: false })
      this.#pump()
    })
  }

  /** Ends all threads; what they are at is never answered. */
  close(): void {
    this.#closed = true
    this.#watch?.clear()
    this.#watch = undefined
    for (const { worker } of this.#seats) void worker.terminate()
  }

  #seat(): Seat {
    const states = new SharedArrayBuffer(BATCH_MAX)
    const progress = new SharedArrayBuffer(4)
    const { module, visitTimeoutMs, heapMibMax = HEAP_MIB_MAX } = this.#options
    const order: ThreadOrder = { module: module.href, visitTimeoutMs, states, progress }
    const worker = new Worker(new URL('./visitorWorker.js', import.meta.url), {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
    })
    const seat: Seat = {
      worker,
      states: new Uint8Array(states),
      progress: new Int32Array(progress),
      progressSeen: 0,
      progressAtMs: systemClock.now(),
      isReady: false,
      isFresh: true,
      batch: undefined,
      left: 0,
      end: undefined,
    }
    worker.on('message', (news: ThreadNews) => this.#onNews(seat, news))
    worker.on('error', (error: Error & { code?: string }) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      seat.end ??= outOfMemory
        ? { why: 'memory', sentence: `it used more than ${heapMibMax} MiB of memory, and its thread was stopped` }
        : { why: 'error', sentence: `it failed outside its promise: ${error.message}` }
    })
    worker.on('exit', (code) => this.#onExit(seat, code))
    this.#watch ??= this.#setWatch()
    return seat
  }

  #onNews(seat: Seat, news: ThreadNews): void {
    if ('failed' in news) {
      this.#fail(new HeadraceError('VISITOR', news.failed))
    } else if ('ready' in news) {
      seat.isReady = true
      this.#pump()
    } else {
      this.#barren = 0
      for (const answer of news.answers) this.#settle(seat, answer)
      if (seat.left > 0) return
      seat.batch = undefined
      this.#pump()
    }
  }

  #settle(seat: Seat, { index, kind, text = '' }: Answer): void {
    const visit = seat.batch?.[index]
    if (visit === undefined) return
    seat.batch![index] = undefined
    seat.left -= 1
    if (kind === 'edit') visit.resolve(readEdit(text))
    else if (kind === 'fault') visit.reject(new Error(text))
    else if (kind === 'invalid') visit.reject(new ItemError(text))
    else visit.resolve(kind === 'delete' ? kind : undefined)
  }

  #pump(): void {
    if (this.#closed) return
    for (const seat of this.#seats) {
      if (!seat.isReady || seat.batch !== undefined) continue
      const batch = this.#nextBatch(seat)
      if (batch === undefined) continue
      seat.batch = batch
      seat.isFresh = false
      seat.left = batch.length
      seat.states.fill(VISIT.waiting)
      seat.progressAtMs = systemClock.now()
      this.#watch ??= this.#setWatch()
      seat.worker.postMessage({ items: batch.map(({ text }) => text) } satisfies ThreadBatch)
    }
  }

  #nextBatch(seat: Seat): Visit[] | undefined {
    if (this.#suspects.length > 0) {
      if (seat.isFresh) return [this.#suspects.popFront()!]
      // What others have left in a thread must not be held against the next.
      if (!this.#seats.some(({ isFresh }) => isFresh)) this.#recycle(seat)
      if (seat.end !== undefined) return undefined
    }
    if (this.#queue.length === 0) return undefined
    const size = Math.min(BATCH_MAX, Math.ceil(this.#queue.length / this.#seats.length))
    return Array.from({ length: size }, () => this.#queue.popFront()!)
  }

  #recycle(seat: Seat): void {
    seat.end = { why: 'recycled', sentence: '' }
    seat.batch = []
    void seat.worker.terminate()
  }

  /** Threads that do not answer are ended. */
  #setWatch(): Timer {
    const { visitTimeoutMs } = this.#options
    return systemClock.setTimer(
      () => {
        this.#watch = undefined
        const now = systemClock.now()
        for (const seat of this.#seats) {
          const progress = Atomics.load(seat.progress, 0)
          if (seat.progressSeen !== progress) {
            seat.progressSeen = progress
            seat.progressAtMs = now
          }
          const isBusy = seat.batch !== undefined || !seat.isReady
          const mostMs = seat.isReady ? visitTimeoutMs : LOAD_MS
          if (!isBusy || now - seat.progressAtMs <= mostMs + GRACE_MS) continue
          const limit = `${mostMs / 1_000} s`
          seat.end ??= { why: 'time', sentence: `it did not return within ${limit}, and its thread was stopped` }
          void seat.worker.terminate()
        }
        if (this.#seats.some(({ batch, isReady }) => batch !== undefined || !isReady)) this.#watch = this.#setWatch()
      },
      Math.max(10, Math.min(1_000, visitTimeoutMs / 4)),
    )
  }

  #onExit(seat: Seat, code: number): void {
    if (this.#closed) return
    const end = seat.end ?? { why: 'exit', sentence: `it ended its thread with exit code ${code}` }
    if (!seat.isReady) {
      this.#fail(new HeadraceError('VISITOR', `cannot load the visitor module in a thread: ${end.sentence}`))
      return
    }
    const left = [...(seat.batch?.entries() ?? [])].flatMap(([index, visit]) =>
      visit === undefined ? [] : [{ visit, underWay: seat.states[index] === VISIT.underWay }],
    )
    const underWay = left.filter((one) => one.underWay).map(({ visit }) => visit)
    // What fills the memory may be what the items before have left there.
    const isSure = underWay.length === 1 && (end.why !== 'memory' || underWay[0]!.isAlone)
    for (const { visit, underWay: isSuspect } of left.reverse()) {
      if (isSuspect && isSure) visit.reject(new Error(end.sentence))
      else if (isSuspect) this.#suspects.pushFront({ ...visit, isAlone: true })
      else this.#queue.pushFront(visit)
    }
    if (end.why !== 'recycled') this.#barren = isSure ? 0 : this.#barren + 1
    if (this.#barren > BARREN_MAX) {
      this.#fail(new HeadraceError('VISITOR', `the visitor keeps ending its threads: ${end.sentence}`))
      return
    }
    this.#seats[this.#seats.indexOf(seat)] = this.#seat()
  }

  #fail(failure: HeadraceError): void {
    this.#failure ??= failure
    this.close()
    const visits = this.#seats.flatMap(({ batch }) => batch ?? []).filter((visit) => visit !== undefined)
    for (const ring of [this.#queue, this.#suspects]) {
      for (let visit = ring.popFront(); visit !== undefined; visit = ring.popFront()) visits.push(visit)
    }
    for (const { reject } of visits) reject(this.#failure)
  }
}

/** An item that is to be visited. */
interface Visit {
  readonly text: string
  readonly resolve: (edit: Edit) => void
  readonly reject: (error: Error) => void
  /** In a batch of its own, in a thread that has visited nothing else. */
  readonly isAlone: boolean
}

/** A thread, and what it is at. */
interface Seat {
  readonly worker: Worker
  readonly states: Uint8Array
  readonly progress: Int32Array
  progressSeen: number
  progressAtMs: number
  isReady: boolean
  /** It has visited nothing yet. */
  isFresh: boolean
  /** Those that were answered for are undefined. */
  batch: (Visit | undefined)[] | undefined
  left: number
  /** Why it ends. */
  end: { readonly why: 'time' | 'memory' | 'error' | 'exit' | 'recycled'; readonly sentence: string } | undefined
}
