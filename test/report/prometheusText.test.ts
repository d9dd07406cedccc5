import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prometheusText } from '../../src/report/prometheusText.ts'
import { summary } from '../support/summary.ts'

test('a job is told as Prometheus reads it, and what is not known is left out', () => {
  const text = prometheusText(
    summary({
      operation: 'update',
      table: 'we"ird\\\n',
      written: 12,
      rejected: 1,
      readUnits: 3.5,
      writeUnitsPerSecondAllowed: 800,
      throttlingReasons: { TableWriteKeyRangeThroughputExceeded: 4 },
      share: 0.25,
      durationMs: 1_500,
    }),
  )
  const labels = 'operation="update",table="we\\"ird\\\\\\n"'
  for (const line of [
    '# TYPE headrace_items_total counter',
    `headrace_items_total{${labels},ending="written"} 12`,
    `headrace_items_total{${labels},ending="rejected"} 1`,
    `headrace_consumed_capacity_units_total{${labels},direction="read"} 3.5`,
    `headrace_allowed_capacity_units{${labels},direction="write"} 800`,
    `headrace_throttling_reasons_total{${labels},reason="TableWriteKeyRangeThroughputExceeded"} 4`,
    `headrace_done_ratio{${labels}} 0.25`,
    `headrace_duration_seconds_total{${labels}} 1.5`,
  ])
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`)
  assert.doesNotMatch(text, /Infinity|undefined|NaN|direction="read"} Inf|headrace_segments|headrace_cost/)
  // Each line is a comment or a sample, each family is told once, and the last line ends.
  const names = [...text.matchAll(/^# TYPE (\S+) (?:counter|gauge)$/gm)].map(([, name]) => name)
  assert.equal(new Set(names).size, names.length)
  for (const line of text.trimEnd().split('\n'))
    assert.match(
      line,
      /^(?:# (?:HELP|TYPE) .+|[a-z_]+\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\} [\d.e+-]+)$/,
    )
  assert.ok(text.endsWith('\n'))
})
