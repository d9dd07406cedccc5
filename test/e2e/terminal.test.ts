import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTable } from '../../src/operations/tables.ts'
import { database, newTable, store } from '../support/store.ts'
import { scratchDirectory } from './command.ts'

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** Why a terminal cannot be had here; undefined where it can. */
function whyNot(): string | undefined {
  try {
    const version = execFileSync('script', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return /util-linux/.test(version) ? undefined : 'the program "script" here is not that of util-linux'
  } catch {
    return 'there is no program "script" to give a terminal'
  }
}

/** All that the command writes to a terminal of so many columns. */
function onTerminal(
  args: readonly string[],
  columns: number,
  directory: string,
  environment: { [name: string]: string },
  answers: readonly string[] = [],
): Promise<string> {
  const command = `stty cols ${columns} rows 20; exec ${[process.execPath, MAIN, ...args].map((arg) => `'${arg}'`).join(' ')}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    stdio: [answers.length === 0 ? 'ignore' : 'pipe', 'pipe', 'inherit'],
    timeout: 60_000,
  })
  let text = ''
  let asked = 0
  child.stdout!.setEncoding('utf8').on('data', (more: string) => {
    text += more
    // Each question is answered when it is there.
    const questions = text.split(/to confirm: |\[y\/N\] /).length - 1
    for (; asked < Math.min(questions, answers.length); asked += 1)
      child.stdin!.write(answers[asked] === CTRL_C ? CTRL_C : `${answers[asked]}\n`)
  })
  return new Promise((resolve) => child.on('close', () => resolve(text)))
}

const CTRL_C = String.fromCharCode(3)
const NO_TERMINAL = whyNot()
const ESCAPE = String.fromCharCode(27)
const SEQUENCE = new RegExp(`${ESCAPE}\\[[\\d;]*[A-Za-z]`, 'g')

test('on a terminal a block is redrawn in its place, no wider than it, and gone when the summary comes', {
  skip: NO_TERMINAL ?? false,
}, async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 900; index += 1) publisher.put({ id: `user-${index}` })
  await publisher.close()
  const update = (tier: number): string[] => {
    const rate = ['--write-rate', '300', '--endpoint-url', store.endpoint]
    return ['update', table.name, '--set', `tier=${tier}`, ...rate]
  }
  const color = { TERM: 'xterm-256color', LANG: 'C.UTF-8' }
  for (const [columns, environment] of [
    [60, color],
    [200, { ...color, NO_COLOR: '1', LANG: 'C' }],
  ] as const) {
    const text = await onTerminal(update(columns), columns, directory.path, environment)
    const blocks = text.split(`${ESCAPE}[J`)
    assert.ok(blocks.length > 4, JSON.stringify(text))
    assert.match(blocks[3]!, new RegExp(`^\\r${ESCAPE}\\[4A`), 'it goes up over the four other lines')
    assert.match(text, /segments {3}\d+ of \d+ read/)
    for (const line of text
      .replaceAll(SEQUENCE, '')
      .split(/[\r\n]+/)
      .slice(1, -14))
      assert.ok(line.length < columns, `${line.length}: ${line}`)
    assert.equal(text.includes(`${ESCAPE}[36m`), environment === color)
    assert.equal(text.includes('░'), environment === color)
    assert.match(blocks.at(-1)!.replaceAll(SEQUENCE, ''), /^update \S+: done\r\n {2}read +900\r\n/)
  }
  const dumb = await onTerminal(update(80), 80, directory.path, { ...color, TERM: 'dumb' })
  assert.ok(!dumb.includes(ESCAPE), JSON.stringify(dumb))
})

test('B2: delete asks again on a terminal when the filter matches everything in the sample', {
  skip: NO_TERMINAL ?? false,
}, async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  const publisher = table.publisher()
  for (const id of ['a', 'b', 'c']) publisher.put({ id, state: 'keep' })
  await publisher.close()
  const remove = [
    'delete',
    table.name,
    '--where',
    'state <> "Keep"',
    '--allow-unknown-attributes',
    '--endpoint-url',
    store.endpoint,
  ]
  const leftAfter = async (...answers: readonly string[]): Promise<{ text: string; left: number }> => {
    const text = await onTerminal(remove, 200, directory.path, { TERM: 'xterm', LANG: 'C.UTF-8' }, answers)
    let left = 0
    for await (const _ of table.scan({ consistentRead: true })) left += 1
    return { text, left }
  }
  const once = await leftAfter(table.name, 'no')
  assert.match(once.text, /The filter matches all 3 items: this may delete everything/)
  assert.match(once.text, /nothing was changed/)
  assert.equal(once.left, 3)
  assert.equal((await leftAfter(table.name, table.name)).left, 0)
})

test('on a terminal doctor --probe asks before it creates, and before it drops what a killed one left', {
  skip: NO_TERMINAL ?? false,
}, async () => {
  using directory = scratchDirectory()
  const ask = (answers: readonly string[]): Promise<string> =>
    onTerminal(['doctor', '--probe', '--endpoint-url', store.endpoint], 120, directory.path, { TERM: 'xterm' }, answers)
  const refused = await ask(['n'])
  assert.match(refused, /Create two throwaway tables, .* It costs less than a cent\. \[y\/N\] /)
  assert.match(refused, /warning +probe +not checked: no tables may be created/)
  assert.doesNotMatch(refused, /### headrace doctor/)
  const interrupted = await ask([CTRL_C])
  assert.match(interrupted, /stopping: the tables of the probe are dropped/)
  assert.doesNotMatch(interrupted, /### headrace doctor/)

  // As a killed probe leaves it.
  const name = 'headrace-doctor-0123456789ab'
  await createTable(database, name, { key: { partition: { name: 'headrace_probe', type: 'S' } } })
  const kept = await ask(['', 'n'])
  assert.match(kept, new RegExp(`Drop 1 table of an earlier probe \\(${name}\\)\\? \\[y/N\\] `))
  assert.match(kept, new RegExp(`Drop them: headrace table drop ${name}`))
  const dropped = await ask(['y', 'yes'])
  assert.match(dropped, new RegExp(`ok +probe tables +dropped ${name}, left by an earlier --probe`))
  assert.match(dropped, /### headrace doctor --probe/)
})
