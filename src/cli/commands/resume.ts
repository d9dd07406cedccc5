import { connect, jobSpec, type Rate, resume } from '../../index.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
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
  const { connection, name } = spec.what.table
  // The SDK reads a profile's endpoint only for the profile in the environment.
  const profile = flags.profile ?? connection.profile
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile
  const endpoint = flags.endpointUrl ?? connection.endpoint
  const database = connect({
    ...connection,
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    ...(flags.allowInsecureEndpoint === true ? { allowInsecureEndpoint: true } : {}),
  })
  const readRate = flags.readRate ?? flags.rate
  const writeRate = flags.writeRate ?? flags.rate
  const rates = {
    ...(readRate === undefined ? {} : { readUnitsPerSecond: readRate }),
    ...(writeRate === undefined ? {} : { writeUnitsPerSecond: writeRate }),
  }
  await runJob({
    operation: spec.what.operation,
    table: name,
    flags: { ...flags, job: directory },
    database,
    rates,
    make: (onReject) =>
      resume(directory, {
        database,
        onReject,
        ...rates,
        ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
      }),
  })
}
