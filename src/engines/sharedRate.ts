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
  readonly onNotice?: (text: string) => void
}

/**
 * One item takes less than 1,000 writes a second (developer guide, "Partitions and data distribution"); each worker asks for some
 * units, and once in vain.
 */
const WORKERS_PER_ITEM = 300
/** The budget of a second is given out over this part of it, so that what was sent with it arrives before its end. */
const GIVING_MS = 800
/** From then on in a second units of the next one are got. */
const NEXT_FROM_MS = 930
/** Until then in its second a grant holds. */
const HOLDS_MS = 900
/** Units that are got at once, as a part of what was spent in the last second: twenty times a second at most. */
const CHUNK_SHARE = 0.05
/** Workers that ask for a second's units do so over this time, at most. */
const SPREAD_MS_MAX = 150
const PATIENCE_MS = 1_000
/** A control table that did not answer is asked again so much later. */
const ASK_AGAIN_MS = 5_000
/** A second's counter is of no use any more. For the table's time to live, if that is switched on for `expiresAt`. */
const KEEP_SECONDS = 3_600

/**
 * A rate that processes share, whichever of them are there: who has more to do spends what others leave, and nobody needs to
 * know how many there are. Each second has a counter in a control table (any table with the partition key `pk`, text); a process
 * adds what it wants, and where that brings the counter to says when in this second it may spend it, or that the budget is gone.
 *
 * The clocks of the processes decide which second it is: one that is wrong spends of another second. Where the control table
 * does not answer within a second, each process spends its share (`unitsPerSecond / workersMax`) until it does.
 *
 * @throws {TypeError} for options out of range
 */
export function sharedRate(control: Table, options: SharedRateOptions): SharedRate {
  const { unitsPerSecond, workersMax, name } = options
  if (name === '') throw new TypeError('name must not be empty: it says what the rate is of')
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
  readonly #spreadMs: number
  readonly #opening: Promise<OpenDatabase>
  #database: OpenDatabase | undefined
  #isAsking = false
  #isAlone = false
  #closed = false
  #timer: Timer | undefined
  /** The second whose budget is gone, as far as is known, and in which items. */
  #goneSecond = -1
  readonly #gone = new Set<number>()
  /** Units of that second that were got here. */
  #got = 0
  /** What was spent when the current second began, and in the one before it. */
  #countedSecond = -1
  #spentBefore = 0
  #spentLast = 0

  constructor(control: Table, options: SharedRateOptions, nowMs: number) {
    const { unitsPerSecond, workersMax } = options
    this.#control = control
    this.#options = options
    this.#bucket = new GrantBucket(unitsPerSecond / workersMax, nowMs)
    this.#items = Math.ceil(workersMax / WORKERS_PER_ITEM)
    this.#spreadMs = Math.min(SPREAD_MS_MAX, 20 + workersMax / 20)
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
    // A request that is larger than all of a second goes when a second's worth is there, and the rest is owed.
    const waitMs = this.#bucket.shortMs(Math.min(units, this.#options.unitsPerSecond / this.#items), nowMs)
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
    const second = Math.floor((wallMs + 1_000 - NEXT_FROM_MS) / 1_000)
    this.#count(second)
    const item = this.#itemWithSome(second, random())
    if (item === undefined) {
      // All of it is gone; not all workers ask for the next second's at once.
      this.#askLater(clock, second * 1_000 + NEXT_FROM_MS - wallMs + random() * this.#spreadMs)
      return
    }
    this.#isAsking = true
    const units = Math.max(this.#bucket.wanted, this.#spentLast * CHUNK_SHARE)
    this.#add(database, second, item, units)
      .then(
        (after) => this.#onCounter(clock, second, item, after, units),
        (error: unknown) => this.#onFailure(clock, error),
      )
      .finally(() => {
        this.#isAsking = false
      })
  }

  /** @returns an item of the second's of which not all is gone; undefined where there is none */
  #itemWithSome(second: number, die: number): number | undefined {
    if (second !== this.#goneSecond) {
      this.#goneSecond = second
      this.#gone.clear()
      this.#got = 0
    }
    const first = Math.floor(die * this.#items)
    for (let step = 0; step < this.#items; step += 1) {
      const item = (first + step) % this.#items
      if (!this.#gone.has(item)) return item
    }
    return undefined
  }

  /**
   * Where others have spent a counter, they have spent the others as well, since all choose at random: to ask each would be a
   * request in vain for each worker and counter. Only who has spent it alone goes on to the next.
   */
  #markGone(second: number, item: number, budget: number): void {
    if (second !== this.#goneSecond) return
    this.#gone.add(item)
    if (this.#got >= (this.#gone.size * budget) / 2) return
    for (let other = 0; other < this.#items; other += 1) this.#gone.add(other)
  }

  #count(second: number): void {
    if (second === this.#countedSecond) return
    const { spent } = this.#bucket
    this.#spentLast = second === this.#countedSecond + 1 ? spent - this.#spentBefore : 0
    this.#spentBefore = spent
    this.#countedSecond = second
  }

  /** @returns what the counter has come to */
  async #add({ service }: OpenDatabase, second: number, item: number, units: number): Promise<number> {
    const answer = (await service.call(
      'UpdateItem',
      {
        TableName: this.#control.name,
        Key: { pk: { S: `rate#${this.#options.name}#${item}#${second}` } },
        UpdateExpression: 'ADD #units :units SET #expiresAt = :expiresAt',
        ExpressionAttributeNames: { '#units': 'units', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: {
          // No more digits than a counter needs.
          ':units': { N: units.toFixed(1) },
          ':expiresAt': { N: `${second + KEEP_SECONDS}` },
        },
        ReturnValues: 'UPDATED_NEW',
      },
      { patienceMs: PATIENCE_MS },
    )) as { Attributes?: { units?: { N?: string } } }
    const after = Number(answer.Attributes?.units?.N)
    if (!Number.isFinite(after)) throw new HeadraceError('CONFIGURATION', 'the control table gives no counter')
    return after
  }

  #onCounter(clock: Clock, second: number, item: number, after: number, asked: number): void {
    if (this.#closed) return
    if (this.#isAlone) {
      this.#isAlone = false
      this.#options.onNotice?.(`the control table ${this.#control.name} answers again: the rate is shared`)
    }
    const budget = this.#options.unitsPerSecond / this.#items
    const before = after - asked
    const units = Math.min(asked, budget - before)
    if (units > 0 && second === this.#goneSecond) this.#got += units
    if (after >= budget) this.#markGone(second, item, budget)
    // The limiter counts by another clock.
    const secondMs = second * 1_000 - clock.wallNow() + clock.now()
    if (units > 0) {
      const fromMs = secondMs + (before / budget) * GIVING_MS
      this.#bucket.grant({ units, fromMs, untilMs: secondMs + HOLDS_MS })
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
        `the control table ${this.#control.name} does not do its work (${reason}); until it does, this process spends its ` +
          `share, ${+(unitsPerSecond / workersMax).toPrecision(3)} units/s`,
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
