import { connect, inThreads, jobSpec, type Rate, resume } from '../../index.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
import { openAgain } from '../openAgain.ts'
import type { CommonFlags, JobFlags, ThreadFlags, WriteFlags } from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

/** `headrace resume` */
export async function resumeCommand(
  directory: string,
  flags: CommonFlags & JobFlags & WriteFlags & ThreadFlags & { readRate?: Rate },
): Promise<void> {
  let spec: ReturnType<typeof jobSpec>
  try {
    spec = jobSpec(directory)
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = error instanceof TypeError ? EXIT.usage : exitCodeOf(error)
    return
  }
  const { threads = 1, ...rest } = flags
  const database = openAgain(spec, flags)
  const readRate = flags.readRate ?? flags.rate
  const writeRate = flags.writeRate ?? flags.rate
  const rates = {
    ...(readRate === undefined ? {} : { readUnitsPerSecond: readRate }),
    ...(writeRate === undefined ? {} : { writeUnitsPerSecond: writeRate }),
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
}
