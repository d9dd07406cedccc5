import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { scratchDirectory } from '../e2e/command.ts'

// What `npm install headrace` brings: the tarball, unpacked beside the packages it cannot do without, and no others.

const ROOT = join(import.meta.dirname, '..', '..', '..')
const TARBALL_BYTES_MAX = 1_500_000
const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: { [name: string]: string }
}
/** Imports every public module that needs no optional package. */
const PROGRAM = `
import { connect, files, load, updateAll, type Summary } from 'headrace'
import { sqsHandler } from 'headrace/lambda'
import { SimulatedService } from 'headrace/simulator'
import * as telemetry from 'headrace/telemetry'

export async function main(): Promise<Summary> {
  await using db = connect({ region: 'eu-west-1' })
  const users = db.table('users')
  await load(await files(['users.jsonl']), users).run()
  return updateAll(users, (user) => ({ set: { seen: user['id'] } })).run()
}
export { SimulatedService, sqsHandler, telemetry }
`

let scratch: ReturnType<typeof scratchDirectory>
let packed: { readonly size: number; readonly files: readonly { readonly path: string }[] }

before(() => {
  scratch = scratchDirectory()
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch.path]
  const [listed] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }))
  packed = listed
  const modules = join(scratch.path, 'node_modules')
  mkdirSync(join(modules, 'headrace'), { recursive: true })
  execFileSync('tar', ['-xzf', join(scratch.path, listed.filename), '-C', join(modules, 'headrace'), '--strip', '1'])
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'dir')
  }
})

after(() => scratch[Symbol.dispose]())

test('the tarball is small, and holds what users read and run', (t) => {
  t.diagnostic(`${packed.size} bytes in ${packed.files.length} files`)
  assert.ok(packed.size <= TARBALL_BYTES_MAX, `${packed.size} bytes`)
  const paths = packed.files.map(({ path }) => path)
  for (const path of ['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js'])
    assert.ok(paths.includes(path), path)
  assert.ok(paths.includes('docs/reference/cli.md') && paths.includes('examples/visitors/geohash.ts'))
  assert.deepEqual(
    paths.filter((path) => /\.map$|\.test\.|^(?:src|test|bench|site)\//.test(path)),
    [],
  )
  const mapped = paths
    .filter((path) => path.endsWith('.js'))
    .filter((path) =>
      /sourceMappingURL/.test(readFileSync(join(scratch.path, 'node_modules', 'headrace', path), 'utf8')),
    )
  assert.deepEqual(mapped, [], 'a map that is not there is named')
  assert.ok(Object.keys(dependencies).length <= 5)
})

test('its command and its library run with the required packages alone, and print no warning', () => {
  const main = join(scratch.path, 'node_modules', 'headrace', 'dist', 'cli', 'main.js')
  const command = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' })
  assert.deepEqual([command.status, command.stderr], [0, ''])
  const program = "import('headrace').then((h) => console.log(typeof h.connect({ region: 'eu-west-1' }).table))"
  const library = spawnSync(process.execPath, ['-e', program], { cwd: scratch.path, encoding: 'utf8' })
  assert.deepEqual([library.status, library.stderr, library.stdout], [0, '', 'function\n'])
})

for (const [module, moduleResolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const) {
  test(`its types compile in a strict project that checks libraries (${moduleResolution})`, () => {
    const directory = join(scratch.path, moduleResolution)
    mkdirSync(directory)
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(directory, 'program.ts'), PROGRAM)
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'esnext.disposable'],
      module,
      moduleResolution,
      types: ['node'],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    }
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
}
