import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..')

/** Where headrace.py is. */
export const PYTHON_DIRECTORY: string = join(ROOT, 'python')
/** What it starts. */
export const WORKER: string = join(ROOT, 'dist', 'engines', 'sparkWorker.js')

/** A script of this directory. */
export function script(name: string): string {
  return join(ROOT, 'test', 'spark', name)
}

/** A Python without anything besides itself. */
export function findPlainPython(): string | undefined {
  return spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0 ? 'python3' : undefined
}
