import type { TableDescription, TableFacts, Told } from '../../index.ts'
import { formatCount } from '../../report/figures.ts'
import { counted } from '../../runtime/counted.ts'
import { command } from '../command.ts'
import { option, required } from '../option.ts'
import { COMMON, type CommonFlags, yes } from '../options.ts'
import type { Talk } from '../talk.ts'
import { keySchema, wholeFrom } from '../values.ts'

export const createTableCommand = command({
  name: 'table create',
  arguments: '<table>',
  section: 'Tables',
  summary: 'Create a table and wait until it is ACTIVE',
  examples: [
    'headrace table create users --key id:S',
    'headrace table create orders --key customer:S,number:N --read-units 100 --write-units 500',
    'headrace table create orders --key customer:S,number:N --replace --yes',
  ],
  options: [
    required(
      option('--key <key>', {
        group: 'Common options',
        description: 'partition key and sort key with their types, such as id:S or customer:S,number:N',
        library: 'key',
        parse: keySchema,
      }),
    ),
    option('--read-units <n>', {
      group: 'Common options',
      description: 'provisioned read capacity units (RCU/s)',
      defaultText: 'on-demand',
      library: 'readUnitsPerSecond',
      parse: wholeFrom(1),
    }),
    option('--write-units <n>', {
      group: 'Common options',
      description: 'provisioned write capacity units (WCU/s)',
      defaultText: 'on-demand',
      library: 'writeUnitsPerSecond',
      parse: wholeFrom(1),
    }),
    option('--replace', {
      group: 'Common options',
      description: 'drop an existing table of this name, and everything in it, first',
      library: 'replace',
    }),
    yes,
    ...COMMON,
  ],
  async run([name], flags) {
    const { createTable } = await import('../../index.ts')
    const { confirm } = await import('../confirm.ts')
    const { key, readUnits, writeUnits, replace } = flags
    if (replace === true) await confirm(`This drops table "${name}" and everything in it`, name, flags.yes === true)
    await withDatabase(flags, async (talk, database) => {
      const description = await createTable(database, name, {
        key,
        readUnitsPerSecond: readUnits,
        writeUnitsPerSecond: writeUnits,
        replace,
      })
      talk.event('created', description)
      talk.say(`created ${describeInWords(description)}`)
    })
  },
})

export const dropTableCommand = command({
  name: 'table drop',
  arguments: '<table>',
  section: 'Tables',
  summary: 'Drop a table and everything in it',
  examples: [
    'headrace table drop users',
    'headrace table drop users --yes',
    'headrace table drop users --yes --endpoint-url http://localhost:8000',
  ],
  options: [yes, ...COMMON],
  async run([name], flags) {
    const { dropTable } = await import('../../index.ts')
    const { confirm } = await import('../confirm.ts')
    await confirm(`This drops table "${name}" and everything in it`, name, flags.yes === true)
    await withDatabase(flags, async (talk, database) => {
      const found = await dropTable(database, name)
      talk.event('dropped', { name, found })
      talk.say(found ? `dropped ${name}` : `there was no table ${name}`)
    })
  },
})

export const listTablesCommand = command({
  name: 'table list',
  arguments: '',
  section: 'Tables',
  summary: 'List the tables of the account in the region',
  examples: [
    'headrace table list',
    'headrace table list --json',
    'headrace table list --profile production --region eu-west-1',
  ],
  options: COMMON,
  async run(_arguments, flags) {
    const { listTables } = await import('../../index.ts')
    await withDatabase(flags, async (talk, database) => {
      let count = 0
      for await (const name of listTables(database)) {
        count += 1
        if (flags.json === true) talk.event('table', { name })
        else talk.show(name)
      }
      if (flags.json === true) talk.event('done', { operation: 'table list', tables: count })
      else if (count === 0) talk.say('no tables here. Check --region, --profile and --endpoint-url')
    })
  },
})

export const describeTableCommand = command({
  name: 'table describe',
  arguments: '<table>',
  section: 'Tables',
  summary: 'Show what DynamoDB knows about a table',
  examples: [
    'headrace table describe users',
    'headrace table describe users --json',
    'headrace table describe users --profile production --region eu-west-1',
  ],
  options: COMMON,
  async run([name], flags) {
    await withDatabase(flags, async (talk, database) => {
      const { askTableFacts } = await import('../../index.ts')
      const facts = await askTableFacts(database.table(name), { patienceMs: 20_000 })
      if (flags.json === true) talk.event('table', eventOf(facts))
      else talk.show(`${describeInWords(facts.description)}\n${factsInWords(facts)}`)
    })
  },
})

