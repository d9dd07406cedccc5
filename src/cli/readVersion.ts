import { readFileSync } from 'node:fs'

/** Of this Headrace, from its package; `unknown` where that is not beside it. */
export function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const fallback = new URL('../../../package.json', import.meta.url)
  for (const candidate of [file, fallback]) {
    try {
      const { name, version } = JSON.parse(readFileSync(candidate, 'utf8')) as { name: string; version: string }
      if (name === 'headrace') return version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}
