import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { call } from '../support/call.ts'
import { store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

interface Strategies {
  readonly rows: readonly { strategy: string; seconds: number; itemsPerSecond: number; published?: number }[]
  readonly cells: readonly { producers: number; consumers: number; itemsPerSecond: number }[]
}

test('bench strategies does the job in each way, says how fast, draws it, and leaves no table', async () => {
  using directory = scratchDirectory()
  const sizes = ['--items', '300', '--producers', '1,3', '--consumers', '2', '--processes', '2', '--rounds', '1']
  const { code, stdout, stderr } = await headrace(
    ['bench', 'strategies', ...sizes, '--endpoint-url', store.endpoint, '--out', 'figures'],
    { directory: directory.path },
  )
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^strategy +time +items\/s +published, items\/s\nread and write one item at a time .* 354\n/)
  assert.match(stdout, /\n3 producers +[\d,]+\n$/)
  const { rows, cells }: Strategies = JSON.parse(
    readFileSync(join(directory.path, 'figures', 'strategies.json'), 'utf8'),
  )
  assert.deepEqual(
    rows.map(({ published }) => published),
    [354, 1_666, 2_500, 3_333, undefined],
  )
  for (const { seconds, itemsPerSecond } of rows) assert.ok(Math.abs(seconds * itemsPerSecond - 300) < 1)
  assert.deepEqual(
    cells.map(({ producers, consumers }) => [producers, consumers]),
    [
      [1, 2],
      [3, 2],
    ],
  )
  assert.match(readFileSync(join(directory.path, 'figures', 'strategies.svg'), 'utf8'), /^<svg .*<\/svg>\n$/s)
  const { TableNames } = (await call(store.endpoint, 'ListTables', {})).body as { TableNames: string[] }
  assert.deepEqual(
    TableNames.filter((name) => name.startsWith('headrace-bench')),
    [],
  )
})

test('bench strategies asks before it writes to a DynamoDB elsewhere', async () => {
  using directory = scratchDirectory()
  const { code, stderr } = await headrace(
    ['bench', 'strategies', '--items', '1000', '--endpoint-url', 'https://dynamodb.eu-west-1.amazonaws.com'],
    { directory: directory.path },
  )
  assert.equal(code, 2, stderr)
  assert.match(stderr, /writes and reads 1,000 items \d+ times .*--yes/)
})

test('bench capacity: with ten times the units the job takes a tenth of the time, and no unit more than the rate', async () => {
  using directory = scratchDirectory()
  const { code, stdout, stderr } = await headrace(
    ['bench', 'capacity', '--items', '4000', '--units', '20,200', '--out', 'figures'],
    { directory: directory.path },
  )
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^WCU\/s +time +items\/s +throttled\n20 +4 min .*\n200 .*\n$/)
  const { series } = JSON.parse(readFileSync(join(directory.path, 'figures', 'capacity.json'), 'utf8')) as {
    series: { unitsPerSecond: number; durationMs: number; used: number[] }[]
  }
  const [slow, fast] = series
  // 4,000 items at 80 % of 20 and of 200 units a second.
  assert.ok(Math.abs(slow!.durationMs / 250_000 - 1) < 0.02, `${slow!.durationMs}`)
  assert.ok(Math.abs(fast!.durationMs / 25_000 - 1) < 0.1, `${fast!.durationMs}`)
  // The first second has what a second saves, too.
  assert.ok(Math.max(...slow!.used.slice(1)) <= 16.5, `${Math.max(...slow!.used.slice(1))}`)
  assert.match(readFileSync(join(directory.path, 'figures', 'capacity.svg'), 'utf8'), /200 WCU\/s/)
})
