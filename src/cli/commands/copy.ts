import { counted } from '../../runtime/counted.ts'
import { command } from '../command.ts'
import {
  COMMON,
  ifExists,
  ifExistsOf,
  keepOld,
  maxInFlight,
  PLANNING,
  READ_AND_WRITE_RATES,
  READING,
  readOptions,
  STATE,
  TARGET,
  threads,
  transform,
  transformOption,
  writeOptions,
} from '../options.ts'

export const copyTable = command({
  name: 'copy',
  arguments: '<source> <target>',
  section: 'Change items',
  summary: 'Copy the items of a table into another',
  description:
    'The target may be in another region or account. The source is only read. Items that only the target has stay.',
  examples: [
    'headrace copy users users-v2',
    'headrace copy orders orders --target-region eu-central-1 --rate 50%',
    'headrace copy users staging-users --target-profile staging --transform scrub.ts',
  ],
  options: [
    ...PLANNING,
    ...READING,
    ifExists,
    transform,
    keepOld,
    ...READ_AND_WRITE_RATES,
    ...STATE,
    maxInFlight,
    threads,
    ...TARGET,
    ...COMMON,
  ],
  async run([source, target], flags) {
    const { copy } = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { openTarget } = await import('../openTarget.ts')
    const { runJob } = await import('../runJob.ts')
    const database = openDatabase(flags)
    const there = await openTarget(flags, database)
    const options = {
      ...readOptions(flags),
      ...writeOptions(flags),
      ...transformOption(flags),
      ...(flags.keepOld === true ? { keepOld: true } : {}),
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
  },
})
