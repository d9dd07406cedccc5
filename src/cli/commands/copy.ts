import { copy } from '../../index.ts'
import { formatCount } from '../../report/figures.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  transformOption,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'

interface TargetFlags {
  targetRegion?: string
  targetProfile?: string
  targetEndpointUrl?: string
  transform?: string
}

/** `headrace copy` */
export async function copyCommand(
  source: string,
  target: string,
  flags: CommonFlags & JobFlags & PlanFlags & WriteFlags & ReadFlags & TargetFlags,
): Promise<void> {
  const database = openDatabase(flags)
  const { targetRegion, targetProfile, targetEndpointUrl } = flags
  // A profile's own endpoint is looked up by the profile in the environment, which is then the target's. What fails here
  // is told by the job.
  await database.open().catch(() => undefined)
  const elsewhere = [targetRegion, targetProfile, targetEndpointUrl].some((flag) => flag !== undefined)
  const there = elsewhere
    ? openDatabase({
        ...flags,
        ...(targetRegion === undefined ? {} : { region: targetRegion }),
        ...(targetProfile === undefined ? {} : { profile: targetProfile }),
        ...(targetEndpointUrl === undefined ? {} : { endpointUrl: targetEndpointUrl }),
      })
    : database
  const options = { ...readOptions(flags), ...writeOptions(flags), ...transformOption(flags) }
  try {
    await runJob({
      operation: 'copy',
      table: source,
      flags,
      database,
      rates: options,
      warn: async (say) => {
        const { itemCount } = await there.table(target).describe()
        if (itemCount > 0)
          say(`${target} holds about ${formatCount(itemCount)} items; those of the same keys are replaced`)
      },
      make: (made) => copy(database.table(source), there.table(target), { ...options, ...made }),
    })
  } finally {
    await there.close()
  }
}
