import { parentPort, workerData } from 'node:worker_threads'
import { type ConnectOptions, connect } from '../database/database.ts'
import type { PriceTable } from '../job/priceTable.ts'
import type { Summary } from '../job/summary.ts'
import type { Job, JobRates } from '../operations/job.ts'
import { HeadraceError, type HeadraceErrorCode } from '../runtime/headraceError.ts'
import { runSlice, type SliceCounters } from './runSlice.ts'
import type { Slice, SliceCursor } from './slice.ts'

// A thread that does one slice after another, as its parent tells it, until it is told to end.

/** What a thread needs to reach the tables. */
export interface SliceThreadData {
  readonly source: ConnectOptions
  /** Of a copy. */
  readonly target: ConnectOptions | undefined
  readonly workersMax: number
  readonly maxInFlight: number | undefined
  readonly prices: PriceTable | undefined
}

export type SliceThreadOrder =
  | { readonly kind: 'slice'; readonly slice: Slice }
  | { readonly kind: 'rates'; readonly rates: JobRates }
  | { readonly kind: 'stop' }
  | { readonly kind: 'end' }

export type SliceThreadNews =
  | { readonly kind: 'warning'; readonly text: string }
  /** How far it is; where it is for certain, and the rejects in front of that which were not told before. */
  | {
      readonly kind: 'reached'
      readonly index: number
      /** Undefined when it is done. */
      readonly cursor: SliceCursor | undefined
      readonly counters: SliceCounters
      readonly rejects: string
      readonly progress: Summary
      /** The call has come to its end. */
      readonly ended: boolean
    }
  | { readonly kind: 'failed'; readonly code: HeadraceErrorCode | undefined; readonly message: string }

const REACHED_EVERY_MS = 250

const port = parentPort!
const { source, target, workersMax, maxInFlight, prices } = workerData as SliceThreadData
const database = connect(source)
const targetDatabase = target === undefined ? undefined : connect(target)
const stop = new AbortController()
let job: Job | undefined
let rates: JobRates | undefined

async function run(slice: Slice): Promise<void> {
  let rejects = ''
  const tell = (cursor: SliceCursor | undefined, counters: SliceCounters, ended: boolean): void => {
    const { index } = slice
    port.postMessage({
      kind: 'reached',
      index,
      cursor,
      counters,
      rejects,
      progress: job!.progress,
      ended,
    } satisfies SliceThreadNews)
    rejects = ''
  }
  try {
    const { paused, ...unitsPerSecond } = rates ?? {}
    const result = await runSlice(slice, {
      database,
      workersMax,
      signal: stop.signal,
      keepCursorEveryMs: REACHED_EVERY_MS,
      target: targetDatabase,
      maxInFlight,
      prices,
      ...unitsPerSecond,
      onBegin: (begun) => {
        job = begun
        if (paused !== undefined) begun.setRates({ paused })
      },
      onWarning: (text) => port.postMessage({ kind: 'warning', text } satisfies SliceThreadNews),
      writeRejects: (lines) => {
        rejects += lines
      },
      keepCursor: (cursor, counters) => tell(cursor, counters, false),
    })
    tell(result.cursor, result.counters, true)
  } catch (error) {
    const code = error instanceof HeadraceError ? error.code : undefined
    const message = error instanceof Error ? error.message : `${error}`
    port.postMessage({ kind: 'failed', code, message } satisfies SliceThreadNews)
  }
}

port.on('message', (order: SliceThreadOrder) => {
  switch (order.kind) {
    case 'slice':
      void run(order.slice)
      break
    case 'rates':
      rates = order.rates
      job?.setRates(order.rates)
      break
    case 'stop':
      stop.abort()
      break
    case 'end':
      port.close()
      void database.close()
      void targetDatabase?.close()
  }
})
