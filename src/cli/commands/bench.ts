import { command } from '../command.ts'
import { option, withDefault } from '../option.ts'
import { COMMON, TALK } from '../options.ts'
import { rateOf, wholeFrom, wholeNumbers } from '../values.ts'

const items = withDefault(
  option('--items <n>', { group: 'Common options', description: 'items in the table', parse: wholeFrom(1) }),
  50_000,
)
const itemBytes = withDefault(
  option('--item-bytes <n>', { group: 'Common options', description: 'size of an item', parse: wholeFrom(100) }),
  200,
)

export const benchStrategiesCommand = command({
  name: 'bench strategies',
  arguments: '',
  section: 'Learn and try',
  summary: 'Compare ways to add an attribute to every item',
  description:
    'One by one, with a batch writer, with producers and consumers, in several processes, and with Headrace. Uses an embedded store unless you name an endpoint; creates a table and drops it.',
  examples: [
    'headrace bench strategies',
    'headrace bench strategies --items 50000 --producers 1,4 --consumers 1,10 --rounds 3',
    'headrace bench strategies --endpoint-url http://localhost:8000 --out bench',
  ],
  options: [
    items,
    itemBytes,
    withDefault(
      option('--producers <list>', {
        group: 'Common options',
        description: 'numbers of segments to read at once',
        parse: wholeNumbers,
      }),
      [1, 2, 4, 8],
    ),
    withDefault(
      option('--consumers <list>', {
        group: 'Common options',
        description: 'numbers of batches to write at once',
        parse: wholeNumbers,
      }),
      [1, 5, 10],
    ),
    option('--processes <n>', {
      group: 'Common options',
      description: 'processes, where there are several',
      defaultText: 'one per core',
      parse: wholeFrom(1),
    }),
    withDefault(
      option('--rounds <n>', {
        group: 'Common options',
        description: 'runs of each way, in turn; the fastest counts',
        parse: wholeFrom(1),
      }),
      3,
    ),
    withDefault(
      option('--out <directory>', { group: 'Output', description: 'directory for strategies.json and strategies.svg' }),
      '.',
    ),
    option('--yes', { group: 'Common options', description: 'do not ask before writing to a remote DynamoDB' }),
    ...COMMON,
  ],
  async run(_, flags) {
    const { benchStrategies } = await import('../benchStrategies.ts')
    await benchStrategies(flags)
  },
})

export const benchCapacityCommand = command({
  name: 'bench capacity',
  arguments: '',
  section: 'Learn and try',
  summary: 'Show how long an update takes on tables of different capacity',
  description: 'Runs against the simulator in virtual time: an hour in seconds.',
  examples: [
    'headrace bench capacity',
    'headrace bench capacity --items 50000 --units 100,200,500,1000 --rate 100%',
    'headrace bench capacity --items 200000 --item-bytes 3000 --out bench',
  ],
  options: [
    items,
    itemBytes,
    withDefault(
      option('--units <list>', {
        group: 'Common options',
        description: 'read and write capacity units of the tables',
        parse: wholeNumbers,
      }),
      [100, 200, 500, 1_000],
    ),
    withDefault(
      option('--rate <rate>', {
        group: 'Limits',
        description: 'capacity units per second, or a share of the capacity',
        parse: rateOf,
      }),
      '80%',
    ),
    withDefault(option('--seed <n>', { group: 'Common options', description: 'random seed', parse: wholeFrom(0) }), 1),
    withDefault(
      option('--out <directory>', { group: 'Output', description: 'directory for capacity.json and capacity.svg' }),
      '.',
    ),
    ...TALK,
  ],
  async run(_, flags) {
    const { benchCapacity } = await import('../benchCapacity.ts')
    await benchCapacity(flags)
  },
})
