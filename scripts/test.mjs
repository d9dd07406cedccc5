// Runs the compiled tests. --fast leaves out those that start programs, play worlds, or push many items through a store.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Holds the script that has made what is there. */
const READY = '.python/.headrace-ready'
const fast = process.argv.includes('--fast')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const files = readdirSync('.build/test', { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter(
    (file) =>
      !fast ||
      !/^(?:bench|cli|e2e|examples|interop|operations|simulation|simulator|site|spark|storage|types)[\\/]/.test(file),
  )
  .filter((file) => named.length === 0 || named.some((name) => file.includes(name)))
  .map((file) => join('.build/test', file))
  .sort()
if (files.length === 0) {
  console.error('no test file matches')
  process.exit(1)
}
if (!fast && files.some((file) => /[\\/]interop[\\/]/.test(file))) preparePython()
if (!fast && files.some((file) => /[\\/]spark[\\/]/.test(file)))
  spawnSync(process.execPath, ['scripts/spark.mjs'], { stdio: 'inherit' })
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
})
process.exit(status ?? 1)

/** Others read our files and we read theirs, where there is a Python; without one those tests say that they are left out. */
function preparePython() {
  const wanted = readFileSync('scripts/python.mjs', 'utf8')
  if (existsSync(READY) && readFileSync(READY, 'utf8') === wanted) return
  if (spawnSync('python3', ['--version'], { stdio: 'ignore' }).status !== 0) {
    console.error('no python3 here: the tests that ask pyarrow, DuckDB, amazon.ion, boto3 and moto are left out')
    return
  }
  console.error('installing pyarrow, DuckDB, amazon.ion, boto3 and moto into .python/')
  const { status: failed } = spawnSync(process.execPath, ['scripts/python.mjs'], { stdio: 'inherit', timeout: 300_000 })
  if (failed === 0) writeFileSync(READY, wanted)
  else console.error('they can not be installed: the tests that ask them are left out')
}
