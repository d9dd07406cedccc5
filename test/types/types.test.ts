import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { scratchDirectory } from '../e2e/command.ts'
import { BAD_PROGRAMS } from './badPrograms.ts'
import { GOOD_PROGRAMS, MODEL } from './goodPrograms.ts'

// The types of the library as its users meet them: the declarations of the package, the oldest TypeScript that they are
// made for and the newest. All programs of both kinds are compiled in one run of each compiler.
const ROOT = join(import.meta.dirname, '..', '..', '..')
const COMPILERS = ['typescript-5.4', 'typescript'] as const
/** Its code is compiled with the programs. */
const PAGE = join(ROOT, 'docs', 'guides', 'typescript.md')

const good = Object.entries(GOOD_PROGRAMS).map(([title, text], index) => ({ title, text, file: `good${index}.ts` }))
const bad = Object.entries(BAD_PROGRAMS).map(([title, text], index) => ({ title, text, file: `bad${index}.ts` }))

let scratch: ReturnType<typeof scratchDirectory>

before(() => {
  scratch = scratchDirectory()
  const modules = join(scratch.path, 'node_modules')
  mkdirSync(modules)
  symlinkSync(ROOT, join(modules, 'headrace'), 'dir')
  symlinkSync(join(ROOT, 'node_modules', '@types'), join(modules, '@types'), 'dir')
  writeFileSync(join(scratch.path, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(scratch.path, 'model.ts'), MODEL)
  for (const { file, text } of [...good, ...bad])
    writeFileSync(join(scratch.path, file), `${text.trimStart()}\nexport {}\n`)
  writeFileSync(join(scratch.path, 'page.ts'), codeOf(readFileSync(PAGE, 'utf8')))
})

after(() => scratch[Symbol.dispose]())

test('there are enough programs of either kind', () => {
  assert.ok(good.length >= 40, `${good.length} that must compile`)
  assert.ok(bad.length >= 40, `${bad.length} that must not`)
  for (const { title, text } of bad) assert.ok(expectedErrors(text).size > 0, title)
})

for (const compiler of COMPILERS) {
  for (const exactOptionalPropertyTypes of [true, false]) {
    test(`${compiler}, exactOptionalPropertyTypes ${exactOptionalPropertyTypes}: programs compile, or fail as they should`, (t) => {
      const { errors, said } = compile(compiler, exactOptionalPropertyTypes)
      const instantiations = /^Instantiations:\s+(\d+)/m.exec(said)?.[1]
      const seconds = /^Total time:\s+(\S+)/m.exec(said)?.[1]
      t.diagnostic(
        `${version(compiler)}: ${good.length + bad.length} programs, ${instantiations} instantiations, ${seconds}`,
      )
      assert.ok(instantiations !== undefined, said)

      const findings: string[] = []
      // An error in dist/: a declaration that names something `@internal` must be `@internal` itself.
      const files = new Map([...good, ...bad].map((program) => [program.file, program]))
      for (const error of errors) {
        const expected = expectedErrors(files.get(error.file)?.text ?? '').get(error.line)
        if (expected?.has(error.code) === true) continue
        findings.push(
          `${files.get(error.file)?.title ?? error.file}, line ${error.line}: ${error.code} ${error.message}`,
        )
      }
      for (const { title, text, file } of bad) {
        for (const [line, codes] of expectedErrors(text)) {
          const found = errors.some((error) => error.file === file && error.line === line && codes.has(error.code))
          if (!found) findings.push(`${title}, line ${line}: no error ${[...codes].join(' or ')}`)
        }
      }
      assert.equal(findings.join('\n'), '')
    })
  }
}

interface CompilerError {
  readonly file: string
  readonly line: number
  readonly code: string
  readonly message: string
}

function compile(compiler: string, exactOptionalPropertyTypes: boolean): { errors: CompilerError[]; said: string } {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes,
    // Our own declarations are checked, too.
    skipLibCheck: false,
    noEmit: true,
    extendedDiagnostics: true,
  }
  const files = ['model.ts', 'page.ts', ...good.map(({ file }) => file), ...bad.map(({ file }) => file)]
  writeFileSync(join(scratch.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = join(ROOT, 'node_modules', compiler, 'bin', 'tsc')
  const args = [tsc, '-p', scratch.path, '--pretty', 'false']
  const { stdout } = spawnSync(process.execPath, args, { cwd: scratch.path, encoding: 'utf8', maxBuffer: 1 << 26 })
  const errors = [...stdout.matchAll(/^(\S+?)(?:\((\d+),\d+\))?: error (TS\d+): (.*)$/gm)].map(
    ([, file, line, code, message]) => ({ file: file!, line: Number(line ?? 0), code: code!, message: message! }),
  )
  return { errors, said: stdout }
}

/** By line, from 1. */
function expectedErrors(text: string): Map<number, ReadonlySet<string>> {
  const expected = new Map<number, ReadonlySet<string>>()
  for (const [index, line] of text.trimStart().split('\n').entries()) {
    const codes = /\/\/ error ([\w|]+)$/.exec(line)?.[1]
    if (codes !== undefined) expected.set(index + 1, new Set(codes.split('|')))
  }
  return expected
}

/** The code of a page, as one program; errors that it shows are marked with `@ts-expect-error`. */
function codeOf(page: string): string {
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join('\n')
}

function version(compiler: string): string {
  const { version: number } = JSON.parse(readFileSync(join(ROOT, 'node_modules', compiler, 'package.json'), 'utf8'))
  return `TypeScript ${number}`
}
