import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { COMMANDS } from '../src/cli/commandList.ts'

// Reads the source tree and keeps the rules of ARCHITECTURE.md that need no reviewer. The table of rooms is read from
// that page, so that page and tree cannot drift apart.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.split('\\').join('/'))
const text = new Map(sources.map((path) => [path, readFileSync(join(root, 'src', path), 'utf8')]))
const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

test('every room is in the table of ARCHITECTURE.md, and every room of the table is there', () => {
  const rooms = new Set(sources.filter((path) => path.includes('/')).map(roomOf))
  assert.deepEqual([...rooms].sort(), [...roomTable().keys()].sort())
})

test('a room imports only from rooms that the table allows', () => {
  const table = roomTable()
  const wrong: string[] = []
  for (const path of sources) {
    const room = roomOf(path)
    if (room === 'index.ts') continue
    for (const target of importsOf(path)) {
      const targetRoom = roomOf(target)
      if (targetRoom !== room && !table.get(room)!.has(targetRoom)) wrong.push(`${path} imports ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('only runtime/ and the command line read clocks, set timers and throw dice', () => {
  const touches = /\b(?:Date\.now|performance\.now|setTimeout|setInterval|setImmediate|Math\.random|new Date\(\))/
  const wrong = sources.filter((path) => !/^(?:runtime|cli)\//.test(path) && touches.test(withoutComments(path)))
  assert.deepEqual(wrong, [])
})

test('JSON is read where names with escapes are read as they are', () => {
  // Of the command line only what Headrace itself has written; a browser has its own reader.
  const trusted = /^(?:report\/livePage|cli\/(?:readVersion|strategyProcess|liveServer|commands\/packSpark))\.ts$/
  const wrong = sources.filter((path) => !trusted.test(path) && withoutComments(path).includes('JSON.parse('))
  assert.deepEqual(wrong, [])
})

test('only the command line, and programs that are processes of their own, speak to streams and signals', () => {
  const programs = new Set(['local/storeHost.ts', 'engines/sparkWorker.ts', 'engines/lambdaFunctions.ts'])
  const touches = /(?<![#\w])(?:console\.|process\.(?:stdout|stderr|on\(|once\(|exit))/
  const wrong = sources.filter(
    (path) => !/^cli\//.test(path) && !programs.has(path) && touches.test(withoutComments(path)),
  )
  assert.deepEqual(wrong, [])
})

test('there are no drawers: no utils, helpers, common, managers', () => {
  assert.deepEqual(
    sources.filter((path) => /utils?|helpers?|common|manager|misc/i.test(path)),
    [],
  )
})

test('no file swallows an error in silence', () => {
  assert.deepEqual(
    sources.filter((path) => /catch *(?:\([^)]*\))? *\{ *\}/.test(text.get(path)!)),
    [],
  )
})

test('every command of the program is in the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const words = new Set(COMMANDS.flatMap(({ name }) => name.split(' ')))
  const missing = [...words].filter((word) => !new RegExp(`\\b${word}\\b`).test(readme))
  assert.deepEqual(missing, [])
})

test('what the bundled command line starts as threads and processes lies beside it', () => {
  const started = [...text].flatMap(([path, source]) =>
    [...source.matchAll(/(?:new URL|register)\('\.\/(\w+)\.js', import\.meta\.url\)/g)].map((match) => ({
      path,
      program: match[1]!,
    })),
  )
  assert.ok(started.length >= 5, `found only ${started.length}`)
  const bundled = new Set(readdirSync(join(root, 'dist', 'cli')))
  assert.deepEqual(
    started.filter(({ program }) => !bundled.has(`${program}.js`)),
    [],
  )
})

test('the chart of CPU time in the README is drawn from the numbers of the documentation', () => {
  const page = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('performance.md'),
  )!
  const drawn = execFileSync(process.execPath, [join(root, 'scripts', 'cpuChart.mjs'), join(root, 'docs', page)], {
    encoding: 'utf8',
  })
  assert.equal(readFileSync(join(root, 'docs', 'images', 'cpu-per-item.svg'), 'utf8'), drawn)
})

/** To be divided next. */
const LONG_FILES: ReadonlySet<string> = new Set(['publish/publishEngine.ts'])
const FILE_LINES_MAX = 600

test(`no file is longer than ${FILE_LINES_MAX} lines, but those that are named here`, () => {
  const long = sources.filter((path) => text.get(path)!.split('\n').length > FILE_LINES_MAX)
  assert.deepEqual(new Set(long), LONG_FILES)
})

test('no two files need each other to be loaded', () => {
  const left = new Map(sources.map((path) => [path, loadedBy(path)]))
  // Files that need none of those that are left can be loaded; what is left in the end are cycles and what needs them.
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [path, needs] of left) if (!needs.some((one) => left.has(one))) left.delete(path)
  }
  assert.deepEqual([...left.keys()], [])
})

test('no runtime dependency has an install script', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: { [path: string]: { dev?: boolean; hasInstallScript?: boolean; peer?: boolean } }
  }
  const scripted = Object.entries(lock.packages)
    .filter(([path, { dev, hasInstallScript, peer }]) => path !== '' && hasInstallScript && !dev && !peer)
    .map(([path]) => path)
  assert.deepEqual(scripted, [])
})

function roomTable(): Map<string, Set<string>> {
  const table = new Map<string, Set<string>>()
  for (const match of architecture.matchAll(/^\| `([a-z]+)\/` \| [^|]+ \| ([^|]+) \|$/gm)) {
    const rooms = [...match[2]!.matchAll(/`([a-z.]+)\/?`/g)].map((room) => room[1]!)
    table.set(match[1]!, new Set(rooms))
  }
  return table
}

function roomOf(path: string): string {
  return path.split('/')[0]!
}

function importsOf(path: string): string[] {
  return [...text.get(path)!.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map((match) =>
    posix.normalize(posix.join(posix.dirname(path), match[1]!)),
  )
}

/** What a file imports as it is loaded: no types, and nothing that is loaded on use. */
function loadedBy(path: string): string[] {
  const found = text.get(path)!.matchAll(/^(?:import|export) (?!type )([^'"]*?)from '(\.[^']+)'/gms)
  return [...found].flatMap(([, names, target]) => {
    const list = /^\{(.*)\}\s*$/s
      .exec(names!)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const isOfTypes = list?.every((name) => name.trim().startsWith('type ')) === true
    return isOfTypes ? [] : [posix.normalize(posix.join(posix.dirname(path), target!))]
  })
}

/** Words in comments are no calls. */
function withoutComments(path: string): string {
  return text
    .get(path)!
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
}
