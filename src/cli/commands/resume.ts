import { command } from '../command.ts'
import { COMMON, LIMITS, maxInFlight, READ_AND_WRITE_RATES, SHOWING, threads } from '../options.ts'

export const resumeJob = command({
  name: 'resume',
  arguments: '<directory>',
  section: 'Jobs',
  summary: 'Resume a job that was stopped, or whose process died',
  description:
    'What is already written is not written again. Options given here replace those the job was started with.',
  examples: [
    'headrace resume .headrace/update-users-20260801T101500-a1',
    'headrace resume .headrace/update-users-20260801T101500-a1 --rate 500 --max-duration 8h',
    'headrace resume jobs/nightly --json',
  ],
  options: [...READ_AND_WRITE_RATES, ...LIMITS, ...SHOWING, maxInFlight, threads, ...COMMON],
  async run([directory], flags) {
    const { connect, inThreads, jobSpec, resume } = await import('../../index.ts')
    const { openAgain } = await import('../openAgain.ts')
    const { runJob } = await import('../runJob.ts')
    const spec = jobSpec(directory)
    const { threads = 1, ...rest } = flags
    const database = openAgain(spec, flags)
    const readRate = flags.readRate ?? flags.rate
    const writeRate = flags.writeRate ?? flags.rate
    const rates = {
      readUnitsPerSecond: readRate,
      writeUnitsPerSecond: writeRate,
    }
    await runJob({
      operation: spec.what.operation,
      table: spec.what.table.name,
      flags: { ...rest, job: directory },
      database,
      rates,
      readsStdin: spec.what.sources?.some(({ name }) => name === '-') === true,
      make: (made) => {
        const maxInFlight = flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }
        if (threads === 1) return resume(directory, { database, ...made, ...rates, ...maxInFlight })
        const { target } = spec.what
        const there = target === undefined ? {} : { target: connect(target.connection) }
        const job = inThreads(spec, { threads, database, ...there, ...made, ...maxInFlight })
        job.setRates(rates)
        return job
      },
    })
  },
})
