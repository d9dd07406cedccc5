import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryStep } from '../../src/job/jobHistory.ts'
import { jobFigures } from '../../src/report/jobChart.ts'
import { jobSections } from '../../src/report/jobSections.ts'
import { summary } from '../support/summary.ts'

function step(fromMs: number, toMs: number, settled: number): HistoryStep {
  return {
    fromMs,
    toMs,
    run: 1,
    readUnits: 0,
    writeUnits: settled,
    settled,
    requests: 10,
    throttledRequests: 0,
    failedRequests: 0,
    inFlight: 5,
    latencyMsP50: 5,
    latencyMsP99: 9,
    readUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
    writeUnitsPerSecondAllowed: Number.POSITIVE_INFINITY,
  }
}

const run = (number: number, fromMs: number) => ({
  run: number,
  startedAt: '2026-01-01T00:00:00Z',
  fromMs,
  end: undefined,
})

test('D8: a peak is of a second or more, and labels of runs do not stand upon one another', () => {
  const steps = [step(0, 5_000, 5_000), step(5_000, 5_003, 32), step(5_003, 10_000, 5_000)]
  const figures = jobFigures({
    title: 'job',
    steps,
    runs: [run(1, 0), run(2, 5_000), run(3, 5_010), run(4, 9_000)],
    partsName: 'segments',
    parts: [],
    isLive: false,
  }).join('\n')
  assert.doesNotMatch(figures, /highest 10,/)
  assert.match(figures, /highest 1,00\d/)
  assert.deepEqual([...new Set([...figures.matchAll(/>(run \d)</g)].map(([, label]) => label))], ['run 2', 'run 4'])
})

test('D8: the bar of a job that runs is as full as the job is done', () => {
  const spec = {
    version: 1,
    id: 'x',
    createdAt: '2026-01-01T00:00:00Z',
    mark: 'm',
    what: { operation: 'update', table: { name: 'users', arn: '', key: 'id:S', connection: {} } },
    how: {},
  } as const
  const sections = jobSections({
    spec,
    state: { kind: 'running', words: 'running' },
    checkpoint: undefined,
    summary: summary({ read: 700, written: 600, share: 0.06, complete: false }),
    history: { steps: [], runs: [], summary: undefined, warnings: [] },
    rejects: [],
    isLive: true,
  })
  const account = [...sections.values()].find((section) => section.includes('class="account"'))!
  const widths = [...account.matchAll(/width="([\d.]+)%" height="14"\/>/g)].map(([, width]) => Number(width))
  const full = widths.reduce((sum, width) => sum + width, 0)
  assert.ok(full > 5 && full < 10, `${full} % of the bar are full`)
})
