import { join } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { Processes, ProcessIdentity } from '../runtime/processIdentity.ts'
import type { Random } from '../runtime/random.ts'
import type { Disk } from '../storage/disk.ts'
import { newMark } from './newMark.ts'

/** A holder on another machine that was not heard of for so long is gone. */
const STALE_MS = 60_000
/** The holder says so often that it is there. */
const RENEW_MS = 10_000
const NAME = 'lock'

interface Holder extends ProcessIdentity {
  /** Of this one time that it was taken. */
  readonly mark: string
  /** When it was last heard of. */
  readonly at: string
}

export interface LockOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly processes: Processes
}

/**
 * At most one process works in a job's directory. A holder that is dead is recognised: on this machine by its process, on
 * another (a directory that machines share) by its silence.
 */
export class DirectoryLock {
  readonly #path: string
  readonly #options: LockOptions
  readonly #mark: string
  #renewedAtMs: number

  private constructor(path: string, options: LockOptions, mark: string) {
    this.#path = path
    this.#options = options
    this.#mark = mark
    this.#renewedAtMs = options.clock.now()
  }

  /** @throws {HeadraceError} `LOCKED` when another process holds it */
  static take(directory: string, options: LockOptions): DirectoryLock {
    const { disk, clock, random, processes } = options
    const path = join(directory, NAME)
    const mark = newMark(random)
    for (let tries = 0; tries < 3; tries += 1) {
      if (disk.createNew(path, holderText(processes.own, mark, clock))) return new DirectoryLock(path, options, mark)
      const holder = readHolder(disk, path)
      if (holder !== undefined && !isGone(holder, options)) throw lockedError(directory, holder)
      takeAway(disk, path, mark, holder)
    }
    throw lockedError(directory, undefined)
  }

  /**
   * Says that it is still held, if it is time to.
   *
   * @throws {HeadraceError} `LOCKED` when another process took it meanwhile
   */
  renew(): void {
    const { disk, clock, processes } = this.#options
    if (clock.now() - this.#renewedAtMs < RENEW_MS) return
    this.#check()
    const draft = `${this.#path}.${this.#mark}`
    const file = disk.create(draft)
    file.write(Buffer.from(holderText(processes.own, this.#mark, clock)))
    file.close()
    disk.rename(draft, this.#path)
    this.#renewedAtMs = clock.now()
  }

  release(): void {
    const holder = readHolder(this.#options.disk, this.#path)
    if (holder?.mark === this.#mark) this.#options.disk.remove(this.#path)
  }

  #check(): void {
    const holder = readHolder(this.#options.disk, this.#path)
    if (holder?.mark === this.#mark) return
    throw new HeadraceError(
      'LOCKED',
      `${holder === undefined ? 'another process removed the lock of the job' : `${nameOf(holder)} took over the job`} ` +
        'because this process did not renew its lock in time; this process stops',
    )
  }
}

/** Who works in a directory, for people; undefined for nobody. */
export function lockHolder(directory: string, options: LockOptions): string | undefined {
  const holder = readHolder(options.disk, join(directory, NAME))
  return holder === undefined || isGone(holder, options) ? undefined : nameOf(holder)
}

function holderText(own: ProcessIdentity, mark: string, clock: Clock): string {
  const holder: Holder = { ...own, mark, at: new Date(clock.wallNow()).toISOString() }
  return `${JSON.stringify(holder)}\n`
}

/** Of two who find a lock stale, the later one may get hold of what the earlier has put in its place; that goes back. */
function takeAway(disk: Disk, path: string, mark: string, stale: Holder | undefined): void {
  const aside = `${path}.${mark}`
  try {
    disk.rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const taken = readHolder(disk, aside)
  if (taken !== undefined && taken.mark !== stale?.mark) disk.createNew(path, `${JSON.stringify(taken)}\n`)
  disk.remove(aside)
}

/** @returns undefined where there is none, or none that can be read: it was being written when its machine went down */
function readHolder(disk: Disk, path: string): Holder | undefined {
  const bytes = disk.read(path)
  if (bytes === undefined) return undefined
  try {
    return parseJson(bytes.toString()) as Holder
  } catch {
    return undefined
  }
}

function isGone(holder: Holder, { clock, processes }: LockOptions): boolean {
  return !(processes.isAlive(holder) ?? clock.wallNow() - Date.parse(holder.at) < STALE_MS)
}

function lockedError(directory: string, holder: Holder | undefined): HeadraceError {
  return new HeadraceError(
    'LOCKED',
    `the job in ${directory} is already running in ${holder === undefined ? 'another process' : nameOf(holder)}: ` +
      'wait for it, or stop it first',
  )
}

function nameOf({ pid, host, at }: Holder): string {
  return `process ${pid} on ${host} (last active ${at})`
}
