import { join, resolve } from 'node:path'
import { connect, type Database } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import { decodeItem } from '../item/decode.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { loadSpec } from '../job/jobDirectory.ts'
import type { JobWhat, TableSpec } from '../job/jobSpec.ts'
import type { JobReject } from '../job/reject.ts'
import type { Summary } from '../job/summary.ts'
import { markUndone } from '../job/undoneMark.ts'
import { changeOf } from '../publish/changeBatch.ts'
import type { Conflict, ConflictLook } from '../publish/conflictResolver.ts'
import { type Entry, type EntryOwner, entryKeyText } from '../publish/entry.ts'
import { isDone } from '../publish/isDone.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import type { Job, RunOptions } from './job.ts'
import { JobRun, type OpenRun, type Work } from './jobRun.ts'
import { changeBack, OLD_IMAGES, type OldImage } from './oldImages.ts'
import type { Operation } from './operation.ts'
import { reversedLines } from './reversedLines.ts'
import { firstSource, SourceLedger } from './sourceLedger.ts'
import type { WriteOptions } from './writeOptions.ts'

export interface UndoOptions extends WriteOptions {
  /** Where the table is. Default: as the job reached it, with the credentials of now. Not closed by the undoing. */
  readonly database?: Database | undefined
  readonly disk?: Disk | undefined
}

/**
 * Puts back what an update or a deletion with `keepOld` has changed, the last change first. An item that somebody else has
 * changed since, in what the job had touched, stays as it is and is a reject with the code `ChangedSince`.
 *
 * In its summary *written* counts what was put back, and *filtered* what was as before already.
 *
 * @throws {HeadraceError} `STATE` when there is no such job, or it kept nothing
 */
export function undo(directory: string, options: UndoOptions = {}): Job {
  const work = new UndoWork(resolve(directory), options)
  return new UndoRun(work.table, work, options.disk)
}

/** Undoing is run on the disk of the job that is undone, where no other is named. */
class UndoRun extends JobRun {
  readonly #disk: Disk | undefined

  constructor(table: Table, work: Work, disk: Disk | undefined) {
    super('undo', table, work)
    this.#disk = disk
  }

