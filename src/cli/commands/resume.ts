import { jobSpec, type Rate, resume } from '../../index.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
import { openAgain } from '../openAgain.ts'
import type { CommonFlags, JobFlags, WriteFlags } from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

/** `headrace resume` */
export async function resumeCommand(
  directory: string,
  flags: CommonFlags & JobFlags & WriteFlags & { readRate?: Rate },
): Promise<void> {
  let spec: ReturnType<typeof jobSpec>
  try {
    spec = jobSpec(directory)
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = error instanceof TypeError ? EXIT.usage : exitCodeOf(error)
    return
  }
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
    flags: { ...flags, job: directory },
    database,
    rates,
    readsStdin: spec.what.sources?.some(({ name }) => name === '-') === true,
    make: (made) =>
      resume(directory, {
        database,
        ...made,
        ...rates,
        ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
      }),
  })
}
