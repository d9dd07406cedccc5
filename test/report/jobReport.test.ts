import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { coarser, jobHistory } from '../../src/job/jobHistory.ts'
import { jobStatus } from '../../src/job/jobStatus.ts'
import { countRejects } from '../../src/job/rejectCounts.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { reportChart, reportPage } from '../../src/report/jobReport.ts'
import { newTable } from '../support/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-report-'))
after(() => rmSync(folder, { recursive: true }))

const SUMMARY = {
  operation: 'update',
  table: 'users',
  complete: false,
  read: 0,
  written: 0,
  rejected: 0,
  overwritten: 0,
  skipped: 0,
  filtered: 0,
  notReached: 0,
  inFlight: 5,
  readUnits: 0,
  writeUnits: 0,
  requests: 0,
  throttledRequests: 0,
  failedRequests: 0,
  latencyMsP50: 4,
  latencyMsP99: 9,
  throttlingReasons: {},
  writeUnitsPerSecondAllowed: 800,
  readUnitsPerSecondAllowed: null,
}

function writeEvents(name: string, notes: readonly object[], end = ''): string {
  const directory = join(folder, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'events.jsonl'), notes.map((note) => `${JSON.stringify(note)}\n`).join('') + end)
  return directory
}

test('steps are what came between two notes, of units in all runs and of throttles in each', () => {
  const note = (event: string, run: number, more: object): object => ({
    at: 't',
    event,
    run,
    summary: { ...SUMMARY, ...more },
  })
  const directory = writeEvents(
    'steps',
    [
      { at: 'a', event: 'started', run: 1 },
      note('progress', 1, { durationMs: 1_000, written: 10, writeUnits: 10, requests: 2, throttledRequests: 1 }),
      note('stopped', 1, { durationMs: 3_000, written: 30, writeUnits: 40, requests: 6, throttledRequests: 3 }),
      { at: 'b', event: 'resumed', run: 2 },
      note('progress', 2, { durationMs: 4_000, written: 35, writeUnits: 45, requests: 7, throttledRequests: 1 }),
      { at: 'c', event: 'warning', message: 'odd' },
      note('failed', 2, { durationMs: 5_000, written: 35, writeUnits: 45, requests: 7, throttledRequests: 1 }),
    ],
    '{"at":"cut o',
  )
  const { steps, runs, warnings } = jobHistory(directory)
  assert.deepEqual(
    steps.map(({ fromMs, toMs, writeUnits, settled, requests, throttledRequests }) => [
      fromMs,
      toMs,
      writeUnits,
      settled,
      requests,
      throttledRequests,
    ]),
    [
      [0, 1_000, 10, 10, 2, 1],
      [1_000, 3_000, 30, 20, 4, 2],
      [3_000, 4_000, 5, 5, 1, 1],
      [4_000, 5_000, 0, 0, 0, 0],
    ],
  )
  assert.equal(steps[0]!.readUnitsPerSecondAllowed, Number.POSITIVE_INFINITY)
  assert.deepEqual(
    runs.map(({ run, fromMs, end }) => [run, fromMs, end?.how]),
    [
      [1, 0, 'stopped'],
      [2, 3_000, 'failed'],
    ],
  )
  assert.deepEqual(warnings, ['odd'])
  const [first, second] = coarser(steps, 2)
  assert.deepEqual([first!.fromMs, first!.toMs, first!.writeUnits], [0, 3_000, 40])
  assert.deepEqual([second!.fromMs, second!.toMs, second!.requests], [3_000, 5_000, 1])
})