export const waitForTableCommand = command({
  name: 'table wait',
  arguments: '<table>',
  section: 'Tables',
  summary: 'Wait until a table is ACTIVE',
  examples: ['headrace table wait users', 'headrace table wait users --quiet', 'headrace table wait users --json'],
  options: COMMON,
  async run([name], flags) {
    const { waitForTable } = await import('../../index.ts')
    await withDatabase(flags, async (talk, database) => {
      const description = await waitForTable(database, name)
      talk.event('table', description)
      talk.say(`${name} is ${description.status}`)
    })
  },
})

type Database = ReturnType<typeof import('../openDatabase.ts')['openDatabase']>

async function withDatabase(
  flags: CommonFlags,
  work: (talk: Talk, database: Database) => Promise<void>,
): Promise<void> {
  const { openDatabase } = await import('../openDatabase.ts')
  const { Talk } = await import('../talk.ts')
  const database = openDatabase(flags)
  try {
    await work(new Talk(flags), database)
  } finally {
    await database.close()
  }
}

/** What is not known is left out, and `missingActions` says which rights would tell. */
function eventOf({ description, timeToLiveAttribute, hasPointInTimeRecovery, kinesisStreams }: TableFacts): object {
  const missingActions = [timeToLiveAttribute, hasPointInTimeRecovery, kinesisStreams].flatMap((told) =>
    told.isKnown || told.missingAction === undefined ? [] : [told.missingAction],
  )
  return {
    ...description,
    ...(timeToLiveAttribute.isKnown ? { timeToLiveAttribute: timeToLiveAttribute.value ?? null } : {}),
    ...(hasPointInTimeRecovery.isKnown ? { hasPointInTimeRecovery: hasPointInTimeRecovery.value } : {}),
    ...(kinesisStreams.isKnown ? { kinesisStreams: kinesisStreams.value } : {}),
    missingActions,
  }
}

/** What is asked for in calls of their own. */
function factsInWords({ description, ...facts }: TableFacts): string {
  const told = <Value>(answer: Told<Value>, words: (value: Value) => string): string =>
    answer.isKnown ? words(answer.value) : `not known: ${answer.why}`
  const stream = description.hasStream ? 'DynamoDB stream' : 'no DynamoDB stream'
  const rows = [
    [
      'time to live',
      told(facts.timeToLiveAttribute, (attribute) => (attribute === undefined ? 'off' : `attribute ${attribute}`)),
    ],
    ['point-in-time recovery', told(facts.hasPointInTimeRecovery, (isOn) => (isOn ? 'on' : 'off'))],
    ['deletion protection', description.deletionProtection ? 'on' : 'off'],
    ['streams', `${stream}; Kinesis: ${told(facts.kinesisStreams, (streams) => `${streams}`)}`],
    ['replicas', description.replicas.length === 0 ? 'none' : description.replicas.join(', ')],
  ]
  return rows.map(([label, value]) => `  ${label!.padEnd(22)}  ${value}`).join('\n')
}

function describeInWords(table: TableDescription): string {
  const { key } = table
  const sort = key.sort === undefined ? '' : `, ${key.sort.name}:${key.sort.type}`
  const capacity =
    table.billing === 'on demand'
      ? 'on-demand'
      : `${formatCount(table.readUnitsPerSecond)} RCU/s, ${formatCount(table.writeUnitsPerSecond)} WCU/s`
  const rows = [
    ['key', `${key.partition.name}:${key.partition.type}${sort}`],
    ['status', table.status],
    ['capacity', capacity],
    [
      'items',
      `${formatCount(table.itemCount)}, ${counted(table.sizeBytes, 'byte')} (as of the last count by DynamoDB, up to six hours ago)`,
    ],
    [
      'indexes',
      table.indexes.length === 0
        ? 'none'
        : table.indexes.map(({ name, status }) => (status === '' ? name : `${name} (${status})`)).join(', '),
    ],
    ['arn', table.arn],
  ]
  return [table.name, ...rows.map(([label, value]) => `  ${label!.padEnd(22)}  ${value}`)].join('\n')
}
