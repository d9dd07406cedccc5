import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { headrace, scratchDirectory } from './command.ts'
import { runSlices } from './slicesRun.ts'

test('slices in processes of their own share a rate, one is killed and begun again, and each item is done once', async () => {
  const { seconds, faults } = await runSlices({ items: 3_000, unitsPerSecond: 600, slices: 4, late: 1, killed: 1 })
  assert.deepEqual(faults, [])
  // How evenly, `npm run slices` says, on a machine that does nothing else: here only that nobody has a rate of its own.
  assert.ok(seconds.length >= 5, `${seconds}`)
})

test('what a slice cannot be told is said before anything is done', async () => {
  using scratch = scratchDirectory()
  const { path: directory } = scratch
  writeFileSync(join(directory, 'no.json'), '{"version":1}')
  const job = {
    version: 1,
    id: 'a',
    what: { operation: 'update', table: { name: 't', connection: {} }, segments: 2 },
    how: {},
  }
  writeFileSync(join(directory, 'job.json'), JSON.stringify(job))
  const endpoint = ['--endpoint-url', 'http://127.0.0.1:1']
  const cases: [string[], number, RegExp][] = [
    [['gone.json', '--index', '0', '--of', '1'], 4, /cannot read gone.json: .*--describe gone.json/],
    [['no.json', '--index', '0', '--of', '1'], 4, /no.json is not the description of a job/],
    [['job.json', '--of', '2'], 2, /AWS_BATCH_JOB_ARRAY_INDEX/],
    [['job.json', '--index', '2', '--of', '2'], 2, /from 0 to 1/],
    [['job.json', '--index', '0', '--of', '3'], 2, /--slices 3/],
    [
      ['job.json', '--index', '0', '--of', '2', '--control-table', 'c', '--max-duration', '1s'],
      2,
      /leave out --max-errors/,
    ],
    [['job.json', '--index', '0', '--of', '2', '--control-table', 'c', '--job', 'd'], 2, /leave out --job/],
  ]
  for (const [args, code, said] of cases) {
    const end = await headrace(['slice', ...args, ...endpoint], { directory })
    assert.equal(end.code, code, `${args.join(' ')}: ${end.stderr}`)
    assert.match(end.stderr, said)
  }
})
