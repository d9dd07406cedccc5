import { createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { startLocal } from '../../src/local/startLocal.ts'
import type { Fault } from '../../src/simulator/faults.ts'
import { startGateway } from '../../src/simulator/gateway.ts'
import type { GatewayStatistics } from '../../src/simulator/gatewayStatistics.ts'
import { call } from '../support/call.ts'
import { dnsEnvironment } from '../support/dnsPlan.ts'
import { type TcpEvent, TcpProxy } from '../support/tcpProxy.ts'
import { headrace, scratchDirectory } from './command.ts'

export interface TortureOptions {
  /** Half of them are generated, half loaded from a file. */
  readonly items: number
  readonly seed: number
  /** Of the table. */
  readonly writeUnitsPerSecond: number
  /** The network and the name server fail as a whole for some tenths of a second once in each step, or for seconds again and again. */
  readonly events: 'once' | 'again and again'
  /** Share of the requests that are never answered; each costs the client ten seconds, beside others. Default 0. */
  readonly stallShare?: number
  /** Told of each step when it ends. */
  readonly onStep?: (step: Step) => void
}

/** One command of the built program. */
interface Step {
  readonly verb: string
  readonly code: number | null
  readonly stderr: string
  /** The last event that it said. */
  // biome-ignore lint/suspicious/noExplicitAny: events are of many shapes
  readonly said: any
  readonly seconds: number
}

export interface TortureResult {
  readonly steps: readonly Step[]
  /** Of the items that should be there: not there, or not with what was written to them; and those that should not be. */
  readonly lost: number
  readonly wrong: number
  readonly strange: number
  readonly gateway: GatewayStatistics
  readonly network: TcpProxy['counts']
  readonly dnsFailures: number
}

const TABLE = 'things'
/** Ends in `.localhost`, so that plain HTTP may be spoken to it. */
const HOST = 'dynamodb.localhost'
/** From one round of events to the next, where they come again and again. */
const TURN_MS = 30_000
const STEP_MS_MAX = 30 * 60_000

/** Shares of all requests, at the gateway. */
const SHARES: { readonly [Name in Fault]?: number } = {
  connect: 0.001,
  'reset before': 0.01,
  'reset after': 0.01,
  'error before': 0.01,
  'error after': 0.01,
  unavailable: 0.005,
  'proxy page': 0.005,
  'wrong checksum': 0.01,
  'cut body': 0.01,
  throttle: 0.02,
  'expired token': 0.002,
  slow: 0.005,
}

/**
 * The built program makes a table, generates and loads items, updates each, and counts them, while gateway, network and
 * name server do what they can against it. Then the store itself is asked what came of it.
 */
export async function runTorture(options: TortureOptions): Promise<TortureResult> {
  const { items, seed, writeUnitsPerSecond, stallShare = 0 } = options
  using directory = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  await using gateway = await startGateway({
    upstream: store.endpoint,
    seed,
    capacity: { billing: 'provisioned', readUnitsPerSecond: 3_000, writeUnitsPerSecond, burstSeconds: 0 },
    latency: { medianMs: 2 },
    faults: {
      shares: { ...SHARES, 'stall before': stallShare / 2, 'stall after': stallShare / 2 },
      partFailureShare: 0.02,
    },
  })
  await using network = await TcpProxy.start({ targetPort: gateway.port, seed })
  network.faults = { latencyMs: 1, bytesPerSecond: 20_000_000, sliceShare: 0.05, resetShare: 0.002 }

  const steps: Step[] = []
  const dnsLog = join(directory.path, 'dns.log')
  const run = async (
    args: readonly string[],
    events: readonly TcpEvent[] = [],
    outage?: readonly [from: number, to: number],
  ) => {
    const startMs = Date.now()
    const { turns, stretch } = options.events === 'once' ? { turns: 1, stretch: 1 } : { turns: 100, stretch: 10 }
    const again = <Value>(make: (shiftMs: number) => Value[]): Value[] =>
      Array.from({ length: turns }, (_, turn) => make(turn * TURN_MS)).flat()
    const [from, to] = outage ?? [0, 0]
    const outages = again((shift) => [
      { fromMs: startMs + shift + from, toMs: startMs + shift + from + (to - from) * stretch },
    ])
    // Who is connected asks no name server, so an outage begins with the end of all connections.
    const happening: readonly TcpEvent[] = [...events, { atMs: from, kind: 'reset' }]
    network.play(
      again((shift) => happening.map((one) => ({ ...one, atMs: one.atMs + shift, forMs: (one.forMs ?? 0) * stretch }))),
    )
    const end = await headrace([...args, '--endpoint-url', `http://${HOST}:${network.port}`, '--json'], {
      directory: directory.path,
      lifeMs: STEP_MS_MAX,
      environment: dnsEnvironment({ host: HOST, outages, log: dnsLog }),
    })
    network.stop()
    const last = end.stdout.trimEnd().split('\n').at(-1) ?? ''
    const said = last.startsWith('{') ? JSON.parse(last) : last
    const step = { verb: args[0]!, code: end.code, stderr: end.stderr, said, seconds: (Date.now() - startMs) / 1_000 }
    steps.push(step)
    options.onStep?.(step)
  }

  const generated = Math.floor(items / 2)
  await writeItems(join(directory.path, 'input.jsonl'), generated, items)
  writeFileSync(join(directory.path, 'visit.js'), 'export default () => ({ add: { visits: 1 } })\n')
  await run(['table', 'create', TABLE, '--key', 'id:S'])
  const template = '{"id":"item{{index}}","n":"{{index}}"}'
  await run(
    ['generate', TABLE, '--items', `${generated}`, '--template', template],
    [{ atMs: 1_500, kind: 'refused', forMs: 200 }],
    [800, 900],
  )
  await run(['load', TABLE, 'input.jsonl'], [{ atMs: 800, kind: 'refused', forMs: 200 }])
  await run(['update', TABLE, 'visit.js'], [{ atMs: 2_000, kind: 'half-open', forMs: 2_500 }], [4_000, 4_100])
  await run(['count', TABLE], [], [300, 400])
  const dnsFailures = existsSync(dnsLog)
    ? readFileSync(dnsLog, 'utf8')
        .split('\n')
        .reduce((sum, line) => sum + Number(line), 0)
    : 0
  const found = await judge(store.endpoint, items)
  return { steps, ...found, gateway: gateway.statistics(), network: network.counts, dnsFailures }
}

async function writeItems(path: string, from: number, to: number): Promise<void> {
  const lines = function* () {
    for (let index = from; index < to; index += 1) yield `{"id":"item${index}","n":${index}}\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
}

/** Reads the store past everything that was in the way. Each item was made with its number, and visited once. */
async function judge(endpoint: string, items: number): Promise<{ lost: number; wrong: number; strange: number }> {
  const seen = new Uint8Array(items)
  let wrong = 0
  let strange = 0
  let start: object | undefined
  do {
    const page = {
      TableName: TABLE,
      ConsistentRead: true,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    }
    const { body } = await call(endpoint, 'Scan', page)
    for (const { id, n, visits } of body.Items) {
      const index = Number(`${id.S}`.slice('item'.length))
      if (seen[index] !== 0) strange += 1
      else seen[index] = 1
      // A template's number is a text where it is in quotes.
      if (Number(n.N ?? n.S) !== index || visits?.N !== '1') wrong += 1
    }
    start = body.LastEvaluatedKey
  } while (start !== undefined)
  return { lost: seen.reduce((sum, there) => sum + (1 - there), 0), wrong, strange }
}
