import type { ProbeResult } from './probe.ts'

export interface ReportHead {
  readonly headraceVersion: string
  readonly nodeVersion: string
  readonly region: string
  /** Whether it is an endpoint of AWS. */
  readonly isAws: boolean
  /** As of `Clock.wallNow`. */
  readonly wallMs: number
}

/** What a probe has seen, as Markdown for an issue: without account ids and without anything of the user's tables. */
export function probeReport(head: ReportHead, results: readonly ProbeResult[]): string {
  const rows = results.map(({ expectation, observation }) => {
    const { value, detail } = observation
    const state = value === undefined ? 'not checked' : value === expectation.expected ? 'ok' : 'differs'
    return [expectation.check, state, expectation.expected, value ?? '', detail ?? '']
  })
  return [
    '### headrace doctor --probe',
    '',
    `- Headrace ${head.headraceVersion}, Node ${head.nodeVersion}`,
    `- region ${head.region}, ${head.isAws ? 'DynamoDB on AWS' : 'another endpoint'}`,
    `- ${new Date(head.wallMs).toISOString()}`,
    '',
    ...[['check', 'result', 'expected', 'observed', 'message'], Array(5).fill('---'), ...rows].map(
      (cells) => `| ${cells.map(cell).join(' | ')} |`,
    ),
  ].join('\n')
}

const CELL_CHARS_MAX = 300

/** In one line, without what names an account or breaks the table. */
function cell(text: string): string {
  const clean = text
    .replace(/arn:[\w-]+:[^\s"'|]*/g, 'ARN')
    .replace(/(?<!\d)\d{12}(?!\d)/g, 'ACCOUNT')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
  return clean.length > CELL_CHARS_MAX ? `${clean.slice(0, CELL_CHARS_MAX)}…` : clean
}
