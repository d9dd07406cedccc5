// Everything that needs no running: style and lint, unused code and dependencies, the shape of the package. (Types are
// checked by the build that comes first.)
import { spawnSync } from 'node:child_process'

const steps = [
  ['style and lint', 'biome', ['check', '--error-on-warnings', '.']],
  ['unused code and dependencies', 'knip', ['--no-progress']],
  ['shape of the package', 'publint', ['--strict']],
]
let failed = false
for (const [what, command, args] of steps) {
  const { status } = spawnSync('npx', ['--no-install', command, ...args], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  console.error(`${status === 0 ? 'ok    ' : 'FAILED'} ${what}`)
  failed ||= status !== 0
}
process.exit(failed ? 1 : 0)
