import type { ScenarioFlags } from '../playScenario.ts'
import type { GatewayFlags } from '../serveGateway.ts'

/** Options that mean nothing without a port. */
const SERVED = [
  'writeUnits',
  'readUnits',
  'onDemand',
  'partitions',
  'burstSeconds',
  'latencyMs',
  'faults',
  'upstream',
] as const

/** `headrace simulate`: over HTTP where a port is named, else in virtual time. */
export async function simulateCommand(
  flags: ScenarioFlags & Omit<GatewayFlags, 'port'> & { port?: number },
): Promise<void> {
  const { port } = flags
  if (port === undefined) {
    const misplaced = SERVED.find((name) => flags[name] !== undefined)
    if (misplaced !== undefined) {
      const option = misplaced.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      throw new TypeError(`--${option} is for a DynamoDB that is talked to; name its --port`)
    }
    await (await import('../playScenario.ts')).playScenario(flags)
    return
  }
  if (flags.scenario !== undefined || flags.plot !== undefined || flags.list === true) {
    throw new TypeError('--port serves requests, --scenario and --plot play without any; give one or the other')
  }
  await (await import('../serveGateway.ts')).serveGateway({ ...flags, port })
}
