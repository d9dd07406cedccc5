import type { ScenarioFlags } from '../playScenario.ts'
import type { GatewayFlags } from '../serveGateway.ts'

/** What only a served DynamoDB takes. */
const SERVING = [
  ['writeUnits', '--write-units'],
  ['readUnits', '--read-units'],
  ['onDemand', '--on-demand'],
  ['partitions', '--partitions'],
  ['burstSeconds', '--burst-seconds'],
  ['latencyMs', '--latency-ms'],
  ['faults', '--faults'],
  ['upstream', '--upstream'],
] as const

/** `headrace simulate`: over HTTP where a port is named, else in virtual time. */
export async function simulateCommand(
  flags: ScenarioFlags & Omit<GatewayFlags, 'port'> & { port?: number },
): Promise<void> {
  const { port } = flags
  if (port === undefined) {
    const meant = SERVING.find(([name]) => flags[name] !== undefined)
    if (meant !== undefined) {
      throw new TypeError(
        `${meant[1]} is for a DynamoDB that is served, and needs --port, such as --port 8000; a scenario has its own`,
      )
    }
    await (await import('../playScenario.ts')).playScenario(flags)
    return
  }
  if (flags.scenario !== undefined || flags.plot !== undefined || flags.list === true) {
    throw new TypeError('--port serves requests; --list, --scenario and --plot are without any. Give one or the other')
  }
  await (await import('../serveGateway.ts')).serveGateway({ ...flags, port })
}
