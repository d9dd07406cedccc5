import { counted } from '../../runtime/counted.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import { command } from '../command.ts'
import { option } from '../option.ts'
import {
  allowUnknownAttributes,
  COMMON,
  keepOld,
  maxInFlight,
  PLANNING,
  READ_AND_WRITE_RATES,
  READING,
  readOptions,
  STATE,
  threads,
  writeOptions,
  yes,
} from '../options.ts'

export const deleteItems = command({
  name: 'delete',
  arguments: '<table>',
  section: 'Change items',
  summary: 'Delete the items that match a filter, or all of them',
  examples: [
    `headrace delete sessions --where "expires < 1700000000"`,
    'headrace delete staging-users --all --yes',
    `headrace delete users --where "attribute_not_exists(email)" --rate 200 --max-duration 8h`,
  ],
  options: [
    option('--all', { group: 'Common options', description: 'delete every item; instead of --where' }),
    yes,
    ...PLANNING,
    ...READING,
    allowUnknownAttributes,
    keepOld,
    ...READ_AND_WRITE_RATES,
    ...STATE,
    maxInFlight,
    threads,
    ...COMMON,
  ],
  async run([name], flags) {
    const { deleteAll } = await import('../../index.ts')
    const { confirm } = await import('../confirm.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    if ((flags.where === undefined) === (flags.all !== true))
      throw new TypeError('nothing to delete: pass --where EXPRESSION, or --all for every item')
    const database = openDatabase(flags)
    const table = database.table(name)
    const options = {
      ...readOptions(flags),
      ...writeOptions(flags),
      keepOld: flags.keepOld,
      allowUnknownAttributes: flags.allowUnknownAttributes,
    }
    try {
      // A filter that is not valid fails here, before anybody is asked.
      deleteAll(table, options)
      const { arn, itemCount, deletionProtection } = await table.describe()
      if (flags.where === undefined && deletionProtection)
        throw new HeadraceError('REFUSED', `table "${name}" has deletion protection, so it is not emptied either`)
      const which = flags.where === undefined ? 'every item' : `the items where ${flags.where}`
      if (flags.dryRun !== true)
        await confirm(
          `This deletes ${which} of ${arn || name} (the table has about ${counted(itemCount, 'item')})`,
          name,
          flags.yes === true,
        )
    } catch (error) {
      await database.close()
      throw error
    }
    await runJob({
      operation: 'delete',
      table: name,
      flags,
      database,
      rates: options,
      askAgain: ({ sampled, isWhole }) => {
        const items = isWhole ? `all ${counted(sampled, 'item')}` : `all of ${counted(sampled, 'sampled item')}`
        const matched = sampled === 1 ? 'the only item' : items
        return confirm(`The filter matches ${matched}: this may delete everything in ${name}`, name, flags.yes === true)
      },
      make: (made) => deleteAll(table, { ...options, ...made }),
    })
  },
})
