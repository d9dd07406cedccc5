import { basename, join, resolve } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Processes, systemProcesses } from '../runtime/processIdentity.ts'
import type { Random } from '../runtime/random.ts'
import { type Disk, type DiskFile, systemDisk } from '../storage/disk.ts'
import { replaceFile } from '../storage/replaceFile.ts'
import { type Checkpoint, checkpointText, readCheckpoint } from './checkpoint.ts'
import { DirectoryLock } from './directoryLock.ts'
import { differences, type JobHow, type JobSpec, type JobWhat } from './jobSpec.ts'
import { newMark } from './newMark.ts'
import type { Summary } from './summary.ts'
import { refuseUndone } from './undoneMark.ts'

export const JOB = 'job.json'
export const CHECKPOINT = 'checkpoint'
const PREVIOUS = 'checkpoint.previous'
export const EVENTS = 'events.jsonl'
const REPORT = 'report.json'
/** Read at once, in search of the end of a line. */
const LOOK_BYTES = 1024 * 1024
/** There is such a file once something was asked for that must not be asked for twice; see {@link JobDirectory.forbidRepeats}. */
const NO_REPEAT = 'not-repeatable'

export interface DirectoryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly disk?: Disk | undefined
  readonly processes?: Processes | undefined
}

/**
 * Where a job keeps what it needs to be gone on with: what it does (`job.json`), how far it is (`checkpoint`, and the one
 * before it), what could not be stored (`rejects.jsonl`), what happened when (`events.jsonl`), and what came of it
 * (`report.json`). Directory and files are their owner's alone. One process at a time works in it.
 */
export class JobDirectory {
  readonly path: string
  readonly spec: JobSpec
  /** Where to go on; undefined at the beginning. */
  readonly checkpoint: Checkpoint | undefined
  /** What had to be skipped to find it, and who else can write into the directory, for people. */
  readonly warning: string | undefined
  readonly #clock: Clock
  readonly #disk: Disk
  readonly #lock: DirectoryLock
  readonly #files = new Map<string, DiskFile>()
  readonly #logs = new Map<string, DiskFile>()
  #events: DiskFile | undefined
  #sequence: number

  private constructor(path: string, spec: JobSpec, found: Found, lock: DirectoryLock, clock: Clock, disk: Disk) {
    this.path = path
    this.spec = spec
    this.checkpoint = found.checkpoint
    this.warning = found.warning
    this.#lock = lock
    this.#clock = clock
    this.#disk = disk
    this.#sequence = found.checkpoint?.sequence ?? 0
  }

  /**
   * Begins a job there, or goes on with the one that is there.
   *
   * @throws {HeadraceError} `LOCKED`; `STATE` when another job is there, or its state can not be read; `CONFIGURATION`
   *   when the directory can not be written
   */
  static async open(path: string, what: JobWhat, how: JobHow, options: DirectoryOptions): Promise<JobDirectory> {
    const { clock, random, disk = systemDisk, processes = systemProcesses } = options
    let lock: DirectoryLock
    try {
      disk.makeDirectory(path)
      lock = DirectoryLock.take(path, { disk, clock, random, processes })
    } catch (error) {
      throw writeError(path, error)
    }
    try {
      refuseUndone(path, disk)
      const old = findSpec(path, disk)
      if (old !== undefined) checkSame(path, old.what, what)
      const createdAt = old?.createdAt ?? new Date(clock.wallNow()).toISOString()
      const id = basename(resolve(path))
      const mark = old?.mark ?? newMark(random)
      const slice = old?.slice === undefined ? {} : { slice: old.slice }
      const spec: JobSpec = { version: 1, id, createdAt, mark, what: old?.what ?? what, how, ...slice }
      const found = withExposure(old === undefined ? NOTHING_FOUND : findCheckpoint(path, disk), path, disk)
      if (old === undefined || JSON.stringify(old.how) !== JSON.stringify(how)) await writeSpec(path, spec, disk)
      return new JobDirectory(path, spec, found, lock, clock, disk)
    } catch (error) {
      lock.release()
      throw writeError(path, error)
    }
  }

  /** What is kept here goes with the process. */
  get isFleeting(): boolean {
    return this.#disk.isFleeting === true
  }

