import type { TableDescription } from '../database/tableDescription.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyCheck } from '../item/keyHash.ts'
import type { Spent } from '../job/checkpoint.ts'
import { addCosts, type Cost, type CostMeter } from '../job/costMeter.ts'
import { DistinctKeys } from '../job/distinctKeys.ts'
import { expectedCost, shareOfTable } from '../job/expectedCost.ts'
import type { Summary } from '../job/summary.ts'
import { type Endings, endingsOf, newTally, noEndings, settledOf, type Tally } from '../job/tally.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanEngine, ScanStats } from '../scan/scanEngine.ts'
import { CostLimit } from './costLimit.ts'

/** Segments that a job reads at once, at most. */
const READING_MAX = 128
const NOTHING_SPENT: Spent = { durationMs: 0, readUnits: 0, writeUnits: 0, unitsAtStake: 0, requests: 0, retried: 0 }

/** What is read and written with, as far as it is there yet. */
export interface Machines {
  readonly scan: ScanEngine | undefined
  readonly engine: PublishEngine | undefined
}

/** What the lifecycle knows of a job, for its summary. */
export interface RunFacts {
  readonly operation: string
  readonly table: string
  readonly complete: boolean
  readonly stoppedBy: Summary['stoppedBy']
  /** Of this run. */
  readonly runMs: number
}

/** What a job has done and spent, over all of its runs: the tally that adds up, units and costs. */
export class JobAccount {
  /** Of all runs of the job. */
  readonly tally: Tally = newTally()
  /** Of `tally`, what lies in front of the positions of the next checkpoint. */
  readonly passed: Endings = noEndings()
  readonly #machines: () => Machines
  /** Of earlier runs. */
  #before: Spent = NOTHING_SPENT
  /** Records that earlier runs have read. */
  #readBefore = 0
  /** Of the table that is read, and of the one that is written; none for emulators, which cost nothing. */
  readCost: CostMeter | undefined
  writeCost: CostMeter | undefined
  #costLimit: CostLimit | undefined
  #plannedCost: Cost | undefined
  /** Keys that were stored; undefined where no record can overwrite another of this job. */
  #keys: DistinctKeys | undefined
  /** What is missing of the input. */
  readonly #incompleteInput: string[] = []
  /** Of items that were looked at once more, in this run. */
  #rereadUnits = 0
  /** Items of the table that is read, as the service tells it. */
  itemsTold = 0
  /** Writes of this run that another writer was in front of. */
  conflicts = 0
  /** The part of the work that is settled, from 0 to 1; undefined where nobody knows. See `Summary`. */
  share: (() => number | undefined) | undefined
  /** See `Summary`. */
  oldestSegment: (() => Summary['oldestSegment']) | undefined

  constructor(machines: () => Machines) {
    this.#machines = machines
  }

  /** Goes on where earlier runs have ended. */
  goOn(tally: Omit<Tally, 'notReached'>, spent: Spent): void {
    const endings = endingsOf(tally)
    Object.assign(this.tally, tally, endings)
    Object.assign(this.passed, endings)
    this.#before = spent
    this.#readBefore = tally.read
  }

  /** A plan was made of this job: what it has cost is told beside what it was to cost. */
  planned(cost: Cost | undefined): void {
    this.#plannedCost = cost
  }

