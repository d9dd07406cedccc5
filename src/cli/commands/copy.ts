import { copy } from '../../index.ts'
import { counted } from '../../runtime/counted.ts'
import { openDatabase } from '../openDatabase.ts'
import { openTarget, type TargetFlags } from '../openTarget.ts'
import {
  type CommonFlags,
  type IfExistsFlags,
  ifExistsOf,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  transformOption,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'

/** `headrace copy` */
export async function copyCommand(
  source: string,
  target: string,
  flags: CommonFlags &
    JobFlags &
    PlanFlags &
    WriteFlags &
    ReadFlags &
    TargetFlags &
    IfExistsFlags & { transform?: string; keepOld?: boolean },
): Promise<void> {
  const database = openDatabase(flags)
  const there = await openTarget(flags, database)
  const keepOld = flags.keepOld === true ? { keepOld: true } : {}
  const options = {
    ...readOptions(flags),
    ...writeOptions(flags),
    ...transformOption(flags),
    ...keepOld,
    ...ifExistsOf(flags),
  }
  try {
    await runJob({
      operation: 'copy',
      table: source,
      flags,
      database,
      target: there,
      rates: options,
      warn: async (say) => {
        const { itemCount } = await there.table(target).describe()
        if (itemCount > 0 && (flags.ifExists ?? 'overwrite') === 'overwrite')
          say(`${target} holds about ${counted(itemCount, 'item')}; those with the same keys are overwritten`)
      },
      make: (made) => copy(database.table(source), there.table(target), { ...options, ...made }),
    })
  } finally {
    await there.close()
  }
}
