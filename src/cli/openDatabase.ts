import { type ConnectOptions, connect, type Database } from '../index.ts'
import type { ConnectionFlags } from './options.ts'

/** The database that the flags, the environment and the profile name. */
export function openDatabase(flags: ConnectionFlags): Database {
  return connect(connectionOptions(flags))
}

/** What the flags say about the connection. A profile among them holds for the whole process. */
export function connectionOptions(flags: ConnectionFlags): ConnectOptions {
  // The SDK reads a profile's endpoint only for the profile in the environment.
  if (flags.profile !== undefined) process.env['AWS_PROFILE'] = flags.profile
  return {
    region: flags.region,
    profile: flags.profile,
    endpoint: flags.endpointUrl,
    ...(flags.allowInsecureEndpoint === true ? { allowInsecureEndpoint: true } : {}),
  }
}