test('a job of weeks makes a page of less than a megabyte', () => {
  const notes = Array.from({ length: 60_000 }, (_, index) => ({
    at: 't',
    event: 'progress',
    run: 1,
    summary: {
      ...SUMMARY,
      durationMs: (index + 1) * 30_000,
      written: index * 999,
      writeUnits: index * 999,
      requests: index * 40,
    },
  }))
  const history = jobHistory(writeEvents('long', [{ at: 'a', event: 'started', run: 1 }, ...notes]))
  const status = {
    directory: 'long',
    state: 'done',
    holder: undefined,
    summary: undefined,
    spec: { createdAt: 't', what: { operation: 'update', table: { name: 'users', arn: '' } } },
    checkpoint: {
      positions: { kind: 'segments', segments: 1_000_000, done: '0-600000', cursors: { 700000: '{}' } },
      spent: { durationMs: 1, readUnits: 1, writeUnits: 1, requests: 1, retried: 1 },
    },
  } as unknown as ReturnType<typeof jobStatus>
  const page = reportPage({ status, history, rejects: [], madeAt: 'now', version: '0' })
  assert.ok(page.length < 200_000, `${page.length} bytes`)
})

test('a job that has done nothing yet has axes that can be read, and no figures out of nothing', () => {
  const directory = writeEvents('empty', [
    { at: 'a', event: 'started', run: 1 },
    { at: 'b', event: 'progress', run: 1, summary: { ...SUMMARY, durationMs: 70, writeUnitsPerSecondAllowed: null } },
  ])
  const status = {
    directory,
    state: 'running',
    holder: 'process 1',
    summary: undefined,
    spec: { createdAt: 't', what: { operation: 'update', table: { name: 'users', arn: '' } } },
    checkpoint: undefined,
  } as unknown as ReturnType<typeof jobStatus>
  const chart = reportChart({ status, history: jobHistory(directory) })
  assert.doesNotMatch(chart, /\de-\d|NaN|Infinity|undefined/)
})

async function hostileJob(): Promise<string> {
  const table = await newTable()
  const publisher = table.publisher()
  await publisher.publish(Array.from({ length: 60 }, (_, index) => ({ id: `<img src=x onerror=alert(${index})>` })))
  await publisher.close()
  const directory = join(folder, 'hostile')
  const visitor = (): never => {
    throw new Error('</style><script>document.title = "taken"</script>&"\' alert(\u0001)')
  }
  await updateAll(table, visitor, { filter: "id <> '<script>1</script>'" }).run({ directory })
  return directory
}

test('whatever tables and visitors say stands in a page as text, and its policy lets nothing run', async (t) => {
  const directory = await hostileJob()
  const [status, history] = [jobStatus(directory), jobHistory(directory)]
  const rejects = await countRejects(join(directory, 'rejects.jsonl'))
  assert.deepEqual(
    rejects.map(({ code, count, examples }) => [code, count, examples.length]),
    [['VisitorFailed', 60, 3]],
  )
  const page = reportPage({ status, history, rejects, madeAt: 'now', version: '0' })
  assert.doesNotMatch(page, /<script|<img|<[^>]*\son\w+=/i)
  assert.match(page, /&#60;script&#62;document.title/)
  const policy = /content="(default-src 'none'[^"]*)"/.exec(page)![1]!
  for (const [, style] of page.matchAll(/<style>(.*?)<\/style>/gs)) {
    const hash = createHash('sha256').update(style!).digest('base64')
    assert.ok(policy.includes(`'sha256-${hash}'`), 'each style is one that the policy knows')
  }
  assert.doesNotMatch(page, / style="/)
  assert.match(page, /alert\(\ufffd\)/, 'what XML has no way to write is shown as such')
  assert.doesNotMatch(page.replaceAll('\n', ''), /\p{Cc}/u)
  assert.match(reportChart({ status, history }), /^<svg /)

  const file = join(folder, 'hostile.html')
  writeFileSync(file, page)
  const { stdout, error } = spawnSync(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${join(folder, 'chromium')}`,
      '--dump-dom',
      `file://${file}`,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  )
  if (error !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') {
    t.diagnostic('not opened in a browser: no chromium here')
    return
  }
  assert.match(stdout, /<title>update things\d+<\/title>/, 'no script has changed it')
  assert.match(stdout, /&lt;script&gt;document.title/)
  assert.ok(readFileSync(file, 'utf8').length < 100_000)
})

test('where there is no job, that is said', () => {
  assert.throws(() => jobHistory(join(folder, 'nothing')), { code: 'STATE', message: /no job was started there/ })
})