  /**
   * From now on the job may have done what must not be done twice.
   *
   * @throws {HeadraceError} `CONFIGURATION` when that can not be written down
   */
  forbidRepeats(): void {
    const path = join(this.path, NO_REPEAT)
    try {
      // One of an earlier run speaks of what lies in front of the checkpoint that this run began with.
      if (this.#addsSince !== undefined) this.#disk.remove(path)
      const since = this.checkpoint?.sequence ?? 0
      this.#disk.createNew(path, `${since}: what this job has added since that checkpoint would be added twice\n`)
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /** The checkpoint from which the last run went on that has added something; undefined where none has. */
  get #addsSince(): number | undefined {
    return addsSince(this.path, this.#disk)
  }

  /** Whether something of what the last run asked for may come again, and must not. */
  get mayNotRepeat(): boolean {
    return mayNotRepeat(this.#addsSince, this.checkpoint)
  }

  /** A file of the job's, cut back to what the checkpoint speaks of. Closed with the directory. */
  file(name: string): DiskFile {
    const known = this.#files.get(name)
    if (known !== undefined) return known
    const path = this.pathOf(name)
    const size = this.checkpoint?.files[name] ?? 0
    try {
      const file = size === 0 ? this.#disk.create(path) : this.#disk.append(path)
      this.#files.set(name, file)
      if (file.size < size) {
        throw new HeadraceError(
          'STATE',
          `${path} has ${file.size} bytes, but the checkpoint recorded ${size}: the file was changed. ` +
            'Restore it, or start the job again in another directory',
        )
      }
      file.truncate(size)
      return file
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /** Something that is written like a file of the job's, and as long as the checkpoint says. Closed with the directory. */
  adopt(name: string, file: DiskFile): void {
    this.#files.set(name, file)
  }

  /** Cuts such a file back now, also if nothing more is written to it. */
  cutBack(name: string): void {
    if (this.checkpoint?.files[name] !== undefined || this.#disk.sizeOf(this.pathOf(name)) !== undefined)
      this.file(name)
  }

  /**
   * A file of the job's to which each run adds, whatever checkpoints speak of; a line that was cut off is taken away.
   * Closed with the directory.
   */
  log(name: string): DiskFile {
    const known = this.#logs.get(name)
    if (known !== undefined) return known
    const path = this.pathOf(name)
    try {
      const file = this.#disk.append(path)
      this.#logs.set(name, file)
      for (let end = file.size; end > 0; ) {
        const start = Math.max(0, end - LOOK_BYTES)
        const at = this.#disk.readPart(path, start, end - start).lastIndexOf(10)
        end = at === -1 ? start : start + at + 1
        if (at !== -1 || end === 0) {
          if (end < file.size) file.truncate(end)
          break
        }
      }
      return file
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /** When this resolves, the names of the job's files are on the disk as well as what was synced of them. */
  syncNames(): Promise<void> {
    return this.#disk.syncDirectory(this.path)
  }

  /** Of one of the job's files; a name with a directory in it stays where it is. */
  pathOf(name: string): string {
    return name.includes('/') || name.includes('\\') ? name : join(this.path, name)
  }

  /**
   * Writes down how far the job is. When this resolves, the checkpoint and all that it speaks of is on the disk.
   *
   * @param files whose bytes it speaks of
   * @throws {HeadraceError} `LOCKED` when another process took the job over; `CONFIGURATION` when it can not be written
   */
  async save(content: Omit<Checkpoint, 'version' | 'sequence' | 'savedAt' | 'files'>): Promise<void> {
    const files = { ...this.checkpoint?.files }
    for (const [name, { size }] of this.#files) files[name] = size
    this.#sequence += 1
    const savedAt = new Date(this.#clock.wallNow()).toISOString()
    const checkpoint: Checkpoint = { version: 1, sequence: this.#sequence, savedAt, ...content, files }
    try {
      this.#lock.renew()
      for (const [name, file] of this.#files) if (file.size !== this.checkpoint?.files[name]) await file.sync()
      await replaceFile(this.#disk, this.path, CHECKPOINT, checkpointText(checkpoint), PREVIOUS)
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /**
   * Says that somebody works here still.
   *
   * @throws {HeadraceError} `LOCKED` when another process took the job over
   */
  keep(): void {
    this.#lock.renew()
  }

  /** One more line of what happened; docs/reference/jobs.md says which there are. */
  note(event: string, fields: object): void {
    const line = `${JSON.stringify({ at: new Date(this.#clock.wallNow()).toISOString(), event, ...fields })}\n`
    try {
      this.#events ??= this.#disk.append(join(this.path, EVENTS))
      this.#events.write(Buffer.from(line))
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /** What came of the job, or of this run of it. */
  async report(summary: Summary): Promise<void> {
    try {
      await replaceFile(this.#disk, this.path, REPORT, `${JSON.stringify(summary, undefined, 2)}\n`)
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  /** As the last run has told it. */
  loadReport(): Summary | undefined {
    return loadReport(this.path, this.#disk)
  }

  /** Lets others work in it. */
  close(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
    for (const log of this.#logs.values()) log.close()
    this.#logs.clear()
    this.#events?.close()
    this.#events = undefined
    this.#lock.release()
  }
}

/**
 * What a job does, from its directory.
 *
 * @throws {HeadraceError} `STATE` when there is none, or it can not be read
 */
export function loadSpec(path: string, disk: Disk = systemDisk): JobSpec {
  const spec = findSpec(path, disk)
  if (spec !== undefined) return spec
  throw new HeadraceError('STATE', `there is no job in ${path}: ${JOB} is missing. Run headrace status to list jobs`)
}

interface Found {
  readonly checkpoint: Checkpoint | undefined
  readonly warning: string | undefined
}

const NOTHING_FOUND: Found = { checkpoint: undefined, warning: undefined }

/** Only a warning: volumes of containers are often everybody's. Links in the directory are refused in any case. */
function withExposure({ checkpoint, warning }: Found, path: string, disk: Disk): Found {
  const exposure = disk.exposureOf?.(path)
  if (exposure === undefined) return { checkpoint, warning }
  const words = `the job directory ${path} ${exposure}: other users can change what the job does. Use a directory of your own`
  return { checkpoint, warning: [warning, words].filter((text) => text !== undefined).join('; ') }
}

/**
 * The latest checkpoint that is whole.
 *
 * @throws {HeadraceError} `STATE` when there are some and none of them is
 */
export function findCheckpoint(path: string, disk: Disk = systemDisk): Found {
  const faults: string[] = []
  for (const name of [CHECKPOINT, PREVIOUS]) {
    const bytes = disk.read(join(path, name))
    if (bytes === undefined) continue
    try {
      const checkpoint = readCheckpoint(bytes)
      const warning = faults.length === 0 ? undefined : `${faults[0]}; resuming from the previous checkpoint`
      return { checkpoint, warning }
    } catch (error) {
      faults.push(`${join(path, name)} cannot be used: ${(error as Error).message}`)
    }
  }
  if (faults.length === 0) return NOTHING_FOUND
  throw new HeadraceError('STATE', `${faults.join('; ')}. Start the job again in another directory`)
}

/**
 * The summary that the last run left; undefined where none has ended.
 *
 * @throws {HeadraceError} `STATE` when it can not be read
 */
export function loadReport(path: string, disk: Disk = systemDisk): Summary | undefined {
  const summary = readJson<Summary>(join(path, REPORT), disk)
  if (summary === undefined) return undefined
  // JSON has no word for "no limit".
  const { readUnitsPerSecondAllowed, writeUnitsPerSecondAllowed } = summary
  return {
    ...summary,
    readUnitsPerSecondAllowed: readUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
    writeUnitsPerSecondAllowed: writeUnitsPerSecondAllowed ?? Number.POSITIVE_INFINITY,
  }
}

/**
 * As {@link loadSpec}; undefined where there is no job.
 *
 * @throws {HeadraceError} `STATE` when it can not be read
 */
export function findSpec(path: string, disk: Disk = systemDisk): JobSpec | undefined {
  const file = join(path, JOB)
  const spec = readJson<JobSpec | null>(file, disk)
  if (spec === undefined || spec?.version === 1) return spec
  throw new HeadraceError(
    'STATE',
    `${file} has version ${spec?.version}, but this Headrace reads version 1: use a newer Headrace`,
  )
}

function readJson<Value>(file: string, disk: Disk): Value | undefined {
  const bytes = disk.read(file)
  if (bytes === undefined) return undefined
  try {
    return parseJson(bytes.toString()) as Value
  } catch (error) {
    throw new HeadraceError('STATE', `${file} is not valid JSON: ${(error as Error).message}`, { cause: error })
  }
}

function writeSpec(path: string, spec: JobSpec, disk: Disk): Promise<void> {
  return replaceFile(disk, path, JOB, `${JSON.stringify(spec, undefined, 2)}\n`)
}

function checkSame(path: string, then: JobWhat, now: JobWhat): void {
  const found = differences(then, now)
  if (found.length === 0) return
  const changed = changedFile(then, now)
  if (changed !== undefined)
    throw new HeadraceError(
      'STATE',
      `${changed} has changed since the job in ${path} began, so the job cannot be resumed. ` +
        'Start a new job, in another directory (--job)',
    )
  throw new HeadraceError(
    'STATE',
    `the directory ${path} contains another job: ${found.join('; ')}. ` +
      'Resume that job (headrace resume), or use another directory for this one',
  )
}

/** The first file or module that is the same by its name and another by its content. */
function changedFile(then: JobWhat, now: JobWhat): string | undefined {
  for (const [index, before] of (then.sources ?? []).entries()) {
    const after = now.sources?.[index]
    if (after?.name !== before.name) return undefined
    if (after.sizeBytes !== before.sizeBytes || after.digest !== before.digest) return before.name
  }
  const { visitor: before } = then
  const { visitor: after } = now
  const isChanged = before?.module !== undefined && before.module === after?.module && before.digest !== after?.digest
  return isChanged ? `the module ${before.module}` : undefined
}

function writeError(path: string, error: unknown): unknown {
  if (error instanceof HeadraceError || !(error instanceof Error) || !('code' in error)) return error
  return new HeadraceError('CONFIGURATION', `cannot write the job state to ${path}: ${error.message}`, {
    cause: error,
  })
}

/** Whether a job in a directory has added something that may be added again if it is resumed. */
export function cannotRepeat(directory: string, disk: Disk, checkpoint: Checkpoint | undefined): boolean {
  return mayNotRepeat(addsSince(directory, disk), checkpoint)
}

function addsSince(directory: string, disk: Disk): number | undefined {
  const bytes = disk.read(join(directory, NO_REPEAT))
  return bytes === undefined ? undefined : Number.parseInt(bytes.toString(), 10)
}

function mayNotRepeat(since: number | undefined, checkpoint: Checkpoint | undefined): boolean {
  if (since === undefined) return false
  // A run that began with a clean one and ended at once has left that as it was.
  return checkpoint?.clean !== true || since >= checkpoint.sequence
}
