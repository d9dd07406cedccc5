import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliReference } from '../../src/cli/cliReference.ts'
import { COMMANDS, FAMILIES } from '../../src/cli/commandList.ts'
import { completionScript } from '../../src/cli/completionScript.ts'
import { commandHelp, familyHelp, programHelp } from '../../src/cli/helpText.ts'
import { flagOf, nameOf } from '../../src/cli/option.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const WIDTHS = [60, 72, 80, 100, 120, 200]
/** What fits on a screen and a half. */
const FIRST_VIEW_MAX = 24

test('no line of any help is longer than the terminal, and no word is broken', () => {
  for (const columns of WIDTHS) {
    const texts = COMMANDS.flatMap((command) => [
      commandHelp(command, columns, false),
      commandHelp(command, columns, true),
    ])
    texts.push(
      programHelp('Bulk work.', columns),
      ...Object.keys(FAMILIES).map((family) => familyHelp(family, columns)),
    )
    for (const text of texts)
      assert.deepEqual(
        text.split('\n').filter((line) => line.length > columns),
        [],
        `at ${columns} columns`,
      )
  }
  for (const command of COMMANDS) {
    const words = new Set(commandHelp(command, 60, true).split(/\s+/))
    for (const { description } of command.options)
      for (const word of description.split(/\s+/))
        assert.ok(
          [...words].some((shown) => shown.startsWith(word)),
          `"${word}" is broken in ${command.name} --help`,
        )
  }
})

test('the first help of a command shows what most people use, and says how to see the rest', () => {
  for (const command of COMMANDS) {
    const shown = command.options.filter(({ isRare }) => !isRare)
    assert.ok(shown.length <= FIRST_VIEW_MAX, `${command.name} shows ${shown.length} options`)
    const hidden = command.options.length - shown.length
    const text = commandHelp(command, 80, false)
    assert.equal(text.includes(`${hidden} more options: headrace ${command.name} --help --all`), hidden > 0)
    for (const { flag } of command.options) assert.ok(commandHelp(command, 80, true).includes(flag), flag)
  }
  const { options } = COMMANDS.find(({ name }) => name === 'export')!
  assert.ok(options.filter(({ isRare }) => !isRare).length <= 22)
})

test('every command and option is described, once, and one name means one thing in a command', () => {
  for (const { name, summary, description, examples, options } of COMMANDS) {
    assert.doesNotMatch(summary, /\.$/, name)
    assert.match(description ?? 'None.', /[.]$/, name)
    assert.ok(examples.length >= 3, name)
    assert.ok(
      examples.every((example) => example.includes('headrace ')),
      name,
    )
    const names = options.flatMap((option) => [
      option.name,
      ...(option.formerly === undefined ? [] : [nameOf(option.formerly)]),
    ])
    assert.deepEqual(names, [...new Set(names)], name)
    for (const option of options) {
      assert.ok(option.description.length >= 10, `${name} ${option.flag}`)
      assert.doesNotMatch(option.description, /^(?!Prometheus|DynamoDB)[A-Z][a-z]+ |\.$/, `${name} ${option.flag}`)
      if (!option.flag.startsWith('--no-')) assert.equal(option.flag.split(' ')[0], flagOf(option.name))
    }
  }
})

test('the reference in docs is the one that the declarations make (npm run reference writes it)', () => {
  assert.equal(readFileSync(join(ROOT, 'docs', 'reference', 'cli.md'), 'utf8'), cliReference())
})

test('completion offers commands, options and values', (t) => {
  if (spawnSync('bash', ['--version']).status !== 0) {
    t.skip('no bash here to run the script in')
    return
  }
  const offers = (...words: string[]): string[] => {
    const script = `${completionScript('bash', COMMANDS)}
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _headrace; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: ROOT })
    assert.equal(stderr, '')
    return stdout.split('\n').filter((line) => line !== '')
  }
  assert.deepEqual(offers('headrace', 'lo'), ['load', 'local'])
  assert.deepEqual(offers('headrace', 'table', 'd'), ['describe', 'drop'])
  assert.deepEqual(offers('headrace', 'load', 'users', '--if'), ['--if-exists'])
  assert.deepEqual(offers('headrace', 'load', 'users', '--if-exists', ''), ['overwrite', 'skip', 'reject'])
  assert.deepEqual(offers('headrace', 'table', 'create', 'users', '--key'), ['--key'])
  assert.deepEqual(offers('headrace', 'load', 'users', 'READ'), ['README.md'])
})

test('completion for zsh and fish is there, and correct where the shell is', (t) => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, COMMANDS)
    for (const { name } of COMMANDS) assert.ok(script.includes(name.split(' ').at(-1)!), `${shell}: ${name}`)
    const { status, error, stderr } = spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' })
    if (error === undefined) assert.equal(status, 0, stderr)
    else t.diagnostic(`no ${shell} here to read its script`)
  }
})
