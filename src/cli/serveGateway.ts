import { type LocalStore, startLocal } from '../index.ts'
import { formatCount } from '../report/figures.ts'
import { counted } from '../runtime/counted.ts'
import { formatUnits } from '../runtime/units.ts'
import {
  FAULTS,
  type Gateway,
  type GatewayCapacity,
  type GatewayStatistics,
  readFaults,
  startGateway,
} from '../simulator/index.ts'
import { EXIT } from './exitCode.ts'
import { Talk, type TalkOptions } from './talk.ts'

export interface GatewayFlags extends TalkOptions {
  port: number
  writeUnits?: number | undefined
  readUnits?: number | undefined
  onDemand?: boolean | undefined
  partitions?: number | undefined
  burstSeconds?: number | undefined
  latencyMs?: number | undefined
  faults?: string | undefined
  seed: number
  upstream?: string | undefined
}

/** An embedded store behind a gateway, until Ctrl-C. */
export async function serveGateway(flags: GatewayFlags): Promise<void> {
  const talk = new Talk(flags)
  const capacity = capacityOf(flags)
  const faults = flags.faults === undefined ? undefined : readFaults(flags.faults)
  let ended: (exitCode: number) => void = () => undefined
  const end = new Promise<number>((resolve) => {
    ended = resolve
  })
  process.once('SIGINT', () => ended(EXIT.done))
  process.once('SIGTERM', () => ended(EXIT.done))
  let store: LocalStore | undefined
  let gateway: Gateway | undefined
  try {
    if (flags.upstream === undefined) {
      store = await startLocal({
        onExit: (reason) => {
          talk.failure(reason)
          ended(EXIT.failure)
        },
      })
    }
    const upstream = flags.upstream ?? store!.endpoint
    gateway = await startGateway({
      upstream,
      port: flags.port,
      seed: flags.seed,
      capacity,
      ...(flags.latencyMs === undefined ? {} : { latency: { medianMs: flags.latencyMs } }),
      faults,
    })
    talk.event('ready', { endpoint: gateway.url, upstream })
    talk.say(
      `DynamoDB with limits and faults at ${gateway.url}, in front of ${store?.kind ?? upstream}. Press Ctrl-C to stop.`,
    )
    talk.say(`Try: headrace table create demo --key id:S --endpoint-url ${gateway.url}`)
    process.exitCode = await end
    talk.event('done', gateway.statistics())
    talk.say(inWords(gateway.statistics()))
  } finally {
    await gateway?.close()
    await store?.stop()
  }
}

/** Without any units, what each table was made with. */
function capacityOf({ readUnits, writeUnits, onDemand, partitions, burstSeconds }: GatewayFlags): GatewayCapacity {
  const provisioned = readUnits !== undefined || writeUnits !== undefined
  if (provisioned && onDemand === true) {
    throw new TypeError('pass --on-demand, or --read-units and --write-units, but not both')
  }
  return {
    ...(provisioned ? { billing: 'provisioned' } : onDemand === true ? { billing: 'on demand' } : {}),
    readUnitsPerSecond: readUnits,
    writeUnitsPerSecond: writeUnits,
    partitions,
    burstSeconds,
  }
}

function inWords(done: GatewayStatistics): string {
  const faults = FAULTS.filter((fault) => done.faults[fault] > 0)
  const rows: [label: string, value: string][] = [
    ['requests', `${formatCount(done.requests)}, at most ${formatCount(done.inFlightMax)} in flight`],
    [
      'throttled',
      `${counted(done.throttledRequests, 'request')}, and ${counted(done.throttledItems, 'item')} of other requests`,
    ],
    ['acknowledged', counted(done.acknowledgedWrites, 'write')],
    ['consumed', `${formatUnits(done.readUnits, 'read')}, ${formatUnits(done.writeUnits, 'write')}`],
    ['faults', faults.map((fault) => `${fault} ${formatCount(done.faults[fault])}`).join(', ') || 'none'],
  ]
  return rows.map(([label, value]) => `  ${label.padEnd(12)}  ${value}`).join('\n')
}
