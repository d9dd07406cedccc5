import { spawnSync } from 'node:child_process'

/** Cores of the two sides, so that neither takes time from the other. */
export const CLIENT_CORE = 0
export const SERVER_CORE = 1

export interface CommandLine {
  command: string
  args: string[]
}

/** A command line that runs a program on these cores, or anywhere when this machine has no way to pin. */
export function pinned(cores: readonly number[], { command, args }: CommandLine): CommandLine {
  if (!cores.every(canPin)) return { command, args }
  return { command: 'taskset', args: ['--cpu-list', cores.join(','), command, ...args] }
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
