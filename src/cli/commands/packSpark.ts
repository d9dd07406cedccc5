import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HeadraceError } from '../../runtime/headraceError.ts'
import { command } from '../command.ts'
import { option, withDefault } from '../option.ts'
import { TALK } from '../options.ts'
import type { Talk } from '../talk.ts'

/** What the archive is called on executors; headrace.py looks there. */
const ARCHIVE = 'headrace-spark'
const NPM_TIMEOUT_MS = 300_000
/** What no program needs. */
const NEEDLESS = /(?:\.d\.[cm]?ts|\.map|\.md|[/\\]dist-types|[/\\]dist[/\\]cli)$/

export const packSpark = command({
  name: 'pack-spark',
  arguments: '<out>',
  section: 'Run elsewhere',
  summary: 'Make the archive that Spark executors need',
  description:
    'It contains Node for Linux, from npm, and Headrace; headrace.py is written beside it. See docs/guides/spark.md.',
  examples: [
    'headrace pack-spark headrace-spark.tgz',
    'headrace pack-spark headrace-spark.tgz --arch arm64',
    'headrace pack-spark headrace-spark.tgz --node /opt/node/bin/node',
  ],
  options: [
    withDefault(
      option('--arch <arch>', {
        group: 'Common options',
        description: 'processor of the executors',
        choices: ['x64', 'arm64'],
      }),
      'x64',
    ),
    withDefault(
      option('--node-version <version>', { group: 'Common options', description: 'version of Node to download' }),
      '22',
    ),
    option('--node <file>', { group: 'Common options', description: 'pack this Node instead of downloading one' }),
    ...TALK,
  ],
  async run([out], flags) {
    const { Talk } = await import('../talk.ts')
    const talk = new Talk(flags)
    if (!/\.(?:tgz|tar\.gz)$/.test(out))
      throw new TypeError(`"${out}" must end in .tgz or .tar.gz: Spark tells archives by their names`)
    const stage = mkdtempSync(join(tmpdir(), 'headrace-pack-'))
    try {
      const own = packageRoot()
      const archive = join(stage, 'archive')
      mkdirSync(archive)
      cpSync(flags.node ?? fetchNode(flags, stage, talk), join(archive, 'node'))
      chmodSync(join(archive, 'node'), 0o755)
      new Modules(archive).add(own, ['dist', 'package.json'])
      writeFileSync(join(archive, 'worker.mjs'), "import './node_modules/headrace/dist/engines/sparkWorker.js'\n")
      const python = join(own, 'python', 'headrace.py')
      cpSync(python, join(archive, 'headrace.py'))
      talk.say(`packing ${out}`)
      run('tar', ['-czf', resolve(out), '-C', archive, '.'])
      const beside = join(dirname(out), 'headrace.py')
      cpSync(python, beside)
      const { size: bytes } = statSync(out)
      talk.say(`Wrote ${out} (${(bytes / 1e6).toFixed(1)} MB) and ${beside}. Pass them to spark-submit:`)
      talk.say(`  --archives ${basename(out)}#${ARCHIVE} --py-files headrace.py`)
      talk.event('packed', { path: out, bytes, python: beside })
    } finally {
      rmSync(stage, { recursive: true, force: true })
    }
  },
})

/** Node for Linux comes from npm, as everything else does. */
function fetchNode({ nodeVersion, arch }: { nodeVersion: string; arch: string }, stage: string, talk: Talk): string {
  const name = `node-linux-${arch}@${nodeVersion}`
  talk.say(`fetching ${name}`)
  const listed = run('npm', ['pack', name, '--pack-destination', stage, '--json', '--loglevel=error'])
  const { filename } = (JSON.parse(listed) as { filename: string }[])[0]!
  run('tar', ['-xzf', join(stage, filename), '-C', stage])
  return join(stage, 'package', 'bin', 'node')
}

/** Packages in the archive, each where those that need it find it. */
class Modules {
  readonly #root: string
  /** Where in the archive, and what it is a copy of. */
  readonly #placed = new Map<string, string>()

  constructor(root: string) {
    this.#root = root
  }

  /** With all that it depends on. `only` these parts of it. */
  add(source: string, only?: readonly string[], into: string = this.#root): void {
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
      name: string
      dependencies?: { [name: string]: string } | undefined
    }
    const place = join(into, 'node_modules', manifest.name)
    this.#placed.set(place, source)
    for (const part of only ?? ['.']) {
      const filter = (path: string): boolean => !NEEDLESS.test(path) && path !== join(source, 'node_modules')
      cpSync(join(source, part), join(place, part), { recursive: true, filter, dereference: true })
    }
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const wanted = lookUp(source, (path) => existsSync(join(path, 'package.json')), name)
      if (wanted === undefined)
        throw new HeadraceError('INPUT', `${name}, which ${manifest.name} needs, is not installed: npm install`)
      const found = lookUp(place, (path) => this.#placed.has(path), name)
      const dependency = realpathSync(wanted)
      if (found === undefined) this.add(dependency)
      else if (this.#placed.get(found) !== dependency) this.add(dependency, undefined, place)
    }
  }
}

/** As Node looks for a package: in this directory and those above it. */
function lookUp(from: string, isThere: (path: string) => boolean, name: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const path = join(directory, 'node_modules', name)
    if (isThere(path)) return path
    if (directory === dirname(directory)) return undefined
  }
}

/** Of this package, wherever it was built to. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'dist', 'engines', 'sparkWorker.js'))) {
    if (directory === dirname(directory))
      throw new HeadraceError('INPUT', 'this Headrace has no worker for Spark in it')
    directory = dirname(directory)
  }
  return directory
}

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: NPM_TIMEOUT_MS })
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new HeadraceError('INPUT', `${command} has failed: ${stderr?.trim() || message}`, { cause: error })
  }
}
