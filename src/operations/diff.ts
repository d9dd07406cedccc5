import { checkWhole } from '../database/checkOption.ts'
import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import { type Filter, readFilter } from '../expression/filter.ts'
import { type KeySchema, keySchemaText } from '../item/itemKey.ts'
import { keyAttributes } from '../item/keyAttributes.ts'
import type { JobReject } from '../job/reject.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanEngine, ScanStats } from '../scan/scanEngine.ts'
import type { Rate } from '../throughput/rate.ts'
import { compareFile } from './compareFile.ts'
import { compareTables, segmentsFor } from './compareTables.ts'
import type { Difference } from './difference.ts'
import { Doubts, type Finding } from './doubts.ts'
import type { RecordSource } from './file.ts'
import { isSameTable } from './isSameTable.ts'
import { KeyReader } from './keyReader.ts'
import { Repair } from './repair.ts'
import { tableSpec } from './tableSpec.ts'

export interface DiffOptions
  extends Pick<ScanOptions, 'segments' | 'concurrency' | 'filter' | 'readUnitsPerSecond' | 'patienceMs'> {
  /** Of the right table. Default: as `readUnitsPerSecond`. */
  readonly rightReadUnitsPerSecond?: Rate | undefined
  /**
   * Write to the right table what is missing in it or differs, each on condition that it still is as it was compared. What it
   * has besides stays. Default false.
   */
  readonly fix?: boolean | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
  /**
   * Told of each difference; what it returns is waited for. They come in no order.
   */
  readonly onDifference?: ((difference: Difference) => Promise<void> | void) | undefined
  /** Told of what `fix` could not write. */
  readonly onReject?: ((reject: JobReject) => void) | undefined
  /** Told after each page, and each piece of a file. */
  readonly onProgress?: ((soFar: DiffSummary) => void) | undefined
  /** Milliseconds between the two looks at what seems to differ, 0 to 60,000. Default 1,000. */
  readonly pauseMs?: number | undefined
  /** Aborting ends the comparison; what was found by then was told. */
  readonly signal?: AbortSignal | undefined
}

export interface DiffSummary {
  /** False when the signal ended it: then there may be more differences than were found. */
  readonly complete: boolean
  /** Keys that were decided on: `equal`, `missing`, `extra` and `changed` together. */
  readonly compared: number
  readonly equal: number
  /** On the left alone. */
  readonly missing: number
  /** On the right alone. */
  readonly extra: number
  readonly changed: number
  /** Of `missing` and `changed`, written to the right by `fix`. */
  readonly fixed: number
  /** Of those, changed by others between the last look and the write: they stay as they are. */
  readonly conflicts: number
  /** Of those, refused by the service. */
  readonly refused: number
  /** Records of a file that a later record of the same key takes the place of. */
  readonly duplicates: number
  /** Items and records read so far. */
  readonly leftRead: number
  readonly rightRead: number
  readonly left: ScanStats | undefined
  /** Undefined for a file. */
  readonly right: ScanStats | undefined
  readonly writeUnits: number
}

/** Segments of each table at once; and where no latency has to be bridged. */
const CONCURRENCY = 8
const CONCURRENCY_HERE = 4
const PATIENCE_MS = 600_000
const PAUSE_MS = 1_000
/** Of one item, where the service has not counted yet. */
const ITEM_BYTES_GUESS = 1_024

/**
 * Compares two tables of the same key, or a table and files, item by item, in memory that does not grow with them (of a file:
 * 23 to 45 bytes a record). Numbers are compared by value, sets whatever their order, types count.
 *
 * What seems to differ is read again by key, strongly consistent, and once more a moment later, and is told only if it still
 * differs: tables that are written to meanwhile can be compared. What is written behind the scan is not seen.
 *
 * @param right in one list of files the last record of a key counts
 * @throws {TypeError} for options that are out of range, `fix` of a file, standard input
 * @throws {HeadraceError} `CONFIGURATION` for a table and itself or tables of different keys; `INPUT` for a file with a record
 *   that is none
 */
