import type { JobStatus } from '../../index.ts'
import { command } from '../command.ts'
import { TALK } from '../options.ts'

export const showStatus = command({
  name: 'status',
  arguments: '[directory]',
  section: 'Jobs',
  summary: 'Show the state of a job, or of all jobs in a directory (default .headrace)',
  examples: [
    'headrace status',
    'headrace status .headrace/update-users-20260801T101500-a1',
    'headrace status jobs',
    'headrace status --json',
  ],
  options: TALK,
  async run([directory], flags) {
    const { findJobSpec, jobStatus, listJobs } = await import('../../index.ts')
    const { statusList, statusText } = await import('../../report/statusText.ts')
    const { JOBS } = await import('../runJob.ts')
    const { Talk } = await import('../talk.ts')
    const talk = new Talk(flags)
    const parent = directory ?? JOBS
    const { jobs, damaged } =
      directory !== undefined && findJobSpec(directory) !== undefined ? { jobs: [], damaged: [] } : listJobs(parent)
    // One that is neither a job nor has any is told as a job that cannot be read.
    if (directory !== undefined && jobs.length === 0 && damaged.length === 0) {
      const status = jobStatus(directory)
      if (flags.json === true) talk.event('job', eventOf(status))
      else talk.show(statusText(status))
      return
    }
    for (const { error } of damaged) talk.warn(`skipped: ${error.message}`)
    if (flags.json === true) for (const job of jobs) talk.event('job', eventOf(job))
    else
      talk.show(
        jobs.length === 0
          ? `no jobs in ${parent}. For jobs that lie elsewhere (--job): headrace status DIRECTORY`
          : statusList(jobs),
      )
  },
})

function eventOf({ directory, spec, state, undone, holder, checkpoint, summary }: JobStatus): object {
  const { tally, spent, savedAt, runs } = checkpoint ?? {}
  const { operation, table } = spec.what
  return { directory, operation, table: table.arn, state, undone, holder, savedAt, runs, tally, spent, summary }
}
