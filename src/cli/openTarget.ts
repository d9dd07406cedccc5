import type { Database } from '../index.ts'
import { openDatabase } from './openDatabase.ts'
import type { ConnectionFlags } from './options.ts'

export interface TargetFlags {
  targetRegion?: string | undefined
  targetProfile?: string | undefined
  targetEndpointUrl?: string | undefined
}

/** Where the second table of a command is: the first one's database, unless flags name another. Closed by the caller. */
export async function openTarget(flags: ConnectionFlags & TargetFlags, database: Database): Promise<Database> {
  const { targetRegion, targetProfile, targetEndpointUrl } = flags
  if ([targetRegion, targetProfile, targetEndpointUrl].every((flag) => flag === undefined)) return database
  // A profile's own endpoint is looked up by the profile in the environment, which is then the target's. What fails here
  // is told by the work.
  await database.open().catch(() => undefined)
  return openDatabase({
    ...flags,
    region: targetRegion ?? flags.region,
    profile: targetProfile ?? flags.profile,
    endpointUrl: targetEndpointUrl ?? flags.endpointUrl,
  })
}