export async function diff(
  left: Table,
  right: Table | RecordSource | readonly RecordSource[],
  options: DiffOptions = {},
): Promise<DiffSummary> {
  return new Diff(left, right, options).run()
}

class Diff {
  readonly #left: Table
  readonly #right: Table | undefined
  readonly #sources: readonly RecordSource[]
  readonly #options: DiffOptions
  readonly #filter: Filter | undefined
  readonly #counts = { equal: 0, missing: 0, extra: 0, changed: 0, duplicates: 0, leftRead: 0, rightRead: 0 }
  readonly #engines: ScanEngine[] = []
  #repair: Repair | undefined
  #writeUnits: () => number = () => 0
  #complete = false
  #concurrency = CONCURRENCY

  constructor(left: Table, right: Table | RecordSource | readonly RecordSource[], options: DiffOptions) {
    this.#left = left
    this.#right = 'describe' in right && 'scan' in right ? right : undefined
    this.#sources = this.#right !== undefined ? [] : 'records' in right ? [right] : (right as readonly RecordSource[])
    this.#options = options
    this.#filter = options.filter === undefined ? undefined : readFilter(options.filter)
    checkWhole('pauseMs', options.pauseMs ?? PAUSE_MS, 0, 60_000)
    if (options.segments !== undefined) checkWhole('segments', options.segments, 1, 1_000_000)
    if (this.#right === undefined && options.fix === true) {
      throw new TypeError('a file cannot be fixed: export the table again, or load the file into it')
    }
    if (this.#sources.some(({ isOnce }) => isOnce === true)) {
      throw new TypeError('standard input can be read only once, but a comparison may need it twice: pass a file')
    }
  }

