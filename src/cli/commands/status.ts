import { type JobStatus, jobStatus, listJobs } from '../../index.ts'
import { statusList, statusText } from '../../report/statusText.ts'
import { exitCodeOf } from '../exitCode.ts'
import { JOBS } from '../runJob.ts'
import { Talk, type TalkOptions } from '../talk.ts'

/** `headrace status`: of one job, or of all in `.headrace`. */
export async function statusCommand(directory: string | undefined, flags: TalkOptions): Promise<void> {
  const talk = new Talk(flags)
  try {
    if (directory !== undefined) {
      const status = jobStatus(directory)
      if (flags.json === true) talk.event('job', eventOf(status))
      else talk.show(statusText(status))
      return
    }
    const { jobs, damaged } = listJobs(JOBS)
    for (const { error } of damaged) {
      talk.say(`passed over: ${error.message}`)
      talk.event('warning', { message: error.message })
    }
    if (flags.json === true) for (const job of jobs) talk.event('job', eventOf(job))
    else talk.show(jobs.length === 0 ? `no jobs in ${JOBS}` : statusList(jobs))
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}

function eventOf({ directory, spec, state, undone, holder, checkpoint, summary }: JobStatus): object {
  const { tally, spent, savedAt, runs } = checkpoint ?? {}
  const { operation, table } = spec.what
  return { directory, operation, table: table.arn, state, undone, holder, savedAt, runs, tally, spent, summary }
}
