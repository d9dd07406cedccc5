// Makes a fresh or stale clone ready: installs what package-lock.json names and compiles, each only when needed.
// Runs before anything is installed, so it uses nothing but Node.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
process.chdir(root)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`headrace needs Node 20.19 or newer; this is ${process.version}`)
  process.exit(1)
}

const installStamp = 'node_modules/.headrace-installed'
const lockHash = hashOf(['package-lock.json', 'package.json'])
if (read(installStamp) !== lockHash) {
  console.error('installing dependencies (npm install)')
  // Not `npm ci`: it refuses a lockfile that lacks some other platform's optional package, which a mirror may not have.
  // What the lockfile names is installed as it names it; the lockfile is not written.
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
  // Two versions of TypeScript have a command `tsc`; it must be the one that the project is built with.
  run('npm', ['rebuild', 'typescript', '--ignore-scripts', '--loglevel=error'])
  writeFileSync(installStamp, lockHash)
}

const buildStamp = '.build/.headrace-built'
const sources = ['src', 'test', 'bench', 'examples'].flatMap(sourceFiles)
const sourceHash = hashOf([
  ...sources,
  'tsconfig.json',
  'tsconfig.test.json',
  'scripts/bundle.mjs',
  'package-lock.json',
])
if (process.argv.includes('--force-build') || read(buildStamp) !== sourceHash) {
  console.error('building')
  // What was renamed or deleted must not live on in the output.
  rmSync('dist', { recursive: true, force: true })
  rmSync('.build', { recursive: true, force: true })
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
  run(process.execPath, [tsc, '-p', 'tsconfig.json'])
  run(process.execPath, [tsc, '-p', 'tsconfig.test.json'])
  run(process.execPath, ['scripts/bundle.mjs'])
  mkdirSync('.build', { recursive: true })
  writeFileSync(buildStamp, sourceHash)
}

function sourceFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function hashOf(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function run(command, args) {
  // On Windows npm is a .cmd file, which only a shell starts.
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
