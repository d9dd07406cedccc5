import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'

/** Node tells of each process that it makes (Node's documentation, "diagnostics_channel", "Built-in channels"). */
const CHANNEL = 'child_process'
const STDERR_CHARS_MAX = 2_000

/** How a process ended that some work has started. */
export interface ChildEnd {
  readonly command: string
  /** Undefined while it runs, and when it was killed. */
  readonly exitCode: number | undefined
  /** The beginning of it. */
  readonly stderr: string
}

/**
 * The processes that a piece of work starts, however deep in somebody else's code. Such code keeps them to itself: a
 * `credential_process` that hangs would keep this process alive, and why one failed would be lost.
 */
export class ChildProcesses {
  readonly #children: ChildProcess[] = []
  readonly #stderr = new Map<ChildProcess, string>()
  #isKilled = false

  /** Runs the work and notes the processes that it starts, until its promise settles. */
  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    const inside = new AsyncLocalStorage<true>()
    const onProcess = (message: unknown): void => {
      if (inside.getStore() === true) this.#note((message as { process: ChildProcess }).process)
    }
    subscribe(CHANNEL, onProcess)
    try {
      return await inside.run(true, work)
    } finally {
      unsubscribe(CHANNEL, onProcess)
      // While one is in use, each promise of the program costs more.
      inside.disable()
    }
  }

  get ends(): ChildEnd[] {
    return this.#children.map((child) => ({
      command: child.spawnargs?.at(-1) ?? '',
      exitCode: child.exitCode ?? undefined,
      stderr: (this.#stderr.get(child) ?? '').trim(),
    }))
  }

  /**
   * Ends those that still run, and takes from them what keeps this process alive. So it does with those that the work
   * starts from now on: where one command fails, the SDK tries the next, which may be the same one.
   */
  kill(): void {
    this.#isKilled = true
    for (const child of this.#children) killChild(child)
  }

  #note(child: ChildProcess): void {
    this.#children.push(child)
    child.once('spawn', () => {
      if (this.#isKilled) {
        killChild(child)
        return
      }
      child.stderr?.on('data', (data: Buffer | string) => {
        const before = this.#stderr.get(child) ?? ''
        if (before.length < STDERR_CHARS_MAX) this.#stderr.set(child, `${before}${data}`.slice(0, STDERR_CHARS_MAX))
      })
    })
  }
}

function killChild(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return
  // What a shell has started lives on without it.
  for (const pid of childrenOf(child.pid)) end(pid)
  child.kill()
  child.stdin?.destroy()
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
}

/** Empty where the system does not tell. */
function childrenOf(pid: number | undefined): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function end(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has just ended by itself.
  }
}
