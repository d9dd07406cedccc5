import { checkWhole } from '../database/checkOption.ts'
import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { GrantBucket } from '../throughput/grantBucket.ts'
import type { SharedBudget, SharedRate } from '../throughput/sharedRate.ts'

export interface SharedRateOptions {
  /** What the rate is of, such as the job's id: those that name the same thing spend of the same budget. */
  readonly name: string
  /** Capacity units a second, of all that take part together, at least 1. */
  readonly unitsPerSecond: number
  /** At most so many take part at a time, 1 to 100,000: each spends its share where the control table can not be reached. */
  readonly workersMax: number
  /** Told once when the control table can not be reached, and once when it can again; for people. */
  readonly onNotice?: ((text: string) => void) | undefined
}

/**
 * One item takes less than 1,000 writes a second (developer guide, "Partitions and data distribution"); each worker asks for some
 * units, and once in vain.
 */
const WORKERS_OF_ONE_ITEM_MAX = 300
/** Where there are several, some of them share a partition by chance. */
const WORKERS_PER_ITEM = 200
/** A counter is of a second; where there are many workers of several, or each would ask more than once a second. */
const WINDOW_MS = 1_000
const LONG_WINDOW_MS = 5_000
/** So long before its end the budget of a window is given out, so that what was sent with it arrives before that. */
const GIVEN_BEFORE_MS = 200
/** So long before its end a grant ends. */
const HOLDS_BEFORE_MS = 100
/** So long before its end units of the next one are got, since none of this one would arrive in time. */
const NEXT_BEFORE_MS = 70
/** And where all of this one is gone; of a long window, whose counters hundreds ask at that time. */
const NEXT_OF_LONG_BEFORE_MS = 600
/** Units that are got at once, as a part of what was spent in the last window: so often in it at most. */
const CHUNK_SHARE = 0.05
/** In a long window: each worker would ask more than once a second else, and so many ask together. */
const LONG_CHUNK_SHARE = 0.4
/** Workers that ask for a window's units do so over this time, at most. */
const SPREAD_MS_MAX = 150
const LONG_SPREAD_MS = 800
const PATIENCE_MS = 1_000
/** A control table that did not answer is asked again so much later. */
const ASK_AGAIN_MS = 5_000
/** Then a counter is of no use any more. For the table's time to live, if that is switched on for `expiresAt`. */
const KEEP_SECONDS = 3_600

/**
 * A rate that processes share, whichever of them are there: who has more to do spends what others leave, and nobody needs to
 * know how many there are. Each second has a counter in a control table (any table with the partition key `pk`, text); a process
 * adds what it wants, and where that brings the counter to says when in this second it may spend it, or that the budget is gone.
 * For more than 300 workers there are several counters, each of five seconds, of which each second gets its part. All that take part
 * have to be told the same.
 *
 * The clocks of the processes decide which second it is: one that is wrong spends of another second. Where the control table
 * does not answer within a second, each process spends its share (`unitsPerSecond / workersMax`) until it does.
 *
 * @throws {TypeError} for options out of range
 */
export function sharedRate(control: Table, options: SharedRateOptions): SharedRate {
  const { unitsPerSecond, workersMax, name } = options
  if (name === '') throw new TypeError('name must not be empty: it identifies the shared rate')
  if (!(unitsPerSecond >= 1 && unitsPerSecond < Number.POSITIVE_INFINITY))
    throw new TypeError(`unitsPerSecond must be a number of at least 1, not ${unitsPerSecond}`)
  checkWhole('workersMax', workersMax, 1, 100_000)
  return { join: (nowMs) => new Member(control, options, nowMs) }
}

class Member implements SharedBudget {
  onGrant: (() => void) | undefined
  readonly #control: Table
  readonly #options: SharedRateOptions
  readonly #bucket: GrantBucket
  readonly #items: number
  readonly #windowMs: number
  /** Units of a window, in each of its counters. */
  readonly #budget: number
  readonly #spreadMs: number
  readonly #nextBeforeMs: number
  readonly #opening: Promise<OpenDatabase>
  #database: OpenDatabase | undefined
  #isAsking = false
  #isAlone = false
  #closed = false
  #timer: Timer | undefined
  /** The window whose budget is gone, as far as is known, and in which items. */
  #goneWindow = -1
  readonly #gone = new Set<number>()
  /** What its items have come to, as far as is known: who is alone goes round all of them. */
  readonly #reached = new Map<number, number>()
  /** Units of that window that were got here. */
  #got = 0
  /** What was spent when the current window began, and in the one before it. */
  #countedWindow = -1
  #spentBefore = 0
  #spentLast = 0

