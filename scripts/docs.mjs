// The documentation as a site, from the same files: `serve` shows it and follows changes, `build [DIRECTORY]` writes it.
// Installs site/ on first use: it is a package of its own, so that the project's install stays small.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeContent } from '../site/content.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const site = join(root, 'site')
const [verb, directory] = process.argv.slice(2)
if (verb !== 'serve' && verb !== 'build') {
  console.error('usage: node scripts/docs.mjs serve | build [DIRECTORY]')
  process.exit(2)
}

install()
writeContent()
const vitepress = join(site, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
if (verb === 'build') {
  const out = resolve(directory ?? join(site, 'dist'))
  run(process.execPath, [vitepress, 'build', site, '--outDir', out])
  console.error(`built ${out}`)
} else {
  // Of a new page the sidebar knows after a restart.
  watch(join(root, 'docs'), { recursive: true }, () => {
    try {
      writeContent()
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
    }
  })
  const server = spawn(process.execPath, [vitepress, 'dev', site], { stdio: 'inherit' })
  server.on('exit', (code) => process.exit(code ?? 1))
}

function install() {
  const stamp = join(site, 'node_modules', '.headrace-installed')
  const hash = createHash('sha256')
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(site, file))).update('\0')
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('installing the documentation site (npm install in site/)')
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], site)
  writeFileSync(stamp, wanted)
}

function run(command, args, cwd = root) {
  // On Windows npm is a .cmd file, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm'
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], shell })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
