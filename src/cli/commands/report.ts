import { join } from 'node:path'
import { command } from '../command.ts'
import { option } from '../option.ts'
import { TALK } from '../options.ts'

export const writeJobReport = command({
  name: 'report',
  arguments: '<directory>',
  section: 'Jobs',
  summary: 'Write a report of a job as one HTML page',
  description:
    'Shows capacity used, items and latency over time, throttling, rejected records, and what became of each item. Works for running jobs too.',
  examples: [
    'headrace report .headrace/update-users-20260801T101500-a1',
    'headrace report jobs/nightly --out nightly.html',
    'headrace report jobs/nightly --out nightly.png',
  ],
  options: [
    option('--out <file>', {
      group: 'Common options',
      description: 'a page (.html), or its chart alone (.svg, .png)',
      defaultText: "report.html in the job's directory",
    }),
    ...TALK,
  ],
  async run([directory], flags) {
    const { Talk } = await import('../talk.ts')
    const { writeReport } = await import('../writeReport.ts')
    const talk = new Talk(flags)
    const { out = join(directory, 'report.html') } = flags
    await writeReport(directory, out)
    talk.say(out)
    talk.event('report', { directory, file: out })
  },
})
