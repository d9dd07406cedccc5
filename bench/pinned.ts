import { spawnSync } from 'node:child_process'

/** Cores of the two sides, so that neither takes time from the other. */
export const CLIENT_CORE = 0
export const SERVER_CORE = 1

/** A command line that runs a Node program on one core, or anywhere when this machine has no way to pin. */
export function pinnedNode(core: number, args: readonly string[]): { command: string; args: string[] } {
  return canPin(core)
    ? { command: 'taskset', args: ['--cpu-list', String(core), process.execPath, ...args] }
    : { command: process.execPath, args: [...args] }
}

const pinnable = new Map<number, boolean>()

export function canPin(core: number): boolean {
  let answer = pinnable.get(core)
  if (answer === undefined) {
    answer = spawnSync('taskset', ['--cpu-list', String(core), 'true'], { stdio: 'ignore' }).status === 0
    pinnable.set(core, answer)
  }
  return answer
}
