import { createTable, dropTable, type TableDescription, waitForTable } from '../../index.ts'
import { formatCount } from '../../report/figures.ts'
import { counted } from '../../runtime/counted.ts'
import { confirm } from '../confirm.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import type { CommonFlags, keySchema } from '../options.ts'
import { Talk } from '../talk.ts'

type Key = ReturnType<typeof keySchema>

/** `headrace table create` */
export async function create(
  name: string,
  flags: CommonFlags & { key: Key; readUnits?: number; writeUnits?: number; replace?: boolean; yes?: boolean },
): Promise<void> {
  await withDatabase(flags, async (talk, database) => {
    if (flags.replace === true)
      await confirm(`This drops table "${name}" with everything in it`, name, flags.yes === true)
    const { key, readUnits, writeUnits, replace } = flags
    const description = await createTable(database, name, {
      key,
      ...(readUnits === undefined ? {} : { readUnitsPerSecond: readUnits }),
      ...(writeUnits === undefined ? {} : { writeUnitsPerSecond: writeUnits }),
      ...(replace === undefined ? {} : { replace }),
    })
    talk.event('created', description)
    talk.say(`created ${describeInWords(description)}`)
  })
}

/** `headrace table drop` */
export async function drop(name: string, flags: CommonFlags & { yes?: boolean }): Promise<void> {
  await withDatabase(flags, async (talk, database) => {
    await confirm(`This drops table "${name}" with everything in it`, name, flags.yes === true)
    const found = await dropTable(database, name)
    talk.event('dropped', { name, found })
    talk.say(found ? `dropped ${name}` : `there was no table ${name}`)
  })
}

/** `headrace table describe` */
export async function describe(name: string, flags: CommonFlags): Promise<void> {
  await withDatabase(flags, async (talk, database) => {
    const description = await database.table(name).describe()
    if (flags.json === true) talk.event('table', description)
    else talk.show(describeInWords(description))
  })
}

/** `headrace table wait` */
export async function wait(name: string, flags: CommonFlags): Promise<void> {
  await withDatabase(flags, async (talk, database) => {
    const description = await waitForTable(database, name)
    talk.event('table', description)
    talk.say(`${name} is ${description.status}`)
  })
}

async function withDatabase(
  flags: CommonFlags,
  work: (talk: Talk, database: ReturnType<typeof openDatabase>) => Promise<void>,
): Promise<void> {
  const talk = new Talk(flags)
  const database = openDatabase(flags)
  try {
    await work(talk, database)
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  } finally {
    await database.close()
  }
}

function describeInWords(table: TableDescription): string {
  const { key } = table
  const sort = key.sort === undefined ? '' : `, ${key.sort.name}:${key.sort.type}`
  const capacity =
    table.billing === 'on demand'
      ? 'on demand'
      : `${formatCount(table.readUnitsPerSecond)} read and ${formatCount(table.writeUnitsPerSecond)} write units a second`
  const rows = [
    ['key', `${key.partition.name}:${key.partition.type}${sort}`],
    ['status', table.status],
    ['capacity', capacity],
    [
      'items',
      `${formatCount(table.itemCount)}, ${counted(table.sizeBytes, 'byte')} (as the service last looked, up to six hours ago)`,
    ],
    ['indexes', table.indexes.length === 0 ? 'none' : table.indexes.map(({ name }) => name).join(', ')],
    ['arn', table.arn],
  ]
  return [table.name, ...rows.map(([label, value]) => `  ${label!.padEnd(8)}  ${value}`)].join('\n')
}
