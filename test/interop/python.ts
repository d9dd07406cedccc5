import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of the repository; a copy of the build may lie deeper in it than the build. */
export const ROOT: string = rootOf(dirname(fileURLToPath(import.meta.url)))

function rootOf(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : rootOf(dirname(directory))
}

/** A Python that has these packages: that of `.python/`, which `scripts/python.mjs` makes, else the machine's own. */
export function findPython(packages: readonly string[]): string | undefined {
  const own = join(ROOT, '.python', 'bin', 'python')
  const code = packages.map((name) => `import ${name}`).join('\n')
  return [own, 'python3'].find(
    (path) => (path !== own || existsSync(own)) && spawnSync(path, ['-c', code], { stdio: 'ignore' }).status === 0,
  )
}

/** What a script of this directory prints. */
export function runPython(python: string, script: string, args: readonly string[]): string {
  const path = join(ROOT, 'test', 'interop', script)
  return execFileSync(python, [path, ...args], { encoding: 'utf8', maxBuffer: 1024 * 1024 * 1024, timeout: 120_000 })
}
