import type { PlainItem } from '../../item/attributeValue.ts'
import type { ItemSample } from '../../job/plan.ts'
import type { Clock } from '../../runtime/clock.ts'
import { counted } from '../../runtime/counted.ts'
import { Deadlines } from '../../runtime/deadlines.ts'
import { isPromise } from '../../runtime/isPromise.ts'
import type { RawItem } from '../prepareChange.ts'
import type { PlannedWrites, Written } from './planTable.ts'
import type { WriteCharge, WrittenItem } from './writeCharge.ts'

/** Visits that are under way at once. */
const VISITS_MAX = 64
const VISIT_TIMEOUT_MS = 60_000
/** A plan does not wait longer than this for visits in all. */
const VISITS_MS_MAX = 30_000
/** Items kept to show. */
const SAMPLES_KEPT = 1_000

/** Asks what would be written for the items of a sample, and keeps some of the answers to show. */
export class VisitSample {
  readonly samples: ItemSample[] = []
  /** Numbers that a visit comes to: 1 for a change, then write units of the table and of each index. */
  readonly quantities: number
  /** It took too long, and the rest was not asked. */
  stopped = false
  deletes = 0
  readonly #writes: PlannedWrites
  readonly #charge: WriteCharge
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly #deadlines: Deadlines
  readonly #pending = new Set<Promise<void>>()
  readonly #startedAt: number
  #visited = 0
  #failures = 0
  #failure = ''

  constructor(
    writes: PlannedWrites,
    charge: WriteCharge,
    clock: Clock,
    units: number,
    signal: AbortSignal | undefined,
  ) {
    this.#writes = writes
    this.#charge = charge
    this.#clock = clock
    this.#signal = signal
    this.#deadlines = new Deadlines(clock, writes.visitTimeoutMs ?? VISIT_TIMEOUT_MS)
    this.quantities = units + 1
    this.#startedAt = clock.now()
  }

  /** What the plan should say of the visits, a sentence each. */
  get remarks(): string[] {
    const remarks: string[] = []
    if (this.#failures > 0) {
      remarks.push(
        `Whether all items can be written: ${this.#failures} of the ${counted(this.#visited, 'item')} tried cannot (the first: ${this.#failure}).`,
      )
    }
    if (this.stopped) {
      remarks.push(
        `The totals: the visitor is slow, and ran on only ${counted(this.#visited, 'item')} in ${VISITS_MS_MAX / 1_000} s.`,
      )
    }
    return remarks
  }

  /** @param found told what the visit came to, at once or when its promise has settled; not for one that failed */
  async visit(item: PlainItem, raw: RawItem, found: (quantities: readonly number[]) => void): Promise<void> {
    this.#signal?.throwIfAborted()
    if (this.#clock.now() - this.#startedAt > VISITS_MS_MAX) {
      this.stopped = true
      return
    }
    this.#visited += 1
    let written: Written | Promise<Written>
    try {
      written = this.#writes.of(item, raw)
      if (!isPromise(written)) {
        found(this.#weigh(written))
        return
      }
    } catch (error) {
      this.#fail(error)
      found(this.#weigh(undefined))
      return
    }
    const visit = this.#await(written).then(
      (settled) => found(this.#weigh(settled)),
      (error: unknown) => {
        this.#fail(error)
        found(this.#weigh(undefined))
      },
    )
    this.#pending.add(visit)
    visit.finally(() => this.#pending.delete(visit)).catch(() => undefined)
    while (this.#pending.size >= VISITS_MAX) await Promise.race(this.#pending)
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending)
    if (this.#pending.size === 0) this.#deadlines.clear()
  }

  #await(written: Promise<Written>): Promise<Written> {
    return new Promise((resolve, reject) => {
      const late = `its promise did not settle within ${this.#deadlines.limitMs / 1_000} s`
      const ended = this.#deadlines.begin(() => reject(new Error(late)))
      Promise.resolve(written).then(resolve, reject).finally(ended)
    })
  }

  #weigh(written: Written): number[] {
    const sums = new Array<number>(this.quantities).fill(0)
    const list = written === undefined ? [] : isList(written) ? written : [written]
    // Of which several are made, that is one item written, as the job will count it.
    sums[0] = Math.min(1, list.length)
    for (const one of list) {
      for (const [index, units] of this.#charge.unitsOf(one).entries()) sums[index + 1]! += units
      if (one.after === undefined) this.deletes += 1
      if (this.samples.length < SAMPLES_KEPT) this.samples.push({ before: one.before, after: one.after })
    }
    return sums
  }

  #fail(error: unknown): void {
    this.#failures += 1
    if (this.#failures === 1) this.#failure = error instanceof Error ? error.message : `${error}`
  }
}

function isList(written: WrittenItem | readonly WrittenItem[]): written is readonly WrittenItem[] {
  return Array.isArray(written)
}
