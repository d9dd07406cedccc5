import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLocal } from '../../src/local/startLocal.ts'
import { scratchDirectory } from './command.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** What a page tells its readers to type, with the exit status that it promises. */
interface Line {
  readonly command: string
  readonly code: number
  /** Interrupted this long after it first says something; undefined for a command that ends by itself. */
  readonly interruptAfterMs: number | undefined
}

/** Each page's own table, so that none depends on another: `<!-- before … -->` has what is there when it begins. */
function linesOf(page: string): {
  before: readonly Line[]
  lines: readonly Line[]
  files: ReadonlyMap<string, string>
} {
  const before = /<!-- before\n(.*?)-->/s.exec(page)?.[1] ?? ''
  const files = new Map<string, string>()
  for (const [, path, content] of page.matchAll(/```(?:ts|jsonl)\n\/\/ (\S+\.\w+)\n(.*?)```/gs))
    files.set(path!, content!)
  for (const [, path, content] of page.matchAll(/```\w+ (\S+\.\w+)\n(.*?)```/gs)) files.set(path!, content!)
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)
  return { before: parse(before.replaceAll(/ ({.*})$/gm, " '$1'")), lines: parse(blocks.join('')), files }
}

function parse(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, command, seconds, code] = /^(.*?)(?:\s+# (?:Ctrl-C after (\d+) s: )?exit status (\d+))?$/.exec(line)!
      if (line.endsWith(' # until Ctrl-C'))
        return { command: line.replace(/\s+# until Ctrl-C$/, ''), code: 0, interruptAfterMs: 0 }
      const interruptAfterMs = seconds === undefined ? undefined : Number(seconds) * 1_000
      return { command: command!, code: Number(code ?? 0), interruptAfterMs }
    })
}

/** As a reader's shell runs it, with `headrace` on the path. */
function shell(
  { command, interruptAfterMs }: Line,
  directory: string,
  endpoint: string,
): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const environment = {
      PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
      HOME: directory,
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    const options = { cwd: directory, env: environment, timeout: 60_000 }
    // The port that a page names may be taken on this machine.
    const runnable = interruptAfterMs !== undefined ? `exec ${command.replace(/--port \d+/, '--port 0')}` : command
    const child = execFile('/bin/sh', ['-c', runnable], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, said: stdout + stderr })
    })
    if (interruptAfterMs !== undefined)
      child.stderr!.once('data', () => setTimeout(() => child.kill('SIGINT'), interruptAfterMs))
  })
}

const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  .concat('README.md')

for (const name of pages) {
  test(`${name}: nothing to type stands where it is not run`, () => {
    const text = readFileSync(join(ROOT, name), 'utf8')
    const blocks = [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)]
    const untried = blocks.filter(([, language, block]) => language !== 'sh' && /^headrace [a-z]/m.test(block!))
    assert.deepEqual(
      untried.map(([, , block]) => block),
      [],
    )
  })

  const page = linesOf(readFileSync(join(ROOT, name), 'utf8'))
  if (page.lines.length === 0) continue
  test(`${name}: what readers are told to type does what they are told`, async () => {
    using directory = scratchDirectory()
    await using store = await startLocal({ kind: 'dynoxide' })
    mkdirSync(join(directory.path, 'bin'))
    writeFileSync(join(directory.path, 'bin', 'headrace'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, {
      mode: 0o755,
    })
    // As where it is installed.
    mkdirSync(join(directory.path, 'node_modules'))
    symlinkSync(ROOT, join(directory.path, 'node_modules', 'headrace'), 'dir')
    for (const [path, content] of page.files) writeFileSync(join(directory.path, path), content)
    for (const line of [...page.before, ...page.lines]) {
      const end = await shell(line, directory.path, store.endpoint)
      assert.equal(end.code, line.code, `${line.command}\n${end.said}`)
    }
  })
}
