import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells one process from another, also after its number was given to the next. */
export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** When it began, as the system counts; empty where the system does not tell. */
  readonly began: string
}

/** How processes of this machine are told apart. */
export interface Processes {
  readonly own: ProcessIdentity
  /** @returns undefined for a process of another machine, of which nothing is known */
  isAlive(process: ProcessIdentity): boolean | undefined
}

/** The machine's own. */
export const systemProcesses: Processes = {
  own: { host: hostname(), pid: process.pid, began: beginningOf(process.pid) },
  isAlive(other) {
    if (other.host !== this.own.host) return undefined
    try {
      process.kill(other.pid, 0)
    } catch (error) {
      // It is there, and another user's.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
    }
    return beginningOf(other.pid) === other.began
  },
}

/** Field 22 of /proc/PID/stat (manual page proc(5)): the name in front of it may hold anything, and ends in a bracket. */
function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // Not Linux, or no such process any more.
    return ''
  }
}
