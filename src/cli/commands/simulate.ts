import { command } from '../command.ts'
import { flagOf, option, withDefault } from '../option.ts'
import { TALK } from '../options.ts'
import { wholeFrom } from '../values.ts'

/** What only a served DynamoDB takes. */
const SERVING = [
  option('--write-units <n>', {
    group: 'How to write',
    description: 'with --port: write capacity units of each table and index',
    defaultText: 'as created; 100 with --read-units',
    parse: wholeFrom(1),
  }),
  option('--read-units <n>', {
    group: 'What to read',
    description: 'with --port: read capacity units of each table and index',
    defaultText: 'as created; 100 with --write-units',
    parse: wholeFrom(1),
  }),
  option('--on-demand', { group: 'Limits', description: 'with --port: treat every table as on-demand' }),
  option('--partitions <n>', {
    group: 'Limits',
    description: 'with --port: partitions of each table',
    defaultText: 'as its capacity needs',
    parse: wholeFrom(1),
  }),
  option('--burst-seconds <n>', {
    group: 'Limits',
    description: 'with --port: seconds of unused capacity that are kept for bursts',
    defaultText: '300',
    parse: wholeFrom(0),
  }),
  option('--latency-ms <n>', {
    group: 'Limits',
    description: 'with --port: median latency in milliseconds',
    defaultText: '10',
    parse: wholeFrom(0),
  }),
  option('--faults <faults>', {
    group: 'Limits',
    description:
      'with --port: faults and their shares of all requests, such as "throttle=0.1, reset after=0.02"; docs/guides/simulator.md lists them',
  }),
  option('--upstream <url>', {
    group: 'Limits',
    description: 'with --port: the store behind it, such as http://localhost:8001',
    defaultText: 'an embedded one',
  }),
] as const

export const runSimulator = command({
  name: 'simulate',
  arguments: '',
  section: 'Learn and try',
  summary: 'Simulate a DynamoDB that throttles and fails like the real one',
  description:
    'With --port it serves any client until Ctrl-C. Without, it plays a scenario with Headrace as the client, in virtual time: minutes in seconds.',
  examples: [
    "headrace simulate --port 8000 --write-units 500 --faults 'throttle=0.1, reset after=0.02'",
    'headrace simulate --list',
    'headrace simulate --scenario slow-index --seed 7 --plot slow-index.svg',
  ],
  options: [
    option('--port <port>', {
      group: 'Common options',
      description: 'serve clients on this port; 0 takes any free port',
      parse: wholeFrom(0),
    }),
    option('--list', { group: 'Common options', description: 'list the scenarios' }),
    option('--scenario <name>', {
      group: 'Common options',
      description: 'scenario to run',
      defaultText: 'limit-1000',
    }),
    option('--plot <file>', {
      group: 'Common options',
      description: 'draw the scenario as an SVG: capacity, throttling and requests in flight',
    }),
    withDefault(option('--seed <n>', { group: 'Common options', description: 'random seed', parse: wholeFrom(0) }), 1),
    ...SERVING,
    ...TALK,
  ],
  async run(_, flags) {
    const { port } = flags
    if (port === undefined) {
      const given = SERVING.find(({ name }) => flags[name] !== undefined)
      if (given !== undefined)
        throw new TypeError(`${flagOf(given.name)} needs --port, such as --port 8000; a scenario has its own settings`)
      const { playScenario } = await import('../playScenario.ts')
      return playScenario(flags)
    }
    if (flags.scenario !== undefined || flags.plot !== undefined || flags.list === true)
      throw new TypeError('--list, --scenario and --plot play a scenario, --port serves clients: pass one or the other')
    const { serveGateway } = await import('../serveGateway.ts')
    await serveGateway({ ...flags, port })
  },
})
