import type { JobHistory } from '../job/jobHistory.ts'
import type { JobStatus } from '../job/jobStatus.ts'
import type { RejectCount } from '../job/rejectCounts.ts'
import { undoneWords } from '../job/undoneMark.ts'
import { doneWords } from './endingWords.ts'
import { jobChart } from './jobChart.ts'
import { chartOf, type JobView, jobSections, titleOf, words } from './jobSections.ts'
import { PAGE_STYLE, sourceHash } from './pageStyle.ts'

/** What a report is made of. */
export interface ReportOptions {
  readonly status: JobStatus
  readonly history: JobHistory
  readonly rejects: readonly RejectCount[]
  /** When it was made, and by which Headrace; for its foot. */
  readonly madeAt: string
  readonly version: string
}

/** A job as one picture. */
export function reportChart({ status, history }: Pick<ReportOptions, 'status' | 'history'>): string {
  const { spec, checkpoint } = status
  return jobChart(chartOf({ spec, checkpoint, history, isLive: false }))
}

/** A job as one page, which needs nothing beside it and runs nothing. Everything that is not ours in it is text. */
export function reportPage({ status, history, rejects, madeAt, version }: ReportOptions): string {
  const { spec, checkpoint, directory } = status
  // Of a job that runs, the last summary is of an earlier run.
  const summary = status.state === 'running' ? undefined : status.summary
  const state = stateOf(status, history)
  const sections = jobSections({ spec, state, checkpoint, summary, history, rejects, isLive: false })
  const policy = `default-src 'none'; style-src ${sourceHash(PAGE_STYLE)}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words(titleOf(spec))}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${[...sections.values()].filter((section) => section !== '').join('\n')}
<footer>Generated ${words(madeAt)} by Headrace ${words(version)} from ${words(directory)}</footer>
</main>
</body>
</html>
`
}

function stateOf({ state, undone, holder, directory, summary }: JobStatus, { runs }: JobHistory): JobView['state'] {
  if (state === 'done') return { kind: 'done', words: summary === undefined ? 'done' : doneWords(summary) }
  if (undone !== undefined && state === 'undone') return { kind: 'done', words: undoneWords(undone) }
  if (state === 'running') return { kind: 'running', words: `running, ${holder}` }
  const goOn = `to resume it: headrace resume ${directory}`
  const end = runs.at(-1)?.end
  return end?.how === 'failed'
    ? { kind: 'failed', words: `failed: ${end.message ?? 'the reason is not recorded'}; ${goOn}` }
    : { kind: 'stopped', words: `stopped; ${goOn}` }
}