  get #summary(): DiffSummary {
    const { equal, missing, extra, changed } = this.#counts
    const [left, right] = this.#engines
    return {
      complete: this.#complete,
      compared: equal + missing + extra + changed,
      ...this.#counts,
      fixed: this.#repair?.fixed ?? 0,
      conflicts: this.#repair?.conflicts ?? 0,
      refused: this.#repair?.refused ?? 0,
      left: left?.stats,
      right: right?.stats,
      writeUnits: this.#writeUnits(),
    }
  }

  async run(): Promise<DiffSummary> {
    const { signal, onProgress, patienceMs = PATIENCE_MS } = this.#options
    const [{ clock, connection }, description, there] = await Promise.all([
      this.#left.database.open(),
      this.#left.describe(),
      this.#right?.describe(),
    ])
    const schema = description.key
    const isHere = connection.loopback && (await this.#right?.database.open())?.connection.loopback !== false
    this.#concurrency = this.#options.concurrency ?? (isHere ? CONCURRENCY_HERE : CONCURRENCY)
    if (this.#right !== undefined && there !== undefined) await this.#checkTables(this.#right, description, there)
    const segments = await segmentsFor([this.#left, ...(this.#right === undefined ? [] : [this.#right])], {
      ...this.#options,
      concurrency: this.#concurrency,
    })
    const left = await this.#open(this.#left, segments, this.#options.readUnitsPerSecond)
    const rightRate = this.#options.rightReadUnitsPerSecond ?? this.#options.readUnitsPerSecond
    const right = this.#right === undefined ? undefined : await this.#open(this.#right, segments, rightRate)
    if (this.#right !== undefined && this.#options.fix === true) await this.#openRepair(this.#right, schema, patienceMs)
    let onAlone: ((isOnBoth: boolean) => void) | undefined
    const doubts = new Doubts({
      schema,
      left: await this.#reader(this.#left, left, description, patienceMs),
      right: right === undefined ? undefined : await this.#reader(this.#right!, right, there!, patienceMs),
      isOurs: async (key) => {
        if (this.#filter === undefined || this.#right === undefined) return false
        const keyText = JSON.stringify(keyAttributes(key, schema))
        const attributes = await this.#left.readAgain(keyText, patienceMs)
        return attributes === undefined || !this.#filter.matches(attributes)
      },
      clock,
      signal,
      pauseMs: this.#options.pauseMs ?? PAUSE_MS,
      onFinding: (finding) => this.#report(finding),
      onEqual: () => {
        this.#counts.equal += 1
      },
      onAlone: (isOnBoth) => onAlone?.(isOnBoth),
    })
    const shared = { schema, doubts, counts: this.#counts, signal, onProgress: () => onProgress?.(this.#summary) }
    const onAbort = (): void => {
      for (const engine of this.#engines) engine.destroy()
      doubts.stop()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (signal?.aborted === true) onAbort()
      else if (right === undefined) {
        await compareFile({ ...shared, left, sources: this.#sources, itemCount: description.itemCount })
      } else {
        await compareTables({
          ...shared,
          left,
          right,
          concurrency: this.#concurrency,
          whenAlone: (told) => {
            onAlone = told
          },
        })
      }
      await doubts.settle()
      await this.#repair?.settle()
      this.#complete = signal?.aborted !== true
      return this.#summary
    } finally {
      signal?.removeEventListener('abort', onAbort)
      onAbort()
      this.#closeRepair()
    }
  }

  #closeRepair: () => void = () => undefined

  async #open(table: Table, segments: number, readUnitsPerSecond: Rate | undefined): Promise<ScanEngine> {
    const { filter, patienceMs } = this.#options
    const { loopback } = (await table.database.open()).connection
    const engine = await table.scanEngine({
      segments,
      concurrency: this.#concurrency,
      filter,
      patienceMs,
      readUnitsPerSecond,
      ...(this.#right === undefined ? {} : { holdSegments: true, holdEnds: true }),
      pageBytesMax: loopback ? PAGE_BYTES_MAX_HERE : PAGE_BYTES_MAX,
    })
    this.#engines.push(engine)
    return engine
  }

  async #reader(
    table: Table,
    scan: ScanEngine,
    { key: schema, sizeBytes, itemCount }: TableDescription,
    patienceMs: number,
  ): Promise<KeyReader> {
    const { service } = await table.database.open()
    const itemBytes = itemCount > 0 ? sizeBytes / itemCount : ITEM_BYTES_GUESS
    const { signal } = this.#options
    return new KeyReader({ table, service, schema, scan, itemBytes, patienceMs, signal })
  }

  async #openRepair(table: Table, schema: KeySchema, patienceMs: number): Promise<void> {
    const { writeUnitsPerSecond, onReject } = this.#options
    const engine = await table.publishEngine({
      patienceMs,
      writeUnitsPerSecond,
    })
    this.#writeUnits = () => engine.stats.writeUnits
    this.#closeRepair = () => engine.destroy()
    this.#repair = new Repair({ schema, engine, onReject: (reject) => onReject?.(reject) })
  }

  async #report(finding: Finding): Promise<void> {
    const { difference } = finding
    this.#counts[difference.kind] += 1
    await this.#options.onDifference?.(difference)
    await this.#repair?.put(finding)
  }

  async #checkTables(right: Table, here: TableDescription, there: TableDescription): Promise<void> {
    const [leftBase, rightBase] = await Promise.all([this.#left.database.open(), right.database.open()])
    if (isSameTable(tableSpec(here, this.#left, leftBase), tableSpec(there, right, rightBase))) {
      const message = `table ${this.#left.name} cannot be compared with itself: choose another table, region or endpoint`
      throw new HeadraceError('CONFIGURATION', message, { place: { option: 'right' } })
    }
    const [mine, other] = [keySchemaText(here.key), keySchemaText(there.key)]
    if (mine === other) return
    throw new HeadraceError(
      'CONFIGURATION',
      `only tables with the same key can be compared: ${this.#left.name} has ${mine}, but ${right.name} has ${other}`,
    )
  }
}

/** Of each open segment of both sides a page is in memory. */
const PAGE_BYTES_MAX = 256 * 1024
/** An emulator goes through all of its table for each page. */
const PAGE_BYTES_MAX_HERE = 512 * 1024
