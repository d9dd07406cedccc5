import { deleteAll, HeadraceError } from '../../index.ts'
import { counted } from '../../runtime/counted.ts'
import { confirm } from '../confirm.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

/** `headrace delete` */
export async function deleteCommand(
  name: string,
  flags: CommonFlags &
    JobFlags &
    WriteFlags &
    ReadFlags &
    PlanFlags & { yes?: boolean; all?: boolean; keepOld?: boolean; allowUnknownAttributes?: boolean },
): Promise<void> {
  const database = openDatabase(flags)
  const table = database.table(name)
  const options = {
    ...readOptions(flags),
    ...writeOptions(flags),
    ...(flags.keepOld === undefined ? {} : { keepOld: flags.keepOld }),
    ...(flags.allowUnknownAttributes === undefined ? {} : { allowUnknownAttributes: flags.allowUnknownAttributes }),
  }
  try {
    if ((flags.where === undefined) === (flags.all !== true)) {
      throw new TypeError('say which items: --where EXPRESSION, or --all for every one')
    }
    // Nobody is asked about a filter that is not valid.
    deleteAll(table, options)
    const { arn, itemCount, deletionProtection } = await table.describe()
    if (flags.where === undefined && deletionProtection) {
      throw new HeadraceError('REFUSED', `table "${name}" is protected from deletion, so it is not emptied either`)
    }
    const which = flags.where === undefined ? 'every item' : `the items where ${flags.where}`
    if (flags.dryRun !== true)
      await confirm(
        `This deletes ${which} of ${arn || name} (about ${counted(itemCount, 'item')})`,
        name,
        flags.yes === true,
      )
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
    await database.close()
    return
  }
  await runJob({
    operation: 'delete',
    table: name,
    flags,
    database,
    rates: options,
    askAgain: ({ sampled, isWhole }) => {
      const items = isWhole ? `all ${counted(sampled, 'item')}` : `all of ${counted(sampled, 'sampled item')}`
      const does = `The filter matches ${sampled === 1 ? 'the one item there is' : items}: this may delete everything in ${name}`
      return confirm(does, name, flags.yes === true)
    },
    make: (made) => deleteAll(table, { ...options, ...made }),
  })
}