  constructor(control: Table, options: SharedRateOptions, nowMs: number) {
    const { unitsPerSecond, workersMax } = options
    this.#control = control
    this.#options = options
    this.#bucket = new GrantBucket(unitsPerSecond / workersMax, nowMs)
    this.#items = workersMax <= WORKERS_OF_ONE_ITEM_MAX ? 1 : Math.ceil(workersMax / WORKERS_PER_ITEM)
    this.#windowMs = this.#items === 1 ? WINDOW_MS : LONG_WINDOW_MS
    // A second's worth is given out in less than a second; in a longer window no second is to have more than its own.
    const seconds = this.#items === 1 ? 1 : (LONG_WINDOW_MS - GIVEN_BEFORE_MS) / 1_000
    this.#budget = (unitsPerSecond * seconds) / this.#items
    this.#spreadMs = this.#items === 1 ? Math.min(SPREAD_MS_MAX, 20 + workersMax / 20) : LONG_SPREAD_MS
    this.#nextBeforeMs = this.#items === 1 ? NEXT_BEFORE_MS : NEXT_OF_LONG_BEFORE_MS
    this.#opening = control.database.open()
    this.#opening.then(
      (database) => {
        this.#database = database
        this.onGrant?.()
      },
      // Whoever uses the rate opens tables, too, and is told there.
      () => undefined,
    )
  }

  shortMs(units: number, nowMs: number): number {
    // A request that is larger than all of a counter goes when that much is there, and the rest is owed.
    const waitMs = this.#bucket.shortMs(Math.min(units, this.#budget), nowMs)
    if (this.#bucket.wanted > 0) this.#ask()
    return waitMs
  }

  spend(units: number): void {
    this.#bucket.spend(units)
  }

  settle(estimatedUnits: number, consumedUnits: number, spentAtMs: number): void {
    this.#bucket.settle(estimatedUnits, consumedUnits, spentAtMs)
  }

  close(): void {
    this.#closed = true
    this.onGrant = undefined
    this.#timer?.clear()
    this.#timer = undefined
  }

  #ask(): void {
    const database = this.#database
    if (this.#isAsking || this.#closed || this.#timer !== undefined || database === undefined) return
    const { clock, random } = database
    const wallMs = clock.wallNow()
    const window = this.#windowOf(wallMs)
    this.#count(window)
    const item = this.#itemWithSome(window, random())
    if (item === undefined) {
      // All of it is gone; not all workers ask for the next window's at once.
      const nextMs = (window + 1) * this.#windowMs - this.#nextBeforeMs
      this.#askLater(clock, nextMs - wallMs + random() * this.#spreadMs)
      return
    }
    this.#isAsking = true
    // Of whole requests such as the one that waits: what is left over would be lost.
    const { wanted } = this.#bucket
    // And no more than a fraction of a second of the counter's, since what is granted may all be spent when the grant begins.
    const chunk =
      this.#items === 1
        ? this.#spentLast * CHUNK_SHARE
        : Math.min(this.#spentLast * LONG_CHUNK_SHARE, this.#budget * CHUNK_SHARE)
    const units = Math.min(this.#budget, wanted * Math.max(1, Math.floor(chunk / wanted)))
    this.#add(database, window, item, units)
      .finally(() => {
        this.#isAsking = false
      })
      .then(
        (after) => this.#onCounter(clock, window, item, after, units),
        (error: unknown) => this.#onFailure(clock, error),
      )
  }

  /** The window to ask for: the one that it is, the next towards its end, and once that was asked for no earlier one. */
  #windowOf(wallMs: number): number {
    const window = Math.floor((wallMs + NEXT_BEFORE_MS) / this.#windowMs)
    if (window === this.#goneWindow - 1) return this.#goneWindow
    if (window > this.#goneWindow || this.#gone.size < this.#items) return window
    return Math.floor((wallMs + this.#nextBeforeMs) / this.#windowMs)
  }

  /** @returns an item of the window's of which not all is gone; undefined where there is none */
  #itemWithSome(window: number, die: number): number | undefined {
    if (window !== this.#goneWindow) {
      this.#goneWindow = window
      this.#gone.clear()
      this.#reached.clear()
      this.#got = 0
    }
    const first = Math.floor(die * this.#items)
    let least: number | undefined
    for (let step = 0; step < this.#items; step += 1) {
      const item = (first + step) % this.#items
      if (this.#gone.has(item)) continue
      if (least === undefined || (this.#reached.get(item) ?? 0) < (this.#reached.get(least) ?? 0)) least = item
    }
    return least
  }

  /**
   * Where others have spent a counter, they have spent the others as well, since all choose at random: to ask each would be a
   * request in vain for each worker and counter. Only who has spent it alone goes on to the next.
   */
  #markGone(window: number, item: number): void {
    if (window !== this.#goneWindow) return
    this.#gone.add(item)
    if (this.#got >= (this.#gone.size * this.#budget) / 2) return
    for (let other = 0; other < this.#items; other += 1) this.#gone.add(other)
  }

  #count(window: number): void {
    if (window === this.#countedWindow) return
    const { spent } = this.#bucket
    this.#spentLast = window === this.#countedWindow + 1 ? spent - this.#spentBefore : 0
    this.#spentBefore = spent
    this.#countedWindow = window
  }

  /** @returns what the counter has come to */
  async #add({ service }: OpenDatabase, window: number, item: number, units: number): Promise<number> {
    const answer = (await service.call(
      'UpdateItem',
      {
        TableName: this.#control.name,
        Key: { pk: { S: `rate#${this.#options.name}#${item}#${window}` } },
        UpdateExpression: 'ADD #units :units SET #expiresAt = :expiresAt',
        ExpressionAttributeNames: { '#units': 'units', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: {
          // No more digits than a counter needs.
          ':units': { N: units.toFixed(1) },
          ':expiresAt': { N: `${Math.ceil((window * this.#windowMs) / 1_000) + KEEP_SECONDS}` },
        },
        ReturnValues: 'UPDATED_NEW',
      },
      { patienceMs: PATIENCE_MS },
    )) as { Attributes?: { units?: { N?: string } } }
    const after = Number(answer.Attributes?.units?.N)
    if (!Number.isFinite(after)) throw new HeadraceError('CONFIGURATION', 'the control table returned no counter')
    return after
  }

  #onCounter(clock: Clock, window: number, item: number, after: number, asked: number): void {
    if (this.#closed) return
    if (this.#isAlone) {
      this.#isAlone = false
      this.#options.onNotice?.(`the control table ${this.#control.name} answers again: the rate is shared`)
    }
    const budget = this.#budget
    const before = after - asked
    const units = Math.min(asked, budget - before)
    if (window === this.#goneWindow) {
      this.#reached.set(item, after)
      this.#got += Math.max(0, units)
    }
    if (after >= budget) this.#markGone(window, item)
    // The limiter counts by another clock.
    const windowMs = window * this.#windowMs - clock.wallNow() + clock.now()
    if (units > 0) {
      const fromMs = windowMs + (before / budget) * (this.#windowMs - GIVEN_BEFORE_MS)
      // What nobody wanted in its second is not saved up for another.
      const untilMs = Math.min(windowMs + this.#windowMs - HOLDS_BEFORE_MS, fromMs + WINDOW_MS)
      this.#bucket.grant({ units, fromMs, untilMs })
    }
    this.onGrant?.()
  }

  #onFailure(clock: Clock, error: unknown): void {
    if (this.#closed) return
    this.#bucket.stayAlone()
    if (!this.#isAlone) {
      this.#isAlone = true
      const { unitsPerSecond, workersMax, onNotice } = this.#options
      const reason = error instanceof Error ? error.message : `${error}`
      onNotice?.(
        `the control table ${this.#control.name} does not answer (${reason}); until it does, this process uses its ` +
          `share of ${+(unitsPerSecond / workersMax).toPrecision(3)} units/s`,
      )
    }
    this.#askLater(clock, ASK_AGAIN_MS)
    this.onGrant?.()
  }

  #askLater(clock: Clock, delayMs: number): void {
    this.#timer = clock.setTimer(
      () => {
        this.#timer = undefined
        this.onGrant?.()
      },
      Math.max(1, delayMs),
    )
  }
}
