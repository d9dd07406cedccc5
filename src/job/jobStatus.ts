import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { systemProcesses } from '../runtime/processIdentity.ts'
import { systemRandom } from '../runtime/random.ts'
import { systemDisk } from '../storage/disk.ts'
import type { Checkpoint } from './checkpoint.ts'
import { lockHolder } from './directoryLock.ts'
import { findCheckpoint, findSpec, loadReport, loadSpec } from './jobDirectory.ts'
import type { JobSpec } from './jobSpec.ts'
import type { Summary } from './summary.ts'

/** What a job's directory tells of it. */
export interface JobStatus {
  readonly directory: string
  readonly spec: JobSpec
  /** `running` in some process now; `done`; `stopped` where it can go on. */
  readonly state: 'running' | 'done' | 'stopped'
  /** The process that works on it. */
  readonly holder: string | undefined
  readonly checkpoint: Checkpoint | undefined
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
  const state = holder !== undefined ? 'running' : checkpoint?.complete === true ? 'done' : 'stopped'
  return { directory, spec, state, holder, checkpoint, summary: loadReport(directory) }
}

/** The jobs in a directory of jobs, such as `.headrace`, the latest first. None where there is no such directory. */
export function listJobs(directory: string, clock: Clock = systemClock): JobStatus[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new HeadraceError('STATE', `${directory} can not be read: ${(error as Error).message}`, { cause: error })
  }
  return names
    .map((name) => join(directory, name))
    .filter((path) => findSpec(path) !== undefined)
    .map((path) => jobStatus(path, clock))
    .sort((left, right) => right.spec.createdAt.localeCompare(left.spec.createdAt))
}
