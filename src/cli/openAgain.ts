import { connect, type Database, type JobSpec } from '../index.ts'
import type { ConnectionFlags } from './options.ts'

/** The database that a job has used, by the way it took then unless flags say otherwise. */
export function openAgain({ what }: JobSpec, flags: ConnectionFlags): Database {
  const { connection } = what.table
  const profile = flags.profile ?? connection.profile
  // The SDK reads a profile's endpoint only for the profile in the environment.
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile
  const endpoint = flags.endpointUrl ?? connection.endpoint
  return connect({
    ...connection,
    profile,
    endpoint,
    region: flags.region ?? connection.region,
    ...(flags.allowInsecureEndpoint === true ? { allowInsecureEndpoint: true } : {}),
  })
}