  override run(options: RunOptions = {}): Promise<Summary> {
    return super.run({ ...options, disk: options.disk ?? this.#disk })
  }
}

/** What a change is known by. */
interface Origin {
  readonly sequence: number
  readonly keyText: string
}

/** Items that are looked at at once. */
const PENDING_MAX = 256

class UndoWork implements Work, EntryOwner {
  readonly options: WriteOptions
  readonly #directory: string
  readonly #disk: Disk
  readonly #options: UndoOptions
  readonly #database: Database
  readonly #table: Table
  #opened!: OpenRun
  #engine!: PublishEngine
  #schema!: KeySchema
  #ledger!: SourceLedger
  /** Keys of changes that were given up, whose image before is of no change. */
  readonly #void = new Set<string>()
  /** Of each item that is being put back: what was changed in it before, to be put back then. */
  readonly #underWay = new Map<string, { readonly image: OldImage; readonly sequence: number }[]>()
  /** Items that are being looked at again. */
  readonly #pending = new Set<Promise<void>>()
  #failure: unknown

  constructor(directory: string, options: UndoOptions) {
    this.#directory = directory
    this.#options = options
    this.#disk = options.disk ?? systemDisk
    const { what } = loadSpec(directory, this.#disk)
    if (what.keepOld !== true) {
      throw new HeadraceError(
        'STATE',
        `the job in ${directory} cannot be undone, because it kept no old images. To undo later jobs, ` +
          'start them with --keep-old',
      )
    }
    // Of a copy it is the target that was changed.
    const changed = what.target ?? what.table
    this.#database = options.database ?? connect(changed.connection)
    this.#table = this.#database.table(changed.name)
    const { database: _, disk: __, ...writeOptions } = options
    this.options = writeOptions
  }

  /** The table that is put back. */
  get table(): Table {
    return this.#table
  }

  get failure(): unknown {
    return this.#failure
  }

  faultOf(error: unknown): unknown {
    return this.#failure ?? error
  }

  what(table: TableSpec): JobWhat {
    return { operation: 'undo', table, undoes: this.#directory }
  }

  async open(opened: OpenRun): Promise<void> {
    const { run, schema, database, description, directory, table } = opened
    const engine = await run.startEngine(table)
    this.#checkTable(description.tableId)
    await this.#mark(false, directory?.path, database.clock)
    this.#opened = opened
    this.#engine = engine
    this.#schema = schema
    const ledger = new SourceLedger(OLD_IMAGES, firstSource(directory), run.account.passed, run.record)
    this.#ledger = ledger
    run.keep(() => ({ kind: 'sources', sources: [ledger.position] }))
  }

  async run(): Promise<void> {
    const { run, directory, signal } = this.#opened
    const ledger = this.#ledger
    const from = firstSource(directory)
    const path = join(this.#directory, OLD_IMAGES)
    const size = this.#disk.sizeOf(path) ?? 0
    let line = 0
    for (const { text, fromEnd } of reversedLines(this.#disk, path, size)) {
      if (signal.aborted || this.#failure !== undefined) break
      line += 1
      const image = parseJson(text) as OldImage
      const isVoid = this.#isVoid(image)
      if (isVoid || fromEnd <= (from?.after?.offset ?? 0)) continue
      const { behind } = run
      if (behind !== undefined) await behind
      run.take()
      const sequence = ledger.take({ file: OLD_IMAGES, line, offset: fromEnd })
      if (!this.#putBack(image, sequence)) {
        if (this.#pending.size < PENDING_MAX) await run.room()
        else await Promise.race(this.#pending)
      }
      if (ledger.isFull) await this.settled()
    }
    if (!signal.aborted) ledger.end()
  }

  async settled(): Promise<void> {
    do {
      await this.#engine.flush()
      await Promise.all(this.#pending)
    } while (this.#pending.size > 0 || this.#engine.outstanding > 0)
    if (this.#failure !== undefined) throw this.#failure
  }

  async ended({ complete }: Summary): Promise<void> {
    if (!complete) return
    const { directory, database } = this.#opened
    await this.#mark(true, directory?.path, database.clock)
  }

  async close(): Promise<void> {
    if (this.#options.database === undefined) await this.#database.close()
  }

  /** Before the first change is put back, the job that is undone says so. */
  #mark(complete: boolean, by: string | undefined, clock: Clock): Promise<void> {
    const at = new Date(clock.wallNow()).toISOString()
    const mark = { version: 1, at, by, complete } as const
    return markUndone(this.#directory, mark, this.#disk)
  }

  #checkTable(tableId: string | undefined): void {
    const { what } = loadSpec(this.#directory, this.#disk)
    const changed = what.target ?? what.table
    if (changed.tableId === undefined || tableId === undefined || changed.tableId === tableId) return
    const message = `table ${changed.name} was dropped and created again since the job in ${this.#directory} changed it`
    throw new HeadraceError('STATE', message)
  }

  /** Whether it says, or is told by what came after it, that its change was never made. */
  #isVoid(image: OldImage): boolean {
    const key = JSON.stringify(image.key)
    if (image.void === true) {
      this.#void.add(key)
      return true
    }
    return this.#void.delete(key)
  }

  /** One after the other where an item was changed several times: what becomes of the later change decides on the earlier. */
  #putBack(image: OldImage, sequence: number): boolean {
    const keyText = JSON.stringify(image.key)
    const others = this.#underWay.get(keyText)
    if (others !== undefined) {
      others.push({ image, sequence })
      return true
    }
    this.#underWay.set(keyText, [])
    return this.#start(image, sequence)
  }

  /** @returns whether there is room for more */
  #start(image: OldImage, sequence: number): boolean {
    if (image.created !== true) return this.#send(image, sequence)
    this.#track(this.#remove(image, sequence))
    return this.#pending.size < PENDING_MAX
  }

  /** An item that the job made goes, unless it is other than it was made: what others have added to it is theirs. */
  async #remove(image: OldImage, sequence: number): Promise<void> {
    const keyText = JSON.stringify(image.key)
    const { patienceMs } = this.#options
    const attributes = await this.#table.readAgain(keyText, patienceMs, (units) =>
      this.#opened.run.account.onReread(units),
    )
    const isMore = Object.keys(attributes ?? {}).some(
      (name) => !Object.hasOwn(image.new ?? {}, name) && !Object.hasOwn(image.key, name),
    )
    const origin: Origin = { sequence, keyText }
    const message = 'another writer changed the item after the job; it was not restored'
    if (attributes === undefined) this.#end(origin, 'filtered')
    else if (isMore) this.#end(origin, this.#rejectOf('ChangedSince', message, keyText))
    else if (this.#engine.failure === undefined) this.#send(image, sequence)
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => this.#pending.delete(tracked))
    this.#pending.add(tracked)
  }

  #send(image: OldImage, sequence: number): boolean {
    const hash = keyHash(decodeItem(image.key as { [name: string]: unknown }), this.#schema)
    const origin: Origin = { sequence, keyText: JSON.stringify(image.key) }
    return this.#engine.change(changeBack(image, this.#schema), hash, image.units ?? 1, this, origin)
  }

  #end({ sequence, keyText }: Origin, ending: 'written' | 'filtered' | JobReject): void {
    if (typeof ending === 'string') {
      this.#opened.run.account.tally[ending] += 1
      this.#ledger.settle(sequence, ending)
    } else {
      this.#opened.run.reject(ending)
      this.#ledger.settle(sequence, 'rejected', ending)
    }
    const next = this.#underWay.get(keyText)?.shift()
    if (next === undefined) this.#underWay.delete(keyText)
    else if (this.#engine.failure === undefined) this.#start(next.image, next.sequence)
  }

  onStored(entry: Entry): void {
    this.#end(entry.origin as Origin, 'written')
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.#end(entry.origin as Origin, this.#rejectOf(code, message, entryKeyText(entry, this.#schema)))
  }

  conflictLook(): ConflictLook {
    return 'current'
  }

  /** The item is not as the job left it: it is as it was already, or others have changed it. */
  onConflict(entry: Entry, { kind, current }: Conflict): void {
    const origin = entry.origin as Origin
    if (isDone(changeOf(entry, this.#schema), current)) {
      this.#end(origin, 'filtered')
      return
    }
    const did = kind === 'gone' ? 'deleted' : kind === 'exists' ? 'created' : 'changed'
    const message = `another writer ${did} the item after the job; it was not restored`
    this.#end(origin, this.#rejectOf('ChangedSince', message, entryKeyText(entry, this.#schema)))
  }

  #rejectOf(code: string, message: string, keyText: string): JobReject {
    const key = decodeItem(parseJson(keyText))
    return { code, message, place: describeItemKey(key, this.#schema), item: key }
  }
}

/** @internal */
export const UNDO_OPERATION: Operation = {
  name: 'undo',
  reopen: ({ what, database, write, options }) => undo(what.undoes!, { ...write, database, disk: options.disk }),
}
