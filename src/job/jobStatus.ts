import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { systemProcesses } from '../runtime/processIdentity.ts'
import { systemRandom } from '../runtime/random.ts'
import { systemDisk } from '../storage/disk.ts'
import type { Checkpoint } from './checkpoint.ts'
import { lockHolder } from './directoryLock.ts'
import { cannotRepeat, findCheckpoint, findSpec, loadReport, loadSpec } from './jobDirectory.ts'
import type { JobSpec } from './jobSpec.ts'
import type { Summary } from './summary.ts'
import { findUndone, type UndoneMark } from './undoneMark.ts'

/** What a job's directory tells of it. */
export interface JobStatus {
  readonly directory: string
  readonly spec: JobSpec
  /** `running` in some process now; `done`; `stopped` where it can go on; `undone`, by another job, wholly or in part. */
  readonly state: 'running' | 'done' | 'stopped' | 'undone'
  /** By which job, of one that is undone. */
  readonly undone: UndoneMark | undefined
  /** The process that works on it. */
  readonly holder: string | undefined
  readonly checkpoint: Checkpoint | undefined
  /** It used "add" and was not ended well: to resume it could add twice, so that is refused. */
  readonly mayNotRepeat: boolean
  /** Of the last run that ended. */
  readonly summary: Summary | undefined
}

/**
 * How a job stands, read from its directory; disturbs nobody who works in it.
 *
 * @throws {HeadraceError} `STATE` when there is no job, or it can not be read
 */
export function jobStatus(directory: string, clock: Clock = systemClock): JobStatus {
  const spec = loadSpec(directory)
  const options = { disk: systemDisk, clock, random: systemRandom, processes: systemProcesses }
  const holder = lockHolder(directory, options)
  const { checkpoint } = findCheckpoint(directory)
  const undone = findUndone(directory)
  const state = stateOf(holder, undone, checkpoint)
  return {
    directory,
    spec,
    state,
    mayNotRepeat:
      state === 'stopped' && spec.what.once === undefined && cannotRepeat(directory, systemDisk, checkpoint),
    undone,
    holder,
    checkpoint,
    summary: loadReport(directory),
  }
}

function stateOf(
  holder: string | undefined,
  undone: UndoneMark | undefined,
  checkpoint: Checkpoint | undefined,
): JobStatus['state'] {
  if (holder !== undefined) return 'running'
  if (undone !== undefined) return 'undone'
  return checkpoint?.complete === true ? 'done' : 'stopped'
}

/** What lies in a directory of jobs. */
export interface JobList {
  /** The latest first. */
  readonly jobs: readonly JobStatus[]
  readonly damaged: readonly DamagedJob[]
}

/** A job that can not be read. */
export interface DamagedJob {
  readonly directory: string
  /** Why, with the code `STATE`. */
  readonly error: HeadraceError
}

/**
 * The jobs in a directory of jobs, such as `.headrace`. None where there is no such directory.
 *
 * @throws {HeadraceError} `STATE` when the directory itself can not be read
 */
export function listJobs(directory: string, clock: Clock = systemClock): JobList {
  let names: string[]
  try {
    names = readdirSync(directory).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { jobs: [], damaged: [] }
    throw readError(directory, error)
  }
  const jobs: JobStatus[] = []
  const damaged: DamagedJob[] = []
  for (const name of names) {
    const path = join(directory, name)
    try {
      if (findSpec(path) !== undefined) jobs.push(jobStatus(path, clock))
    } catch (error) {
      damaged.push({ directory: path, error: readError(path, error) })
    }
  }
  jobs.sort((left, right) => right.spec.createdAt.localeCompare(left.spec.createdAt))
  return { jobs, damaged }
}

function readError(path: string, error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error
  // Of the system, as for a directory of somebody else; what is neither is a defect.
  if (!(error instanceof Error && 'code' in error)) throw error
  return new HeadraceError('STATE', `${path} cannot be read: ${error.message}`, { cause: error })
}
