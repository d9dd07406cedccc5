// Runs the compiled tests. --fast leaves out those that start the built program or push many items through a store.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const fast = process.argv.includes('--fast')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const files = readdirSync('.build/test', { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => !fast || !/^e2e[\\/]/.test(file))
  .filter((file) => named.length === 0 || named.some((name) => file.includes(name)))
  .map((file) => join('.build/test', file))
  .sort()
if (files.length === 0) {
  console.error('no test file matches')
  process.exit(1)
}
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
