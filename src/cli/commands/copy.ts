import { copy } from '../../index.ts'
import { openDatabase } from '../openDatabase.ts'
import { openTarget, type TargetFlags } from '../openTarget.ts'
import {
  type CommonFlags,
  type JobFlags,
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
  flags: CommonFlags & JobFlags & WriteFlags & ReadFlags & TargetFlags & { transform?: string },
): Promise<void> {
  const database = openDatabase(flags)
  const there = await openTarget(flags, database)
  const options = { ...readOptions(flags), ...writeOptions(flags), ...transformOption(flags) }
  try {
    await runJob({
      operation: 'copy',
      table: source,
      flags,
      database,
      rates: options,
      make: (onReject) => copy(database.table(source), there.table(target), { ...options, onReject }),
    })
  } finally {
    await there.close()
  }
}