  /** @throws {HeadraceError} `CONFIGURATION` where no price is known to keep to it by */
  limitCost(costMax: number, description: TableDescription): void {
    this.#costLimit = CostLimit.of(costMax, this.readCost, this.writeCost, description)
    if (this.#costLimit !== undefined) return
    throw new HeadraceError(
      'CONFIGURATION',
      `cannot enforce costMax (--max-cost) ${costMax}: no price known for table "${description.name}". ` +
        'Set prices (--price-file), or omit the limit',
    )
  }

  /** A record was read. @returns whether another may be; false where it might cost too much */
  take(): boolean {
    this.tally.read += 1
    const limit = this.#costLimit
    if (limit === undefined) return true
    const { engine, scan } = this.#machines()
    const runWriteUnits = engine?.writeUnits ?? 0
    const soFar = {
      readUnits: this.#before.readUnits + this.#readUnits,
      writeUnits: this.#before.writeUnits + runWriteUnits,
      endedUnits: engine?.endedUnits ?? 0,
      unitsAtStake: this.#unitsAtStake,
      reading: scan === undefined ? 0 : Math.min(READING_MAX, scan.segments - scan.segmentsDone),
    }
    return limit.allows(soFar, runWriteUnits)
  }

  /** From now on records that overwrite earlier ones of this job are told from the others. */
  compareKeys(): void {
    this.#keys = new DistinctKeys()
  }

  /** What {@link endingOf} needs to know of an item's key; 0 where keys are not compared. @throws {ItemError} as `keyHash` */
  keyCheckOf(item: PlainItem, schema: KeySchema): number {
    return this.#keys === undefined ? 0 : keyCheck(item, schema)
  }

  /** How a record has ended of which an item with this key was stored. */
  endingOf(hash: number, check: number): 'written' | 'overwritten' {
    return this.#keys?.add(hash, check) === true ? 'overwritten' : 'written'
  }

  noteIncomplete(why: string): void {
    this.#incompleteInput.push(why)
  }

  /** An item was looked at once more. */
  onReread(readUnits: number): void {
    this.#rereadUnits += readUnits
  }

  /** What a checkpoint says of it. */
  spent(runMs: number): Spent {
    const { engine, scan } = this.#machines()
    const { requests = 0, retried = 0 } = engine?.stats ?? {}
    return {
      durationMs: this.#before.durationMs + runMs,
      readUnits: this.#before.readUnits + this.#readUnits,
      writeUnits: this.#before.writeUnits + (engine?.writeUnits ?? 0),
      unitsAtStake: this.#unitsAtStake,
      requests: this.#before.requests + requests + (scan?.stats.requests ?? 0),
      retried: this.#before.retried + retried + (scan?.stats.retried ?? 0),
    }
  }

  /**
   * The job ends before everything is settled.
   *
   * @param goesOn what is settled behind a gap will come again
   */
  stop(goesOn: boolean): void {
    if (goesOn) Object.assign(this.tally, this.passed)
    this.tally.notReached = this.tally.read - settledOf(this.tally)
  }

  /** Nothing that was written lies behind a gap, from where it would come again. */
  get hasNoGaps(): boolean {
    return storedOf(this.tally) === storedOf(this.passed)
  }

  get #unitsAtStake(): number {
    return this.#before.unitsAtStake + (this.#machines().engine?.unitsAtStake ?? 0)
  }

  /** Of this run: of the scan, of items that were looked at once more, and of conflicts. */
  get #readUnits(): number {
    const { engine, scan } = this.#machines()
    return this.#rereadUnits + (scan?.readUnits ?? 0) + (engine?.readUnits ?? 0)
  }

  get #keysCompared(): Summary['keysCompared'] {
    if (this.#keys === undefined) return undefined
    if (this.#keys.isFull) return 'first'
    return this.#readBefore > 0 ? 'run' : 'all'
  }

  #expect(cost: Cost, scan: ScanStats | undefined, complete: boolean): Cost | undefined {
    if (this.#plannedCost !== undefined) {
      const { amount, currency, asOf, billing } = this.#plannedCost
      return { amount, currency, asOf, billing }
    }
    if (complete) return undefined
    const settled = settledOf(this.tally)
    const share = scan === undefined ? this.share?.() : shareOfTable(settled, { itemsTold: this.itemsTold, ...scan })
    return expectedCost(cost, settled, share)
  }

  summary({ runMs, complete, ...facts }: RunFacts): Summary {
    const { engine, scan: scanning } = this.#machines()
    const stats = engine?.stats
    const scan = scanning?.stats
    const { durationMs, readUnits, writeUnits, requests, retried } = this.spent(runMs)
    const cost = addCosts(
      this.readCost?.costOf({ readUnits, writeUnits: 0 }),
      this.writeCost?.costOf({ readUnits: 0, writeUnits }),
    )
    return {
      ...this.tally,
      ...facts,
      complete,
      durationMs,
      itemsPerSecond: durationMs === 0 ? 0 : (this.tally.written / durationMs) * 1_000,
      buffered: stats?.buffered ?? 0,
      inFlight: stats?.inFlight ?? 0,
      retried,
      unprocessed: stats?.unprocessed ?? 0,
      throttledRequests: (stats?.throttledRequests ?? 0) + (scan?.throttledRequests ?? 0),
      throttlingReasons: addCounts(stats?.throttlingReasons, scan?.throttlingReasons),
      failedRequests: stats?.failedRequests ?? 0,
      requests,
      conflicts: this.conflicts,
      readUnits,
      writeUnits,
      cost,
      costExpected: cost && this.#expect(cost, scan, complete),
      readUnitsPerSecondAllowed: scan?.readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      writeUnitsPerSecondAllowed: stats?.writeUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
      latencyMsP50: stats?.latencyMsP50 ?? 0,
      latencyMsP99: stats?.latencyMsP99 ?? 0,
      latencyMsMax: stats?.latencyMsMax ?? 0,
      segmentsDone: scan?.segmentsDone,
      segments: scanning?.segments,
      share: complete ? 1 : this.share?.(),
      oldestSegment: this.oldestSegment?.(),
      keysCompared: this.#keysCompared,
      incompleteInput: [...this.#incompleteInput],
    }
  }
}

function storedOf({ written, overwritten }: Endings): number {
  return written + overwritten
}

function addCounts(
  left: Readonly<Record<string, number>> = {},
  right: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const sum = { ...left }
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
