import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
/** No command of these tests takes longer, unless it hangs. */
const LIFE_MS = 60_000

export interface CommandOptions {
  /** Where it runs, and where its rejects go. */
  readonly directory: string
  readonly input?: string | Uint8Array | undefined
  readonly environment?: { readonly [name: string]: string | undefined }
  /** Called once the process runs. */
  readonly onStart?: (child: ChildProcess) => void
  /** It is killed after so long. Default 60,000. */
  readonly lifeMs?: number
  /** As `ulimit -n` sets it. Default: as for this process. */
  readonly descriptorsMax?: number | undefined
}

export interface CommandEnd {
  readonly code: number | null
  /** That it died of. */
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The built command as its users run it: a process of its own, away from a terminal, without this machine's AWS settings. */
export function headrace(args: readonly string[], options: CommandOptions): Promise<CommandEnd> {
  const { directory, input, environment = {}, onStart, lifeMs = LIFE_MS, descriptorsMax } = options
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_)/.test(name)))
  const program = [process.execPath, MAIN, ...args]
  const limited = ['/bin/sh', '-c', `ulimit -n ${descriptorsMax}; exec "$@"`, 'sh', ...program]
  const [file, ...rest] = descriptorsMax === undefined ? program : limited
  const child = spawn(file!, rest, {
    cwd: directory,
    env: { ...clean, HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), lifeMs)
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // It may end before it has read everything.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  onStart?.(child)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr })
    })
  })
}

export function scratchDirectory(parent: string = tmpdir()): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(parent, 'headrace-e2e-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
